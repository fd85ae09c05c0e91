// Two orgs in one installation, with everything that has an id in each: ours, whose people and agents ask, and
// the neighbour's, whose ids they have got hold of. Every word of the neighbour's holds one mark.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { createKeys } from '../../src/auth/keys.ts';
import { createHosted } from '../../src/auth/oidc/hosted.ts';
import type { Agent, Person } from '../../src/auth/principal.ts';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { loadConfig } from '../../src/config.ts';
import type { PageEnv } from '../../src/dashboard/environment.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listen.ts';
import { createLog } from '../../src/log.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import type { OrgStore } from '../../src/store/store.ts';
import type { ToolRooms } from '../../src/tools/define.ts';
import { type Ask, askerAt } from '../http/ask.ts';

/** Stands in everything that the neighbours wrote or are called. */
export const mark = 'zanzibar';

/** What has an id, of one org. */
export type Kind =
  | 'connection'
  | 'action'
  | 'document'
  | 'client'
  | 'rule'
  | 'member'
  | 'key'
  | 'passkey'
  | 'entry'
  | 'fact'
  | 'merge'
  | 'receipt'
  | 'output';

export interface Scene {
  rooms: Rooms;
  toolRooms: ToolRooms;
  app: Hono<PageEnv>;
  ask: Ask;
  origin: string;
  /** A signed-in person of ours. */
  cookie: string;
  csrf: string;
  agent: Agent;
  /** The neighbour's, by kind. */
  theirs: Record<Kind, string>;
  ours: Record<'connection' | 'action' | 'document', string>;
  neighbour: OrgStore;
  close(): Promise<void>;
}

const agentOf = (orgId: string): Agent => ({
  kind: 'agent',
  orgId,
  agentId: 'key_1',
  name: 'An assistant',
  scopes: ['read', 'propose'],
});

async function addMailbox(org: OrgStore, id: string, word: string): Promise<void> {
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id,
        provider: 'mailbox',
        account: `${word}@mail.example`,
        label: `${word}@mail.example`,
        state: 'ACTIVE',
        fields: JSON.stringify({
          email: `${word}@mail.example`,
          imap: 'imap.mail.example:993',
          smtp: 'smtp.mail.example:465',
        }),
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute(),
  );
}

async function furnish(rooms: Rooms, org: OrgStore, word: string) {
  const connection = `con_01m0000000000000000${word.slice(0, 6)}`;
  await addMailbox(org, connection, word);
  await rooms.memory.ingest(
    org,
    { connectionId: connection, provider: 'mailbox' },
    {
      records: [
        {
          externalId: word,
          kind: 'note',
          mediaType: 'application/json',
          title: `The lease of ${word}`,
          raw: Buffer.from(
            JSON.stringify({
              text: `${word} pays on the first.`,
              people: [{ address: `${word}@client.example`, name: `Ada ${word}`, role: 'contact' }],
            }),
          ),
        },
      ],
    },
  );
  const { action } = await rooms.queue.propose(org, agentOf(org.orgId), {
    connectionId: connection,
    operation: 'send',
    payload: {
      to: [{ email: `${word}@client.example` }],
      cc: [],
      bcc: [],
      subject: `About ${word}`,
      text: `Hello ${word}`,
      references: [],
      attachments: [],
    },
  });
  const [document] = await rooms.memory.documents(org, { limit: 1 });
  const [client] = await rooms.memory.clients(org, { limit: 1 });
  if (document === undefined || client === undefined) throw new Error('nothing was remembered');
  return { connection, action: action.id, document: document.id, client: client.id };
}

async function addMember(rooms: Rooms, orgId: string, name: string): Promise<Person> {
  const memberId = `mbr_01m0000000000000000${mark.slice(0, 6)}`;
  await rooms.store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({ org_id: orgId, id: memberId, email: null, name, role: 'owner', created_at: 0 })
      .execute(),
  );
  return { kind: 'person', orgId, memberId, name };
}

export async function openTwoOrgs(): Promise<Scene> {
  const home = mkdtempSync(join(tmpdir(), 'drawbridge-security-'));
  const log = createLog({ level: 'silent' });
  const config = loadConfig({
    DRAWBRIDGE_HOME: home,
    DRAWBRIDGE_LOG_LEVEL: 'silent',
    // The browser is in the server's own process, which else lets nothing out past the door.
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
  });
  const rooms = await openRooms(config, { log });
  // Its routes are there; nobody comes in by them here (test/security/hosted-orgs.test.ts).
  const { signIn } = loadConfig({
    DRAWBRIDGE_PUBLIC_URL: 'https://bridge.example.com',
    DRAWBRIDGE_OIDC_ISSUER: 'https://login.example',
    DRAWBRIDGE_OIDC_CLIENT_ID: 'client-1',
  });
  if (signIn === undefined) throw new Error('sign-in is not configured');
  const { store, clock } = rooms;
  const ours = await furnish(rooms, rooms.org, 'harbour');

  const neighbour = await store.forOrg(await store.createOrg(`Office ${mark}`));
  const person = await addMember(rooms, neighbour.orgId, `Zoe ${mark}`);
  const things = await furnish(rooms, neighbour, mark);
  const rule = await rooms.policy.add(neighbour, person, {
    rule: { name: `Nothing to ${mark}`, outcome: 'deny', match: { effects: ['send'] } },
    mine: false,
    channel: 'page',
  });
  const key = await createKeys({ store, clock, log }).create(neighbour.orgId, `Key ${mark}`, ['read']);
  const passkey = `${mark}-credential-0001`;
  await neighbour.write((tx) =>
    tx
      .insertInto('passkeys')
      .values({
        org_id: neighbour.orgId,
        id: passkey,
        member_id: person.memberId,
        name: `Key of ${mark}`,
        public_key: new Uint8Array([1]),
        counter: 0,
        transports: '[]',
        created_at: 0,
        last_used_at: null,
        removed_at: null,
      })
      .execute(),
  );

  const entry = await rooms.brain.add(
    neighbour,
    person,
    { kind: 'fact', title: `Of ${mark}`, text: `We are ${mark}.` },
    'page',
  );
  const fact = await rooms.clientBook.addFact(neighbour, person, {
    clientId: things.client,
    word: { name: 'likes', value: mark },
    channel: 'page',
  });
  await rooms.memory.ingest(
    neighbour,
    { connectionId: things.connection, provider: 'mailbox' },
    {
      records: [
        {
          externalId: `${mark}-2`,
          kind: 'note',
          mediaType: 'application/json',
          raw: Buffer.from(
            JSON.stringify({
              text: `${mark} again.`,
              people: [{ address: `${mark}@two.example`, role: 'contact' }],
            }),
          ),
        },
      ],
    },
  );
  const [second] = await rooms.memory.clientsCalled(neighbour, `${mark}@two.example`);
  const merge = await rooms.clientBook.merge(neighbour, person, {
    into: things.client,
    other: second?.id ?? '',
    channel: 'page',
  });
  const receipt = rooms.receipts.issue(neighbour, agentOf(neighbour.orgId), {
    tool: 'search',
    question: mark,
    items: [
      {
        target: { brainId: entry.id },
        documentId: things.document,
        contentHash: 'a'.repeat(64),
        verifiedAt: 0,
        scores: {},
      },
    ],
  });
  const output = `brief-${mark}-0001`;
  await rooms.receipts.record(neighbour, person, {
    receiptId: receipt,
    outputId: output,
    title: `Brief of ${mark}`,
    section: mark,
    role: 'agent',
    hits: [1],
  });

  const app = createHttpApp({
    rooms: {
      ...rooms,
      orgFor: (id) => store.forOrg(id),
      wake: () => undefined,
      refresh: () => undefined,
      hosted: createHosted({
        config: signIn,
        store,
        egress: rooms.egress,
        orgId: rooms.org.orgId,
        clock,
      }),
    },
    mcp: async () => new Response('not asked here'),
    log,
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  const host = `drawbridge.localhost:${listening.port}`;
  const origin = `http://${host}`;
  const ask = askerAt(listening.port, host);
  const link = await createSignIn({ store, clock }).createLink(rooms.owner);
  const opened = await ask('/sign-in', {
    method: 'POST',
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: link.reveal() }).toString(),
  });
  const cookie = String(opened.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  const front = await ask('/', { headers: { cookie } });
  const csrf = /name="csrf" value="([^"]+)"/.exec(front.body)?.[1] ?? '';

  return {
    rooms,
    // Nobody's mailbox is really there.
    toolRooms: { ...rooms, refresh: async () => undefined, approveUrl: (id) => `${origin}/actions/${id}` },
    app,
    ask,
    origin,
    cookie,
    csrf,
    agent: agentOf(rooms.org.orgId),
    theirs: {
      ...things,
      rule: rule.id,
      member: person.memberId,
      key: key.id,
      passkey,
      entry: entry.id,
      fact,
      merge: merge.id,
      receipt,
      output,
    },
    ours,
    neighbour,
    async close() {
      await listening.close();
      await rooms.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** An id of the same shape that nothing ever had. */
export function neverWas(id: string): string {
  const last = id.slice(-4);
  return `${id.slice(0, -4)}${last === '0000' ? '1111' : '0000'}`;
}
