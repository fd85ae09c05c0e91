// Whether what was found is fresh: judged when it is answered, by when its record was last known to be current.
import type { Connection } from '../connections/connections.ts';
import type { Passage } from '../memory/memory.ts';
import { type Allowed, allowedAge } from './thresholds.ts';

export interface Judge extends Allowed {
  /** As they were before memory was asked: a sync that ends later says nothing of what was found. */
  connections: ReadonlyMap<string, Connection>;
  now: number;
  /** When the call began, where it asks providers. */
  began?: number | undefined;
}

export interface Verdict {
  verifiedAt: number;
  /** Ms since then. */
  age: number;
  freshness: 'fresh' | 'stale' | 'live';
}

/** A sync that came to its end has seen whatever changed: it verifies every record of its account. */
export function verdictOf(
  passage: Pick<Passage, 'connectionId' | 'kind' | 'verifiedAt'>,
  judge: Judge,
): Verdict {
  const connection = judge.connections.get(passage.connectionId);
  const synced = connection?.hasFeeds === true ? (connection.lastSyncAt ?? 0) : 0;
  const verifiedAt = Math.max(passage.verifiedAt, synced);
  const age = Math.max(0, judge.now - verifiedAt);
  if (judge.began !== undefined && verifiedAt >= judge.began && connection?.hasFeeds === true)
    return { verifiedAt, age, freshness: 'live' };
  const isFresh = age <= allowedAge(passage.kind, judge, connection);
  return { verifiedAt, age, freshness: isFresh ? 'fresh' : 'stale' };
}
