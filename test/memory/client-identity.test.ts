// Which sightings are one client: what is certain joins at once, what is probable is proposed and a person decides, what
// only looks alike stays apart. On every database that the store runs on.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit.ts';
import type { Person } from '../../src/auth/principal.ts';
import { createLog } from '../../src/log.ts';
import { type ClientBook, createClientBook } from '../../src/memory/clients/book.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { connectAccount, json, mail, manualClock } from './ground.ts';

const card = (id: string, name: string, emails: string[], properties: object = {}) =>
  json(`contacts/${id}`, 'contact', {
    title: name,
    text: Object.entries(properties)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
    people:
      emails.length === 0
        ? [{ name, role: 'contact' }]
        : emails.map((address) => ({ address, name, role: 'contact' })),
    facts: { properties },
  });
const from = (id: string, writer: string, more: object = {}) =>
  mail({ id, from: writer, subject: `About ${id}`, body: 'Hello, see you soon.', ...more });

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let memory: Memory;
  let book: ClientBook;
  let org: OrgStore;
  let source: Source;
  let person: Person;
  let record: AuditEntry[];
  const clock = manualClock();

  beforeAll(async () => {
    opened = await database.open();
    memory = createMemory({ clock, log: createLog({ level: 'silent' }) });
  });
  beforeEach(async () => {
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    source = await connectAccount(org, 'con_1', 'me@agency.test', clock.now());
    person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Ana Ruiz' };
    record = [];
    book = createClientBook({
      audit: {
        append: async (_tx, _org, _at, entry) => {
          record.push(entry);
        },
      },
    });
  });
  afterAll(async () => {
    await memory.close();
    await opened.close();
  });

  const ingest = (...records: Parameters<Memory['ingest']>[2]['records']) =>
    memory.ingest(org, source, { records });
  const clients = async () =>
    (await memory.clients(org, { limit: 50 }))
      .map(({ name, emails }) => `${name}: ${emails.toSorted().join(' ')}`)
      .sort();
  const idOf = async (words: string) => (await memory.clientsCalled(org, words))[0]?.id ?? '';
  const proposals = async () =>
    (await book.merges(org, { limit: 50 })).map(({ rule, client, other }) => [
      rule,
      ...[client.name, other.name].sort(),
    ]);

  test('the same address is one client, whoever sends it and however it is written', async () => {
    await ingest(
      from('a', 'Ann Lee <ANN@lee.test>'),
      from('b', 'ann@lee.test'),
      card('1', 'Ann B. Lee', ['ann@lee.test'], { phone: '+44 20 7946 0018' }),
    );
    expect(await clients()).toEqual(['Ann B. Lee: ann@lee.test']);
    expect((await memory.clientsCalled(org, '+44 20 7946 0018')).map(({ name }) => name)).toEqual([
      'Ann B. Lee',
    ]);
  });

  test('two John Smiths stay two, and nothing is proposed for the name alone', async () => {
    await ingest(from('a', 'John Smith <john@one.test>'), from('b', 'John Smith <js@two.test>'));
    await ingest(card('1', 'John Smith', ['john@one.test']), card('2', 'John Smith', ['js@two.test']));
    expect(await clients()).toEqual(['John Smith: john@one.test', 'John Smith: js@two.test']);
    expect(await proposals()).toEqual([]);
  });

  test('two John Smiths who write with the same people are proposed, with whom they share', async () => {
    const cc = ['Cc: lena@three.test, omar@four.test'];
    await ingest(
      from('a', 'John Smith <john@one.test>', { headers: cc }),
      from('b', 'John Smith <js@two.test>', { headers: cc }),
    );
    expect(await proposals()).toEqual([['context', 'John Smith', 'John Smith']]);
    const [found] = await book.merges(org, { limit: 1 });
    expect(found?.evidence[0]?.text).toContain('lena@three.test and omar@four.test');
  });

  test('a family that shares an address stays two, and a mail goes to who signs it', async () => {
    await ingest(
      card('1', 'Mary Smith', ['smiths@home.test']),
      card('2', 'Paul Smith', ['smiths@home.test']),
    );
    expect(await clients()).toEqual(['Mary Smith: smiths@home.test', 'Paul Smith: smiths@home.test']);
    await ingest(
      from('a', 'Paul Smith <smiths@home.test>', { body: 'We need three bedrooms.' }),
      from('b', 'Mary Smith <smiths@home.test>', { body: 'I want a garden.' }),
    );
    const wishes = async (name: string) =>
      (await memory.profile(org, await idOf(name))).lines
        .filter(({ section }) => section === 'wishes')
        .map(({ text }) => text.replace(/ \(.*/u, ''));
    expect(await wishes('Paul Smith')).toEqual(['3 bedrooms']);
    expect(await wishes('Mary Smith')).toEqual(['garden']);
    expect(await proposals()).toEqual([]);
  });

  test('the number of an office makes nobody one; the same number and name are proposed with their document', async () => {
    const phone = '+1 541 555 0142';
    await ingest(
      card('1', 'Ann Lee', ['ann@lee.test'], { phone }),
      card('2', 'Bob Ray', ['bob@ray.test'], { phone }),
    );
    expect(await proposals()).toEqual([]);
    await ingest(card('3', 'Ann Lee', ['a.lee@work.test'], { phone: '+15415550142' }));
    expect(await proposals()).toEqual([['phone', 'Ann Lee', 'Ann Lee']]);
    const [found] = await book.merges(org, { limit: 1 });
    expect(found?.evidence[0]?.text).toContain('+15415550142');
    expect(found?.evidence[0]?.documentId).toMatch(/^doc_/u);
    expect((await clients()).length).toBe(3);
  });

  test('colleagues of a company are proposed by name, users of free mail are not', async () => {
    await ingest(
      from('a', 'Tom Roe <tom@acme.test>'),
      from('b', 'Tom Roe <t.roe@acme.test>'),
      from('c', 'Eva Poe <eva.poe@gmail.com>'),
      from('d', 'Eva Poe <epoe77@gmail.com>'),
    );
    expect(await proposals()).toEqual([['company', 'Tom Roe', 'Tom Roe']]);
  });

  test('an address with a tag is proposed to be the one without', async () => {
    await ingest(from('a', 'Ann Lee <ann@lee.test>'));
    await ingest(from('b', 'Ann Lee <ann+homes@lee.test>'), from('c', 'Bob Ray <bob+x@lee.test>'));
    expect((await proposals()).map(([rule]) => rule)).toEqual(['tag']);
  });

  test('a company is found by its domain, and free mail makes none', async () => {
    const company = (id: string, name: string, domain: string) =>
      json(`companies/${id}`, 'company', {
        title: name,
        text: `domain: ${domain}`,
        facts: { properties: { name, domain } },
      });
    await ingest(company('1', 'Acme Ltd', 'acme.test'), from('a', 'Tom Roe <tom@acme.test>'));
    await ingest(company('2', 'Acme Ltd', 'www.acme.test'), company('3', 'Apex GmbH', 'acme.test'));
    expect(await clients()).toEqual(['Acme Ltd: ', 'Apex GmbH: ', 'Tom Roe: tom@acme.test']);
    expect(await proposals()).toEqual([['domain', 'Acme Ltd', 'Apex GmbH']]);
    const profile = await memory.profile(org, await idOf('Acme Ltd'));
    expect(profile.people.map(({ name }) => name)).toEqual(['Tom Roe']);
  });

  test('the same register number is one company', async () => {
    const company = (id: string, name: string) =>
      json(`companies/${id}`, 'company', {
        title: name,
        text: 'x',
        facts: { name, companyNumber: 'GB 0123 4567' },
      });
    await ingest(company('1', 'Acme Limited'));
    await ingest(company('2', 'Acme Holdings'));
    expect(await clients()).toEqual(['Acme Holdings: ']);
  });

  test('a card with both addresses joins two clients, as long as it says so', async () => {
    await ingest(from('a', 'Ann Lee <ann@lee.test>'), from('b', 'Ann Lee <ann@work.test>'));
    await ingest(card('1', 'Ann Lee', ['ann@lee.test', 'ann@work.test']));
    expect(await clients()).toEqual(['Ann Lee: ann@lee.test ann@work.test']);
    await ingest(card('1', 'Ann Lee', ['ann@lee.test']));
    expect(await clients()).toEqual(['Ann Lee: ann@lee.test', 'Ann Lee: ann@work.test']);
  });

  test("a person's merge survives later syncs, and a search by either name or address finds one", async () => {
    await ingest(card('1', 'Ann Lee', ['ann@lee.test']), from('b', 'A. Leigh <a@leigh.test>'));
    const merged = await book.merge(org, person, {
      into: await idOf('ann@lee.test'),
      other: await idOf('a@leigh.test'),
      channel: 'test',
    });
    expect(merged).toMatchObject({
      state: 'accepted',
      by: 'Ana Ruiz',
      client: { emails: ['ann@lee.test'] },
      other: { emails: ['a@leigh.test'] },
    });
    expect(record).toMatchObject([{ kind: 'client.merged', channel: 'test', by: { id: 'mem_1' } }]);
    await ingest(
      card('1', 'Ann Leeward', ['ann@lee.test'], { phone: '+442079460018' }),
      from('c', 'A. Leigh <a@leigh.test>'),
    );
    expect(await clients()).toEqual(['Ann Leeward: a@leigh.test ann@lee.test']);
    expect(await idOf('a@leigh.test')).toBe(await idOf('ann@lee.test'));
    expect(
      (await memory.search(org, { question: 'see you', clients: ['Ann Leeward'], limit: 5 })).passages,
    ).toHaveLength(2);
    await memory.ingest(org, source, { records: [], deleted: ['b', 'c'] });
    await ingest(from('d', 'A. Leigh <a@leigh.test>'));
    expect(await clients()).toEqual(['Ann Leeward: a@leigh.test ann@lee.test']);
  });

  test('what a person rejected is not proposed again; a proposal is accepted once', async () => {
    await ingest(from('a', 'Tom Roe <tom@acme.test>'), from('b', 'Tom Roe <t.roe@acme.test>'));
    const [found] = await book.merges(org, { limit: 5 });
    await book.decide(org, person, { id: found?.id ?? '', accept: false, channel: 'test' });
    await ingest(from('c', 'Tom Roe <t.roe@acme.test>'), from('d', 'Tom Roe <tom@acme.test>'));
    expect(await proposals()).toEqual([]);
    await expect(
      book.decide(org, person, { id: found?.id ?? '', accept: true, channel: 'test' }),
    ).rejects.toMatchObject({ code: 'conflict' });
    await book.undo(org, person, { id: found?.id ?? '', channel: 'test' });
    await book.decide(org, person, { id: found?.id ?? '', accept: true, channel: 'test' });
    expect(await clients()).toEqual(['Tom Roe: t.roe@acme.test tom@acme.test']);
  });

  test('a split takes the address with all that was said under it, lasts through syncs, and is undone', async () => {
    const both = card('1', 'Ann Lee', ['ann@lee.test', 'bob@lee.test']);
    await ingest(both, from('a', 'Ann Lee <ann@lee.test>', { body: 'I want a garden.' }));
    await ingest(from('b', 'Bob Lee <bob@lee.test>', { body: 'I want a pool.' }));
    expect(await clients()).toEqual(['Ann Lee: ann@lee.test bob@lee.test']);
    const split = await book.split(org, person, {
      id: await idOf('ann@lee.test'),
      keys: ['bob@lee.test'],
      channel: 'test',
    });
    const apart = ['Ann Lee: ann@lee.test', 'Bob Lee: bob@lee.test'];
    expect(await clients()).toEqual(apart);
    const wishes = async (words: string) =>
      (await memory.profile(org, await idOf(words))).lines
        .filter(({ section }) => section === 'wishes')
        .map(({ text }) => text.replace(/ \(.*/u, ''));
    expect(await wishes('bob@lee.test')).toEqual(['pool']);
    expect(await wishes('ann@lee.test')).toEqual(['garden']);
    await ingest(
      card('1', 'Ann Lee', ['ann@lee.test', 'bob@lee.test'], { jobtitle: 'Nurse' }),
      from('c', 'Bob Lee <bob@lee.test>'),
    );
    expect(await clients()).toEqual(apart);
    await book.undo(org, person, { id: split.id, channel: 'test' });
    expect(await clients()).toEqual(['Ann Lee: ann@lee.test bob@lee.test']);
    expect((await wishes('ann@lee.test')).sort()).toEqual(['garden', 'pool']);
  });

  test('no split takes all that a client has, or what is not theirs', async () => {
    await ingest(from('a', 'Ann Lee <ann@lee.test>'));
    const id = await idOf('ann@lee.test');
    const split = (keys: string[]) => book.split(org, person, { id, keys, channel: 'test' });
    await expect(split(['ann@lee.test'])).rejects.toMatchObject({ field: 'keys' });
    await expect(split(['other@lee.test'])).rejects.toMatchObject({ field: 'keys' });
    await expect(split([])).rejects.toMatchObject({ field: 'keys' });
  });

  test("another org's people and clients are not there", async () => {
    const other = await opened.store.forOrg(await opened.store.createOrg('Two'));
    await ingest(from('a', 'Ann Lee <ann@lee.test>'), from('b', 'Bob Ray <bob@ray.test>'));
    const given = { into: await idOf('ann@lee.test'), other: await idOf('bob@ray.test'), channel: 'test' };
    await expect(book.merge(other, person, given)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(book.merge(other, { ...person, orgId: other.orgId }, given)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await memory.clientsCalled(other, 'Ann Lee')).toEqual([]);
  });

  test('any merges, undone in any order, leave every client as it was', { timeout: 120_000 }, async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    await ingest(
      ...names.map((one) =>
        from(`m${one}`, `Name ${one.toUpperCase()}x <${one}@${one}.test>`, {
          body: `I want a garden. We need ${names.indexOf(one) + 1} bedrooms.`,
        }),
      ),
    );
    const ids = new Map<string, string>();
    for (const one of names) ids.set(one, await idOf(`${one}@${one}.test`));
    const state = async () => {
      const all = await memory.clients(org, { limit: 50 });
      const profiles = [];
      for (const { id } of all.toSorted((x, y) => (x.id < y.id ? -1 : 1))) {
        const { client, facts } = await memory.profile(org, id);
        profiles.push({ client, facts });
      }
      return profiles;
    };
    const before = await state();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.infiniteStream(fc.nat(1000)),
        async (pairs, order) => {
          const open: string[] = [];
          let joined = 0;
          for (const [into, other] of pairs) {
            try {
              open.push(
                (
                  await book.merge(org, person, {
                    into: ids.get(into) ?? '',
                    other: ids.get(other) ?? '',
                    channel: 'test',
                  })
                ).id,
              );
              joined += 1;
            } catch (thrown) {
              expect(thrown).toMatchObject({ code: 'conflict' });
            }
          }
          expect((await memory.clients(org, { limit: 50 })).length).toBe(names.length - joined);
          while (open.length > 0) {
            const [id = ''] = open.splice((order.next().value ?? 0) % open.length, 1);
            await book.undo(org, person, { id, channel: 'test' });
          }
          expect(await state()).toEqual(before);
        },
      ),
      { numRuns: database.name === 'SQLite' ? 15 : 5 },
    );
  });
});
