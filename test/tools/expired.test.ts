// An account that has expired never looks like "no data": every answer that it would have had a part in says so.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DrawbridgeError } from '../../src/errors.ts';
import { type Office, openOffice, textOf } from './office.ts';

let office: Office;
let link: string;

beforeAll(async () => {
  office = await openOffice();
  const { rooms } = office;
  const mailbox = await office.mailbox();
  await rooms.refresh(rooms.org, mailbox.id);
  await rooms.connections.report(rooms.org, mailbox.id, {
    error: new DrawbridgeError('auth_expired', 'gone'),
  });
  link = `/connect/mailbox?account=${mailbox.id}`;
});
afterAll(() => office.close());

test.each([
  ['search', { question: 'xylophone quartz' }],
  ['search', { question: 'Elena Vasquez' }],
  ['ime-search', { question: 'Elena Vasquez' }],
])('%s for %j says which account must be connected again, with the link', async (tool, input) => {
  const answer = await office.call(tool, input);
  expect(answer.isError).toBeUndefined();
  expect(textOf(answer)).toContain('must be connected again');
  expect(textOf(answer)).toContain(link);
  if (tool === 'search') expect(JSON.stringify(answer.structuredContent)).toContain(link);
});

test('a question about kinds that the account does not hold is not troubled by it', async () => {
  const answer = await office.call('search', { question: 'Elena Vasquez', kinds: ['event'] });
  expect(textOf(answer)).not.toContain('must be connected again');
});
