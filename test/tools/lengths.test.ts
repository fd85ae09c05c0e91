// However much an org holds, an answer keeps to its length, and what it leaves out can be had: by its cursor,
// page by page and whole, or by read-source.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SandboxListing } from '../../sandbox/zillow-answers.ts';
import { type Office, openOffice, textOf } from './office.ts';

const longest = 10_000 * 4;
const hour = 3_600_000;
let office: Office;
let home: SandboxListing;

const words = (about: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${about} ${n} "said" the lease \\ the boiler`).join('\n');
const record = (n: number) => ({
  externalId: `note-${n}`,
  kind: 'note' as const,
  mediaType: 'application/json' as const,
  raw: Buffer.from(
    JSON.stringify({
      title: words(`Harbour ${n}`, 12),
      text: words(`Paragraph of ${n}`, 120),
      url: `https://notes.example/${n}/${'long/'.repeat(90)}`,
      people: Array.from({ length: 9 }, (_, p) => ({
        name: `Person ${p} ${'of the very long name '.repeat(6)}`,
        role: 'contact',
      })),
    }),
  ),
});

beforeAll(async () => {
  office = await openOffice();
  const { rooms, sandbox } = office;
  const { org, memory } = rooms;
  const { id: connectionId } = await office.zillow();
  const records = Array.from({ length: 60 }, (_, n) => record(n));
  await memory.ingest(org, { connectionId, provider: 'zillow' }, { records });

  const all = sandbox.zillow.listings() as SandboxListing[];
  const [first] = all;
  if (first === undefined) throw new Error('no listings');
  const at = (n: number) => Date.UTC(2025, 0, 1) - n * 24 * hour;
  home = {
    ...structuredClone(first),
    zpid: 990_001,
    street: '1 Endless Road',
    city: 'Longford',
    status: 'FOR_SALE',
    description: words('Room', 400),
    photos: Array.from({ length: 300 }, (_, n) => `https://photos.example/990001/${'x'.repeat(80)}/${n}.jpg`),
    priceHistory: Array.from({ length: 1_000 }, (_, n) => ({
      at: at(n),
      event: `Price change ${n} ${'after long thought '.repeat(5)}`,
      price: 500_000 + n,
    })),
    taxHistory: Array.from({ length: 150 }, (_, n) => ({
      year: 2024 - n,
      tax: 9_000 + n,
      value: 700_000 + n,
    })),
  };
  all.push(home);
  for (let n = 0; n < 240; n += 1) {
    all.push({
      ...structuredClone(first),
      zpid: 991_000 + n,
      street: `${n} ${'Very Long '.repeat(20)}Street`,
      city: 'Farview',
      status: 'FOR_SALE',
    });
  }
  // Live answers end after two pages: what else memory holds was seen before.
  await memory.recordListings(
    org,
    { connectionId, provider: 'zillow' },
    all.slice(-240).map((one) => ({
      id: String(one.zpid),
      address: `${one.street}, ${one.city}, OR ${one.zip}`,
      city: one.city,
      status: 'for_sale',
      price: one.price,
    })),
    false,
  );

  await office.calendar();
  const stamp = (ms: number) => new Date(ms).toISOString().replaceAll(/[-:]|\.000/g, '');
  for (let n = 0; n < 300; n += 1) {
    const start = Date.UTC(2031, 2, 1) + n * hour;
    const event = [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//test//EN',
      'BEGIN:VEVENT',
      `UID:busy-${n}@test`,
      'DTSTAMP:20300101T000000Z',
      `DTSTART:${stamp(start)}`,
      `DTEND:${stamp(start + hour / 2)}`,
      `SUMMARY:Meeting ${n} ${'about the house by the lake '.repeat(5)}`,
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ];
    sandbox.caldav.store.put(`busy-${n}.ics`, event.join('\r\n'));
  }
});
afterAll(() => office.close());

/** One answer within its length. */
async function within(name: string, input: object) {
  const result = await office.call(name, input);
  expect(result.isError, textOf(result)).toBeUndefined();
  const data = JSON.stringify(result.structuredContent).length;
  expect(data, `${name}: the structured result`).toBeLessThanOrEqual(longest);
  expect(data + textOf(result).length, `${name}: both views`).toBeLessThanOrEqual(longest + 2_000);
  expect(textOf(result), `${name}: its text is not cut short`).not.toContain('(shortened;');
  return result.structuredContent as Record<string, unknown> & { nextCursor?: string };
}

/** Every page from the first to the last; each within its length. */
async function pages(name: string, input: object) {
  const all: Record<string, unknown>[] = [];
  for (let cursor: string | undefined, count = 0; count === 0 || cursor !== undefined; count += 1) {
    const page = await within(name, { ...input, ...(cursor === undefined ? {} : { cursor }) });
    all.push(page);
    cursor = page.nextCursor;
    if (count > 200) throw new Error(`${name} does not come to an end`);
  }
  return all;
}

const gathered = <Row>(all: Record<string, unknown>[], field: string) =>
  all.flatMap((page) => (page[field] ?? []) as Row[]);

test.each([
  ['search', 'hits', { limit: 25 }],
  ['ime-search', 'passages', { limit: 20 }],
])('%s keeps to its length, and its pages hold every hit once', async (name, field, more) => {
  const all = await pages(name, { question: 'harbour lease boiler paragraph', kinds: ['note'], ...more });
  const documents = gathered<{ uri: string; citation?: object }>(all, field);
  expect(all.length).toBeGreaterThan(1);
  expect(new Set(documents.map(({ uri }) => uri)).size).toBe(60);
  const places = documents.map((hit) => JSON.stringify(hit.citation ?? hit));
  expect(new Set(places).size).toBe(places.length);
});

test.each(['search', 'ime-search'])(
  '%s asks memory once, though not all that it found fits',
  async (name) => {
    const { memory } = office.rooms;
    let asked = 0;
    const counting: typeof memory = {
      ...memory,
      search: (...given) => {
        asked += 1;
        return memory.search(...given);
      },
    };
    const input = { question: 'harbour lease boiler paragraph', kinds: ['note'], limit: 20 };
    // Old enough, so that no provider is asked.
    const given = name === 'search' ? { ...input, maxAge: 1e9 } : input;
    const result = await office.callWith({ memory: counting }, name, given);
    const page = result.structuredContent as { hits?: object[]; passages?: object[]; nextCursor?: string };
    expect((page.hits ?? page.passages ?? []).length).toBeLessThan(20);
    expect(page.nextCursor).toBeDefined();
    expect(asked).toBe(1);
  },
);

test('a search of listings keeps to its length, and its pages hold every home, beyond the first 200, too', async () => {
  const all = await pages('search', { property: { location: 'Farview' }, limit: 25 });
  const hits = gathered<{ listingId: string }>(all, 'hits');
  expect(hits).toHaveLength(240);
  expect(new Set(hits.map(({ listingId }) => listingId)).size).toBe(240);
});

test('a property keeps to its length, and its pages hold every price, photo and year of taxes', async () => {
  const all = await pages('property-detail', { id: String(home.zpid) });
  expect(all.length).toBeGreaterThan(1);
  const prices = gathered<{ price: number }>(all, 'priceHistory');
  expect(new Set(prices.map(({ price }) => price)).size).toBeGreaterThanOrEqual(1_000);
  expect(prices.length).toBe(new Set(prices.map((row) => JSON.stringify(row))).size);
  expect(gathered<object>(all, 'taxHistory')).toHaveLength(150);
  const photos = gathered<string>(
    all.map(({ listing }) => listing as Record<string, unknown>),
    'photos',
  );
  expect([...photos].sort()).toEqual([...home.photos].sort());
  expect(all[0]?.['note']).toMatch(/10\d\d prices, 300 photos, 150 years of taxes/);
});

test('a description that is cut says so, and read-source has it whole', async () => {
  const { listing, note } = await within('property-detail', { id: String(home.zpid) });
  const { uri, description } = listing as { uri: string; description: string };
  expect(description.length).toBeLessThan(home.description.length);
  expect(note).toContain(`${home.description.length} characters`);
  expect(note).toContain(uri);
  let whole = '';
  for (let offset: unknown = 0; offset !== undefined; ) {
    const part = await within('read-source', { uri, offset });
    whole += String(part['text']);
    offset = part['nextOffset'];
  }
  expect(whole).toContain(home.description);
});

test('availability keeps to its length, and its pages hold every busy and every free time', async () => {
  const { rooms } = office;
  const calendar = await rooms.connections.resolve(rooms.org, 'calendar.free-busy');
  const month = { from: Date.UTC(2031, 2, 1), to: Date.UTC(2031, 3, 1) };
  const told = await rooms.connections.read(rooms.org, calendar, 'calendar.free-busy', month, {
    signal: new AbortController().signal,
    timeoutMs: 120_000,
  });
  expect(told.busy.length).toBeGreaterThan(280);
  const span = { from: '2031-03-01T00:00', to: '2031-04-01T00:00', timeZone: 'UTC', durationMinutes: 5 };
  const all = await pages('check-availability', span);
  expect(all.length).toBeGreaterThan(1);
  const starts = gathered<{ start: string }>(all, 'busy').map(({ start }) => start);
  expect(starts).toEqual(told.busy.map(({ start }) => new Date(start).toISOString().slice(0, 16)));
  const busyMinutes = told.busy.reduce((sum, { start, end }) => sum + (end - start) / 60_000, 0);
  const freeMinutes = gathered<{ minutes: number }>(all, 'free').reduce(
    (sum, { minutes }) => sum + minutes,
    0,
  );
  expect(busyMinutes + freeMinutes).toBe(31 * 24 * 60);
});

test('read-source keeps to its length where every character takes two in JSON', async () => {
  const { rooms } = office;
  const text = `quotes ${'"\\'.repeat(30_000)} end`;
  const raw = Buffer.from(text);
  const [{ id } = { id: '' }] = (await rooms.connections.list(rooms.org)).filter(
    (c) => c.provider === 'zillow',
  );
  const record = { externalId: 'quotes', kind: 'file' as const, mediaType: 'text/plain' as const, raw };
  await rooms.memory.ingest(rooms.org, { connectionId: id, provider: 'zillow' }, { records: [record] });
  const [newest] = await rooms.memory.documents(rooms.org, { limit: 1 });
  let whole = '';
  for (let offset: unknown = 0; offset !== undefined; ) {
    const uri = `ime://documents/${newest?.id}`;
    const part = await within('read-source', { uri, offset, length: 24_000 });
    whole += String(part['text']);
    offset = part['nextOffset'];
  }
  expect(whole).toBe((await rooms.memory.document(rooms.org, newest?.id ?? '')).text);
});

test('a thousand accounts are listed in pages, and each error and note names only some of them', async () => {
  const { connections } = office.rooms;
  const [one] = await connections.list(office.rooms.org);
  if (one === undefined) throw new Error('no account');
  const many = Array.from({ length: 1_000 }, (_, n) => ({
    ...one,
    id: `con_${n}`,
    label: `agent${n}@brightwater.test`,
    hasFeeds: true,
    feedKinds: ['mail' as const],
    state: 'ACTIVE' as const,
    lastError: { code: 'network' as const, message: 'It could not be reached. '.repeat(30), at: 0 },
  }));
  const rooms = { connections: { ...connections, list: async () => many }, refresh: async () => undefined };
  const ids: string[] = [];
  for (let cursor: string | undefined, count = 0; count === 0 || cursor !== undefined; count += 1) {
    const result = await office.callWith(rooms, 'list-connections', cursor === undefined ? {} : { cursor });
    const page = result.structuredContent as { connections: { id: string }[]; nextCursor?: string };
    expect(JSON.stringify(page).length + textOf(result).length).toBeLessThanOrEqual(longest + 2_000);
    ids.push(...page.connections.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(ids).toEqual(many.map(({ id }) => id));
  const found = await office.callWith(rooms, 'search', { question: 'harbour', maxAge: 0 });
  expect(JSON.stringify(found.structuredContent).length).toBeLessThanOrEqual(longest);
  expect((found.structuredContent as { notes: string[] }).notes.at(-1)).toMatch(/99\d more accounts/);
  const unknown = await office.callWith(rooms, 'search', { question: 'harbour', account: 'nobody' });
  expect(textOf(unknown)).toMatch(/and 980 more, which list-connections names/);
  expect(textOf(unknown).length).toBeLessThan(3_000);
});

test('a proposal and its status keep to their length, and the whole message is read by its link', async () => {
  await office.mailbox();
  const to = Array.from({ length: 90 }, (_, n) => `client${n}@${'a-long-host'.repeat(3)}.example`);
  const mail = { to, subject: 'x'.repeat(400), text: words('Dear all', 1_500) };
  const proposed = await within('send-email', mail);
  const status = await within('action-status', { actionId: proposed['actionId'] });
  expect(status['status']).toBe('pending');
  let whole = '';
  for (let offset: unknown = 0; offset !== undefined; ) {
    const part = await within('read-source', {
      uri: `action://${proposed['actionId']}`,
      offset,
      length: 24_000,
    });
    whole += String(part['text']);
    offset = part['nextOffset'];
  }
  expect((JSON.parse(whole) as { payload: { text: string } }).payload.text).toBe(mail.text);
});

test.each(['property-detail', 'check-availability', 'list-connections'])(
  'a cursor that %s never gave is refused by its name',
  async (name) => {
    const given: Record<string, object> = {
      'property-detail': { id: String(home.zpid) },
      'check-availability': { from: '2031-03-01T00:00', to: '2031-03-02T00:00', timeZone: 'UTC' },
    };
    const refused = await office.call(name, { ...given[name], cursor: 'rows:1.2.3.4.5' });
    expect(textOf(refused)).toMatch(/^cursor: not one/);
  },
);
