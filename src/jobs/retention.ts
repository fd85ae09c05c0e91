// What is kept only so long: calls and errors, and the record's oldest entries. Part of the hourly care; each
// kind is tried whatever became of the other.
import { join } from 'node:path';
import type { Audit } from '../audit/audit.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { forgetOld } from '../observe/retention.ts';
import type { OrgStore } from '../store/store.ts';

/** A run lets go of so much at most; the rest waits for the next. */
const mostCuts = 20;

/** @throws the last error, once both were tried */
export async function retain(
  org: OrgStore,
  given: {
    audit: Pick<Audit, 'cut'>;
    config: Pick<Config, 'home' | 'callsKeptMs' | 'auditKeptMs' | 'auditArchive'>;
    log: Log;
    signal: AbortSignal;
  },
): Promise<void> {
  const { audit, config, log, signal } = given;
  let failure: unknown;
  try {
    await forgetOld(org, config.callsKeptMs);
  } catch (thrown) {
    failure = thrown;
  }
  const folder = config.auditArchive ?? join(config.home, 'audit-archive');
  for (let cuts = 0; cuts < mostCuts && !signal.aborted; cuts += 1) {
    const entries = await audit.cut(org, { keptMs: config.auditKeptMs, folder });
    if (entries === 0) break;
    log.info({ orgId: org.orgId, entries, folder }, 'old entries of the record went to an archive');
  }
  if (failure !== undefined) throw failure;
}
