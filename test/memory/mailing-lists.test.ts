// Mailing lists, newsletters and notices are nobody's address, and what is sent to everybody says nothing of one.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { factsOf } from '../../src/memory/clients/facts.ts';
import { type Ground, ground, mail } from './ground.ts';

describe('clients of a mailbox with lists in it', () => {
  let g: Ground;
  beforeEach(async () => {
    g = await ground();
  });
  afterEach(() => g.close());

  const ingest = (...records: ReturnType<typeof mail>[]) => g.memory.ingest(g.org, g.source, { records });
  const clients = async () =>
    (await g.memory.clients(g.org, { limit: 50 })).flatMap(({ emails }) => emails).sort();
  const facts = async () => {
    const rows = await g.org.read((db) => db.selectFrom('client_intelligence').select('id').execute());
    const found = await g.org.read((db) =>
      factsOf(
        g.org,
        db,
        rows.map(({ id }) => id),
      ),
    );
    return found.map(({ name, value }) => `${name}: ${value}`).sort();
  };

  test.each([
    ['List-Post', 'homes@x.test', ['List-Post: <mailto:homes@x.test>']],
    ['List-Id alone', 'homes@x.test', ['List-Id: Homes <homes.x.test>']],
    ['X-BeenThere', 'homes@x.test', ['X-BeenThere: homes@x.test']],
    ['Mailing-List', 'homes@x.test', ['Mailing-List: list homes@x.test; contact homes-owner@x.test']],
    ['its domain', 'homes@lists.x.test', []],
    ['its provider', 'homes@googlegroups.com', []],
    ['what manages it', 'homes-request@x.test', []],
  ])('the address of a list, known by %s, is no client; who writes to it is', async (_what, to, headers) => {
    await ingest(mail({ id: 'a', from: 'Ann <ann@one.test>', to, headers, body: 'We need 3 bedrooms.' }));
    expect(await clients()).toEqual(['ann@one.test']);
    expect(await facts()).toContain('bedrooms: 3 bedrooms');
  });

  test.each([
    ['Precedence', 'Precedence: bulk'],
    ['a way to unsubscribe', 'List-Unsubscribe: <https://x.test/u>'],
    ['one click to unsubscribe', 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'],
    ['Auto-Submitted', 'Auto-Submitted: auto-generated'],
  ])(
    'the sender of a newsletter or a notice, known by %s, is no client and wants nothing',
    async (_what, header) => {
      const body = 'We want a garden. Would you like to see our new flats?';
      await ingest(
        mail({ id: 'a', from: 'News <ann@one.test>', to: 'bob@two.test', headers: [header], body }),
      );
      expect(await clients()).toEqual(['bob@two.test']);
      expect(await facts()).toEqual([]);
    },
  );

  test('an answer that a person’s mailbox gives by itself is still that person’s', async () => {
    const headers = ['Auto-Submitted: auto-replied', 'Precedence: list'];
    await ingest(mail({ id: 'a', from: 'Ann <ann@one.test>', headers, body: 'I am away.' }));
    expect(await clients()).toEqual(['ann@one.test']);
  });

  test('attack: those whose mails a service passes on are not one client', async () => {
    const from = (name: string) =>
      mail({ id: name, from: `"${name} via DocuSign" <dse@sign.test>`, body: 'Please sign.' });
    await ingest(
      from('Ann Lee'),
      from('Bob Ray'),
      mail({ id: 'c', from: 'Via Roma Immobiliare <roma@one.test>', body: 'Si.' }),
    );
    expect(await clients()).toEqual(['roma@one.test']);
  });

  test('lines of a program or a patch are no questions, a question with an amount or a dash is one', async () => {
    const body = [
      'Hello,',
      '',
      '+    $new = trim($given) ? $given : null; is_ok($new) ?',
      '',
      'if (a == b) { return c(); } else d?',
      '',
      'Is $500,000 too little; or could you ask the seller??',
      '',
      '- Could we come on Monday at nine?',
    ].join('\n');
    await ingest(mail({ id: 'a', from: 'Ann <ann@one.test>', body }));
    expect(await facts()).toEqual([
      'question: - Could we come on Monday at nine?',
      'question: Is $500,000 too little; or could you ask the seller??',
    ]);
  });

  test('the name of a thing with a number is no area', async () => {
    await ingest(
      mail({
        id: 'a',
        from: 'Ann <ann@one.test>',
        body: 'We want a flat near Elm-Park.\nWe want it in DEP-8.',
      }),
    );
    expect(await facts()).toEqual(['area: Elm-Park']);
  });
});
