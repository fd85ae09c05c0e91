// `drawbridge clients` as a new user meets it: found, shown with sources, joined, parted, corrected, taken back.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProgram, type Program } from './program.ts';

let program: Program;
let folder: string;

const message = (id: string, from: string, body: string) =>
  `From x@x.test Mon Mar 02 08:00:00 2026\nMessage-ID: <${id}@x.test>\nFrom: ${from}\nTo: me@agency.test\nSubject: About ${id}\nDate: Mon, 02 Mar 2026 08:00:00 +0000\n\n${body}\n\n`;

beforeAll(async () => {
  program = await newProgram();
  folder = mkdtempSync(join(tmpdir(), 'drawbridge-clients-'));
  const mbox = join(folder, 'mail.mbox');
  writeFileSync(
    mbox,
    message('a', 'Ann Lee <ann@lee.test>', 'We need three bedrooms. Is the garden in use?') +
      message('b', 'Tom Roe <tom@acme.test>', 'Hello.') +
      message('c', 'Tom Roe <t.roe@acme.test>', 'Hello again.'),
  );
  const imported = await program.run(['import', mbox]);
  expect(imported.code, imported.stderr).toBe(0);
});
afterAll(async () => {
  await program.remove();
  rmSync(folder, { recursive: true, force: true });
});

const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await program.run(['clients', ...args]);
  return { code, said: `${stdout}${stderr}` };
};

test('clients are listed and found, and shown with the words that say what is known', async () => {
  const { said } = await run();
  expect(said).toContain('Ann Lee <ann@lee.test>');
  expect(said).toContain('clients proposals');
  expect((await run('ann')).said).not.toContain('Tom Roe');
  const shown = await run('show', 'Ann', 'Lee');
  expect(shown.said).toMatch(/3 bedrooms \(2026-03-02\) {2}\[ime:\/\/documents\/doc_\w+:\d+-\d+, /u);
  expect(shown.said).toContain('Is the garden in use?');
  const ambiguous = await run('show', 'Tom Roe');
  expect([ambiguous.code, ambiguous.said]).toEqual([1, expect.stringContaining('Name one by address or id')]);
  expect((await run('show', 'Nobody')).code).toBe(1);
});

test('a proposal is accepted and undone; a client is joined and parted', async () => {
  const [proposed] = await program.json<{ id: string; state: string }[]>(['clients', 'proposals', '--json']);
  const id = proposed?.id ?? '';
  expect((await run('accept', id)).said).toContain(`clients undo ${id}`);
  expect((await run('show', 'Tom', 'Roe')).code).toBe(0);
  expect((await run('undo', id)).said).toContain('two clients again');
  const merged = await program.json<{ id: string }>([
    'clients',
    'merge',
    'tom@acme.test',
    't.roe@acme.test',
    '--json',
  ]);
  expect(merged.id).toMatch(/^mrg_/u);
  expect((await run('split', 'tom@acme.test', 't.roe@acme.test')).said).toContain('a client apart');
  expect((await run('show', 'Tom Roe')).code).toBe(1);
});

test('a fact is said, corrected and taken away; history remains', async () => {
  expect((await run('say', 'ann@lee.test', 'likes', 'tulips')).said).toContain('Kept as fct_');
  const { facts } = await program.json<{ facts: { id: string; value: string }[] }>([
    'clients',
    'show',
    'ann@lee.test',
    '--json',
  ]);
  const wish = facts.find(({ value }) => value === '3 bedrooms')?.id ?? '';
  expect((await run('correct', wish, '4 bedrooms')).code).toBe(0);
  const shown = (await run('show', 'ann@lee.test', '--history')).said;
  expect(shown).toMatch(/now {2}bedrooms: 4 bedrooms/u);
  expect(shown).toMatch(/was {2}bedrooms: 3 bedrooms/u);
  const likes = facts.find(({ value }) => value === 'tulips')?.id ?? '';
  expect((await run('forget', likes)).code).toBe(0);
  expect((await run('show', 'ann@lee.test')).said).not.toContain('tulips');
});
