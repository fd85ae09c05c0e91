// What the tests of embedders stand on: a server on loopback that embeds by a few meanings, in whatever way a test
// wants it to, and memory with an org that may choose it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { createAudit } from '../../../src/audit/create.ts';
import type { Person } from '../../../src/auth/principal.ts';
import { recordKeys } from '../../../src/auth/record-key.ts';
import { openVault, type Vault } from '../../../src/auth/vault.ts';
import type { Clock } from '../../../src/clock.ts';
import { createEgress } from '../../../src/egress/door.ts';
import { createLog } from '../../../src/log.ts';
import { createMemory } from '../../../src/memory/create.ts';
import { createEmbedding, type Embedding } from '../../../src/memory/embed/embedding.ts';
import type { FoldSizes } from '../../../src/memory/index/fold.ts';
import { createPostingsIndex } from '../../../src/memory/index/postings-index.ts';
import type { SearchIndex } from '../../../src/memory/index/search-index.ts';
import type { Memory, Source } from '../../../src/memory/memory.ts';
import { openReranking, type Reranking } from '../../../src/memory/rerank/reranking.ts';
import { Secret } from '../../../src/secret.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { serve, type Wire } from '../../egress/wire.ts';
import { databases, type OpenedDatabase } from '../../store/databases.ts';
import { connectAccount, json } from '../ground.ts';

/** Words of one meaning share a dimension; the last one is for everything else. */
const meanings = [
  ['dwelling', 'house', 'home', 'villa'],
  ['vehicle', 'car', 'truck'],
  ['payment', 'invoice', 'bill', 'money'],
];
export const dimensions = 4;

export function meaningOf(text: string): number[] {
  const words = text.toLowerCase().split(/\W+/u);
  const vector = meanings.map((group) => words.filter((word) => group.includes(word)).length);
  return [...vector, 0.01];
}

export interface FakeServer extends Wire {
  /** Texts that were embedded, a list a call. */
  calls(): string[][];
  /** Answers instead of the usual way, where it says true. */
  instead: ((request: IncomingMessage, response: ServerResponse, texts: string[]) => boolean) | undefined;
}

export function answerJson(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
  return true;
}

/** Speaks OpenAI's, Ollama's and the edge function's way. */
export async function fakeServer(): Promise<FakeServer> {
  const wire = await serve((request, response) => {
    const asked = JSON.parse(wire.seen.at(-1)?.body || '{}') as { input?: string | string[] };
    const texts = [asked.input ?? []].flat();
    if (fake.instead?.(request, response, texts) === true) return;
    const vectors = texts.map(meaningOf);
    if (request.url === '/v1/embeddings')
      answerJson(response, {
        data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })).reverse(),
      });
    else if (request.url === '/api/embed') answerJson(response, { embeddings: vectors });
    else if (request.url === '/api/tags')
      answerJson(response, { models: [{ name: 'minilm:latest', digest: 'f'.repeat(64) }] });
    else if (request.url === '/functions/v1/embed') answerJson(response, { embedding: vectors[0] });
    else answerJson(response, { error: 'no such path' }, 404);
  });
  const fake: FakeServer = {
    ...wire,
    calls: () =>
      wire.seen
        .filter(({ method }) => method === 'POST')
        .map(({ body }) => [(JSON.parse(body) as { input: string | string[] }).input].flat()),
    instead: undefined,
  };
  return fake;
}

export interface EmbedWorld {
  opened: OpenedDatabase;
  org: OrgStore;
  source: Source;
  owner: Person;
  index: SearchIndex;
  memory: Memory;
  embedding: Embedding;
  reranking: Reranking;
  /** What was logged, a line each. */
  logged: string[];
  clock: ManualClock;
  key: Secret;
  vault: Vault;
  /** Another org of the same store. */
  another(name: string): Promise<{ org: OrgStore; source: Source; owner: Person }>;
  /** As another process would open it. */
  process(options?: { environment?: unknown }): Embedding;
  notes(texts: Record<string, string>, org?: { org: OrgStore; source: Source }): Promise<void>;
  found(question: string, org?: OrgStore): Promise<string[]>;
}

export async function embedWorld({
  database = databases[0],
  foldSizes = { due: 1e9, most: 9, merged: 3 },
  environment,
  reranker,
  libraries,
}: {
  database?: (typeof databases)[number] | undefined;
  foldSizes?: FoldSizes;
  environment?: unknown;
  /** What the environment says of it. */
  reranker?: unknown;
  /** Folder below which the user's own libraries are. */
  libraries?: string;
} = {}): Promise<EmbedWorld> {
  if (database === undefined) throw new Error('There is no database to test on.');
  const clock = manualClock();
  const log = createLog({ level: 'silent' });
  const opened = await database.open({ clock });
  const config = {
    home: opened.home ?? '/nowhere',
    key: new Secret(Buffer.alloc(32, 7).toString('base64')),
    formerKey: undefined,
  };
  const egress = createEgress({ allowLoopback: true, clock: instant(clock), log, random: () => 0 });
  const vault = openVault({ config, log, clock });
  const made: Embedding[] = [];
  const process: EmbedWorld['process'] = (options = {}) => {
    const embedding = createEmbedding({
      egress,
      vault,
      audit: createAudit(recordKeys(config)),
      clock,
      log,
      home: libraries ?? config.home,
      environment: { settings: options.environment, key: new Secret('env-key-0123456789') },
    });
    made.push(embedding);
    return embedding;
  };
  const embedding = process({ environment });
  const index = createPostingsIndex({ clock, log, foldSizes });
  const logged: string[] = [];
  const reranking = await openReranking({
    egress,
    vault,
    audit: createAudit(recordKeys(config)),
    clock,
    log: createLog({ level: 'warn', destination: { write: (line) => void logged.push(line) } }),
    home: libraries ?? config.home,
    environment: { settings: reranker, key: new Secret('env-key-0123456789') },
  });
  const memory = createMemory({ clock, log, index, embedding, reranking });
  let orgs = 0;
  const another: EmbedWorld['another'] = async (name) => {
    const org = await opened.store.forOrg(await opened.store.createOrg(name));
    orgs += 1;
    const source = await connectAccount(org, `con_${orgs}`, 'me@agency.test', clock.now());
    const owner: Person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Owner' };
    return { org, source, owner };
  };
  const first = await another('One');
  onTestFinished(async () => {
    for (const one of made) await one.close();
    await reranking.close();
    await memory.close();
    await egress.close();
    await opened.close();
  });
  return {
    opened,
    ...first,
    index,
    memory,
    embedding,
    reranking,
    logged,
    clock,
    key: new Secret('sk-secret-0123456789'),
    vault,
    another,
    process,
    async notes(texts, where = first) {
      const records = Object.entries(texts).map(([id, text]) => json(id, 'note', { title: id, text }));
      await memory.ingest(where.org, where.source, { records });
    },
    async found(question, org = first.org) {
      const { passages } = await memory.search(org, { question, limit: 10 });
      return passages.map((passage) => passage.title);
    },
  };
}

/** The door's own waits (between attempts, for its turn) pass at once; its limits of time stand still. */
function instant(clock: ManualClock): Clock {
  return {
    ...clock,
    async sleep(ms, options) {
      if (ms >= 1_000) return clock.sleep(ms, options);
      clock.advance(ms);
    },
  };
}
