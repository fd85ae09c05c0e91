// A real store, a real queue and the real web server on a free port; invented are only the accounts, the
// MCP end, and what a browser would send.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createKeys, type Keys } from '../../src/auth/keys.ts';
import { ensureLocalOrg } from '../../src/auth/local.ts';
import { createMembers } from '../../src/auth/members.ts';
import type { Hosted } from '../../src/auth/oidc/hosted.ts';
import { createPasskeys, type Passkeys } from '../../src/auth/passkeys.ts';
import type { Agent, Person, Scope } from '../../src/auth/principal.ts';
import { createSignIn, type SignIn } from '../../src/auth/sign-in.ts';
import type { Clock } from '../../src/clock.ts';
import { noticesOf } from '../../src/connections/attention.ts';
import type { Connection, Connections } from '../../src/connections/connections.ts';
import { createConnections } from '../../src/connections/create.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { type Listening, listen } from '../../src/http/listen.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, StoredDocument } from '../../src/memory/memory.ts';
import type { Receipts } from '../../src/memory/receipts/receipts.ts';
import { create as bookEvent } from '../../src/providers/caldav/create.ts';
import {
  type CalendarCreate,
  calendarCreate,
  type FreeBusyAnswer,
  type MailSend,
  mailSend,
} from '../../src/providers/capabilities.ts';
import type { LiveRecord, WriteContext, WriteOperation, WriteOutcome } from '../../src/providers/define.ts';
import { send as sendMail } from '../../src/providers/mailbox/send.ts';
import { createQueue } from '../../src/queue/create.ts';
import { createPresence } from '../../src/queue/decide/presence.ts';
import { createPolicy, type OrgPolicy } from '../../src/queue/policy/policy.ts';
import type { Action, Proposal, Queue } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { type Answer, type Asked, askerAt } from './ask.ts';
import { memoryRooms } from './memory-rooms.ts';

export type { Answer, Asked };

/** A browser that is signed in: its cookie, and the token that its forms carry. */
export interface Browser {
  cookie: string;
  csrf: string;
  get(path: string): Promise<Answer>;
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
}

export interface House {
  store: Store;
  org: OrgStore;
  owner: Person;
  queue: Queue;
  policy: OrgPolicy;
  passkeys: Passkeys;
  receipts: Receipts;
  keys: Keys;
  signIn: SignIn;
  log: string[];
  listening: Listening;
  /** The origin that browsers use. */
  origin: string;
  woken: number;
  /** Agents that reached the MCP end. */
  mcpCalls: Agent[];
  connections: Connection[];
  run: (context: WriteContext) => Promise<WriteOutcome>;
  /** What `amend` changes, as it stands at the provider. */
  deal: LiveRecord['fields'];
  /** What the calendar answers. */
  busy: () => Promise<FreeBusyAnswer>;
  /** Memory, by id. */
  documents: Map<string, StoredDocument>;
  /** What the search looks through; `documents` are beside it. */
  memory: Memory;
  ask(path: string, asked?: Asked): Promise<Answer>;
  browser(person?: Person): Promise<Browser>;
  key(scopes?: Scope[]): Promise<string>;
  propose(operation: string, payload: unknown, more?: Partial<Proposal>): Promise<Action>;
  /** Another org of the same store, with an action of its own. */
  stranger(): Promise<{ org: OrgStore; person: Person; action: Action }>;
  close(): Promise<void>;
}

export const mail: MailSend = {
  to: [{ email: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' }],
  cc: [],
  bcc: [],
  subject: 'Viewing on Thursday',
  text: 'Hello Maya,\n\nThursday at 15:00 works.\n\nBest\nAna',
  references: [],
  attachments: [],
};

const anything = z.record(z.string(), z.unknown());
const invoice = z.object({
  customer: z.string().min(1),
  amount: z.number().positive(),
  currency: z.string(),
});
type Invoice = z.infer<typeof invoice>;

export function connection(given: Partial<Connection> = {}): Connection {
  return {
    id: 'con_1',
    provider: 'post',
    providerTitle: 'Mailbox',
    account: 'ana@northgate.example',
    label: 'ana@northgate.example',
    state: 'ACTIVE',
    fields: {},
    capabilities: [],
    hasFeeds: true,
    feedKinds: ['mail'],
    mcpServerUrl: undefined,
    access: 'write',
    scopes: undefined,
    lastSyncAt: undefined,
    lastError: undefined,
    createdAt: 0,
    ...given,
  };
}

async function addConnection(org: OrgStore, one: Connection): Promise<void> {
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id: one.id,
        provider: one.provider,
        account: one.account,
        label: one.label,
        state: one.state,
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute(),
  );
}

export async function openHouse(
  given: {
    clock?: Clock;
    publicUrl?: string;
    sandboxUrl?: string;
    /** How long an approved send waits; default: not at all. */
    holdMs?: number;
    /** Sign-in at an issuer. */
    hosted?(rooms: { store: Store; clock: Clock; orgId: string }): Hosted;
  } = {},
): Promise<House> {
  const clock = given.clock ?? manualClock();
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-http-'));
  const lines: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  const { orgId, owner } = await ensureLocalOrg(store, clock);
  const org = await store.forOrg(orgId);
  const list = [connection()];
  for (const one of list) await addConnection(org, one);

  function write(
    input: z.ZodType,
    effect: WriteOperation<unknown>['effect'],
    summary: WriteOperation<unknown>['summary'],
  ): WriteOperation<unknown> {
    return {
      effect,
      version: 1,
      title: 'Invented',
      input,
      idempotency: 'none',
      summary,
      run: (context) => house.run(context),
    };
  }
  const operations: Record<string, WriteOperation<unknown>> = {
    // What people read is what the real providers say.
    send: write(mailSend, 'send', (payload, account) => sendMail.summary(payload as MailSend, account)),
    book: write(calendarCreate, 'create', (payload, account) =>
      bookEvent.summary(payload as CalendarCreate, account),
    ),
    update: write(anything, 'update', (_payload, account) => `Change a deal in ${account}`),
    amend: {
      ...write(anything, 'update', (_payload, account) => `Amend the Alder Court deal in ${account}`),
      before: async (_context, payload) => ({
        title: 'Alder Court 118',
        fields: house.deal,
        after: payload as Record<string, unknown>,
      }),
    },
    remove: {
      ...write(anything, 'delete', (_payload, account) => `Delete the Alder Court deal in ${account}`),
      before: async () => ({ title: 'Alder Court 118', fields: house.deal, after: {} }),
    },
    invoice: {
      ...write(invoice, 'money', (payload) => `Invoice ${(payload as Invoice).customer}`),
      concerns: (payload) => {
        const { amount, currency } = payload as Invoice;
        return { amount: { value: amount, currency } };
      },
      compensation: {
        title: 'Void the invoice',
        operation: 'void',
        payload: (_payload, { reference }) => ({ invoice: reference }),
      },
    },
    void: write(anything, 'update', () => 'Void an invoice'),
  };
  const unasked = (): never => {
    throw new Error('nobody asks for this here');
  };
  // What the catalog alone tells is told as it is; it needs neither door nor vault.
  const catalogued = createConnections({
    store,
    egress: undefined as never,
    vault: undefined as never,
    clock,
    log,
    apps: new Map([['google', { clientId: 'an-app', clientSecret: undefined, webhookSecret: undefined }]]),
  });
  const connections: Connections = {
    list: async () => house.connections,
    async get(_org, id) {
      const found = house.connections.find((one) => one.id === id);
      if (found === undefined) throw new DrawbridgeError('not_found', 'There is no such connection.');
      return found;
    },
    async write(_org, _connection, operation) {
      const found = operations[operation];
      if (found === undefined) throw new DrawbridgeError('not_found', 'There is no such operation.');
      return found;
    },
    writeContext: async (_org, one, _operation, run) => ({
      connectionId: one.id,
      fields: {},
      secret: unasked,
      token: unasked,
      fetch: unasked,
      within: unasked,
      dial: unasked,
      converse: unasked,
      clock,
      log,
      ...run,
    }),
    report: async () => undefined,
    resolve: unasked,
    connect: unasked,
    disconnect: unasked,
    check: unasked,
    own: unasked,
    read: (async () => house.busy()) as Connections['read'],
    writeFor: unasked,
    feeds: unasked,
    record: unasked,
    offers: catalogued.offers,
    form: catalogued.form,
    notices: (from) => noticesOf(from, house.connections, { plan: 'local', now: clock.now() }),
    events: async () => [],
    authorize: unasked,
    authorized: unasked,
    registerApp: unasked,
    operations: unasked,
    runRead: unasked,
    lookAfter: unasked,
    rotateKeys: unasked,
    providers: unasked,
    close: async () => undefined,
  };
  const members = createMembers({ store, clock });
  const policy = createPolicy();
  const presence = createPresence({ pageUrl: (path) => `${house.origin}${path}` });
  const passkeys = createPasskeys();
  const queue = createQueue({
    connections,
    clock,
    log,
    actionTtlMs: 24 * 3_600_000,
    holdMs: given.holdMs ?? 0,
    member: async (_org, id) => (await members.list(orgId)).find((one) => one.id === id),
    policy,
    presence,
  });
  const keys = createKeys({ store, clock, log });
  const signIn = createSignIn({ store, clock });

  const memory = createMemory({ clock, log });
  const memoryOnly = memoryRooms({ clock, log, store, connections });
  const app = createHttpApp({
    rooms: {
      config: { publicUrl: given.publicUrl, sandboxUrl: given.sandboxUrl },
      clock,
      log,
      store,
      connections,
      queue,
      policy,
      presence,
      passkeys,
      ...memoryOnly,
      memory: {
        async document(_org, id) {
          const found = house.documents.get(id);
          if (found === undefined) throw new DrawbridgeError('not_found', 'There is no such document.');
          return found;
        },
        documents: memory.documents,
        search: memory.search,
      },
      orgFor: (id) => store.forOrg(id),
      wake: () => {
        house.woken += 1;
      },
      refresh: () => undefined,
      pageUrl: (path) => `${house.origin}${path}`,
      hosted: given.hosted?.({ store, clock, orgId }),
    },
    mcp: async (request, agent) => {
      house.mcpCalls.push(agent);
      return Response.json({ agent: agent.agentId, read: (await request.text()).length });
    },
    log,
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  const host = `drawbridge.localhost:${listening.port}`;
  const origin = `http://${host}`;

  const ask = askerAt(listening.port, host);

  const agent = (orgOfAgent: string): Agent => ({
    kind: 'agent',
    orgId: orgOfAgent,
    agentId: 'key_1',
    name: 'Claude Desktop',
    scopes: ['read', 'propose'],
  });

  const house: House = {
    store,
    org,
    owner,
    queue,
    policy,
    passkeys,
    memory,
    receipts: memoryOnly.receipts,
    keys,
    signIn,
    log: lines,
    listening,
    origin,
    woken: 0,
    mcpCalls: [],
    connections: list,
    deal: { stage: 'Offer made', amount: 512000 },
    busy: async () => ({ busy: [] }),
    documents: new Map(),
    run: async (context) => {
      await context.aboutToSend();
      return { reference: `<${context.effectKey}@northgate.example>`, details: {} };
    },
    ask,
    async browser(person = owner) {
      const link = await signIn.createLink(person);
      const opened = await ask('/sign-in', {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ token: link.reveal() }).toString(),
      });
      const cookie = String(opened.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
      const get = (path: string) => ask(path, { headers: { cookie } });
      const csrf = /name="csrf" value="([^"]+)"/.exec((await get('/')).body)?.[1] ?? '';
      return {
        cookie,
        csrf,
        get,
        post: (path, fields, headers = {}) =>
          ask(path, {
            method: 'POST',
            headers: { origin, cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
            body: new URLSearchParams(fields).toString(),
          }),
      };
    },
    async key(scopes = ['read', 'propose']) {
      return (await keys.create(org.orgId, 'An agent', scopes)).key.reveal();
    },
    async propose(operation, payload, more = {}) {
      const proposal = { connectionId: 'con_1', operation, payload, ...more };
      return (await queue.propose(org, agent(org.orgId), proposal)).action;
    },
    async stranger() {
      const other = await store.forOrg(await store.createOrg('Elsewhere'));
      await addConnection(other, connection());
      const person: Person = { kind: 'person', orgId: other.orgId, memberId: 'mbr_other', name: 'Zoe' };
      await store.control.write((tx) =>
        tx
          .insertInto('members')
          .values({
            org_id: other.orgId,
            id: person.memberId,
            email: null,
            name: person.name,
            role: 'owner',
            created_at: clock.now(),
          })
          .execute(),
      );
      const { action } = await queue.propose(other, agent(other.orgId), {
        connectionId: 'con_1',
        operation: 'send',
        payload: { ...mail, subject: 'Of the others' },
      });
      return { org: other, person, action };
    },
    async close() {
      await listening.close();
      await memory.close();
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  return house;
}
