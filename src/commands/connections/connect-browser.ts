// An account that is authorised in the browser: the link that leads there signed in, through the server that
// runs or one that is started for it, and the wait until the account is there.

import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { createSignIn, signInUrl } from '../../auth/sign-in.ts';
import { doneByPerson } from '../../connections/connect/connect.ts';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { liveProcesses } from '../../jobs/presence.ts';
import type { Rooms } from '../../rooms.ts';
import type { Secret } from '../../secret.ts';
import type { Serving } from '../../serving.ts';
import { interruption, type Session, stdioServers, withRooms } from '../command.ts';
import { openBrowser } from '../terminal/browser.ts';
import { shownLine } from '../terminal/shown.ts';
import { findConnection } from './find-connection.ts';

/** As long as an authorization lives. */
const waitMs = 10 * 60_000;
const lookEveryMs = 500;
/** The browser still loads the page that says that it is done. */
const lastPageMs = 3_000;

export interface Wanted {
  provider: { id: string; title: string };
  access: 'read' | 'write';
  via: 'api' | 'mcp';
  /** The account that is connected again, by id or label. */
  account: string | undefined;
  /** Settings that the page is to begin with. */
  fields: Readonly<Record<string, string>>;
  /** Prints the link instead of opening it. */
  print: boolean;
  /** The app that was registered at the provider. */
  app: { name: string; clientId: string; clientSecret: Secret | undefined } | undefined;
}

export async function connectInBrowser(session: Session, wanted: Wanted): Promise<void> {
  const { config, output } = session;
  const running = await withRooms(session, async (rooms) => {
    await refuseBelowAgent('connect', await stdioServers(rooms.store));
    const server = (await liveProcesses(rooms.store)).find(({ url }) => url !== undefined);
    if (server?.url === undefined) return false;
    const made = await lead(session, rooms, wanted, config.publicUrl ?? server.url);
    tell(session, made);
    if (!output.json && made.hasFeeds) output.line('The running server is bringing its records into memory.');
    return true;
  });
  if (running) return;

  const { runServe } = await import('../../server.ts');
  const serving = await runServe(config);
  try {
    const { rooms } = serving;
    const made = await lead(session, rooms, wanted, config.publicUrl ?? serving.web()?.url ?? '');
    const shownOff = rooms.clock.sleep(lastPageMs);
    await fill(session, serving, made);
    tell(session, made);
    await shownOff;
  } finally {
    await serving.close();
  }
}

/** Leads the person to the page, and waits until the account is there. */
async function lead(session: Session, rooms: Rooms, wanted: Wanted, base: string): Promise<Connection> {
  const { output, clock } = session;
  const { connections, org, owner, store } = rooms;
  const { provider, app } = wanted;
  if (app !== undefined) {
    const { clientId, clientSecret } = app;
    await connections.registerApp(org, app.name, {
      clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
    });
  }
  const query = new URLSearchParams({ access: wanted.access });
  if (wanted.via === 'mcp') query.set('via', 'mcp');
  if (wanted.account !== undefined) {
    query.set('account', findConnection(await connections.list(org), wanted.account).id);
  }
  for (const [name, value] of Object.entries(wanted.fields)) query.set(`field.${name}`, value);
  const since = clock.now();
  const token = await createSignIn({ store, clock }).createLink(owner);
  const link = signInUrl(base, token, `/connect/${provider.id}?${query}`);
  if (wanted.print) {
    // The one JSON document is the account's; the link is said on the way.
    if (output.json) output.aside(link);
    else output.line(link);
  } else {
    await openBrowser(link, `drawbridge connect ${provider.id} --print`);
    output.aside(`Opened ${base} in your browser: go on there (the link works once, for a minute).`);
  }
  return waitFor(session, rooms, provider, since);
}

/** @throws DrawbridgeError `timeout` after ten minutes, or when it was stopped */
async function waitFor(
  { output, clock }: Session,
  { connections, org }: Rooms,
  provider: Wanted['provider'],
  since: number,
): Promise<Connection> {
  const { signal, end } = interruption();
  const until = clock.now() + waitMs;
  const told = new Set<string>();
  try {
    while (clock.now() < until && !signal.aborted) {
      const left = Math.ceil((until - clock.now()) / 1_000);
      output.draw(
        `Waiting for you in the browser (${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left)`,
      );
      for (const event of await connections.events(org, since)) {
        if (told.has(event.id)) continue;
        told.add(event.id);
        // Another account of the provider may get well meanwhile: that is not the one that is waited for.
        if (event.to === 'ACTIVE' && doneByPerson.has(event.reason ?? '')) {
          const made = (await connections.list(org)).find(({ id }) => id === event.connectionId);
          if (made?.provider === provider.id) return made;
        }
        const failed = event.from === 'AUTHORIZING' && /^not finished: (\w+)$/.exec(event.reason ?? '');
        if (failed) {
          output.aside(
            `Not connected yet (${failed[1]}): the browser says why. You can begin again there; Ctrl-C ends this.`,
          );
        }
      }
      await clock.sleep(lookEveryMs, { signal }).catch(() => undefined);
    }
  } finally {
    output.draw('');
    end();
  }
  throw new DrawbridgeError(
    'timeout',
    signal.aborted
      ? 'Stopped. Nothing was connected.'
      : `Nothing was connected within ${waitMs / 60_000} minutes. Run it again when you have time.`,
  );
}

/** The page has begun to bring the account's records; here it is waited for. */
async function fill({ output }: Session, { rooms }: Serving, made: Connection): Promise<void> {
  if (!made.hasFeeds) return;
  output.draw(`${shownLine(made.label)} is connected; bringing its records into memory…`);
  try {
    const { whenFree } = await import('./sync-and-tell.ts');
    await whenFree(rooms.clock, () => rooms.refresh(rooms.org, made.id));
  } catch (thrown) {
    const { message } = toDrawbridgeError(thrown);
    output.aside(`${output.styleAside('red', `${shownLine(made.label)}:`)} ${shownLine(message)}`);
    process.exitCode = 1;
  } finally {
    output.draw('');
  }
}

function tell({ output }: Session, made: Connection): void {
  const { id, provider, account, label, state, scopes } = made;
  if (output.json) output.value({ id, provider, account, label, state, scopes: scopes ?? null });
  else {
    output.line(
      `${output.style('green', '✓')} ${shownLine(label)} (${made.providerTitle}) is connected: ${id}`,
    );
  }
}
