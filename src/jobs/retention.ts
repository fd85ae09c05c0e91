// What is kept only so long: calls and errors, runs and messages of syncs, tombstones, and the record's oldest
// entries. Part of the hourly care; each kind is tried whatever became of the other.
import { join } from 'node:path';
import type { Audit } from '../audit/audit.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { purgeTombstones } from '../memory/documents/tombstones.ts';
import { forgetOld } from '../observe/retention.ts';
import type { OrgStore } from '../store/store.ts';
import type { Ingestion } from './ingestion.ts';

/** A run lets go of so much at most; the rest waits for the next. */
const mostCuts = 20;

/** @throws the first error, once all were tried */
export async function retain(
  org: OrgStore,
  given: {
    audit: Pick<Audit, 'cut'>;
    ingestion: Pick<Ingestion, 'retain'>;
    config: Pick<Config, 'home' | 'callsKeptMs' | 'tombstonesKeptMs' | 'auditKeptMs' | 'auditArchive'>;
    log: Log;
    signal: AbortSignal;
  },
): Promise<void> {
  const { audit, ingestion, config, log, signal } = given;
  let failure: unknown;
  for (const letGo of [
    () => forgetOld(org, config.callsKeptMs),
    () => ingestion.retain(org),
    () => purgeTombstones(org, config.tombstonesKeptMs, signal),
  ]) {
    try {
      await letGo();
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  const folder = config.auditArchive ?? join(config.home, 'audit-archive');
  for (let cuts = 0; cuts < mostCuts && !signal.aborted; cuts += 1) {
    const entries = await audit.cut(org, { keptMs: config.auditKeptMs, folder });
    if (entries === 0) break;
    log.info({ orgId: org.orgId, entries, folder }, 'old entries of the record went to an archive');
  }
  if (failure !== undefined) throw failure;
}
