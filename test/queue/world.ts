// A queue over a real store, with one invented provider whose behaviour a test scripts, and a clock that a
// test moves and makes jump.
import { z } from 'zod';
import type { Agent, Person } from '../../src/auth/principal.ts';
import type { Clock } from '../../src/clock.ts';
import type { Connection, Connections } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import {
  EffectRefused,
  type Idempotency,
  type LiveRecord,
  type LookUp,
  type ProviderContext,
  type WriteContext,
  type WriteEffect,
  type WriteOperation,
  type WriteOutcome,
} from '../../src/providers/define.ts';
import { createQueue, type QueueOptions } from '../../src/queue/create.ts';
import type { Action, Proposal, Queue } from '../../src/queue/queue.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { manualClock } from '../egress/manual-clock.ts';

export const letter = z.object({
  to: z.string().min(1),
  text: z.string().default('(no text)'),
  copies: z.number().int().default(1),
  attachments: z.array(z.object({ name: z.string(), size: z.number(), sha256: z.string() })).optional(),
});
export type Letter = z.infer<typeof letter>;

/** The invented provider: what a run and a look-up do, and what arrived. */
export interface Post {
  arrived: string[];
  runs: number;
  lookUps: number;
  version: number;
  idempotency: Idempotency;
  run(context: WriteContext, payload: Letter): Promise<WriteOutcome>;
  lookUp(context: WriteContext, payload: Letter): Promise<LookUp>;
  effect: WriteEffect;
  /** Reads the record that a letter changes; undefined: it changes none. */
  before: ((payload: Letter) => Promise<LiveRecord>) | undefined;
  /** Whether the record is the one that the letter names; undefined: it does not ask. */
  checkMeant: ((payload: Letter, live: LiveRecord) => void) | undefined;
  /** Recalls a letter by a second one, where it can. */
  recall: boolean;
}

export interface JumpingClock extends Clock {
  advance(ms: number): void;
  /** Moves the wall clock alone. */
  jump(ms: number): void;
  asleep(match: (ms: number) => boolean): Promise<number>;
}

export function jumpingClock(): JumpingClock {
  const base = manualClock();
  let skew = 0;
  return {
    ...base,
    now: () => base.now() + skew,
    jump(ms) {
      skew += ms;
    },
  };
}

export function createPost(): Post {
  const post: Post = {
    arrived: [],
    runs: 0,
    lookUps: 0,
    version: 1,
    idempotency: 'look-up',
    effect: 'send',
    before: undefined,
    checkMeant: undefined,
    recall: false,
    async run(context) {
      await context.aboutToSend();
      post.arrived.push(context.effectKey);
      return { reference: `ref-${context.effectKey}`, details: { taken: true } };
    },
    async lookUp(context) {
      return post.arrived.includes(context.effectKey)
        ? { found: true, outcome: { reference: `found-${context.effectKey}`, details: {} } }
        : { found: false, conclusive: false, evidence: 'It is not in the box.' };
    },
  };
  return post;
}

export function operationOf(post: Post): WriteOperation<Letter> {
  const { before, checkMeant } = post;
  const base = {
    effect: post.effect,
    concerns: (payload: Letter, live?: LiveRecord) => ({
      recipients: [payload.to, ...(typeof live?.fields['cc'] === 'string' ? [live.fields['cc']] : [])],
    }),
    ...(before === undefined
      ? {}
      : { before: (_context: ProviderContext, payload: Letter) => before(payload) }),
    ...(checkMeant === undefined ? {} : { checkMeant }),
    ...(post.recall
      ? {
          compensation: {
            title: 'Recall the letter',
            operation: 'send',
            payload: (payload: Letter, { reference }: WriteOutcome) =>
              reference.startsWith('never') ? undefined : { to: payload.to, text: `Recall of ${reference}` },
          },
        }
      : {}),
    version: post.version,
    title: 'Send a letter',
    input: letter,
    summary: (payload: Letter, account: string) => `Letter to ${payload.to} from ${account}`,
    validate(payload: Letter) {
      if (payload.to.includes('\n')) {
        throw new DrawbridgeError('invalid_request', 'to: holds a line break', { field: 'to' });
      }
    },
    run: (context: WriteContext, payload: Letter) => {
      post.runs += 1;
      return post.run(context, payload);
    },
  };
  if (post.idempotency === 'none') return { ...base, idempotency: 'none' };
  return {
    ...base,
    idempotency: post.idempotency,
    lookUp: (context: WriteContext, payload: Letter) => {
      post.lookUps += 1;
      return post.lookUp(context, payload);
    },
  };
}

export function fakeConnection(): Connection {
  return {
    id: 'con_1',
    provider: 'post',
    providerTitle: 'Post',
    account: 'ann@post.example',
    label: 'Ann',
    state: 'ACTIVE',
    fields: {},
    capabilities: [],
    hasFeeds: false,
    feedKinds: [],
    mcpServerUrl: undefined,
    access: 'write',
    scopes: undefined,
    lastSyncAt: undefined,
    lastError: undefined,
    createdAt: 0,
  };
}

/** Only what the queue asks of connections; the rest refuses to be asked. */
export function connectionsOver(
  post: Post,
  connections: Connection[],
  parts: { clock: Clock; log: ReturnType<typeof createLog> },
): Connections & { reports: unknown[] } {
  const reports: unknown[] = [];
  const unasked = (): never => {
    throw new Error('The queue does not ask for this');
  };
  return {
    reports,
    list: async () => connections,
    async get(_org, id) {
      const found = connections.find((one) => one.id === id);
      if (found === undefined) throw new DrawbridgeError('not_found', `There is no connection ${id}.`);
      return found;
    },
    async write(_org, _connection, operation) {
      if (operation !== 'send')
        throw new DrawbridgeError('not_found', `Post has no write called ${operation}.`);
      // The queue hands a payload that this very schema admitted.
      return operationOf(post) as unknown as WriteOperation<unknown>;
    },
    writeContext: async (_org, connection, _operation, run) => ({
      connectionId: connection.id,
      fields: connection.fields,
      secret: unasked,
      token: unasked,
      fetch: unasked,
      within: unasked,
      dial: unasked,
      converse: unasked,
      ...parts,
      ...run,
    }),
    async report(_org, _id, result) {
      reports.push(result);
    },
    resolve: unasked,
    connect: unasked,
    disconnect: unasked,
    check: unasked,
    own: unasked,
    read: unasked,
    writeFor: unasked,
    feeds: unasked,
    record: unasked,
    offers: unasked,
    form: unasked,
    notices: unasked,
    events: unasked,
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
}

/** The row that an action refers to. */
export async function addConnection(org: OrgStore): Promise<void> {
  const { id, provider, account, label } = fakeConnection();
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id,
        provider,
        account,
        label,
        state: 'ACTIVE',
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

export interface World {
  org: OrgStore;
  queue: Queue;
  clock: JumpingClock;
  post: Post;
  connections: Connection[];
  reports: unknown[];
  person: Person;
  agent: Agent;
  /** Another process: a queue of its own on the same database. */
  another(options?: Partial<QueueOptions>): Queue;
  propose(payload?: unknown, more?: Partial<Proposal>): Promise<Action>;
  approve(action: Action): Promise<Action>;
  approved(payload?: unknown): Promise<Action>;
}

export const hour = 3_600_000;

/** `given` is an org of a real store; its time is the clock's, so that a test can make it jump. */
export function worldOver(given: OrgStore, options: Partial<QueueOptions> = {}): World {
  const clock = jumpingClock();
  const org: OrgStore = { ...given, now: async () => clock.now() };
  const log = createLog({ level: 'silent' });
  const post = createPost();
  const connections = [fakeConnection()];
  const faked = connectionsOver(post, connections, { clock, log });
  const another = (more: Partial<QueueOptions> = {}) =>
    createQueue({
      connections: faked,
      clock,
      log,
      actionTtlMs: 24 * hour,
      // Tests of the hold and of the cap set their own.
      holdMs: 0,
      proposalsPerMinute: Number.POSITIVE_INFINITY,
      ...options,
      ...more,
    });
  const queue = another();
  const person: Person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Pat' };
  const agent: Agent = {
    kind: 'agent',
    orgId: org.orgId,
    agentId: 'key_1',
    name: 'An assistant',
    scopes: ['read', 'propose'],
  };
  let letters = 0;
  const world: World = {
    org,
    queue,
    clock,
    post,
    connections,
    reports: faked.reports,
    person,
    agent,
    another,
    async propose(payload, more = {}) {
      letters += 1;
      const proposal = {
        connectionId: 'con_1',
        operation: 'send',
        payload: payload ?? { to: `bo${letters}@b.example` },
      };
      return (await queue.propose(org, agent, { ...proposal, ...more })).action;
    },
    approve: (action) =>
      queue.decide(org, person, {
        actionId: action.id,
        verdict: 'approve',
        hash: action.payloadHash,
        channel: 'terminal',
      }),
    approved: async (payload) => world.approve(await world.propose(payload)),
  };
  return world;
}

export { DrawbridgeError, EffectRefused };
