// Mailbox: any account that speaks IMAP and SMTP. Reads every mail once, sends one mail an approval.
import { defineProvider, type ProviderContext } from '../define.ts';
import { mailFeed } from './feed.ts';
import { completeFields, mailboxFields, mailboxSecrets } from './fields.ts';
import { withImap } from './imap.ts';
import { send } from './send.ts';
import { checkSmtp } from './smtp.ts';

export const provider = defineProvider({
  id: 'mailbox',
  title: 'Mailbox (IMAP and SMTP)',
  fields: mailboxFields,
  secrets: mailboxSecrets,
  example: { email: 'you@example.com', imap: 'imap.example.com:993', smtp: 'smtp.example.com:465' },
  complete: completeFields,
  auth: { kind: 'password' },
  identity,
  operations: { send },
  capabilities: { 'mail.send': 'send' },
  feeds: { mail: mailFeed },
  limit: { perSecond: 20, burst: 40, concurrent: 3 },
});

/** Logs in to both servers, so that a wrong password shows when it is typed and not when a mail should leave. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { email } = mailboxFields.parse(context.fields);
  await withImap(context, async (client) => client.noop(), 60_000);
  await checkSmtp(context);
  return { id: email.toLowerCase(), label: email };
}
