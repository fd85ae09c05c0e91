// Questions: the right words in any language, inside their scope, page by page.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Ground, ground, json, mail } from './ground.ts';

let g: Ground;

describe('words', () => {
  beforeAll(async () => {
    g = await ground();
    await g.memory.ingest(g.org, g.source, {
      records: [
        json('ja', 'note', {
          title: '会議',
          text: '来週の会議で不動産契約について相談しましょう。東京都の物件です。',
        }),
        json('de', 'note', {
          text: 'Die Häuser in der Bahnhofstraße sind verkauft, und der Garten wird noch gepflegt.',
        }),
        json('fr', 'note', { text: "Les clients ont visité l'appartement à Genève avec leur notaire hier." }),
        json('en', 'note', {
          text: 'The buyers offered $450,000 on 2024-03-05; write to jo.lee+deals@corp.example about INV-2024-0117.',
        }),
        json('en2', 'note', { text: 'The sellers want 1.250.000,00 for the café. The roof was repaired.' }),
        json('many', 'note', { text: 'Nothing of note was said in the office on that day by anyone.' }),
      ],
    });
  });
  afterAll(() => g.close());
  const first = async (question: string) => {
    const { passages } = await g.memory.search(g.org, { question, limit: 3 });
    const { externalId } = await g.memory.document(g.org, passages[0]?.documentId ?? '');
    return externalId;
  };

  test.each([
    ['a two-character Japanese word', '契約', 'ja'],
    ['a part of a longer Japanese word', '東京', 'ja'],
    ['a German plural by its singular', 'Haus', 'de'],
    ['a German singular umlaut spelled plain', 'garten pflegen', 'de'],
    ['a French word behind its article', 'appartements Geneve', 'fr'],
    ['an amount written another way', 'who offered 450k?', 'en'],
    ['an address', 'jo.lee+deals@corp.example', 'en'],
    ['a part of an address', 'anything from lee?', 'en'],
    ['an identifier', 'inv-2024-0117', 'en'],
    ['a date', 'what happened on 2024-03-05', 'en'],
    ['an amount with points for thousands', '1,250,000', 'en2'],
    ['a word without its accent', 'cafe', 'en2'],
    ['another form of a verb', 'repairing roofs', 'en2'],
  ])('%s is found: %s', async (_what, question, expected) => {
    expect(await first(question)).toBe(expected);
  });

  test('a question of nothing but unknown words, signs or FTS syntax is answered with nothing', async () => {
    for (const question of ['xyzzyq', '"', '* OR NEAR(', "'; drop table chunks; --", '   ', '\u0000']) {
      const answer = await g.memory.search(g.org, { question, limit: 5 });
      expect(answer.passages).toEqual([]);
    }
  });

  test('no question at all can make the search fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (question) => {
        await g.memory.search(g.org, { question, limit: 2 });
      }),
      { numRuns: 100 },
    );
  });
});

describe('scope', () => {
  beforeEach(async () => {
    g = await ground();
  });
  afterEach(() => g.close());
  const ask = async (question: string, more: object = {}) =>
    g.memory.search(g.org, { question, limit: 10, ...more });

  test('as many come back as match, under any filter', async () => {
    const second = await g.connect('con_2', 'two@agency.test');
    const many = Array.from({ length: 120 }, (_, i) =>
      mail({
        id: `m${i}@x`,
        from: i % 40 === 7 ? 'Rare Person <rare@x.test>' : 'Often <often@x.test>',
        subject: 'kitchen',
        date: new Date(Date.UTC(2026, 0, 1) + i * 3_600_000).toUTCString(),
        body: `The kitchen needs work ${'kitchen '.repeat(i % 5)} number ${i}.`,
      }),
    );
    await g.memory.ingest(g.org, g.source, { records: many });
    await g.memory.ingest(g.org, second, {
      records: [json('n', 'note', { text: 'kitchen plan', thread: 't1' })],
    });
    expect((await ask('kitchen', { clients: ['rare@x.test'] })).passages).toHaveLength(3);
    expect((await ask('kitchen', { kinds: ['note'] })).passages).toHaveLength(1);
    expect((await ask('kitchen', { connectionIds: ['con_2'] })).passages).toHaveLength(1);
    expect((await ask('kitchen', { threadId: 't1' })).passages).toHaveLength(1);
    const since = Date.UTC(2026, 0, 1) + 116 * 3_600_000;
    expect((await ask('kitchen', { since })).passages).toHaveLength(4);
    expect((await ask('kitchen', { until: since, limit: 100 })).passages).toHaveLength(100);
    expect((await ask('kitchen', { since, clients: ['rare@x.test'] })).passages).toHaveLength(0);
  });

  test('two people of one name stay two clients: both are told, and an address tells them apart', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: [
        mail({ id: '1@x', from: 'Sarah Chen <sarah@one.test>', body: 'The deposit was paid on Monday.' }),
        mail({ id: '2@x', from: 'Sarah Chen <chen@two.test>', body: 'The deposit is too high.' }),
        mail({ id: '3@x', from: 'Tom Roe <tom@x.test>', body: 'The deposit is fine with me.' }),
      ],
    });
    const both = await ask('deposit', { clients: ['Sarah Chen'] });
    expect(both.candidates.map((one) => one.emails[0]).sort()).toEqual(['chen@two.test', 'sarah@one.test']);
    expect(both.passages).toHaveLength(2);
    expect(both.client).toBeUndefined();
    const one = await ask('deposit', { clients: ['chen@two.test'] });
    expect(one.passages.map((passage) => passage.text)).toEqual(['The deposit is too high.']);
    expect(one.client?.emails).toEqual(['chen@two.test']);
    const named = await ask('What did Sarah Chen say about the deposit?');
    expect([named.client, named.candidates.length]).toEqual([undefined, 2]);
    expect((await ask('What did Tom say about it?')).client?.name).toBe('Tom Roe');
  });

  test('a client that nobody knows is an error that names the entry', async () => {
    await expect(ask('deposit', { clients: ['Nobody Atall'] })).rejects.toMatchObject({
      code: 'not_found',
      field: 'clients.0',
    });
  });

  test('pages follow one another without a gap or a repeat, though mail comes in between', async () => {
    const records = Array.from({ length: 25 }, (_, i) =>
      json(`n${i}`, 'note', { text: `window ${'window '.repeat(i % 7)} ${i}` }),
    );
    await g.memory.ingest(g.org, g.source, { records });
    const whole = await ask('window', { limit: 25 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask('window', { limit: 10, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.passages.map((one) => one.chunkId));
      cursor = page.nextCursor;
      await g.memory.ingest(g.org, g.source, {
        records: [json(`late${seen.length}`, 'note', { text: 'window late' })],
      });
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(25);
    expect([...seen].sort()).toEqual(whole.passages.map((one) => one.chunkId).sort());
  });

  test.each([false, true])(
    'pages neither repeat nor leave out a hit, though much that comes changes how words weigh (collapsed: %s)',
    async (collapse) => {
      // Two words each: what is rare decides, and what comes in between makes the other one rare.
      const records = Array.from({ length: 40 }, (_, i) =>
        json(`n${i}`, 'note', {
          text: `${i % 2 === 0 ? 'lantern' : 'harbour'} ${'filler '.repeat(i % 9)} ${i}`,
        }),
      );
      await g.memory.ingest(g.org, g.source, { records });
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page === 0 || cursor !== undefined; page += 1) {
        const answer = await ask('lantern harbour', { limit: 10, collapse, ...(cursor ? { cursor } : {}) });
        seen.push(...answer.passages.map((one) => one.externalId));
        cursor = answer.nextCursor;
        const word = page % 2 === 0 ? 'lantern' : 'harbour';
        await g.memory.ingest(g.org, g.source, {
          records: Array.from({ length: 60 }, (_, i) =>
            json(`late${page}-${i}`, 'note', { text: `${word} ${'long '.repeat(20)} ${page} ${i}` }),
          ),
        });
      }
      expect(seen.toSorted()).toEqual(records.map((one) => one.externalId).toSorted());
    },
  );

  test('pages leave out no hit when something that was given is deleted in between', async () => {
    const records = Array.from({ length: 25 }, (_, i) =>
      json(`n${i}`, 'note', { text: `window ${'word '.repeat(i)}` }),
    );
    await g.memory.ingest(g.org, g.source, { records });
    const first = await ask('window', { limit: 10 });
    const given = first.passages.map((one) => one.externalId);
    await g.memory.ingest(g.org, g.source, { records: [], deleted: given.slice(0, 4) });
    const second = await ask('window', { limit: 10, cursor: first.nextCursor ?? '' });
    const third = await ask('window', { limit: 10, cursor: second.nextCursor ?? '' });
    const all = [first, second, third].flatMap(({ passages }) => passages.map((one) => one.externalId));
    expect(all.toSorted()).toEqual(records.map((one) => one.externalId).toSorted());
  });

  test('a cursor that was made up, tampered with, or given for another question is refused', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: Array.from({ length: 5 }, (_, i) => json(`n${i}`, 'note', { text: `door ${i}` })),
    });
    const { nextCursor = '' } = await ask('door', { limit: 2 });
    expect(nextCursor).not.toBe('');
    const [body = '', sum = ''] = nextCursor.split('.');
    const forged = Buffer.from(JSON.stringify([900, 1e9, 1])).toString('base64url');
    for (const cursor of ['x', `${forged}.${sum}`, `${body}.AAAA`, '']) {
      await expect(ask('door', { cursor })).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'cursor',
      });
    }
    await expect(ask('other', { cursor: nextCursor })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('scores are relative to the best hit, and minScore leaves out the rest', async () => {
    const filler = Array.from({ length: 20 }, (_, i) =>
      json(`f${i}`, 'note', { text: `something else ${i}` }),
    );
    await g.memory.ingest(g.org, g.source, {
      records: [
        json('a', 'note', { text: 'balcony railing balcony railing' }),
        json('b', 'note', { text: `balcony ${'and many other words about it '.repeat(20)}` }),
        ...filler,
      ],
    });
    const all = (await ask('balcony railing')).passages;
    expect(all[0]?.score).toBe(1);
    expect(all[1]?.score).toBeLessThan(0.6);
    expect((await ask('balcony railing', { minScore: 0.9 })).passages).toHaveLength(1);
  });

  test("a message is found by its thread neighbours' words, below one that holds them itself", async () => {
    const reply = (id: string, hour: number, body: string) =>
      mail({
        id,
        subject: 'Re: Plan',
        date: `Mon, 02 Mar 2026 ${hour}:00:00 +0000`,
        headers: ['References: <root@x>'],
        body,
      });
    await g.memory.ingest(g.org, g.source, {
      records: [reply('c@x', 12, 'Agreed, go ahead.'), reply('a@x', 10, 'Shall we replace the quendrome?')],
    });
    await g.memory.ingest(g.org, g.source, {
      records: Array.from({ length: 8 }, (_, i) => json(`f${i}`, 'note', { text: `something else ${i}` })),
    });
    const texts = async () => (await ask('quendrome')).passages.map((one) => one.text);
    expect(await texts()).toEqual(['Shall we replace the quendrome?', 'Agreed, go ahead.']);
    // One that comes between parts them.
    await g.memory.ingest(g.org, g.source, { records: [reply('b@x', 11, 'What does it cost?')] });
    expect((await texts()).sort()).toEqual(['Shall we replace the quendrome?', 'What does it cost?']);
    // When it goes, they stand beside each other again.
    await g.memory.ingest(g.org, g.source, { records: [], deleted: ['b@x'] });
    expect((await texts()).sort()).toEqual(['Agreed, go ahead.', 'Shall we replace the quendrome?']);
    // A changed neighbour is found by its new words only.
    await g.memory.ingest(g.org, g.source, {
      records: [reply('a@x', 10, 'Shall we replace the vorpaline?')],
    });
    expect(await texts()).toEqual([]);
  });

  test('records of no known time stand in their thread in the order they came, however fast they came', async () => {
    // Words that no model knows, so that only words find them.
    const names = ['alqor', 'birqul', 'cedroq', 'doqwav', 'elquz', 'firqit', 'ginqot', 'hazqel'];
    for (const name of names) {
      const records = [1, 2, 3].map((i) =>
        json(`${name}${i}`, 'chat', { thread: 't', text: `${name} ${i}` }),
      );
      await g.memory.ingest(g.org, g.source, { records });
    }
    for (const [i, name] of names.entries()) {
      const found = (await ask(name)).passages.map((one) => one.text.split(' ')[0]);
      expect(found.slice(0, 3)).toEqual([name, name, name]);
      expect(found.slice(3).sort()).toEqual([names[i - 1], names[i + 1]].filter((one) => one !== undefined));
    }
  });

  test('the snippet shows the words that were asked for, in 300 characters at most', async () => {
    const text = `${'Filler words about nothing much at all. '.repeat(40)}The asbestos was found in the attic. ${'More filler follows here. '.repeat(20)}`;
    await g.memory.ingest(g.org, g.source, { records: [json('n', 'note', { text })] });
    const [passage] = (await ask('asbestos in attic')).passages;
    expect(passage?.snippet).toContain('asbestos was found in the attic');
    expect(passage?.snippet.length).toBeLessThanOrEqual(300);
  });
});
