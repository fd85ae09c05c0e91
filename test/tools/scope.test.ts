// A question that is asked of one client, one conversation or one home looks nowhere else.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { json, mail } from '../memory/ground.ts';
import { type Office, openOffice, textOf } from './office.ts';

let office: Office;
const uris = new Map<string, string>();

beforeAll(async () => {
  office = await openOffice();
  const { rooms } = office;
  const { id } = await rooms.connections.own(rooms.org, 'files');
  const letter = (key: string, from: string, body: string, headers: string[] = []) =>
    mail({ id: `${key}@x`, subject: key, from, body, headers });
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: id, provider: 'files' },
    {
      records: [
        letter('first', 'Ann Lee <ann@lee.test>', 'Keys for the house.'),
        letter('reply', 'Bob Ray <bob@ray.test>', 'The keys are here.', ['References: <first@x>']),
        letter('other', 'Bob Ray <bob@ray.test>', 'Keys for another house.'),
        json('alone', 'note', { title: 'alone', text: 'Keys, a note of its own.' }),
      ],
    },
  );
  for (const one of await rooms.memory.documents(rooms.org, { limit: 20 }))
    uris.set(one.title, `ime://documents/${one.id}`);
  const [ann] = await rooms.memory.clients(rooms.org, { words: 'Ann Lee', limit: 1 });
  uris.set('Ann', `ime://clients/${ann?.id}`);
});
afterAll(() => office.close());

async function found(client: string): Promise<string[]> {
  const memory = await office.call('ime-search', { question: 'keys', clients: [client], limit: 20 });
  expect(memory.isError, textOf(memory)).toBeUndefined();
  const { passages } = memory.structuredContent as { passages: { title: string }[] };
  const live = await office.call('search', { question: 'keys', client, limit: 20 });
  const { hits } = live.structuredContent as { hits: { title: string }[] };
  const titles = passages.map(({ title }) => title).sort();
  for (const { title } of hits) expect(titles).toContain(title);
  return titles;
}

test('a client by URI, as by name', async () => {
  expect(await found(uris.get('Ann') ?? '')).toEqual(['first']);
  expect(await found('Ann Lee')).toEqual(['first']);
});

test('a record by URI: its conversation, or itself alone', async () => {
  expect(await found(uris.get('first') ?? '')).toEqual(['first', 'reply']);
  expect(await found(uris.get('alone') ?? '')).toEqual(['alone']);
});

test('two records are refused by the field’s name, and one that is not there as such', async () => {
  const two = await office.call('ime-search', {
    question: 'keys',
    clients: [uris.get('first'), uris.get('alone')],
  });
  expect(textOf(two)).toMatch(/^clients: name one record/);
  const none = await office.call('search', {
    question: 'keys',
    client: 'ime://documents/doc_00000000000000000000000000',
  });
  expect(textOf(none)).toMatch(/no such document/);
});
