// The house of the demo: the sandbox, and a Drawbridge of its own beside it, in a temporary folder, connected
// through the ordinary door.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../sandbox/start.ts';
import { createKeys } from '../src/auth/keys.ts';
import { createSignIn, signInUrl } from '../src/auth/sign-in.ts';
import { loadConfig } from '../src/config.ts';
import type { Connection } from '../src/connections/connections.ts';
import type { Listening } from '../src/http/listen.ts';
import { type SyncResult, syncConnection } from '../src/jobs/sync.ts';
import { runServe } from '../src/server.ts';
import type { Serving } from '../src/serving.ts';

export interface House {
  sandbox: Sandbox;
  serving: Serving;
  web: Listening;
  /** The environment with which another Drawbridge process joins this house. */
  environment: Record<string, string>;
  /** A key for an agent over HTTP; shown here once. */
  key: string;
  /** A new sign-in link: it lives a minute and works once. */
  signInLink(): Promise<string>;
  /** Connects the three accounts of the story. */
  connect(): Promise<Connection[]>;
  /** Brings an account's records into memory; `show` hears of the progress. */
  sync(connection: Connection, show: (seen: number, total: number | undefined) => void): Promise<SyncResult>;
  close(): Promise<void>;
}

/** @param logLevel least severe level written to standard error */
export async function openHouse(logLevel: string): Promise<House> {
  const sandbox = await startSandbox();
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-demo-'));
  const environment = {
    DRAWBRIDGE_HOME: home,
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_ZILLOW_HOST: sandbox.zillow.host,
  };
  let serving: Serving | undefined;

  async function close(): Promise<void> {
    await serving?.close();
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
    const { mail, imap, smtp, caldav, zillow } = sandbox;
    const accounts: [string, Record<string, string>, Record<string, string>][] = [
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
    ];
    return {
      sandbox,
      serving: opened,
      web,
      environment,
      key: key.reveal(),
      signInLink: async () => signInUrl(web.url, await createSignIn({ store, clock }).createLink(owner)),
      async connect() {
        const made: Connection[] = [];
        for (const [provider, fields, secrets] of accounts) {
          made.push(await connections.connect(org, provider, { fields, secrets }));
        }
        return made;
      },
      sync: (connection, show) =>
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
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
