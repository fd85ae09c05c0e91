// The most memory that was ever resident while the packed program imports a large mbox, its threads included.
//
//   node bench/import-memory.ts [--messages 95000] [--max-rss-mb 300]
//
// Ends with 1 when it was more than that (millions of bytes). 95,000 messages are 1.07 GB.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { generateMbox } from './mbox-generator.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '95000' },
    'max-rss-mb': { type: 'string', default: '300' },
  },
});
const program = join(import.meta.dirname, '..', 'bin', 'drawbridge.mjs');
/** Asked of the kernel as the process ends: kilobytes. */
const tell = "process.on('exit',()=>process.stderr.write('resident:'+process.resourceUsage().maxRSS+';'))";

const folder = await mkdtemp(join(tmpdir(), 'drawbridge-bench-import-memory-'));
try {
  const mbox = join(folder, 'mail.mbox');
  const { bytes } = await generateMbox(mbox, Number(values.messages));
  const began = performance.now();
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [program, 'import', mbox, '--json'],
    {
      env: {
        PATH: process.env['PATH'],
        DRAWBRIDGE_HOME: join(folder, 'home'),
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}`,
      },
    },
  );
  const seconds = (performance.now() - began) / 1000;
  const { inserted } = JSON.parse(stdout) as { inserted: number };
  const most = (Number(/resident:(\d+);/.exec(stderr)?.[1]) * 1024) / 1e6;
  const load = loadavg()[0]?.toFixed(1);
  console.log(
    `${inserted} messages, ${(bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(0)} s (load ${load}): at most ${most.toFixed(0)} MB resident (goal: ≤ ${values['max-rss-mb']})`,
  );
  if (!(most <= Number(values['max-rss-mb']))) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
