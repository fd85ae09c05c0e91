// Sorting mail: labels put on and taken off, archive, bin and back. Each may be repeated without harm, and what
// became of it can be read from the message.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type LookUp,
  type WriteContext,
  type WriteEffect,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { ask, cause, scope } from '../google.ts';
import { gmailOf, idForm, ownAddress, pageOf } from './client.ts';
import { headerOf } from './send.ts';

const id = z.string().regex(idForm).describe('Id of the message');
const labelId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,200}$/)
  .describe('Id of a label, as `labels` gives it');
const one = z.object({
  id,
  // What the person reads who decides; a message with another subject is not touched.
  subject: z.string().max(2000).describe('Its subject, as `search` or `get` gives it'),
});
type One = z.infer<typeof one>;
const relabelling = one.extend({
  add: z.array(labelId).max(50).default([]),
  remove: z.array(labelId).max(50).default([]),
});

const sorted = z.object({ added: z.array(labelId), removed: z.array(labelId) });

/** Labels that the message has afterwards, and those that it has no more. */
interface Change {
  add: readonly string[];
  remove: readonly string[];
}

export const label = sorting({
  effect: 'update',
  title: 'Put labels on a message, or take them off',
  back: 'Put the labels back as they were',
  input: relabelling,
  change: ({ add, remove }) => ({ add, remove }),
  words: ({ add, remove }) =>
    [
      ...(add.length === 0 ? [] : [`put ${add.join(', ')} on`]),
      ...(remove.length === 0 ? [] : [`take ${remove.join(', ')} off`]),
    ].join(' and '),
});

export const archive = sorting({
  effect: 'update',
  title: 'Archive a message',
  back: 'Put it back into the inbox',
  input: one,
  change: () => ({ add: [], remove: ['INBOX'] }),
  words: () => 'archive',
});

export const trash = sorting({
  effect: 'delete',
  title: 'Move a message to the bin',
  back: 'Take it out of the bin',
  input: one,
  change: () => ({ add: ['TRASH'], remove: [] }),
  words: () => 'move to the bin',
  by: 'trash',
});

export const untrash = sorting({
  effect: 'update',
  title: 'Take a message out of the bin',
  back: 'Put it back into the bin',
  input: one,
  change: () => ({ add: [], remove: ['TRASH'] }),
  words: () => 'take out of the bin',
  by: 'untrash',
});

function sorting<Payload extends One>(given: {
  effect: WriteEffect;
  title: string;
  input: z.ZodType<Payload>;
  change(payload: Payload): Change;
  /** What its undoing is called. */
  back: string;
  /** What is done, as words before the message. */
  words(payload: Payload): string;
  /** The method of its own that Gmail has for it. */
  by?: 'trash' | 'untrash';
}) {
  return writeOperation<Payload>({
    effect: given.effect,
    version: 1,
    title: given.title,
    scopes: [scope('gmail.modify')],
    idempotency: 'look-up',
    input: given.input,
    summary: (payload, account) => `In ${account}: ${given.words(payload)} ${nameOf(payload)}`,
    compensation: {
      title: given.back,
      operation: 'label',
      payload: ({ id: message, subject }, { details }) => {
        const done = sorted.safeParse(details);
        if (!done.success) return undefined;
        const { added: remove, removed: add } = done.data;
        return add.length + remove.length === 0 ? undefined : { id: message, subject, add, remove };
      },
    },
    async run(context, payload) {
      const client = await gmailOf(context);
      const { add, remove } = given.change(payload);
      const had = await labelsOfMeant(context, payload);
      const target = { userId: 'me', id: payload.id };
      const message = await cause(context, () =>
        given.by === undefined
          ? client.users.messages.modify({
              ...target,
              requestBody: { addLabelIds: [...add], removeLabelIds: [...remove] },
            })
          : client.users.messages[given.by](target),
      );
      const has = message.labelIds ?? [];
      // What it had already, or had not anyway, is not for an undoing to take.
      const without = (names: readonly string[], others: readonly string[]) =>
        names.filter((name) => !others.includes(name));
      return outcomeOf(context, payload, { add: without(has, had), remove: without(had, has) });
    },
    lookUp: (context, payload) => lookUp(context, payload, given.change(payload)),
  });
}

const nameOf = ({ id: name, subject }: One): string => `“${subject}” (message ${name})`;

/** Its labels. @throws DrawbridgeError `invalid_request`: the message is another than the person was told. */
async function labelsOfMeant(context: WriteContext, payload: One): Promise<string[]> {
  const client = await gmailOf(context);
  const query = { userId: 'me', id: payload.id, format: 'metadata', metadataHeaders: ['Subject'] };
  const message = await ask(() => client.users.messages.get(query));
  const subject = headerOf(message, 'Subject') ?? '';
  const plain = (text: string) => text.replace(/\s+/g, ' ').trim();
  if (plain(subject) === plain(payload.subject)) return message.labelIds ?? [];
  throw new DrawbridgeError('invalid_request', 'subject: the message with this id has another subject.', {
    field: 'subject',
  });
}

async function outcomeOf(context: WriteContext, { id: name }: One, change: Change): Promise<WriteOutcome> {
  return {
    reference: name,
    url: pageOf(await ownAddress(context), name),
    details: { id: name, added: change.add, removed: change.remove },
  };
}

/** The message as it is now: it was sorted so, or it was not. */
async function lookUp(context: WriteContext, payload: One, change: Change): Promise<LookUp> {
  const client = await gmailOf(context);
  const query = { userId: 'me', id: payload.id, format: 'minimal' };
  const labels = (await ask(() => client.users.messages.get(query))).labelIds ?? [];
  const done = change.add.every((name) => labels.includes(name));
  if (done && !change.remove.some((name) => labels.includes(name))) {
    return { found: true, outcome: await outcomeOf(context, payload, change) };
  }
  return {
    found: false,
    conclusive: true,
    evidence: `The message has the labels ${labels.join(', ') || '(none)'}.`,
  };
}
