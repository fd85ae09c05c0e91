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
  notes: [
    'Speaks IMAP (imapflow) and SMTP (nodemailer), with TLS only. Known by address: Gmail, Outlook, Fastmail, iCloud, Yahoo; others need --imap HOST:PORT and --smtp HOST:PORT (/tls or /starttls behind the port where it is unusual).',
    'An XOAUTH2 access token works in place of a password and is not renewed.',
    'Gmail needs two-step verification for app passwords; only "All Mail" is read there, which holds each message once.',
    'Outlook.com admits no app passwords any more: an access token is the only way.',
    'Reads the mail of all folders but trash, junk and drafts; deletions are seen by one sync. A folder that the server lists and does not open is left out, with a line in the log.',
    'A log-in that the server refuses for a while (its users cannot be looked up, too many sessions) is tried again later; only a refused password asks to connect again.',
    'A sent mail carries a Message-ID of our own. Finding it at the provider proves that it was sent; not finding it proves nothing: the action stays unknown until a person says.',
    'Where the provider does not keep sent mail by itself, it is appended to Sent; if that fails, the action is still completed, with a warning.',
    'The hosts and limits of the five presets are from the providers’ help pages as remembered; they were not reached from here.',
  ],
  verified:
    'Real servers: Debian’s Dovecot for IMAP, smtp-server for SMTP with STARTTLS and log-in, in the tests. By hand on 2026-11-22, with the same tests of the feed: Cyrus 3.6.1 and Courier 5.0.13; through the whole program, reading: Dovecot 2.3.19 (names and separators of its own, an ACL, without CONDSTORE, 10,000 mails in a folder), Dovecot 2.4.1 and GNU imap4d 3.15; sending, from the proposal to what arrived: Postfix 3.7.11 with Dovecot’s SASL, Exim 4.96 and OpenSMTPD 7.6, by STARTTLS and by TLS (recipients refused or put off, too large, an answer that never came). Emulators: sandbox/imap.ts, sandbox/smtp.ts. Hostile servers and addresses on the wire.',
});

/** Logs in to both servers, so that a wrong password shows when it is typed and not when a mail should leave. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { email } = mailboxFields.parse(context.fields);
  await withImap(context, async (client) => client.noop(), 60_000);
  await checkSmtp(context);
  return { id: email.toLowerCase(), label: email };
}
