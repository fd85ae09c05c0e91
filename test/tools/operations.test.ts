// Every operation of every account, found by words and run by name, under the gate of all the others.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/connections/connections.ts';
import { callTool } from '../../src/tools/call/call.ts';
import { runOperation } from '../../src/tools/run-operation.ts';
import { type Office, openOffice, outside, textOf } from './office.ts';

let office: Office;
let mailbox: Connection;
let calendar: Connection;
let zillow: Connection;

beforeAll(async () => {
  office = await openOffice();
  mailbox = await office.mailbox();
  calendar = await office.calendar();
  zillow = await office.zillow();
});
afterAll(() => office.close());

interface Found {
  operations: { operation: string; connection: string; effect: string; input: { properties: object } }[];
  more: number;
}

const arrived = () => office.sandbox.mailboxes.catchAll?.folders.get('INBOX')?.messages.length;

const find = async (input: object) =>
  (await office.call('find-operation', input)).structuredContent as unknown as Found;

test('an operation is found by words, in any of their forms, with the schema of its input', async () => {
  const [first] = (await find({ query: 'look up listings' })).operations;
  expect(first).toMatchObject({ operation: 'get', connection: zillow.id, effect: 'read' });
  expect(Object.keys(first?.input.properties ?? {})).toEqual(['id', 'url', 'address']);
});

test('an empty query lists all that there is; account and effect narrow it', async () => {
  const all = await find({ query: '', limit: 20 });
  const names = all.operations.map(({ operation, connection }) => `${connection} ${operation}`);
  expect(names).toContain(`${mailbox.id} send`);
  expect(names).toContain(`${calendar.id} create`);
  const writes = await find({ query: '', limit: 20, effect: 'write' });
  expect(writes.operations.every(({ effect }) => effect !== 'read')).toBe(true);
  const ofZillow = await find({ query: '', limit: 20, account: zillow.id });
  expect(new Set(ofZillow.operations.map(({ connection }) => connection))).toEqual(new Set([zillow.id]));
  expect((await find({ query: '', limit: 1 })).more).toBe(all.operations.length - 1);
});

test('nothing that fits is said, not guessed', async () => {
  const answer = await office.call('find-operation', { query: 'xylophone' });
  expect(answer.structuredContent).toEqual({ operations: [], more: 0 });
  expect(textOf(answer)).toContain('Nothing fits');
});

test('a read answers now, live, and what others wrote is framed', async () => {
  const [listing] = office.sandbox.zillow.listings();
  const answer = await office.call('run-operation', {
    operation: 'get',
    account: zillow.id,
    input: { id: String(listing?.zpid) },
  });
  expect(answer.structuredContent).toMatchObject({ effect: 'read', result: { id: String(listing?.zpid) } });
  expect(outside(answer)).not.toContain(String(listing?.zpid));
});

test('a write is proposed and nothing more, whichever name it is run by', async () => {
  const sent = arrived();
  const payload = {
    to: [{ email: 'elena@example.com' }],
    cc: [],
    bcc: [],
    subject: 'Viewing',
    text: 'Thursday?',
    references: [],
    attachments: [],
  };
  const answer = await office.call('run-operation', {
    operation: 'send',
    account: mailbox.id,
    input: payload,
    note: 'asked for',
  });
  const { proposal } = answer.structuredContent as { proposal: { actionId: string; status: string } };
  expect(proposal.status).toBe('pending');
  const action = await office.rooms.queue.get(office.rooms.org, proposal.actionId);
  expect(action).toMatchObject({ operation: 'send', effect: 'send', payload, note: 'asked for' });
  expect(arrived()).toBe(sent);
});

test('a key that may only read runs reads, and proposes nothing', async () => {
  const { rooms } = office;
  const before = (await rooms.queue.list(rooms.org, { limit: 50 })).length;
  const answer = await callTool(
    runOperation as never,
    { operation: 'send', account: mailbox.id, input: { to: [{ email: 'a@b.co' }] } },
    async () => ({
      rooms: { ...rooms, approveUrl: () => 'http://localhost' },
      org: rooms.org,
      agent: { kind: 'agent', orgId: rooms.org.orgId, agentId: 'key', name: 'reader', scopes: ['read'] },
      signal: new AbortController().signal,
      progress: async () => undefined,
    }),
  );
  expect(answer.isError).toBe(true);
  expect(textOf(answer)).toContain('read only');
  expect(await rooms.queue.list(rooms.org, { limit: 50 })).toHaveLength(before);
});

test.each([
  [{ operation: 'get', account: 'nobody' }, /account: "nobody" names no account/],
  [{ operation: 'erase', account: 'ZILLOW' }, /operation: .* has no erase/],
  [{ operation: '__proto__', account: 'ZILLOW' }, /has no __proto__/],
  [
    { operation: 'get', account: 'ZILLOW', input: { zpid: '1' } },
    /input\.zpid: no such field. Fields are: id, url, address/,
  ],
  [{ operation: 'search', account: 'ZILLOW', input: {} }, /input\.location: is missing/],
  [
    { operation: 'send', account: 'MAIL', input: { too: [] } },
    /input\.to: is missing[\s\S]*input\.too: no such field/,
  ],
])('%j is refused in words that name the mend', async (input, words) => {
  const account = { ZILLOW: zillow.id, MAIL: mailbox.id }[input.account] ?? input.account;
  const answer = await office.call('run-operation', { ...input, account });
  expect(answer.isError).toBe(true);
  expect(textOf(answer)).toMatch(words);
});
