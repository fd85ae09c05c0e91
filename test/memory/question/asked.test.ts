// Questions put to memory as people ask them: bounded by what they say outright, lifted by the rest, one hit a
// conversation.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryQuery } from '../../../src/memory/memory.ts';
import { simhash } from '../../../src/memory/question/collapse.ts';
import { type Ground, ground, json, mail } from '../ground.ts';

let g: Ground;
const timeZone = 'Europe/Berlin';
const now = Date.UTC(2026, 2, 18, 11);

const letter = (
  id: string,
  from: string,
  date: string,
  subject: string,
  body: string,
  headers: string[] = [],
) => mail({ id: `${id}@test`, from, date, subject, body, headers });
const maria = 'Maria Keller <maria@keller.test>';
const tom = 'Tom Adler <tom@adler.test>';

beforeAll(async () => {
  g = await ground();
  const long = Array.from({ length: 40 }, (_, i) => `clause${i}`).join(' ');
  await g.memory.ingest(g.org, g.source, {
    records: [
      letter('m1', maria, 'Mon, 02 Feb 2026 09:00:00 +0000', 'Roof', 'The roof of the house leaks.'),
      letter(
        'm2',
        maria,
        'Mon, 09 Mar 2026 09:00:00 +0000',
        'Roof again',
        'The roof of the house leaks again.',
      ),
      letter(
        't1',
        tom,
        'Tue, 10 Mar 2026 09:00:00 +0000',
        'Roof repair',
        'Maria says the roof of the house leaks.',
      ),
      letter('o1', tom, 'Wed, 04 Mar 2026 09:00:00 +0000', 'Offer', 'We offer 520,000 for it.'),
      letter('o2', tom, 'Sat, 10 Jan 2026 09:00:00 +0000', 'Price', 'It should cost 310,000.'),
      letter('l1', tom, 'Thu, 05 Mar 2026 09:00:00 +0000', 'Boiler', 'The boiler is cold.'),
      letter('l2', maria, 'Thu, 05 Mar 2026 10:00:00 +0000', 'Re: Boiler', 'The boiler is still cold.', [
        'In-Reply-To: <l1@test>',
        'References: <l1@test>',
      ]),
      letter('l3', tom, 'Thu, 05 Mar 2026 11:00:00 +0000', 'Re: Boiler', 'The boiler is warm.', [
        'In-Reply-To: <l2@test>',
        'References: <l1@test> <l2@test>',
      ]),
      json('c1', 'note', { title: 'Terms', text: `Terms of business. ${long}` }),
      json('c2', 'file', { title: 'Terms of 2026', text: `Terms of business. ${long}` }),
      json('e1', 'event', {
        title: 'Roof viewing',
        text: 'Look at the roof of the house.',
        at: '2026-03-12T09:00:00Z',
      }),
    ],
  });
});
afterAll(() => g.close());

async function ask(question: string, more: Partial<MemoryQuery> = {}) {
  const answer = await g.memory.search(g.org, {
    question,
    limit: 10,
    understand: { now, timeZone },
    ...more,
  });
  return { ...answer, ids: answer.passages.map(({ externalId }) => externalId.replace('@test', '')) };
}

describe('what is said outright bounds the answer', () => {
  test('since when', async () => {
    const { ids, understood } = await ask('who wrote of the roof since March');
    expect(ids.sort()).toEqual(expect.arrayContaining(['m2', 't1']));
    expect(ids).not.toContain('m1');
    expect(understood).toContain('since 2026-03-01');
  });
  test('from whom: who is only spoken of comes after who wrote', async () => {
    const { ids, understood } = await ask('the roof, from Maria Keller');
    expect(new Set(ids.slice(0, 2))).toEqual(new Set(['m1', 'm2']));
    expect(understood).toContain('from Maria Keller');
  });
  test('since another record: the newest that is of it', async () => {
    const { ids, understood } = await ask('the roof since the offer');
    expect(ids).toEqual(expect.arrayContaining(['m2', 't1']));
    expect(ids).not.toContain('m1');
    expect(understood.join()).toMatch(/^since 2026-03-04, when the newest record about "offer" is of/);
  });
  test('nothing within the bounds: they are left aside, and that is said', async () => {
    const { ids, understood } = await ask('the offer since yesterday');
    expect(ids).toContain('o1');
    expect(understood.join()).toMatch(/left aside/);
  });
  test('a bound that the caller gave is never left aside', async () => {
    const { ids } = await ask('the offer', { since: now });
    expect(ids).toEqual([]);
  });
  test('a name that nobody bears is a word like others', async () => {
    const { ids, understood } = await ask('the roof from Zebedee');
    expect(ids.length).toBeGreaterThan(0);
    expect(understood).toEqual([]);
  });
});

describe('what may be meant lifts, and shuts nothing out', () => {
  test.each([
    ['a time', 'roof of the house last month', 'm1'],
    ['a kind', 'roof of the house viewing meeting', 'e1'],
    ['an amount', 'what did Tom say, over 500k', 'o1'],
    ['the newest', 'the latest about the roof of the house leaks', 't1'],
  ])('%s', async (_, question, fits) => {
    const { ids, passages } = await ask(question);
    const plain = (await ask(question, { understand: undefined } as object)).ids;
    expect(new Set(plain)).toEqual(new Set(ids));
    expect(ids.indexOf(fits)).toBeLessThanOrEqual(plain.indexOf(fits));
    const lifts = passages[ids.indexOf(fits)]?.lifts ?? {};
    expect(Object.values(lifts).some((lift) => lift > 0)).toBe(true);
  });
});

describe('collapsed', () => {
  test('a conversation is one hit that says how many more there are', async () => {
    const apart = await ask('boiler cold');
    expect(apart.ids.filter((id) => id.startsWith('l')).length).toBe(3);
    const { passages, ids } = await ask('boiler cold', { collapse: true });
    expect(ids.filter((id) => id.startsWith('l')).length).toBe(1);
    expect(passages[0]?.alike).toEqual({ inThread: 2, copies: 0 });
  });
  test('documents that say the same are one', async () => {
    const { passages } = await ask('terms of business clause7', { collapse: true });
    const terms = passages.filter(({ title }) => title.startsWith('Terms'));
    expect(terms.length).toBe(1);
    expect(terms[0]?.alike).toEqual({ inThread: 0, copies: 1 });
  });
  test('pages follow one another without a hit twice or left out', async () => {
    const all = await ask('the roof of the house, offer, boiler, terms', { collapse: true, limit: 50 });
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask('the roof of the house, offer, boiler, terms', {
        collapse: true,
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      });
      paged.push(...page.ids);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(paged).toEqual(all.ids);
  });
  test('a text with one word changed has nearly the same fingerprint, another text has not', () => {
    const text = Array.from({ length: 300 }, (_, i) => `word${i}`);
    const other = Array.from({ length: 300 }, (_, i) => `else${i}`);
    const apart = (a: string[], b: string[]) => {
      const [x, y] = [simhash(a.join(' ')), simhash(b.join(' '))];
      const count = (n: number) => n.toString(2).replaceAll('0', '').length;
      return [0, 1].reduce((sum, i) => sum + count(((x?.[i] ?? 0) ^ (y?.[i] ?? 0)) >>> 0), 0);
    };
    expect(apart(text, text.with(150, 'another'))).toBeLessThanOrEqual(3);
    expect(apart(text, other)).toBeGreaterThan(12);
  });
});

test('the words that were asked for are marked in the snippet', async () => {
  const { passages } = await ask('boiler');
  const { snippet = '', marks = [] } = passages[0] ?? {};
  expect(marks.map(([from, to]) => snippet.slice(from, to).toLowerCase())).toContain('boiler');
});

test('the parts of a score add up to it, lifts included', async () => {
  const { passages } = await ask('roof of the house last month');
  const sum = (one: object | undefined) =>
    Object.values(one ?? {}).reduce((a: number, b: number) => a + b, 0);
  const totals = passages.map(({ parts, lifts }) => sum(parts) + sum(lifts));
  const [first = 1] = totals;
  passages.forEach(({ score }, i) => {
    expect((totals[i] ?? 0) / first).toBeCloseTo(score, 6);
  });
});

test('only the documents that are named are looked at', async () => {
  const { passages } = await ask('roof');
  const [one] = passages;
  const { passages: only } = await ask('roof', { documentIds: [one?.documentId ?? ''] });
  expect(new Set(only.map(({ documentId }) => documentId))).toEqual(new Set([one?.documentId]));
  expect((await ask('roof', { documentIds: [] })).passages).toEqual([]);
});
