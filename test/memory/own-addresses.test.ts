// Which addresses are the org's own, where only files were imported: whoever says so is no client of her own, her words
// are not a client's, and what a person wrote down outlasts it. On every database that the store runs on.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit.ts';
import type { Person } from '../../src/auth/principal.ts';
import { createLog } from '../../src/log.ts';
import { createClientBook } from '../../src/memory/clients/book.ts';
import { likelyOwn } from '../../src/memory/clients/likely-own.ts';
import { changeOwnAddresses, type OwnChange } from '../../src/memory/clients/own-addresses.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { connectAccount, json, mail, manualClock } from './ground.ts';

const anna = 'Anna Berg <anna@berg.test>';
const received = (id: string, from: string, more: object = {}) =>
  mail({ id, from, to: anna, subject: id, body: 'We need three bedrooms. Is the garden in use?', ...more });
const sent = (id: string, to: string, more: object = {}) =>
  mail({ id, from: anna, to, subject: id, body: 'We need four bathrooms. Is Friday at ten fine?', ...more });
const card = (id: string, name: string, emails: string[]) =>
  json(`contacts/${id}`, 'contact', {
    title: name,
    text: 'phone: +44 20 7946 0018',
    people: emails.map((address) => ({ address, name, role: 'contact' })),
    facts: { properties: { phone: '+44 20 7946 0018' } },
  });

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let memory: Memory;
  let org: OrgStore;
  let source: Source;
  let person: Person;
  let record: AuditEntry[];
  const clock = manualClock();
  const audit = {
    append: async (_tx: unknown, _org: string, _at: number, entry: AuditEntry) => {
      record.push(entry);
    },
  };

  beforeAll(async () => {
    opened = await database.open();
    memory = createMemory({ clock, log: createLog({ level: 'silent' }) });
  });
  beforeEach(async () => {
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    source = await connectAccount(org, 'con_files', 'files', clock.now());
    person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Anna Berg' };
    record = [];
  });
  afterAll(async () => {
    await memory.close();
    await opened.close();
  });

  const ingest = (...records: Parameters<Memory['ingest']>[2]['records']) =>
    memory.ingest(org, source, { records });
  const change = async (given: OwnChange) => {
    const changed = await changeOwnAddresses({ audit }, org, person, {
      ...given,
      field: 'address',
      channel: 'test',
    });
    const showing = changed.reread === 'all' ? undefined : changed.reread;
    if (changed.reread === undefined) return changed;
    for (let after: string | undefined = ''; after !== undefined; )
      after = (await memory.rebuild(org, after, showing))?.after;
    return changed;
  };
  const clientsOf = async (one: OrgStore) =>
    (await memory.clients(one, { limit: 50 }))
      .map(({ name, emails, documentCount }) => `${name}: ${emails.join(' ')} ${documentCount}`)
      .sort();
  const linesOf = async (words: string) => {
    const [client] = await memory.clientsCalled(org, words);
    return client === undefined ? [] : (await memory.profile(org, client.id)).lines.map(({ text }) => text);
  };

  test('whoever says which address is theirs is a client no more, in this org alone', async () => {
    const mails = [received('a', 'Tom Roe <tom@roe.test>'), sent('b', 'Tom Roe <tom@roe.test>')];
    const other = await opened.store.forOrg(await opened.store.createOrg('Other'));
    await memory.ingest(other, await connectAccount(other, 'con_o', 'files', clock.now()), {
      records: mails,
    });
    await ingest(...mails);
    const before = ['Anna Berg: anna@berg.test 2', 'Tom Roe: tom@roe.test 2'];
    expect(await clientsOf(org)).toEqual(before);
    await change({ add: ['Anna@Berg.test'] });
    expect(await clientsOf(org)).toEqual(['Tom Roe: tom@roe.test 2']);
    expect(await memory.clientsCalled(org, 'anna@berg.test')).toEqual([]);
    expect(await memory.clientsCalled(org, 'Anna Berg')).toEqual([]);
    expect(await clientsOf(other)).toEqual(before);
    await ingest(sent('c', 'Eve Poe <eve@poe.test>'));
    expect(await clientsOf(org)).toEqual(['Eve Poe: eve@poe.test 1', 'Tom Roe: tom@roe.test 2']);
  });

  test('a mail that we sent is from us, and a question is answered by it', async () => {
    await ingest(
      received('a@roe.test', 'Tom Roe <tom@roe.test>', { date: 'Sun, 01 Mar 2026 08:00:00 +0000' }),
    );
    await ingest(
      sent('b', 'Tom Roe <tom@roe.test>', {
        headers: ['In-Reply-To: <a@roe.test>', 'References: <a@roe.test>'],
      }),
    );
    await change({ add: ['anna@berg.test'] });
    const lines = (await linesOf('tom@roe.test')).join('\n');
    expect(lines).toContain('last contact (mail from us)');
    expect(lines).toContain('3 bedrooms');
    expect(lines).not.toContain('asked');
  });

  test('of a client with another address only ours goes; what we asked and want there goes along', async () => {
    await ingest(
      card('1', 'Anna Berg', ['anna@berg.test', 'anna.b@gmail.com']),
      sent('a', 'Tom Roe <tom@roe.test>'),
      sent('b', 'Tom Roe <tom@roe.test>'),
      mail({ id: 'c', from: 'anna.b@gmail.com', to: anna, body: 'We need three bedrooms.' }),
    );
    expect((await linesOf('anna.b@gmail.com')).join('\n')).toContain('4 bathrooms');
    await change({ add: ['anna@berg.test'] });
    expect(await clientsOf(org)).toEqual(['Anna Berg: anna.b@gmail.com 2', 'Tom Roe: tom@roe.test 2']);
    const lines = (await linesOf('anna.b@gmail.com')).join('\n');
    expect(lines).toContain('3 bedrooms');
    expect(lines).not.toContain('4 bathrooms');
    expect(lines).not.toContain('Friday');
  });

  test('of an address where anybody may have one, what is ours goes, and no neighbour', async () => {
    await ingest(
      card('1', 'Anna Berg', ['anna@berg.test', 'anna.b@gmail.com']),
      mail({ id: 'a', from: 'anna.b@gmail.com', to: 'anna@berg.test', body: 'We need four bathrooms.' }),
      mail({ id: 'b', from: 'tom@gmail.com', to: 'anna.b@gmail.com', body: 'We need three bedrooms.' }),
    );
    await change({ add: ['anna.b@gmail.com'] });
    expect((await linesOf('anna@berg.test')).join('\n')).not.toContain('4 bathrooms');
    expect((await linesOf('tom@gmail.com')).join('\n')).toContain('3 bedrooms');
  });

  test('a colleague at our domain wants nothing of us, as long as the domain is ours', async () => {
    const wish = 'We need three bedrooms.';
    await ingest(mail({ id: 'a', from: 'Col <col@berg.test>', to: 'tom@roe.test', body: wish }));
    await change({ add: ['anna@berg.test', 'me@own.test'] });
    expect((await linesOf('col@berg.test')).join('\n')).not.toContain('3 bedrooms');
    await change({ remove: ['anna@berg.test'] });
    expect((await linesOf('col@berg.test')).join('\n')).toContain('3 bedrooms');
  });

  test('where no address is ours any more, a question to anybody is open again', async () => {
    await ingest(mail({ id: 'a', from: 'x@y.test', to: 'tom@roe.test', body: 'Is the garden in use?' }));
    await change({ add: ['anna.b@gmail.com'] });
    expect((await linesOf('x@y.test')).join('\n')).not.toContain('garden');
    await change({ remove: ['anna.b@gmail.com'] });
    expect((await linesOf('x@y.test')).join('\n')).toContain('garden');
  });

  test('whoever is at a company with our address alone is none of its people any more', async () => {
    const berg = json('companies/1', 'company', {
      title: 'Berg',
      text: 'domain: berg.test',
      facts: { properties: { domain: 'berg.test' } },
    });
    await ingest(berg, card('1', 'Anna Berg', ['anna@berg.test', 'anna.b@gmail.com']));
    const people = async () => {
      const company = (await memory.clients(org, { limit: 9 })).find(({ kind }) => kind === 'company');
      return (await memory.profile(org, company?.id ?? '')).people.map(({ name }) => name);
    };
    expect(await people()).toEqual(['Anna Berg']);
    await change({ add: ['anna@berg.test'] });
    expect(await people()).toEqual([]);
  });

  test('our own card is no client, and is one again when the address is not ours after all', async () => {
    await ingest(card('1', 'Anna Berg', ['anna@berg.test']), sent('a', 'Tom Roe <tom@roe.test>'));
    await change({ add: ['anna@berg.test'] });
    expect(await clientsOf(org)).toEqual(['Tom Roe: tom@roe.test 1']);
    await change({ remove: ['anna@berg.test'] });
    expect(await clientsOf(org)).toEqual(['Anna Berg: anna@berg.test 2', 'Tom Roe: tom@roe.test 1']);
    const lines = (await linesOf('anna@berg.test')).join('\n');
    expect(lines).toContain('phone: +442079460018');
    expect(lines).toContain('4 bathrooms');
  });

  test('an address that is ours no more is a client with every mail of theirs, however many', async () => {
    await ingest(...Array.from({ length: 60 }, (_, i) => received(`m${i}`, 'Tom Roe <tom@roe.test>')));
    const before = await clientsOf(org);
    await change({ add: ['anna@berg.test', 'me@berg.test'] });
    expect(await clientsOf(org)).toEqual(['Tom Roe: tom@roe.test 60']);
    await change({ remove: ['anna@berg.test'] });
    expect(await clientsOf(org)).toEqual(before);
  });

  test('a second address of ours makes the questions to it open', async () => {
    await ingest(received('a', 'Tom Roe <tom@roe.test>'), mail({ id: 'b', from: 'x@y.test', body: 'Hi.' }));
    await change({ add: ['me@agency.test'] });
    expect((await linesOf('tom@roe.test')).join('\n')).not.toContain('Is the garden in use?');
    await change({ add: ['anna@berg.test'] });
    expect((await linesOf('tom@roe.test')).join('\n')).toContain('Is the garden in use?');
  });

  test('what a person wrote of a client that is us outlasts it, unlisted, and is theirs again', async () => {
    const book = createClientBook({ audit });
    await ingest(sent('a', 'Tom Roe <tom@roe.test>'));
    const [us] = await memory.clientsCalled(org, 'anna@berg.test');
    await book.addFact(org, person, {
      clientId: us?.id ?? '',
      word: { name: 'likes', value: 'tulips' },
      channel: 'test',
    });
    await change({ add: ['anna@berg.test'] });
    await ingest(sent('b', 'Tom Roe <tom@roe.test>'));
    expect(await clientsOf(org)).toEqual(['Tom Roe: tom@roe.test 2']);
    await change({ remove: ['anna@berg.test'] });
    expect(await clientsOf(org)).toEqual(['Anna Berg: anna@berg.test 2', 'Tom Roe: tom@roe.test 2']);
    expect((await linesOf('anna@berg.test')).join('\n')).toContain('tulips');
  });

  test('an account that is connected after the import parts its own address from the clients', async () => {
    await ingest(received('a', 'Tom Roe <tom@roe.test>'), sent('b', 'Tom Roe <tom@roe.test>'));
    source = await connectAccount(org, 'con_1', 'anna@berg.test', clock.now());
    await ingest(received('c', 'Tom Roe <tom@roe.test>'));
    expect(await clientsOf(org)).toEqual(['Tom Roe: tom@roe.test 3']);
  });

  test('what is no address is named and mended; nothing is stored, and only people of the org may', async () => {
    for (const wrong of ['anna', 'Anna <anna@berg.test>', '@berg.test', 'a@%'])
      await expect(change({ add: [wrong] })).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'address',
        message: expect.stringContaining('anna@example.com'),
      });
    await expect(change({ remove: ['anna@berg.test'] })).rejects.toMatchObject({ field: 'address' });
    person = { ...person, orgId: 'org_other' };
    await expect(change({ add: ['anna@berg.test'] })).rejects.toMatchObject({ code: 'permission_denied' });
    person = { ...person, orgId: org.orgId, kind: 'agent' as unknown as 'person' };
    await expect(change({ add: ['anna@berg.test'] })).rejects.toMatchObject({ code: 'permission_denied' });
    expect(record).toEqual([]);
  });

  test('the record says who changed it, and keeps the address where it can be erased', async () => {
    await change({ add: ['anna@berg.test'] });
    await change({ add: ['anna@berg.test'] });
    expect(record).toMatchObject([{ kind: 'settings.changed', subject: 'own_addresses', channel: 'test' }]);
    expect(JSON.stringify(record[0]?.facts)).not.toContain('anna');
    expect(record[0]?.values).toEqual({ addresses: 'anna@berg.test' });
  });

  describe('whose mailbox it is', () => {
    const many = <One>(count: number, make: (i: number) => One) =>
      Array.from({ length: count }, (_, i) => make(i));
    const mailbox = () => [
      ...many(20, (i) => received(`in ${i}`, `Client ${i} <c${i % 8}@x${i % 8}.test>`)),
      ...many(10, (i) => sent(`out ${i}`, `c${i % 8}@x${i % 8}.test`)),
    ];
    const guess = () => likelyOwn(org, source.connectionId);

    test('it is hers who writes to many and is written to by many, as long as no own address is known', async () => {
      await ingest(
        ...mailbox(),
        mail({ id: 'news', from: 'news@shop.test', to: 'all@shop.test', body: 'Sale.' }),
      );
      expect(await guess()).toEqual({ address: 'anna@berg.test', mails: 30, of: 31 });
      await change({ add: ['anna@berg.test'] });
      expect(await guess()).toBeUndefined();
    });

    test('of few mails nothing is said', async () => {
      await ingest(...mailbox().slice(10, 29));
      expect(await guess()).toBeUndefined();
    });

    test('of mail that is mostly of others nothing is said', async () => {
      await ingest(
        ...mailbox(),
        ...many(20, (i) => mail({ id: `s${i}`, from: `s${i}@s.test`, to: `t${i}@t.test`, body: 'Hello.' })),
      );
      expect(await guess()).toBeUndefined();
    });

    test('of who wrote to a few people alone, or once to many, nothing is said', async () => {
      const letters = many(20, (i) => received(`in ${i}`, `c${i % 8}@x.test`));
      await ingest(...letters, sent('all', many(8, (i) => `c${i}@x.test`).join(', ')));
      expect(await guess()).toBeUndefined();
      await ingest(...many(9, (i) => sent(`out ${i}`, `c${i % 4}@x.test`)));
      expect(await guess()).toMatchObject({ mails: 30 });
      await memory.ingest(org, source, { records: [], deleted: ['all'] });
      expect(await guess()).toBeUndefined();
    });

    test('of mail that nobody answered nothing is said', async () => {
      await ingest(...many(30, (i) => received(`in ${i}`, `c${i}@x.test`)));
      expect(await guess()).toBeUndefined();
    });

    test('a mailing list has no owner, though it sends in its own name', async () => {
      const list = 'Homes <homes@lists.test>';
      const posts = many(24, (i) => mail({ id: `p${i}`, from: `p${i}@x.test`, to: list, body: 'Hello.' }));
      const named = many(12, (i) =>
        mail({ id: `n${i}`, from: list, to: list, headers: [`Cc: cc${i}@x.test`], body: 'Hello.' }),
      );
      await ingest(...posts, ...named);
      expect(await guess()).toBeUndefined();
    });

    test('of one correspondence nothing is said, nor where two are in most of it', async () => {
      await ingest(
        ...mailbox().map((one, i) => ({ ...one, externalId: `${i}` })),
        ...many(24, (i) => received(`boss ${i}`, 'Boss <boss@b.test>')),
      );
      expect(await guess()).toBeUndefined();
    });

    test('attack: an address that would be more than itself in a command to be typed is not told', async () => {
      const odd = '`id`@berg.test';
      await ingest(
        ...many(20, (i) => mail({ id: `i${i}`, from: `c${i % 8}@x.test`, to: odd, body: 'Hello.' })),
        ...many(10, (i) => mail({ id: `o${i}`, from: odd, to: `c${i % 8}@x.test`, body: 'Hello.' })),
      );
      expect(await guess()).toBeUndefined();
    });
  });
});
