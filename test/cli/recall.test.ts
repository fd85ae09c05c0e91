// Search, explain and sensitivity at a terminal, over an imported file.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProgram, type Program } from './program.ts';

let program: Program;
const letter = (id: string, date: string, body: string) =>
  [
    'From MAILER-DAEMON Mon Mar  2 09:00:00 2026',
    `Message-ID: <${id}@test>`,
    'From: Maria Keller <maria@keller.test>',
    'To: me@agency.test',
    `Subject: Roof ${id}`,
    `Date: ${date}`,
    '',
    body,
    '',
    '',
  ].join('\n');

beforeAll(async () => {
  program = await newProgram();
  const box = join(dirname(program.home), 'box.mbox');
  await writeFile(
    box,
    letter('a', 'Mon, 02 Feb 2026 09:00:00 +0000', 'The roof leaks.') +
      letter('b', 'Mon, 09 Mar 2026 09:00:00 +0000', 'The roof leaks again.'),
  );
  expect(await program.run(['import', box])).toMatchObject({ code: 0 });
});
afterAll(() => program.remove());

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await program.run([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, never>;
};

test('search says what was understood, and where the words stand', async () => {
  const { hits, understood } = (await json('search', 'the roof since 2026-03-01')) as unknown as {
    hits: { title: string; snippet: string; marks: [number, number][]; verifiedAt: string }[];
    understood: string[];
  };
  expect(hits.map(({ title }) => title)).toEqual(['Roof b']);
  expect(understood).toEqual(['since 2026-03-01']);
  const [{ snippet, marks }] = hits as [(typeof hits)[0]];
  expect(marks.map(([from, to]) => snippet.slice(from, to))).toContain('roof');
});

test('explain shows what each score is made of, the parts adding up to it', async () => {
  const { hits, terms } = (await json('explain', 'roof from Maria Keller')) as unknown as {
    hits: { score: number; shares: { what: string; share: number }[]; freshness: string }[];
    terms: string[];
  };
  expect(terms).toContain('roof');
  expect(hits.length).toBe(2);
  for (const { score, shares } of hits)
    expect(shares.reduce((all, { share }) => all + share, 0)).toBeCloseTo(score, 2);
  expect(hits[0]?.shares.map(({ what }) => what)).toContain('understood: sender');
  const { stdout, code } = await program.run(['explain', 'roof']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Searched by: .*roof/);
  expect(stdout).toMatch(/\+0\.\d+ {2}text/);
});

test('sensitivity hides, says what is hidden, and shows again', async () => {
  expect(await json('sensitivity', '--hide-kind', 'mail', '--hide-label', 'Private')).toEqual({
    kinds: ['mail'],
    connections: [],
    labels: ['private'],
  });
  const { stdout } = await program.run(['sensitivity']);
  expect(stdout).toMatch(/Hidden from agents, never from people:\n {2}kind mail\n {2}label private/);
  expect(((await json('search', 'roof')) as unknown as { hits: unknown[] }).hits.length).toBe(2);
  const wrong = await program.run(['sensitivity', '--hide-kind', 'poem']);
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toContain('"poem" is no kind');
  expect(await json('sensitivity', '--reset')).toEqual({ kinds: [], connections: [], labels: [] });
});

test('settings: a time zone and an age are set, shown, and taken back; what is none is named', async () => {
  const ages = (told: unknown) =>
    (told as { freshness: { kind: string; age: string; set: boolean }[] }).freshness.find(
      ({ kind }) => kind === 'mail',
    );
  expect(ages(await json('settings'))).toEqual({ kind: 'mail', age: '15m', set: false });
  expect(await json('settings', 'time-zone', 'Europe/Berlin')).toMatchObject({
    timeZone: 'Europe/Berlin',
    timeZoneSet: true,
  });
  expect(ages(await json('settings', 'freshness', 'mail', '2h'))).toEqual({
    kind: 'mail',
    age: '2h',
    set: true,
  });
  const forGmail = await json('settings', 'freshness', 'mail', '90s', '--provider', 'gmail');
  expect(forGmail).toMatchObject({ providers: [{ provider: 'gmail', kind: 'mail', age: '90s' }] });
  expect(ages(await json('settings', 'freshness', 'mail', '--reset'))).toMatchObject({ age: '15m' });
  expect(await json('settings', 'time-zone', '--reset')).toMatchObject({ timeZoneSet: false });
  for (const [args, said] of [
    [['time-zone', 'Mars/North'], 'Mars/North'],
    [['freshness', 'letters', '2h'], 'letters'],
    [['freshness', 'mail', 'soon'], 'soon'],
    [['freshness', 'mail', '2h', '--provider', 'nobody'], 'nobody'],
    [['freshness', 'mail'], '--reset'],
  ] as const) {
    const { code, stderr } = await program.run(['settings', ...args]);
    expect(code, args.join(' ')).toBeGreaterThan(0);
    expect(stderr).toContain(said);
  }
});

test('rebuild reads all of memory anew, and the answers stay', async () => {
  const before = await json('search', 'roof leaks');
  expect(await json('rebuild')).toEqual({ documents: 2, rejected: [], stopped: false });
  const titles = (told: unknown) => (told as { hits: { title: string }[] }).hits.map(({ title }) => title);
  expect(titles(await json('search', 'roof leaks'))).toEqual(titles(before));
  const { stdout } = await program.run(['rebuild']);
  expect(stdout).toBe('2 documents were read anew.\n');
});
