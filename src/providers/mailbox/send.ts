// mail.send: at most one mail for one approval, and an honest word about what became of it.
import { DrawbridgeError } from '../../errors.ts';
import { type MailSend, mailSendInput } from '../capabilities.ts';
import {
  EffectRefused,
  type LookUp,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import {
  type ComposedMail,
  checkMail,
  compose,
  mailConcerns,
  mailInWords,
  messageIdOf,
} from '../mail/compose.ts';
import { searched } from './fetch.ts';
import { mailboxFields, presetOf } from './fields.ts';
import { searchedForSent } from './folders.ts';
import { oneLine, withImap } from './imap.ts';
import { deliver } from './smtp.ts';

const greylistMs = 5 * 60_000;

export const send = writeOperation<MailSend>({
  effect: 'send',
  version: 1,
  title: 'Send an e-mail',
  idempotency: 'look-up',
  input: mailSendInput,
  summary: (mail, account) => mailInWords(`Send from ${account}`, mail),
  validate: checkMail,
  concerns: mailConcerns,
  run,
  lookUp,
});

async function run(context: WriteContext, payload: MailSend): Promise<WriteOutcome> {
  const { email, name } = mailboxFields.parse(context.fields);
  const mail = await compose(context, payload, { email, name, bcc: 'envelope' });
  const delivery = await deliver(context, mail);
  if (!delivery.accepted) {
    if ('stopped' in delivery) throw delivery.stopped;
    throw new EffectRefused(
      delivery.reason,
      delivery.later === true ? { cause: notNow(delivery.reason) } : {},
    );
  }
  const outcome: WriteOutcome = {
    reference: mail.messageId,
    details: {
      messageId: mail.messageId,
      recipients: mail.recipients,
      answer: delivery.response,
      // Some servers put an id of their own in the place of ours; replies will then name that one.
      ...(delivery.serverMessageId === undefined ? {} : { serverMessageId: delivery.serverMessageId }),
    },
  };
  const warning = await keepCopy(context, mail);
  return warning === undefined ? outcome : { ...outcome, warning };
}

/** Greylisting servers let a mail in that comes again after some minutes (RFC 6647). */
function notNow(reason: string): DrawbridgeError {
  return new DrawbridgeError('provider_unavailable', reason, { retryAfterMs: greylistMs });
}

/** Puts the sent mail into Sent where the provider does not; the mail is gone already, so a failure is a word. */
async function keepCopy(context: WriteContext, mail: ComposedMail): Promise<string | undefined> {
  if (presetOf(mailboxFields.parse(context.fields))?.keepsSent === true) return undefined;
  try {
    return await withImap(context, async (client) => {
      const sent = (await client.list()).find(({ specialUse }) => specialUse === '\\Sent');
      if (sent === undefined)
        return 'The mail was sent. The account has no Sent mailbox, so no copy was kept.';
      const kept = await client.append(sent.path, mail.bytes, ['\\Seen'], new Date(context.clock.now()));
      return kept === false ? 'The mail was sent. No copy could be put into Sent.' : undefined;
    });
  } catch (error) {
    context.log.warn({ err: error }, 'the copy in Sent failed');
    const why = error instanceof DrawbridgeError ? oneLine(error.message) : 'the log has the details';
    return `The mail was sent. Its copy could not be put into Sent: ${why}`;
  }
}

/** Our Message-ID in the account proves the send. Its absence proves nothing: not every server keeps a copy. */
async function lookUp(context: WriteContext): Promise<LookUp> {
  const messageId = messageIdOf(context, mailboxFields.parse(context.fields).email);
  return withImap(context, async (client) => {
    const folders = searchedForSent(await client.list());
    for (const path of folders) {
      await client.mailboxOpen(path, { readOnly: true });
      const [uid] = await searched(client, { header: { 'message-id': messageId } });
      if (uid !== undefined) {
        return { found: true, outcome: { reference: messageId, details: { messageId, mailbox: path, uid } } };
      }
    }
    return {
      found: false,
      conclusive: false,
      evidence: `No mail with ${messageId} in ${folders.join(', ')}; that does not prove that it was not sent.`,
    };
  });
}
