// mail.send and drafts by Microsoft Graph: at most one mail for one approval.
// https://learn.microsoft.com/en-us/graph/api/user-sendmail
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type MailSend, mailSendInput } from '../capabilities.ts';
import { type WriteContext, type WriteOutcome, writeOperation } from '../define.ts';
import { checkMail, mailConcerns, mailInWords } from '../mail/compose.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { sendWrite } from '../request.ts';
import { bodyOf, lookUpMarked, messageIdOf, type RawMessage, rawMessage } from './message.ts';

/** Graph takes 4 MB a call; base64 in JSON makes a third more of it. */
const mostAttached = 3 * 1024 * 1024;

/** @throws DrawbridgeError `invalid_request` */
function checkOutlookMail(mail: MailSend): void {
  checkMail(mail);
  const size = mail.attachments.reduce((sum, one) => sum + one.size, 0);
  if (size <= mostAttached) return;
  throw new DrawbridgeError('invalid_request', 'attachments: Outlook takes 3 MB together by this way.', {
    field: 'attachments',
  });
}

export const send = writeOperation<MailSend>({
  effect: 'send',
  version: 1,
  title: 'Send an e-mail',
  description: 'Sends one mail from the connected Outlook account, in its conversation where it is a reply.',
  scopes: ['Mail.Send'],
  idempotency: 'look-up',
  input: mailSendInput,
  summary: (mail, account) => mailInWords(`Send from ${account}`, mail),
  validate: checkOutlookMail,
  concerns: mailConcerns,
  async run(context, mail) {
    const body = { message: await bodyOf(context, mail), saveToSentItems: true };
    await sendWrite(context, http, { method: 'POST', path: '/me/sendMail', body, output: z.unknown() });
    return sentOutcome(context);
  },
  lookUp: (context) =>
    lookUpMarked(context, { sent: true, outcome: (message) => sentOutcome(context, message) }),
});

/** Graph answers a send with nothing: what is known is the Message-ID that it was given. */
export function sentOutcome(context: WriteContext, message?: RawMessage): WriteOutcome {
  const messageId = message?.internetMessageId ?? messageIdOf(context);
  return {
    reference: messageId,
    ...(message?.webLink == null ? {} : { url: message.webLink }),
    details: { messageId, ...(message === undefined ? {} : { id: message.id }) },
  };
}

export const createDraft = writeOperation<MailSend>({
  effect: 'create',
  version: 1,
  title: 'Lay a draft ready',
  description: 'A mail in Drafts, for a person to finish and send by hand.',
  scopes: ['Mail.ReadWrite'],
  idempotency: 'look-up',
  input: mailSendInput,
  summary: (mail, account) => mailInWords(`Draft in ${account}`, mail),
  validate: checkOutlookMail,
  async run(context, mail) {
    const body = await bodyOf(context, mail);
    return draftOutcome(
      await sendWrite(context, http, { method: 'POST', path: '/me/messages', body, output: rawMessage }),
    );
  },
  lookUp: (context) => lookUpMarked(context, { sent: false, outcome: draftOutcome }),
});

function draftOutcome({ id, webLink }: RawMessage): WriteOutcome {
  return { reference: id, ...(webLink == null ? {} : { url: webLink }), details: { id } };
}
