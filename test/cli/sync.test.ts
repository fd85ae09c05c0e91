// `sync` as a person uses it, on a real mail server: what it brings, how often it runs by itself, what it asks.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { newProgram, type Program } from './program.ts';

let sandbox: Sandbox;
let program: Program;
let id: string;

interface Told {
  connectionId: string;
  inserted: number;
  deleted: number;
  held: number;
}

const inbox = () => {
  const folder = sandbox.mailboxes.byUser(sandbox.mail.user)?.folder('INBOX');
  if (folder === undefined) throw new Error('the mailbox has an inbox');
  return folder;
};
const letter = (n: number) =>
  Buffer.from(
    `From: Bob <bob@example.org>\r\nTo: ann@example.com\r\nSubject: Letter ${n}\r\nMessage-ID: <${n}@example.org>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\nNumber ${n}.\r\n`,
  );

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
  for (let n = 1; n <= 30; n += 1) inbox().add(letter(n), Date.UTC(2026, 2, 2), []);
  const { mail, imap, smtp } = sandbox;
  const servers = ['--imap', `${imap.host}:${imap.port}`, '--smtp', `${smtp.host}:${smtp.port}`];
  const made = await program.json<{ id: string }>(
    ['connect', 'mailbox', '--email', mail.address, ...servers, '--password-stdin', '--no-sync'],
    { input: `${mail.password}\n` },
  );
  id = made.id;
});
afterAll(async () => {
  await program?.remove();
  await sandbox?.close();
});

test('brings what is there, and nothing a second time', async () => {
  expect(await program.json<Told[]>(['sync'])).toMatchObject([{ connectionId: id, inserted: 30 }]);
  expect(await program.json<Told[]>(['sync', id, '--now'])).toMatchObject([{ inserted: 0, deleted: 0 }]);
  expect(await program.json<Told[]>(['sync', id, '--full'])).toMatchObject([
    { inserted: 0, unchanged: 30, deleted: 0 },
  ]);
});

test('says how often it runs by itself, and pauses and resumes that', async () => {
  expect(await program.json(['sync', id, '--every', '6h'])).toMatchObject([
    { everyMs: 21_600_000, paused: false, failures: 0, last: { state: 'completed', cause: 'person' } },
  ]);
  expect((await program.run(['sync', id, '--pause'])).stdout).toContain('paused');
  expect((await program.run(['sync', id, '--resume'])).stdout).toContain('synced every 6 hours.');
  expect(await program.json(['sync', '--every', 'nightly'])).toMatchObject([{ everyMs: null }]);
  const wrong = await program.run(['sync', id, '--every', 'often']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('nightly, or 5m to 7d')]);
  expect((await program.run(['sync', id, '--pause', '--resume'])).code).toBe(2);
  expect((await program.run(['sync', '--keep'])).code).toBe(2);
});

test('asks when much is gone at once, deletes nothing before, and does as a person says', async () => {
  const folder = inbox();
  for (const message of folder.messages.slice(0, 20)) folder.remove(message);
  const asks = await program.run(['sync', id]);
  expect(asks.stdout).toContain('0 gone');
  expect(asks.stderr).toContain('20 records are gone there at once.');
  expect(asks.stderr).toContain('--confirm-deletions');
  const kept = await program.json<{ passages: unknown[] }>(['search', 'Letter 1']);
  expect(JSON.stringify(kept)).toContain('Letter 1');
  expect(await program.json(['sync', id, '--confirm-deletions'])).toMatchObject({
    answer: 'forget',
    records: 20,
  });
  expect(await program.json<Told[]>(['sync', id])).toMatchObject([{ deleted: 0, held: 0 }]);
  expect((await program.run(['sync', id, '--keep'])).code).toBe(1);
});

test('shows what is synced, by whichever process, until it is stopped', async () => {
  const child = program.start(['sync', '--watch', '--json']);
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await expect.poll(() => said, { timeout: 30_000 }).toContain('"completed"');
  inbox().add(letter(99), Date.UTC(2026, 2, 3), []);
  await program.json(['sync', id]);
  await expect.poll(() => said, { timeout: 30_000 }).toContain('"inserted":1');
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  for (const line of said.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ connectionId: id });
});

test('says that pg_cron is no matter of a database on this machine, nor of one account', async () => {
  for (const [args, code, said] of [
    [['--pg-cron', 'on'], 1, 'the database is SQLite'],
    [['--pg-cron', 'maybe'], 2, '--pg-cron is on or off'],
    [[id, '--pg-cron', 'on'], 2, 'is about every account'],
  ] as const) {
    const told = await program.run(['sync', ...args]);
    expect([told.code, told.stderr]).toEqual([code, expect.stringContaining(said)]);
  }
});

test('tells accounts apart that are called the same', async () => {
  const { caldav, mail } = sandbox;
  await program.json(
    [
      'connect',
      'caldav',
      '--url',
      caldav.url,
      '--user',
      caldav.user,
      '--email',
      mail.address,
      '--password-stdin',
      '--no-sync',
    ],
    { input: `${caldav.password}\n` },
  );
  const { stdout } = await program.run(['sync']);
  const names = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(': ')[0]);
  expect(names).toEqual([`${mail.address} (Mailbox (IMAP and SMTP))`, `${mail.address} (Calendar (CalDAV))`]);
  expect((await program.run(['sync', '--every', '6h'])).stdout).toContain(
    '(Calendar (CalDAV)): synced every 6 hours.',
  );
  expect((await program.run(['sync', 'nope'])).stderr).toContain(`${mail.address} (Mailbox (IMAP and SMTP))`);
});
