// The first hour with an exported mailbox and no account: the import asks whose it is, and whoever answers is no client.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newProgram, type Program } from './program.ts';

let program: Program;
let folder: string;
let mbox: string;

const message = (id: string, from: string, to: string) =>
  `From x@x.test Mon Mar 02 08:00:00 2026\nMessage-ID: <${id}@x.test>\nFrom: ${from}\nTo: ${to}\nSubject: About ${id}\nDate: Mon, 02 Mar 2026 08:00:00 +0000\n\nWe need three bedrooms.\n\n`;
const anna = 'Anna Berg <anna@berg.test>';
const client = (i: number) => `Client No${i} <c${i}@x${i}.test>`;

beforeEach(async () => {
  program = await newProgram();
  folder = mkdtempSync(join(tmpdir(), 'drawbridge-own-'));
  mbox = join(folder, 'mail.mbox');
  const mails = Array.from({ length: 28 }, (_, i) =>
    i % 3 === 0 ? message(`m${i}`, anna, client(i % 7)) : message(`m${i}`, client(i % 7), anna),
  );
  writeFileSync(mbox, mails.join(''));
});
afterEach(async () => {
  await program.remove();
  rmSync(folder, { recursive: true, force: true });
});

const clients = async () => (await program.run(['clients'])).stdout;

test('an import tells whose mailbox it seems to be; said to be hers, she is no client', async () => {
  const { stdout } = await program.run(['import', mbox]);
  expect(stdout).toContain('28 of 28 imported mails are from or to anna@berg.test.');
  expect(stdout).toContain('drawbridge settings own-addresses anna@berg.test');
  await expect(program.json(['import', mbox])).resolves.toMatchObject({
    likelyOwn: { address: 'anna@berg.test', mails: 28, of: 28 },
  });
  expect(await clients()).toContain('anna@berg.test');
  const set = await program.run(['settings', 'own-addresses', 'anna@berg.test']);
  expect([set.code, set.stdout]).toEqual([0, expect.stringMatching(/own addresses.*: anna@berg\.test/u)]);
  expect(await clients()).not.toContain('anna@berg.test');
  expect(await clients()).toContain('c1@x1.test');
  const again = await program.run(['import', mbox]);
  expect(again.stdout).not.toContain('own-addresses');
  expect((await program.run(['audit', 'list'])).stdout).toContain('own_addresses');
  const taken = await program.run(['settings', 'own-addresses', '--remove', 'anna@berg.test']);
  expect(taken.stdout).toMatch(/own addresses.*: none/u);
  expect(await clients()).toContain('anna@berg.test');
});

test('--mine says it with the import; a wrong one is named before anything is read', async () => {
  const wrong = await program.run(['import', mbox, '--mine', 'anna']);
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('--mine: "anna" is no e-mail')]);
  expect((await program.run(['clients'])).stdout).not.toContain('c1@x1.test');
  const mine = ['--mine', 'ANNA@berg.test', '--mine', 'me@berg.test'];
  await expect(program.json(['import', mbox, ...mine])).resolves.toMatchObject({
    inserted: 28,
    likelyOwn: null,
  });
  expect(await clients()).not.toContain('anna@berg.test');
  expect(await clients()).toContain('c1@x1.test');
  await expect(program.json(['settings'])).resolves.toMatchObject({
    ownAddresses: ['anna@berg.test', 'me@berg.test'],
  });
});
