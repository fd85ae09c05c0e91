// What may be empty may be left out: the payload that a person sees, and its hash, are those of the empty list.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { catalog } from '../../src/providers/catalog.ts';
import type { WriteOperation } from '../../src/providers/define.ts';
import { sealPayload } from '../../src/queue/envelope.ts';

/** Written whole on purpose: a copy that is left out of a draft's new text would be taken off it unseen. */
const whole = ['gmail update-draft'];

async function writes(): Promise<[string, WriteOperation<unknown>][]> {
  const providers = await Promise.all(catalog.map((entry) => entry.load()));
  return providers.flatMap(({ id, operations }) =>
    Object.entries(operations).flatMap(([name, operation]): [string, WriteOperation<unknown>][] =>
      operation.effect === 'read' ? [] : [[`${id} ${name}`, operation as WriteOperation<unknown>]],
    ),
  );
}

test('no write asks for a list that may be empty', async () => {
  const asking = (await writes()).filter(([, { input }]) => {
    const shape = input instanceof z.ZodObject ? (input.shape as Record<string, z.ZodType>) : {};
    return Object.values(shape).some(
      (field) => !field.safeParse(undefined).success && Array.isArray(field.safeParse([]).data),
    );
  });
  expect(asking.map(([name]) => name)).toEqual(whole);
});

const mail = { to: [{ email: 'elena@example.com' }], subject: 'Viewing', text: 'Thursday?' };
const event = {
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
};
const lists = { cc: [], bcc: [], references: [], attachments: [] };

describe.each([
  [['mailbox send', 'gmail send', 'gmail create-draft', 'outlook send', 'outlook create-draft'], mail, lists],
  [['caldav create', 'google-calendar create', 'outlook create'], event, { attendees: [], reminders: [] }],
])('%j', (names, least, empty) => {
  test('propose the same with the lists and without', async () => {
    const found = (await writes()).filter(([name]) => names.includes(name));
    expect(found).toHaveLength(names.length);
    for (const [, operation] of found)
      expect(sealPayload(operation, least)).toEqual(sealPayload(operation, { ...least, ...empty }));
  });
});
