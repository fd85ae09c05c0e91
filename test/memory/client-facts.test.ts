// Facts of clients: what records and mails say, each with its place; what superseded what; what a deletion takes away.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createClientBook } from '../../src/memory/clients/book.ts';
import { factsOf } from '../../src/memory/clients/facts.ts';
import { createReceipts } from '../../src/memory/receipts/receipts.ts';
import { nothingHidden } from '../../src/viewer.ts';
import { type Ground, ground, json, mail } from './ground.ts';

describe('facts of a client', () => {
  let g: Ground;
  beforeEach(async () => {
    g = await ground();
  });
  afterEach(() => g.close());

  const ids = async () =>
    (await g.org.read((db) => db.selectFrom('client_intelligence').select('id').execute())).map(
      ({ id }) => id,
    );
  const all = async () => g.org.read(async (db) => factsOf(g.org, db, await ids()));
  const standing = async () =>
    (await all())
      .filter(({ stands }) => stands)
      .map(({ name, value }) => `${name}: ${value}`)
      .sort();

  const wish = (id: string, date: string, body: string, more: object = {}) =>
    mail({ id, date, subject: 'Our search', body, ...more });

  test('a preference in a mail is a fact with the words that say so', async () => {
    const body =
      'Hi,\n\nWe need three bedrooms. Our budget is up to £600k.\nNo ground floor, please.\n\nAnna';
    await g.memory.ingest(g.org, g.source, {
      records: [wish('a@x', 'Mon, 02 Mar 2026 08:00:00 +0000', body)],
    });
    expect(await standing()).toEqual([
      'bedrooms: 3 bedrooms',
      'budget: up to 600,000 GBP',
      'ground floor: no ground floor',
    ]);
    const [fact] = (await all()).filter(({ name }) => name === 'bedrooms');
    const document = await g.memory.document(g.org, fact?.document?.id ?? '');
    expect(document.text.slice(fact?.span?.start, fact?.span?.end)).toBe('We need three bedrooms.');
  });

  test('a later mail supersedes, an earlier one that comes late does not, and history remains', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: [
        wish('a@x', 'Mon, 02 Mar 2026 08:00:00 +0000', 'We need three bedrooms.'),
        wish('c@x', 'Wed, 04 Mar 2026 08:00:00 +0000', 'We need two bedrooms.'),
      ],
    });
    await g.memory.ingest(g.org, g.source, {
      records: [wish('b@x', 'Tue, 03 Mar 2026 08:00:00 +0000', 'We need four bedrooms.')],
    });
    expect(await standing()).toEqual(['bedrooms: 2 bedrooms']);
    expect((await all()).map(({ value, validFrom, validUntil }) => [value, validFrom, validUntil])).toEqual([
      ['2 bedrooms', Date.UTC(2026, 2, 4, 8), undefined],
      ['4 bedrooms', Date.UTC(2026, 2, 3, 8), Date.UTC(2026, 2, 4, 8)],
      ['3 bedrooms', Date.UTC(2026, 2, 2, 8), Date.UTC(2026, 2, 4, 8)],
    ]);
    await g.memory.ingest(g.org, g.source, { records: [], deleted: ['c@x'] });
    expect(await standing()).toEqual(['bedrooms: 4 bedrooms']);
  });
  test('a mail that is read anew keeps its facts, one that was changed says only what it says now', async () => {
    const at = 'Mon, 02 Mar 2026 08:00:00 +0000';
    await g.memory.ingest(g.org, g.source, {
      records: [wish('a@x', at, 'We need three bedrooms. I want a pool.')],
    });
    const before = (await all()).find(({ name }) => name === 'bedrooms');
    await g.memory.ingest(g.org, g.source, { records: [wish('a@x', at, 'Hello. We need three bedrooms.')] });
    const after = (await all()).filter(({ family }) => family === 'preference');
    expect(after.map(({ id, value }) => [id, value])).toEqual([[before?.id, '3 bedrooms']]);
    expect(after[0]?.span?.start).toBe(7);
  });

  const card = (facts: object, at: string, text = 'phone: +44 20 7946 0018') =>
    json('contacts/1', 'contact', {
      title: 'Ann Lee',
      text,
      at,
      people: [{ name: 'Ann Lee', address: 'anna@berg.test', role: 'contact' }],
      facts: { properties: facts },
    });
  const deal = (stage: string, amount: string, at: string) =>
    json('deals/7', 'deal', {
      title: 'Sale of 41 Kelp Lane',
      text: `deal: Sale of 41 Kelp Lane\namount: ${amount}\nstage: ${stage}`,
      at,
      people: [],
      facts: {
        properties: { dealname: 'Sale of 41 Kelp Lane', amount, deal_currency_code: 'USD', dealstage: stage },
        stage,
        associations: [{ type: 'contacts', id: '1', name: 'Ann Lee' }],
      },
    });

  test('a record that is corrected keeps its history, and a deletion takes all of it away', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: [
        card({ jobtitle: 'Nurse' }, '2026-01-01T00:00:00Z'),
        deal('Viewing', '548000', '2026-02-01T00:00:00Z'),
      ],
    });
    await g.memory.ingest(g.org, g.source, {
      records: [deal('Contract sent', '548000', '2026-02-20T00:00:00Z')],
    });
    const stages = (await all()).filter(({ name }) => name === 'deal stage');
    expect(
      stages.map(({ value, validFrom, validUntil, stands }) => [value, validFrom, validUntil, stands]),
    ).toEqual([
      ['Sale of 41 Kelp Lane: Contract sent', Date.UTC(2026, 1, 20), undefined, true],
      ['Sale of 41 Kelp Lane: Viewing', Date.UTC(2026, 1, 1), Date.UTC(2026, 1, 20), false],
    ]);
    const worth = (await all()).filter(({ name }) => name === 'deal value');
    expect(worth.map(({ value, validFrom }) => [value, validFrom])).toEqual([
      ['Sale of 41 Kelp Lane: 548,000 USD', Date.UTC(2026, 1, 1)],
    ]);
    await g.memory.ingest(g.org, g.source, { records: [], deleted: ['deals/7'] });
    expect((await all()).filter(({ family }) => family === 'deal' || family === 'property')).toEqual([]);
    expect(await standing()).toContain('role: Nurse');
  });

  test('what a record says comes to its client, though the client comes later', async () => {
    const invoice = json('invoice/9', 'invoice', {
      title: 'Invoice 1042',
      text: 'number: 1042\ntotal: 1250.00 USD\nstill owed: 400.00 USD\ndue: 2026-02-15',
      facts: {
        type: 'invoice',
        number: '1042',
        total: 1250,
        balance: 400,
        currency: 'USD',
        dueDate: '2026-02-15',
        customer: { id: '5', name: 'Ann Lee' },
      },
    });
    const payment = json('payment/3', 'invoice', {
      title: 'Payment',
      text: 'amount: 850.00 USD',
      facts: { type: 'payment', total: 850, currency: 'USD', date: '2026-02-01', customer: { id: '5' } },
    });
    await g.memory.ingest(g.org, g.source, { records: [invoice, payment] });
    expect(await standing()).toEqual([]);
    await g.memory.ingest(g.org, g.source, {
      records: [
        json('customer/5', 'contact', {
          title: 'Ann Lee',
          text: 'email: ann@lee.test',
          people: [{ name: 'Ann Lee', address: 'ann@lee.test', role: 'contact' }],
          facts: { type: 'customer', name: 'Ann Lee', email: 'ann@lee.test' },
        }),
      ],
    });
    expect(await standing()).toEqual([
      'e-mail: ann@lee.test',
      'invoice: invoice 1042: 1,250 USD, 400 USD of it open, due 2026-02-15',
      'name: Ann Lee',
      'payment: payment: 850 USD on 2026-02-01',
    ]);
    const { lines } = await g.memory.profile(g.org, (await ids())[0] ?? '');
    expect(lines.find(({ text }) => text.startsWith('invoice'))?.text).toContain('OVERDUE');
    await g.memory.ingest(g.org, g.source, {
      records: [
        json('invoice/9', 'invoice', {
          title: 'Invoice 1042',
          text: 'still owed: 0',
          at: '2026-03-01',
          facts: {
            type: 'invoice',
            number: '1042',
            total: 1250,
            balance: 0,
            currency: 'USD',
            customer: { id: '5' },
          },
        }),
      ],
    });
    expect(await standing()).toContain('invoice: invoice 1042: 1,250 USD, paid');
  });

  test('a question is open until it is answered in its thread', async () => {
    const asked = mail({ id: 'q@x', subject: 'Shower', body: 'Is the shower really flat?' });
    await g.memory.ingest(g.org, g.source, { records: [asked] });
    expect(await standing()).toEqual(['question: Is the shower really flat?']);
    const answer = mail({
      id: 'r@x',
      subject: 'Re: Shower',
      from: 'me@agency.test',
      to: 'anna@berg.test',
      date: 'Mon, 02 Mar 2026 08:30:00 +0000',
      headers: ['References: <q@x>'],
      body: 'It is.',
    });
    await g.memory.ingest(g.org, g.source, { records: [answer] });
    expect(await standing()).toEqual([]);
    await g.memory.ingest(g.org, g.source, { records: [], deleted: ['r@x'] });
    expect(await standing()).toEqual(['question: Is the shower really flat?']);
  });

  test('last and next contact, and what a colleague or we ourselves want, which is nobody’s wish', async () => {
    const event = json('ev', 'event', {
      title: 'Viewing',
      text: 'Viewing\nWhen: Friday',
      at: '2026-03-06T10:00:00Z',
      people: [{ address: 'anna@berg.test', role: 'attendee' }],
      facts: { start: Date.UTC(2026, 2, 6, 10) },
    });
    await g.memory.ingest(g.org, g.source, {
      records: [
        event,
        wish('a@x', 'Sun, 01 Mar 2026 08:00:00 +0000', 'Hello.'),
        wish('b@x', 'Sun, 01 Mar 2026 09:00:00 +0000', 'We need nine bedrooms.', {
          from: 'Bob <bob@agency.test>',
          to: 'anna@berg.test',
        }),
      ],
    });
    const anna = (await g.memory.clientsCalled(g.org, 'anna@berg.test'))[0]?.id ?? '';
    const { lines } = await g.memory.profile(g.org, anna);
    expect(lines.filter(({ section }) => section === 'contact').map(({ text }) => text)).toEqual([
      'last contact (mail from us) 2026-03-01: Our search',
      'next meeting 2026-03-06: Viewing',
    ]);
    expect((await standing()).filter((fact) => fact.startsWith('bedrooms'))).toEqual([]);
  });

  test('attack: a viewer sees no fact of a document that is hidden from them, nor what only it tells of a client', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: [
        card({ jobtitle: 'Nurse', phone: '+44 20 7946 0018' }, '2026-01-01T00:00:00Z'),
        wish('a@x', 'Sun, 01 Mar 2026 08:00:00 +0000', 'We need three bedrooms.'),
        json('contacts/2', 'contact', {
          title: 'Eve Poe',
          text: 'x',
          people: [{ name: 'Eve Poe', address: 'eve@poe.test', role: 'contact' }],
        }),
      ],
    });
    const hidden = { ...nothingHidden, kinds: ['contact'] };
    const seen = Object.assign(Object.create(g.org), {
      viewer: { readerNames: undefined, hidden },
    }) as typeof g.org;
    const anna = (await g.memory.clientsCalled(g.org, 'anna@berg.test'))[0]?.id ?? '';
    const { client, facts, lines } = await g.memory.profile(seen, anna);
    expect(facts.map(({ value }) => value)).toEqual(['3 bedrooms']);
    expect(JSON.stringify([client, lines])).not.toMatch(/7946|Nurse/u);
    const eve = (await g.memory.clientsCalled(g.org, 'eve@poe.test'))[0]?.id ?? '';
    await expect(g.memory.profile(seen, eve)).rejects.toMatchObject({ code: 'not_found' });
    expect(await g.memory.clientsCalled(seen, 'eve@poe.test')).toEqual([]);
    expect((await g.memory.clients(seen, { limit: 9 })).map(({ name, phones }) => [name, phones])).toEqual([
      ['Ann Lee', []],
    ]);
  });

  describe('said by people and enrichers', () => {
    const record: string[] = [];
    const book = createClientBook({
      audit: { append: async (_tx, _org, _at, entry) => void record.push(entry.kind) },
    });
    const person = () => ({ kind: 'person', orgId: g.org.orgId, memberId: 'mem_1', name: 'Ana' }) as const;
    const start = async () => {
      await g.memory.ingest(g.org, g.source, {
        records: [wish('a@x', 'Sun, 01 Mar 2026 08:00:00 +0000', 'We need three bedrooms.')],
      });
      return (await ids())[0] ?? '';
    };
    const factId = async (value: string) =>
      (await all()).find((fact) => fact.value === value && fact.stands)?.id ?? '';

    test("a person's word stands before any source, and gives way when it is taken back", async () => {
      const id = await start();
      await book.correctFact(g.org, person(), {
        factId: await factId('3 bedrooms'),
        value: '2 bedrooms',
        channel: 'test',
      });
      expect(await standing()).toEqual(['bedrooms: 2 bedrooms']);
      await g.memory.ingest(g.org, g.source, {
        records: [wish('b@x', 'Tue, 03 Nov 2099 08:00:00 +0000', 'We need five bedrooms.')],
      });
      expect(await standing()).toEqual(['bedrooms: 2 bedrooms']);
      expect((await all()).find(({ stands }) => stands)?.disputed).toBe('5 bedrooms');
      await book.removeFact(g.org, person(), { factId: await factId('2 bedrooms'), channel: 'test' });
      expect(await standing()).toEqual(['bedrooms: 5 bedrooms']);
      await book.addFact(g.org, person(), {
        clientId: id,
        word: { name: 'likes', value: 'tulips' },
        channel: 'test',
      });
      expect(await standing()).toEqual(['bedrooms: 5 bedrooms', 'likes: tulips']);
      expect(record.slice(-3)).toEqual(['client.fact_corrected', 'client.fact_removed', 'client.fact_added']);
    });

    test('what a person took away stays away, until a source says something else', async () => {
      await start();
      await book.removeFact(g.org, person(), { factId: await factId('3 bedrooms'), channel: 'test' });
      await g.memory.ingest(g.org, g.source, {
        records: [wish('b@x', 'Mon, 02 Mar 2026 08:00:00 +0000', 'As I said, we need three bedrooms.')],
      });
      expect(await standing()).toEqual([]);
      await g.memory.ingest(g.org, g.source, {
        records: [wish('c@x', 'Tue, 03 Mar 2026 08:00:00 +0000', 'We need four bedrooms.')],
      });
      expect(await standing()).toEqual(['bedrooms: 4 bedrooms']);
    });

    test('an enricher adds where nothing is known, is named, and overrides nobody', async () => {
      const id = await start();
      const enricher = {
        name: 'register',
        facts: async () => [
          { family: 'preference' as const, name: 'bedrooms', value: '9 bedrooms', confidence: 1 },
          { family: 'contact' as const, name: 'industry', value: 'Boats' },
        ],
      };
      expect(await book.enrich(g.org, enricher, id)).toBe(2);
      expect(await book.enrich(g.org, enricher, id)).toBe(2);
      expect(await standing()).toEqual(['bedrooms: 3 bedrooms', 'industry: Boats']);
      expect((await all()).find(({ value }) => value === 'Boats')).toMatchObject({
        origin: 'enricher',
        by: 'register',
      });
      const { lines } = await g.memory.profile(g.org, id);
      expect(lines.find(({ text }) => text.includes('Boats'))?.text).toContain('added by register');
      await book.addFact(g.org, person(), {
        clientId: id,
        word: { family: 'contact', name: 'industry', value: 'Ships' },
        channel: 'test',
      });
      expect(await standing()).toContain('industry: Ships');
      const wrong = { name: 'x', facts: async () => [{ name: '', value: 'y' }] };
      await expect(book.enrich(g.org, wrong, id)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    test('a fact that informed an output is flagged once another stands in its place', async () => {
      const id = await start();
      const receipts = createReceipts({ clock: g.clock, log: createLog({ level: 'silent' }) });
      const agent = {
        kind: 'agent',
        orgId: g.org.orgId,
        agentId: 'key_1',
        name: 'R',
        scopes: ['read'],
      } as const;
      const { lines } = await g.memory.profile(g.org, id);
      const items = lines.flatMap(({ receipt }) => receipt ?? []);
      expect(items).toHaveLength(lines.length);
      const at = lines.findIndex(({ section }) => section === 'wishes') + 1;
      const receiptId = receipts.issue(g.org, agent, { tool: 'client-profile', question: 'x', items });
      await receipts.record(g.org, agent, {
        receiptId,
        outputId: 'brief',
        section: 'Wishes',
        role: 'researcher',
        hits: [at],
      });
      const states = async () =>
        (await receipts.informedBy(g.org, 'brief')).sources.map(({ state }) => state);
      expect(await states()).toEqual(['unchanged']);
      await g.memory.ingest(g.org, g.source, {
        records: [wish('b@x', 'Mon, 02 Mar 2026 08:00:00 +0000', 'We need four bedrooms.')],
      });
      expect(await states()).toEqual(['changed']);
      await g.memory.ingest(g.org, g.source, { records: [], deleted: ['a@x'] });
      expect(await states()).toEqual(['vanished']);
      await receipts.close();
    });
  });
});
