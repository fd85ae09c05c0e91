// One call starts the whole sandbox in this process: mail (SMTP and IMAP), a calendar, and listings of a portal and
// of an MLS, all on loopback, filled with the story of sandbox/data. Nothing leaves the machine and nothing stays on it.
import { type Clock, systemClock } from '../src/clock.ts';
import { type CaldavServer, startCaldav } from './caldav.ts';
import { type ImapServer, startImap } from './imap.ts';
import { Account, Mailboxes } from './mailboxes.ts';
import { type MlsServer, startMls } from './reso/start.ts';
import { type SmtpServer, startSmtp } from './smtp.ts';
import { emptyWorld, loadWorld, type World } from './world.ts';
import { startZillow, type ZillowServer } from './zillow.ts';

export interface MailUser {
  user: string;
  password: string;
  address: string;
}

export interface Sandbox {
  smtp: SmtpServer;
  imap: ImapServer;
  caldav: CaldavServer;
  zillow: ZillowServer;
  mls: MlsServer;
  mailboxes: Mailboxes;
  /** The story that fills it, at the moment of its start. */
  world: World;
  /** The person whose assistant it is. */
  mail: MailUser;
  /** The other agent of the brokerage. */
  colleague: MailUser;
  /** Everyone else: what is sent to a client arrives in this mailbox. */
  clients: MailUser;
  close(): Promise<void>;
}

const password = 'sandbox-only-password';

/**
 * Starts the servers on free ports of 127.0.0.1.
 * @param options.clock the newest mail is of the day before its `now()`; default: the system's.
 * @param options.empty starts without the story: empty mailboxes, calendar and listings.
 * @param options.imapWithout IMAP capabilities to leave out.
 */
export async function startSandbox(
  options: { clock?: Clock; empty?: boolean; imapWithout?: readonly string[] } = {},
): Promise<Sandbox> {
  const clock = options.clock ?? systemClock;
  const world = options.empty === true ? emptyWorld(clock.now()) : loadWorld(clock.now());
  const users = [world.user, world.colleague].map((person) => ({
    user: person.email,
    password,
    address: person.email,
  }));
  const [mail, colleague] = users;
  if (mail === undefined || colleague === undefined) throw new Error('the story has no two agents');
  const clients: MailUser = { user: 'clients@sandbox.test', password, address: 'clients@sandbox.test' };

  const mailboxes = new Mailboxes();
  for (const { user, address } of [mail, colleague]) {
    mailboxes.accounts.push(new Account(user, password, [address], 20_240_101));
  }
  mailboxes.catchAll = new Account(clients.user, password, [clients.address], 20_240_101);
  mailboxes.accounts.push(mailboxes.catchAll);

  const caldav = await startCaldav({ user: mail.user, password });
  for (const message of world.mail) {
    mailboxes.byUser(message.account)?.folder(message.folder)?.add(message.raw, message.at, message.flags);
  }
  for (const event of world.events) caldav.store.put(`${event.uid}.ics`, event.ics);
  const smtp = await startSmtp({ clock, mailboxes });
  const imap = await startImap({ clock, mailboxes, without: options.imapWithout ?? [] });
  const zillow = await startZillow({
    clock,
    key: 'sandbox-only-rapidapi-key',
    listings: world.listings,
  });
  const mls = await startMls({ clock, listings: world.listings, token: 'sandbox-only-mls-server-token' });
  return {
    smtp,
    imap,
    caldav,
    zillow,
    mls,
    mailboxes,
    world,
    mail,
    colleague,
    clients,
    async close() {
      await Promise.all([smtp.close(), imap.close(), caldav.close(), zillow.close(), mls.close()]);
    },
  };
}
