// Facts of clients: what records and mails say, each with its place; what superseded what; what a deletion takes away.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { factsOf } from '../../src/memory/client-facts.ts';
import { clientRows } from '../../src/memory/client-keys.ts';
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
  test('a client is there', async () => {
    await g.memory.ingest(g.org, g.source, {
      records: [
        json('contacts/1', 'contact', {
          title: 'Ann',
          text: 'phone: +44 20 7946 0018',
          people: [{ name: 'Ann Lee', role: 'contact' }],
          facts: { properties: { phone: '+44 20 7946 0018' } },
        }),
      ],
    });
    expect(
      [...(await g.org.read(async (db) => clientRows(db, g.org.orgId, await ids()))).values()].map(
        ({ name, phones }) => [name, phones],
      ),
    ).toEqual([['Ann Lee', '["+442079460018"]']]);
    expect(await standing()).toEqual(['name: Ann Lee', 'phone: +442079460018']);
  });
});
