// What ranking promises of an answer, on small collections in memory: the same code that the search worker runs.
import { beforeAll, expect, test } from 'vitest';
import {
  chunksOfRecords,
  createMemoryCollection,
  type MemoryChunk,
  type MemoryCollection,
} from '../../../bench/memory-collection.ts';
import { passagesOf } from '../../../src/memory/embed/passages.ts';
import { loadStaticEn, type StaticModel } from '../../../src/memory/embed/static-en.ts';
import { questionTerms } from '../../../src/memory/language/question.ts';
import { terms } from '../../../src/memory/language/terms.ts';
import { type Ranked, type RankOptions, rank } from '../../../src/memory/rank/rank.ts';
import { rankSettings } from '../../../src/memory/rank/settings.ts';
import { askedTerms, fewSlots, scoreWords } from '../../../src/memory/rank/words.ts';
import type { SourceRecord } from '../../../src/providers/record.ts';

let model: StaticModel;
beforeAll(async () => {
  model = await loadStaticEn();
});

interface Written {
  title?: string;
  text: string;
  thread?: string;
}

/** One chunk a document, as ingestion would read it; `vectors`: with those of the built-in embedder. */
function collectionOf(written: readonly (string | Written)[], { vectors = false } = {}): MemoryCollection {
  const chunks = written.map((one, i): MemoryChunk => {
    const { title = '', text, thread } = typeof one === 'string' ? { text: one } : one;
    return {
      document: `${i}`,
      header: terms(title, ['en']),
      body: terms(text, ['en']),
      thread,
      vectors: vectors ? model.passages(passagesOf(title, text)) : undefined,
    };
  });
  return createMemoryCollection(chunks);
}

function ask(
  collection: MemoryCollection,
  question: string,
  options: Partial<RankOptions> & { phrases?: string[] } = {},
): Ranked[] {
  const { phrases = [], ...rest } = options;
  return rank(
    collection,
    {
      terms: questionTerms(question, ['en']),
      phrases: phrases.map((phrase) => terms(phrase, ['en'])),
      embed: (weightOf) => model.question(question, weightOf),
      contexts: model.contexts,
    },
    { limit: 10, ...rest },
  );
}

const slotsOf = (ranked: readonly Ranked[]) => ranked.map(({ slot }) => slot);

const filler = [
  'The quarterly figures were sent to the accountant on Monday.',
  'Parking permits for the new office are ready at the front desk.',
  'Please book a table for six at the harbour restaurant.',
  'The printer on the second floor needs toner again.',
];

test('a passage that holds more of the question comes first, and one that holds nothing of it not at all', () => {
  const collection = collectionOf([
    'The lease of Harbour Street 5',
    'The lease and its deposit for Harbour Street 5',
    ...filler,
  ]);
  expect(slotsOf(ask(collection, 'deposit of the lease')).slice(0, 2)).toEqual([1, 0]);
  expect(slotsOf(ask(collection, 'deposit of the lease'))).toHaveLength(2);
});

test('a message of a few words does not come first for being short, before one that holds more of the question', () => {
  const collection = collectionOf([
    'Boiler? Yes, the boiler!',
    'The man from the works came on Tuesday and looked at the boiler beside the printer: the pump of the boiler is worn.',
    ...Array.from({ length: 4 }, () => filler.join(' ')),
  ]);
  const best = (shortestBody: number) =>
    slotsOf(
      rank(
        collection,
        { terms: ['boiler', 'printer'] },
        { limit: 2, settings: { ...rankSettings, shortestBody } },
      ),
    );
  expect(best(0)[0]).toBe(0);
  expect(best(rankSettings.shortestBody)).toEqual([1, 0]);
});

test('a word in the title counts for more than the same word in the text', () => {
  const others = filler.map((text, i) => ({ title: `Message number ${i}`, text }));
  const collection = collectionOf([
    { title: 'Notes of Tuesday', text: 'What was said of the mortgage by those who were there.' },
    { title: 'Notes of the mortgage', text: 'What was said on Tuesday by those who were there.' },
    ...others,
  ]);
  const ranked = ask(collection, 'mortgage');
  expect(slotsOf(ranked)).toEqual([1, 0]);
  expect(ranked[0]?.parts.header).toBeGreaterThan(0);
  expect(ranked[0]?.parts.body).toBe(0);
  expect(ranked[1]?.parts.header).toBe(0);
});

test('a phrase in quotes beats the same words scattered', () => {
  const scattered =
    'Letter of intent, letter of thanks: the rate of interest and the intent to buy, letter by letter, intent intent.';
  const collection = collectionOf([
    scattered,
    'We received their letter of intent in the morning post.',
    ...filler,
  ]);
  expect(slotsOf(ask(collection, 'buy letter intent'))[0]).toBe(0);
  expect(slotsOf(ask(collection, 'intent to buy', { phrases: ['intent to buy'] }))[0]).toBe(0);
  expect(slotsOf(ask(collection, 'letter intent morning', { phrases: ['intent in the morning'] }))[0]).toBe(
    1,
  );
});

test('words that stand near each other beat the same words far apart', () => {
  const between =
    'and then there was a long talk of this and that which had to do with nothing at all before the';
  const collection = collectionOf([
    `The boiler ${between} inspection was planned`,
    `The boiler inspection ${between} was planned`,
    ...filler,
  ]);
  const ranked = ask(collection, 'boiler inspection');
  expect(slotsOf(ranked).slice(0, 2)).toEqual([1, 0]);
  expect(ranked[0]?.parts.proximity).toBeGreaterThan(ranked[1]?.parts.proximity ?? Number.NaN);
});

test('what the message before says helps its answer to be found', () => {
  const collection = collectionOf([
    { text: 'When can the surveyor come to Elm Road?', thread: 'a' },
    { text: 'Thursday at ten would suit us.', thread: 'a' },
    { text: 'Thursday at ten would suit us.', thread: 'b' },
    { text: 'Lunch on some day next week?', thread: 'b' },
    ...filler,
  ]);
  const ranked = ask(collection, 'surveyor thursday');
  const at = (slot: number) => slotsOf(ranked).indexOf(slot);
  expect(at(1)).toBeLessThan(at(2));
  expect(ranked[at(1)]?.parts.neighbours).toBeGreaterThan(0);
  expect(ranked[at(2)]?.parts.neighbours).toBe(0);
});

test('a message lends more to its answer than a part of a document to its next part', () => {
  const pair = (name: string, inThread: boolean): MemoryChunk[] => {
    const chunk = (i: number, text: string): MemoryChunk => ({
      document: inThread ? `${name} ${i}` : name,
      header: [],
      body: terms(text, ['en']),
      thread: inThread ? name : undefined,
    });
    return [chunk(0, 'When can the surveyor come?'), chunk(1, 'Thursday at ten would suit us.')];
  };
  const collection = createMemoryCollection([...pair('a', false), ...pair('b', true)]);
  const ranked = ask(collection, 'surveyor thursday');
  const lent = (slot: number) => ranked.find((one) => one.slot === slot)?.parts.neighbours ?? Number.NaN;
  expect(lent(1)).toBeGreaterThan(0);
  expect(lent(3)).toBeGreaterThan(2 * lent(1));
});

test('a question for the latest prefers the newer of two like passages, and no other question does', () => {
  const day = 86_400_000;
  const offers = [1, 300, 200, 0].map((days, i) => ({
    document: `${i}`,
    header: [],
    body: terms(i === 3 ? 'The survey of the roof was today.' : 'The offer for Elm Road stands.', ['en']),
    writtenAt: 20_000 * day + (i === 3 ? 400 : days) * day,
  }));
  const collection = createMemoryCollection(offers);
  const latest = ask(collection, 'latest offer for Elm Road');
  expect(slotsOf(latest).slice(0, 3)).toEqual([1, 2, 0]);
  expect(latest[0]?.parts.recency).toBeGreaterThan(latest[1]?.parts.recency ?? Number.NaN);
  expect(slotsOf(ask(collection, 'offer for Elm Road'))).toEqual([0, 1, 2]);
  expect(ask(collection, 'offer for Elm Road').every(({ parts }) => parts.recency === 0)).toBe(true);
});

test('what the best passages speak of beside the question brings up a passage that speaks of it too', () => {
  const collection = createMemoryCollection(
    [
      'zoning appeal hearing with the planning board',
      'zoning appeal before the planning board again',
      'zoning appeal and the planning board met',
      'appeal of a football club to its members',
      'appeal about the planning board',
      ...Array.from(
        { length: 60 },
        (_, i) => `note ${i} of the house about its ${filler[i % filler.length]}`,
      ),
    ].map((text, i) => ({ document: `${i}`, header: [], body: terms(text, ['en']) })),
  );
  const ranked = ask(collection, 'zoning appeal');
  const at = (slot: number) => slotsOf(ranked).indexOf(slot);
  expect(at(4)).toBeLessThan(at(3));
  expect(ranked[at(4)]?.parts.feedback).toBeGreaterThan(ranked[at(3)]?.parts.feedback ?? Number.NaN);
  const without = ask(collection, 'zoning appeal', {
    settings: { ...rankSettings, expansion: 0, smoothing: 0 },
  });
  expect(without.every(({ parts }) => parts.feedback === 0)).toBe(true);
});

test.each([
  ['Kowalsky', 'Kowalski'],
  ['Fitzgereld', 'Fitzgerald'],
  ['Andreson', 'Anderson'],
])('the name %s, mistyped, finds %s', (typed, name) => {
  const collection = collectionOf([`The offer of Mr ${name} was accepted.`, ...filler]);
  expect(slotsOf(ask(collection, `offer of ${typed}`))[0]).toBe(0);
  expect(slotsOf(ask(collection, typed))).toEqual([0]);
});

test('a name that is there is never taken for a mistyped other', () => {
  const collection = collectionOf([
    'Mr Hansen called.',
    'Mr Jansen called.',
    'Mr Jansen called again.',
    ...filler,
  ]);
  expect(slotsOf(ask(collection, 'Hansen'))).toEqual([0]);
});

test('a number is never mended into another', () => {
  const collection = collectionOf(['Invoice 20417 is open.', ...filler]);
  expect(ask(collection, '20418')).toEqual([]);
});

test('a question that shares no word with its answer is answered by the vectors', () => {
  const collection = collectionOf(
    ['Tenant in 4B reports the boiler stopped working and the radiators are cold.', ...filler],
    { vectors: true },
  );
  const [first] = ask(collection, 'the heating is broken');
  expect(first?.slot).toBe(0);
  expect(first?.parts.vectors).toBeGreaterThan(0);
  expect(first?.parts.body).toBe(0);
});

test('where the words are met the vectors do not turn the order', () => {
  const collection = collectionOf(
    [
      'Invoice INV-2024-0117 for the heating engineer.',
      'The bill for the boiler repair was paid.',
      ...filler,
    ],
    { vectors: true },
  );
  expect(slotsOf(ask(collection, 'INV-2024-0117'))[0]).toBe(0);
});

test('the parts of a score add up to it', () => {
  const collection = collectionOf(
    [
      { title: 'Boiler', text: 'The boiler stopped; the heating is cold.', thread: 'a' },
      { title: 'Re: Boiler', text: 'An engineer will look at the heating.', thread: 'a' },
      { text: 'Heating costs of last year for the boiler room.' },
      ...filler,
    ],
    { vectors: true },
  );
  const ranked = ask(collection, 'boiler heating engineer', { phrases: ['boiler stopped'] });
  expect(ranked.length).toBeGreaterThan(2);
  for (const { score, parts } of ranked) {
    const sum = Object.values(parts).reduce((all, part) => all + part, 0);
    expect(sum).toBeCloseTo(score, 6);
  }
  expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
});

test('what is not admitted is never in an answer, by word, by neighbour or by vector', () => {
  const collection = collectionOf(
    [
      { text: 'The boiler stopped working.', thread: 'a' },
      { text: 'The heating engineer comes today.', thread: 'a' },
      { text: 'Radiators and the boiler room.', thread: 'a' },
      ...filler.map((text) => ({ text })),
    ],
    { vectors: true },
  );
  for (let only = 0; only < collection.slots; only += 1) {
    const admitted = new Uint8Array(collection.slots);
    admitted[only] = 1;
    for (const question of ['boiler heating', 'warmth of the flat', 'boilr', 'accountant toner table']) {
      expect(slotsOf(ask(collection, question, { admitted })).filter((slot) => slot !== only)).toEqual([]);
    }
  }
});

test('what is no longer alive is never in an answer', () => {
  const collection = collectionOf(['The boiler stopped working.', 'The boiler is new.', ...filler], {
    vectors: true,
  });
  collection.alive[0] = 0;
  expect(slotsOf(ask(collection, 'boiler working'))).toContain(1);
  expect(slotsOf(ask(collection, 'boiler working'))).not.toContain(0);
  expect(slotsOf(ask(collection, 'heating broken'))).not.toContain(0);
});

test('a longer page begins with the shorter one, and holds every passage with a word of the question', () => {
  const many = Array.from(
    { length: 400 },
    (_, i) => `Viewing number ${i} of the flat${' with its garden'.repeat(i % 7)}.`,
  );
  const collection = collectionOf(many);
  const all = ask(collection, 'viewing garden', { limit: 1000 });
  expect(new Set(slotsOf(all)).size).toBe(400);
  expect(slotsOf(ask(collection, 'viewing garden', { limit: 25 }))).toEqual(slotsOf(all).slice(0, 25));
  for (let i = 1; i < all.length; i += 1) expect(all[i]?.score).toBeLessThanOrEqual(all[i - 1]?.score ?? 0);
});

test('the words of a passage count the same whether a few passages are asked or all', () => {
  const collection = collectionOf(
    Array.from({ length: 60 }, (_, i) => ({
      title: i % 4 === 0 ? 'Boiler' : 'Note',
      text: `${i % 3 === 0 ? 'boiler' : 'window'} ${i % 5 === 0 ? 'repair repair' : 'repair'} in flat ${i}`,
      thread: `thread ${i % 7}`,
    })),
  );
  const admitted = new Uint8Array(60).fill(1, 10, 30);
  const asked = askedTerms(collection, questionTerms('boiler repair in flat 12', ['en']));
  const few = scoreWords(collection, asked, rankSettings, fewSlots(collection, admitted));
  const narrow = Array.from(admitted.keys(), (slot) => [few.own[slot], few.neighbours[slot]]);
  expect(few.among?.length).toBeLessThan(60);
  const all = scoreWords(collection, asked, rankSettings);
  expect(all.among).toBeUndefined();
  for (let slot = 10; slot < 30; slot += 1)
    expect(narrow[slot]).toEqual([all.own[slot], all.neighbours[slot]]);
});

test('over everything a rare word counts for more than two common ones, and inside a narrow scope by its idf alone', () => {
  const common = Array.from({ length: 18 }, (_, i) => `The boiler of flat number ${i} was repaired`);
  const collection = collectionOf([
    'The chimney of that building was inspected',
    'The boiler and that tenant were inspected',
    ...common,
    ...Array.from({ length: 18 }, (_, i) => `The tenant of flat number ${i} was written to`),
    ...Array.from({ length: 160 }, (_, i) => `The invoice number ${i} of that supplier was paid`),
    'A chimney as it is built today, with all that the rules of the town ask for',
  ]);
  const question = 'boiler tenant chimney';
  expect(slotsOf(ask(collection, question)).slice(0, 2)).toEqual([0, 1]);
  const admitted = new Uint8Array(collection.slots).fill(1, 0, 2);
  expect(slotsOf(ask(collection, question, { admitted }))).toEqual([1, 0]);
});

test('a question without a word is answered with nothing', () => {
  const collection = collectionOf(filler, { vectors: true });
  expect(ask(collection, '')).toEqual([]);
  expect(ask(createMemoryCollection([]), 'boiler')).toEqual([]);
});

test('records read as ingestion reads them stand beside each other in their thread', async () => {
  const turn = (id: string, text: string): SourceRecord => ({
    externalId: id,
    kind: 'chat',
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify({ thread: 't', turns: [{ speaker: 'Ann', text }] })),
  });
  const chunks = await chunksOfRecords([turn('1', 'When is the survey?'), turn('2', 'On Thursday.')]);
  const collection = createMemoryCollection(chunks);
  expect([...collection.before]).toEqual([-1, 0]);
  expect([...collection.after]).toEqual([1, -1]);
});
