// `drawbridge properties` as a new user meets it: a home once, why it is one, its prices, parted and joined again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProgram, type Program } from './program.ts';

let program: Program;
let folder: string;

beforeAll(async () => {
  program = await newProgram();
  folder = mkdtempSync(join(tmpdir(), 'drawbridge-properties-'));
  const lines = [
    {
      id: 'a',
      kind: 'listing',
      facts: { id: 'a', address: '12 Oak Street', city: 'Springfield', price: 500_000, currency: 'GBP' },
    },
    {
      id: 'b',
      kind: 'listing',
      facts: { id: 'b', address: '12 OAK ST.', city: 'Springfield', price: 510_000 },
    },
    { id: 'n', kind: 'note', title: 'Call', text: '12 Oak Street is now asking £480,000.', at: '2026-01-20' },
  ];
  const file = join(folder, 'homes.jsonl');
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'));
  const imported = await program.run(['import', file]);
  expect(imported.code, imported.stderr).toBe(0);
});
afterAll(async () => {
  await program.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await program.run(['properties', ...args]);
  expect(code, stderr).toBe(0);
  return stdout;
}

test('a home is listed once, and shown with why it is one and where each price was seen', async () => {
  expect((await run()).trim().split('\n')).toHaveLength(1);
  expect(await run('elm')).toContain('No home has such an address.');
  const said = await run('show', '12', 'Oak', 'St');
  expect(said).toContain('here by the address 12 oak st, springfield');
  expect(said).toContain('480,000 GBP');
  expect(said).toContain('mentioned in “Call”');
});

test('a listing is parted, and joined to its home again', async () => {
  interface Home {
    id: string;
    sightings: { id: string; externalId: string }[];
  }
  const [home] = JSON.parse(await run('--json')) as Home[];
  const wrong = home?.sightings.find(({ externalId }) => externalId === 'a')?.id ?? '';
  await run('split', wrong);
  expect((await run()).trim().split('\n')).toHaveLength(2);
  await run('join', wrong, home?.id ?? '');
  const again = JSON.parse(await run('--json')) as Home[];
  expect(again.map(({ id }) => id)).toEqual([home?.id]);
  const none = await program.run(['properties', 'split', 'psg_none']);
  expect(none.code).not.toBe(0);
  expect(none.stderr).toContain('There is no such listing.');
});
