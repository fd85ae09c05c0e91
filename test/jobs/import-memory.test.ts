// An import in memory that does not grow with its file: what is held is a few batches, whatever the size. How much
// that is at 1 GB is measured by `npm run bench:import-memory`.
import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newProgram, type Program } from '../cli/program.ts';

const megabyte = 1_000_000;
const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) await program.remove();
});

/** Writes mails with an attachment of 100 kB each until the file is that large; returns their number. */
function writeMails(file: string, bytes: number): number {
  const out = openSync(file, 'w');
  let written = 0;
  let count = 0;
  for (; written < bytes; count += 1) {
    const text = Array.from({ length: 150 }, (_, i) => `word${(count * 31 + i * 17) % 4_000}`).join(' ');
    const attachment = Buffer.alloc(100_000, `attachment ${count} `).toString('base64');
    const mail = [
      'From a@example.com Thu Jan  1 00:00:00 2026',
      `Message-ID: <memory-${count}@example.com>`,
      'From: Ada Byron <ada@example.com>',
      'To: Bo Peep <bo@example.com>',
      `Subject: Lease ${count}`,
      'Date: Thu, 1 Jan 2026 00:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=part',
      '',
      '--part',
      'Content-Type: text/plain',
      '',
      text,
      '--part',
      'Content-Type: application/pdf; name="lease.pdf"',
      'Content-Disposition: attachment; filename="lease.pdf"',
      'Content-Transfer-Encoding: base64',
      '',
      attachment.replaceAll(/.{76}/g, '$&\n'),
      '--part--',
      '\n',
    ].join('\n');
    written += writeSync(out, mail);
  }
  closeSync(out);
  return count;
}

/** The most memory that was ever resident in the command's process, in bytes, its threads included. */
async function peakOfImport(bytes: number): Promise<number> {
  const program = await newProgram();
  programs.push(program);
  const file = join(dirname(program.home), 'mail.mbox');
  const count = writeMails(file, bytes);
  const tell = "process.on('exit',()=>process.stderr.write('resident:'+process.resourceUsage().maxRSS+';'))";
  const { code, stdout, stderr } = await program.run(['import', file, '--json'], {
    environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` },
  });
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ inserted: count, rejectedTotal: 0 });
  return Math.max(...[...stderr.matchAll(/resident:(\d+);/g)].map(([, kib]) => Number(kib) * 1024));
}

test('a file larger by 300 MB is imported in at most 150 MB more of memory', async () => {
  // Garbage is collected late: by 100 MB of mails, threads have taken what they ever take.
  const small = await peakOfImport(100 * megabyte);
  const large = await peakOfImport(400 * megabyte);
  expect(small).toBeGreaterThan(0);
  expect((large - small) / megabyte).toBeLessThan(150);
}, 240_000);
