// What a server process runs beside answering: the executor of approved actions, its presence, and the web
// pages where people decide. Loaded after the first answer.
import { createHosted } from './auth/oidc/hosted.ts';
import type { Agent } from './auth/principal.ts';
import type { Config } from './config.ts';
import { toDrawbridgeError } from './errors.ts';
import { createHttpApp } from './http/app.ts';
import { type Listening, listen } from './http/listen.ts';
import { mountMcp } from './http/mcp.ts';
import { localOrigin } from './http/origin.ts';
import { startCare } from './jobs/care.ts';
import { startEmbedding } from './jobs/embedding.ts';
import { startNotices } from './jobs/notify.ts';
import { showOnDesktop } from './jobs/notify-desktop.ts';
import { startMailNotices } from './jobs/notify-mail.ts';
import { announce, liveProcesses } from './jobs/presence.ts';
import { retain } from './jobs/retention.ts';
import { createMcpServer, type Opened, onResourceChange } from './mcp-server.ts';
import { seenBy } from './memory/documents/seen-by.ts';
import { openRooms, type Rooms } from './rooms.ts';
import type { OrgStore } from './store/store.ts';
import type { ToolRooms } from './tools/define.ts';

export interface Serving {
  rooms: Rooms;
  /** What tools are given: the rooms, and where a person decides. */
  toolRooms: ToolRooms;
  /** Where this process serves pages, or undefined while another process holds the port. */
  web(): Listening | undefined;
  orgFor(orgId: string): Promise<OrgStore>;
  /** What a call of this agent stands on. */
  openFor(agent: Agent): Promise<Opened>;
  close(): Promise<void>;
}

/**
 * Opens the rooms and begins the work of a server. `http` insists on its port; `stdio` takes the port where
 * it is free, and leaves the pages to whichever Drawbridge process has it.
 */
export async function startServing(
  config: Config,
  kind: 'stdio' | 'http',
  given: { port?: number } = {},
): Promise<Serving> {
  let web: Listening | undefined;
  let elsewhere: string | undefined;
  const baseUrl = () => config.publicUrl ?? web?.url ?? elsewhere ?? localOrigin(given.port ?? config.port);
  const pageUrl = (path: string) => `${baseUrl()}${path}`;
  const rooms = await openRooms(config, { pageUrl });
  const { store, clock, log, queue } = rooms;
  const orgs = new Map<string, OrgStore>([[rooms.org.orgId, rooms.org]]);

  async function orgFor(orgId: string): Promise<OrgStore> {
    const known = orgs.get(orgId) ?? (await store.forOrg(orgId));
    orgs.set(orgId, known);
    return known;
  }

  async function allOrgs(): Promise<OrgStore[]> {
    const rows = await store.control.read((db) => db.selectFrom('orgs').select('id').execute());
    return Promise.all(rows.map((row) => orgFor(row.id)));
  }

  const executor = queue.startExecutor(allOrgs);
  const care = startCare({
    orgs: allOrgs,
    connections: rooms.connections,
    retain: (org, signal) =>
      retain(org, { audit: rooms.audit, ingestion: rooms.ingestion, config, log, signal }),
    clock,
    log,
  });
  const syncs = rooms.ingestion.start(allOrgs);
  const embedding = startEmbedding({ orgs: allOrgs, embedding: rooms.embedding, clock, log });
  const notices =
    config.desktop === undefined
      ? undefined
      : startNotices({
          queue,
          orgFor,
          show: (notice) =>
            showOnDesktop(notice, { platform: process.platform, environment: config.desktop ?? {} }),
          clock,
          log,
        });
  const mailNotices = startMailNotices({ ...rooms, orgFor, pageUrl });
  const toolRooms: ToolRooms = {
    clock,
    log,
    connections: rooms.connections,
    memory: rooms.memory,
    receipts: rooms.receipts,
    queue,
    refresh: rooms.refresh,
    underWay: rooms.underWay,
    approveUrl: (actionId) => pageUrl(`/actions/${actionId}`),
    pageUrl,
  };
  const openFor = async (agent: Agent): Promise<Opened> => ({
    rooms: toolRooms,
    org: await seenBy(store, await orgFor(agent.orgId), agent),
    agent,
  });
  const mcp = mountMcp({
    build: (agent: Agent, era) => createMcpServer(agent.scopes, () => openFor(agent), era),
    onChange: (orgId, tell) =>
      onResourceChange(rooms, orgId, (uri) => tell({ kind: 'resource_updated', uri })),
    clock,
    log,
  });

  /** Nobody waits for it: what goes wrong stands on the connection. */
  function refreshSoon(org: OrgStore, connectionId: string): void {
    rooms.ingestion
      .request(org, connectionId, { cause: 'connect' })
      .catch((err: unknown) =>
        log.info({ err: toDrawbridgeError(err), connectionId }, 'the first sync could not be asked for'),
      );
  }

  const hosted =
    config.signIn === undefined
      ? undefined
      : createHosted({ config: config.signIn, store, egress: rooms.egress, orgId: rooms.org.orgId, clock });

  async function openWeb(): Promise<void> {
    const app = createHttpApp({
      rooms: {
        ...rooms,
        orgFor,
        wake: () => executor.wake(),
        refresh: refreshSoon,
        hosted,
      },
      mcp: mcp.fetch,
      log,
    });
    web = await listen(app, { host: config.host, port: given.port ?? config.port, clock });
    await presence.serving(web.url);
  }

  /** A stdio server serves the pages only where no other process does. */
  async function lookAfterWeb(): Promise<void> {
    if (web !== undefined) return;
    elsewhere = (await liveProcesses(store)).find((process) => process.url !== undefined)?.url;
    if (elsewhere !== undefined) return;
    try {
      await openWeb();
    } catch (thrown) {
      log.info(
        { err: toDrawbridgeError(thrown) },
        'the pages are not served by this process: the port is taken',
      );
    }
  }

  const presence = await announce(store, {
    kind,
    pid: process.pid,
    clock,
    log,
    ...(kind === 'stdio' ? { onBeat: lookAfterWeb } : {}),
  });
  const closeAll = async () => {
    await notices?.stop();
    // What is being sent is sent to its end; what only asks is given up.
    const sent = Promise.all([mailNotices.stop(), executor.stop()]).then(() => rooms.giveUp());
    await Promise.all([sent, care.stop(), embedding.stop(), syncs.stop()]);
    await presence.stop();
    await mcp.close();
    await web?.close();
    await rooms.close();
  };
  try {
    await (kind === 'http' ? openWeb() : lookAfterWeb());
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
  return { rooms, toolRooms, orgFor, openFor, web: () => web, close: closeAll };
}
