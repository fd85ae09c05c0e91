// The house of the demo: the sandbox, and a Drawbridge of its own beside it, in a temporary folder, connected
// through the ordinary door.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Accounts, startAccounts } from '../sandbox/accounts.ts';
import { type Sandbox, startSandbox } from '../sandbox/start.ts';
import { createKeys } from '../src/auth/keys.ts';
import { createSignIn, signInUrl } from '../src/auth/sign-in.ts';
import { type Clock, systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import type { Connection } from '../src/connections/connections.ts';
import { DrawbridgeError } from '../src/errors.ts';
import type { Listening } from '../src/http/listen.ts';
import { syncConnection } from '../src/jobs/sync.ts';
import { runServe } from '../src/server.ts';
import type { Serving } from '../src/serving.ts';
import type { Visitor } from './demo-person.ts';

export interface House {
  sandbox: Sandbox;
  /** The accounts that live at providers of their own. */
  accounts: Accounts;
  serving: Serving;
  web: Listening;
  /** The environment with which another Drawbridge process joins this house. */
  environment: Record<string, string>;
  /** A key for an agent over HTTP; shown here once. */
  key: string;
  /** A new sign-in link: it lives a minute and works once. */
  signInLink(): Promise<string>;
  /** Connects the accounts whose credentials are typed: mailbox, calendar, listings of a portal and of an MLS. */
  connect(): Promise<Connection[]>;
  /** Connects those that a person agrees to at the provider: its pages and ours. */
  connectInBrowser(visitor: Visitor): AsyncIterable<Connection>;
  /**
   * Brings an account's records into memory, or waits for the sync that connecting it began; `show` hears of the
   * progress. @returns how many records it brought
   */
  sync(connection: Connection, show: (seen: number, total: number | undefined) => void): Promise<number>;
  /** Waits for the sync that connecting in a browser began. @returns how many records it brought */
  synced(connection: Connection): Promise<number>;
  close(): Promise<void>;
}

/** @param logLevel least severe level written to standard error */
export async function openHouse(logLevel: string): Promise<House> {
  const sandbox = await startSandbox();
  const accounts = await startAccounts({ clock: systemClock, world: sandbox.world });
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-demo-'));
  const environment = {
    DRAWBRIDGE_HOME: home,
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_HOLD_SECONDS: '1',
    DRAWBRIDGE_ZILLOW_HOST: sandbox.zillow.host,
    ...accounts.environment,
  };
  let serving: Serving | undefined;

  async function close(): Promise<void> {
    await serving?.close();
    await accounts.close();
    await sandbox.close();
    await rm(home, { recursive: true, force: true });
  }

  try {
    const opened = await runServe(loadConfig({ ...environment, DRAWBRIDGE_LOG_LEVEL: logLevel }), {
      port: 0,
    });
    serving = opened;
    const { rooms } = opened;
    const { clock, log, store, org, owner, connections, memory } = rooms;
    const web = opened.web();
    if (web === undefined) throw new Error('the web server does not listen');
    const { key } = await createKeys({ store, clock, log }).create(org.orgId, 'Demo agent', [
      'read',
      'propose',
    ]);
    const { mail, imap, smtp, caldav, zillow, mls } = sandbox;
    const typed: [string, Record<string, string>, Record<string, string>][] = [
      [
        'mailbox',
        {
          email: mail.address,
          imap: `${imap.host}:${imap.port}`,
          smtp: `${smtp.host}:${smtp.port}`,
          name: 'Maren Okafor',
        },
        { password: mail.password },
      ],
      ['caldav', { url: caldav.url, user: caldav.user, email: mail.address }, { password: caldav.password }],
      ['zillow', { host: zillow.host }, { rapidapi_key: zillow.key }],
      ['reso', { host: mls.url, copyright: '© Ansel Coast MLS' }, { token: mls.token }],
    ];
    const brought = async (id: string): Promise<number> => {
      const jobs = await org.read((db) =>
        db.selectFrom('ingestion_jobs').select('inserted').where('connection_id', '=', id).execute(),
      );
      return jobs.reduce((sum, { inserted }) => sum + inserted, 0);
    };
    return {
      sandbox,
      accounts,
      serving: opened,
      web,
      environment,
      key: key.reveal(),
      signInLink: async () => signInUrl(web.url, await createSignIn({ store, clock }).createLink(owner)),
      async connect() {
        const made: Connection[] = [];
        for (const [provider, fields, secrets] of typed) {
          made.push(await connections.connect(org, provider, { fields, secrets }));
        }
        return made;
      },
      async *connectInBrowser(visitor) {
        for (const provider of ['gmail', 'google-calendar', 'outlook', 'hubspot', 'quickbooks']) {
          yield connections.get(org, await visitor.connect(provider));
        }
      },
      async synced({ id }) {
        await whenFree(clock, () => rooms.refresh(org, id));
        return brought(id);
      },
      async sync(connection, show) {
        await whenFree(clock, () =>
          syncConnection({
            org,
            connection,
            connections,
            memory,
            clock,
            log,
            onProgress: ({ seen, remaining }) =>
              show(seen, remaining === undefined ? undefined : seen + remaining),
          }),
        );
        return brought(connection.id);
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

const mostWaits = 600;

/** Connecting an account begins its first sync: whoever asks for another waits until that one has ended. */
async function whenFree<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += 1) {
    try {
      return await work();
    } catch (thrown) {
      const isHeld = thrown instanceof DrawbridgeError && thrown.code === 'conflict';
      if (!isHeld || waited === mostWaits) throw thrown;
      await clock.sleep(100);
    }
  }
}
