// `node scripts/try-provider.ts PROVIDER`: a provider's emulator behind a Drawbridge of its own, on free ports, in a
// folder that goes away with it; connected and synced. Enter prints another sign-in link, Ctrl-C ends it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Emulated } from '../sandbox/emulated.ts';
import { emulated } from '../sandbox/emulators.ts';
import { consent } from '../sandbox/person.ts';
import { startProviderHosts } from '../sandbox/providers.ts';
import { loadWorld } from '../sandbox/world.ts';
import { createKeys } from '../src/auth/keys.ts';
import { createSignIn, signInUrl } from '../src/auth/sign-in.ts';
import { systemClock as clock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { newBrowserToken } from '../src/connections/connect/state.ts';
import type { Connection } from '../src/connections/connections.ts';
import { catalog } from '../src/providers/catalog.ts';
import { runServe } from '../src/server.ts';
import type { Serving } from '../src/serving.ts';

const [id = ''] = process.argv.slice(2);
const entry = catalog.find((one) => one.id === id);
const make = emulated[id];
if (entry === undefined || make === undefined) {
  console.error(`Name one of: ${Object.keys(emulated).join(', ')}`);
  process.exit(2);
}

const home = await mkdtemp(join(tmpdir(), 'drawbridge-try-'));
const side = await make({ clock, world: loadWorld(clock.now()) });
const hosts = await startProviderHosts(side.emulators);
const { way } = side;
const app = entry.app === undefined ? '' : `DRAWBRIDGE_${entry.app.toUpperCase().replaceAll('-', '_')}`;
const serving = await runServe(
  loadConfig({
    DRAWBRIDGE_HOME: home,
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_HOLD_SECONDS: '1',
    DRAWBRIDGE_LOG_LEVEL: 'error',
    ...(way.kind === 'browser' && app !== ''
      ? { [`${app}_CLIENT_ID`]: way.clientId, [`${app}_CLIENT_SECRET`]: way.clientSecret }
      : {}),
  }),
  { port: 0 },
);

// Heard from here on, so that an early Ctrl-C leaves nothing behind either.
const lines = createInterface({ input: process.stdin });
const stopped = new Promise<void>((resolve) => {
  lines.once('close', resolve);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => lines.close());
});

try {
  await show(serving, await connect(serving, side));
  lines.on('line', () => {
    signInLink(serving).then(console.log, console.error);
  });
  await stopped;
} finally {
  await serving.close();
  await hosts.close();
  await side.close?.();
  await rm(home, { recursive: true, force: true });
}

/** As a person does it: through the provider's page of consent, or by what is typed. */
async function connect({ rooms }: Serving, { fields }: Emulated): Promise<Connection> {
  const { connections, org, owner } = rooms;
  if (way.kind !== 'browser') {
    return connections.connect(org, id, { fields, secrets: way.kind === 'form' ? way.secrets : {} });
  }
  const browser = newBrowserToken();
  const { url } = await connections.authorize(org, owner, {
    provider: id,
    fields,
    access: 'write',
    via: 'api',
    redirectUri: `http://localhost:7331/api/v1/integrations/${id}/callback`,
    browser,
  });
  return connections.authorized(org, owner, {
    provider: id,
    callback: await consent(url, hosts.url),
    browser,
  });
}

async function show(serving: Serving, connection: Connection): Promise<void> {
  const { rooms } = serving;
  if (connection.hasFeeds) await rooms.refresh(rooms.org, connection.id);
  const documents = await rooms.org.read((db) =>
    db.selectFrom('source_documents').select(['kind']).execute(),
  );
  const kinds = Object.entries(Object.groupBy(documents, ({ kind }) => kind));
  const { key } = await createKeys(rooms).create(rooms.org.orgId, 'Hand', ['read', 'propose']);
  const url = `${serving.web()?.programUrl}/mcp`;
  console.log(`✓ ${connection.providerTitle}: ${connection.label} (${connection.id}), ${connection.state}
  in memory: ${kinds.map(([kind, all = []]) => `${all.length} ${kind}`).join(', ') || 'nothing'}
  pages: ${await signInLink(serving)}
  an agent: ${url}
  as one: npx mcp-inspector --cli ${url} --transport http --header "Authorization: Bearer ${key.reveal()}" --method tools/call --tool-name list-connections`);
}

async function signInLink(serving: Serving): Promise<string> {
  const { store, owner } = serving.rooms;
  return signInUrl(serving.web()?.url ?? '', await createSignIn({ store, clock }).createLink(owner));
}
