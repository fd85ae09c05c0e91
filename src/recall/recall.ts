// A question to an answer that says how old it is: memory first; where what was found is older than it may be, or
// something newer may be missing, the provider is asked, briefly, and then memory again.
import type { Connection } from '../connections/connections.ts';
import type { MemoryAnswer, MemoryQuery } from '../memory/memory.ts';
import type { OrgStore } from '../store/store.ts';
import { ageInWords } from '../time.ts';
import { type LiveRead, type LiveRooms, liveReads, readLive } from './live-reads.ts';
import { allowedSince, type Freshness, readFreshness } from './thresholds.ts';
import { type Judge, verdictOf } from './verdict.ts';

export interface RecallOptions {
  maxAgeMs: number | undefined;
  /** The accounts that the question is about; left out: all. */
  accounts?: readonly Connection[] | undefined;
}

export interface Recalled {
  answer: MemoryAnswer;
  judge: Judge;
  /** Why the answer may be incomplete. */
  notes: string[];
}

/** Only what a reader looks at first is worth a live read of its own. */
const looked = 3;
const mostNamed = 5;
const answering = ['ACTIVE', 'DEGRADED', 'ERROR', 'CONNECTED'];

/** @throws DrawbridgeError as Memory.search; a provider that fails is a note, and no error */
export async function recall(
  rooms: LiveRooms,
  org: OrgStore,
  query: MemoryQuery,
  options: RecallOptions,
): Promise<Recalled> {
  const { clock, memory } = rooms;
  const began = clock.now();
  const { freshness, known } = await org.read(async () => ({
    freshness: await readFreshness(org),
    known: await rooms.connections.list(org),
  }));
  const judged = (connections: readonly Connection[]): Judge => ({
    connections: new Map(connections.map((each) => [each.id, each])),
    now: clock.now(),
    began,
    maxAgeMs: options.maxAgeMs,
    freshness,
  });
  // A page that follows is of the answer that the first one was of.
  if (query.cursor !== undefined)
    return { answer: await memory.search(org, query), judge: judged(known), notes: [] };

  const shown = (options.accounts ?? known).filter(({ id }) => !isHidden(org, id));
  const due = dueForNews(shown, query.kinds, {
    now: began,
    maxAgeMs: options.maxAgeMs,
    freshness,
  });
  let answer = await memory.search(org, query);
  const records = await staleRecords(rooms, org, answer, judged(known));
  // One read for the best hit that is too old, the other for what may be missing; or both for either.
  const forRecords = Math.max(liveReads - due.length, Math.min(1, records.length));
  const reads: LiveRead[] = records.slice(0, forRecords);
  reads.push(...due.slice(0, liveReads - reads.length).map((connection) => ({ connection })));
  const asked = new Set(reads.map(({ connection }) => connection.id));
  const notes = leftNotes(
    due.filter(({ id }) => !asked.has(id)),
    began,
  );
  if (reads.length === 0) return { answer, judge: judged(known), notes };

  const { reasons, ended } = await readLive(rooms, org, reads);
  // Read before memory is: a sync that ended meanwhile has verified what it brought.
  const judge = judged(await rooms.connections.list(org));
  if (ended) answer = await memory.search(org, query);
  return { answer, judge: { ...judge, now: clock.now() }, notes: [...notes, ...reasons] };
}

function isHidden({ viewer }: OrgStore, connectionId: string): boolean {
  return viewer?.hidden.connections.includes(connectionId) === true;
}

/** Coverage, not hits: accounts of which something newer may be missing, longest unasked first. */
function dueForNews(
  connections: readonly Connection[],
  kinds: readonly string[] | undefined,
  { now, ...allowed }: { now: number; maxAgeMs: number | undefined; freshness: Freshness },
): Connection[] {
  return connections
    .filter((c) => c.hasFeeds && answering.includes(c.state))
    .filter((c) => kinds === undefined || kinds.some((kind) => c.feedKinds.includes(kind)))
    .filter((c) => now - (c.lastSyncAt ?? 0) > allowedSince(c, kinds, allowed))
    .sort((a, b) => (a.lastSyncAt ?? 0) - (b.lastSyncAt ?? 0));
}

/** Of the first hits those that are older than they may be, and that their provider can be asked for by id. */
async function staleRecords(
  { connections }: LiveRooms,
  org: OrgStore,
  answer: MemoryAnswer,
  judge: Judge,
): Promise<LiveRead[]> {
  const found = new Map<string, LiveRead>();
  for (const passage of answer.passages.slice(0, looked)) {
    const connection = judge.connections.get(passage.connectionId);
    if (connection === undefined || !connection.hasFeeds || !answering.includes(connection.state)) continue;
    const key = `${connection.id}/${passage.externalId}`;
    // Asked for live: what was verified a moment ago is asked for again.
    const { freshness } = verdictOf(passage, { ...judge, began: undefined });
    if (found.has(key) || (freshness !== 'stale' && judge.maxAgeMs !== 0)) continue;
    const record = await connections.record(org, connection, passage);
    if (record === undefined) continue;
    found.set(key, { connection, record: { kind: passage.kind, externalId: passage.externalId } });
  }
  return [...found.values()];
}

function leftNotes(left: readonly Connection[], now: number): string[] {
  const notes = left.slice(0, mostNamed).map((c) => {
    const asked =
      c.lastSyncAt === undefined
        ? 'has never been asked'
        : `was last asked ${ageInWords(now - c.lastSyncAt)} ago`;
    return `${c.label} (${c.id}) ${asked} and was not asked now; ask again, or name it with account.`;
  });
  if (left.length > mostNamed)
    notes.push(
      `${left.length - mostNamed} more accounts were not asked either; list-connections says when each was last.`,
    );
  return notes;
}
