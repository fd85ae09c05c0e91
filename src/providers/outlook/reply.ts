// A reply in Outlook's own words: quoted below, in its conversation, to whom the mail asks to be answered. Whom
// that is stands in what is approved, and is held against the mail again before it leaves.
// https://learn.microsoft.com/en-us/graph/api/message-reply
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { checkAddress, fewOf, type MailAddress } from '../capabilities.ts';
import { type ProviderContext, writeOperation } from '../define.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { send as ask, sendWrite } from '../request.ts';
import { briefOf, briefSelect, graphId, lookUpMarked, markOf, person, rawMessage } from './message.ts';
import { readsMail } from './messages.ts';
import { sentOutcome } from './send.ts';

const replying = z.object({
  id: graphId,
  to: z.array(person).min(1).describe('repliesTo of the message, as `get` gives it'),
  subject: z.string().max(1000).describe('Its subject, as `get` gives it'),
  text: z.string().min(1).max(100_000),
});
type Replying = z.infer<typeof replying>;

export const reply = writeOperation<Replying>({
  effect: 'send',
  version: 1,
  title: 'Reply to a message',
  description: 'Answers one message of the account to those whom it asks to be answered to, quoting it.',
  scopes: ['Mail.Send', ...readsMail],
  idempotency: 'look-up',
  input: replying,
  summary: ({ to, subject }, account) => `Reply from ${account} to ${fewOf(to)}: “${subject}”`,
  concerns: ({ to }) => ({ recipients: to.map(({ email }) => email) }),
  validate({ to, text }) {
    for (const [index, one] of to.entries()) checkAddress(one, `to.${index}`);
    if (text.includes('\0')) {
      throw new DrawbridgeError('invalid_request', 'text: holds a NUL character', { field: 'text' });
    }
  },
  async run(context, payload) {
    await checkAddressees(context, payload);
    const { id, text } = payload;
    const message = {
      body: { contentType: 'text', content: text },
      singleValueExtendedProperties: [markOf(context)],
    };
    await sendWrite(context, http, {
      method: 'POST',
      path: '/me/messages/{id}/reply',
      params: { id },
      body: { message },
      output: z.unknown(),
    });
    return { reference: id, details: { answers: id } };
  },
  lookUp: (context) =>
    lookUpMarked(context, { sent: true, outcome: (message) => sentOutcome(context, message) }),
});

/** @throws DrawbridgeError `conflict`: Outlook would send it to others than were approved */
async function checkAddressees(context: ProviderContext, { id, to, subject }: Replying): Promise<void> {
  const message = briefOf(
    await ask(context, http, {
      method: 'GET',
      path: '/me/messages/{id}',
      params: { id },
      query: { $select: briefSelect },
      output: rawMessage,
    }),
  );
  const wanted = addressesOf(to);
  if (wanted !== addressesOf(message.repliesTo)) {
    throw new DrawbridgeError('conflict', 'to: the message asks to be answered to somebody else.', {
      field: 'to',
    });
  }
  if (message.subject.trim() === subject.trim()) return;
  throw new DrawbridgeError('conflict', 'subject: the message has another one.', { field: 'subject' });
}

const addressesOf = (people: readonly MailAddress[]): string =>
  [...new Set(people.map(({ email }) => email.toLowerCase()))].sort().join(' ');
