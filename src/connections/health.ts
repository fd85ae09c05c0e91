// A health check: whose account is this, asked with the stored credentials. What came of it is one row, the
// last one, and a move of the connection where it tells something new.
import type { Clock } from '../clock.ts';
import { withDeadline } from '../egress/deadline.ts';
import { DrawbridgeError, type ErrorCode, toDrawbridgeError } from '../errors.ts';
import type { Provider, ProviderContext } from '../providers/define.ts';
import type { OrgStore } from '../store/store.ts';
import type { Connection } from './connections.ts';
import type { Report } from './report.ts';

const timeoutMs = 20_000;
/** Says that we ask too much, nothing about the account. */
const ofOurs: readonly ErrorCode[] = ['rate_limited', 'quota_exhausted'];

export interface HealthParts {
  clock: Clock;
  connection: Connection;
  provider: Provider;
  context(signal: AbortSignal): Promise<ProviderContext>;
  report(result: Report): Promise<void>;
}

/** @throws DrawbridgeError what the provider said */
export async function checkHealth(
  org: OrgStore,
  { clock, connection, provider, context, report }: HealthParts,
  signal?: AbortSignal,
): Promise<void> {
  const began = clock.elapsed();
  const expired = (): DrawbridgeError =>
    new DrawbridgeError('timeout', `${provider.title} did not answer within ${timeoutMs / 1000} s.`);
  let error: DrawbridgeError | undefined;
  try {
    await withDeadline({ clock, timeoutMs, signal, expired }, async (limit) =>
      provider.identity(await context(limit)),
    );
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown;
    error = toDrawbridgeError(thrown);
  }
  const ms = Math.round(clock.elapsed() - began);
  await writeHealth(org, connection.id, { outcome: error?.code ?? 'ok', ms, at: clock.now() });
  const tellsNew = connection.state !== 'ACTIVE' || connection.lastError !== undefined;
  if (error === undefined) {
    if (tellsNew) await report({ answered: true });
    return;
  }
  if (!ofOurs.includes(error.code)) await report({ error });
  throw error;
}

/** In the place of the one before; nothing where the connection is gone. */
async function writeHealth(
  org: OrgStore,
  connectionId: string,
  found: { outcome: string; ms: number; at: number },
): Promise<void> {
  await org.write(async (tx) => {
    const row = await tx
      .selectFrom('connected_sources')
      .select('id')
      .where('org_id', '=', org.orgId)
      .where('id', '=', connectionId)
      .executeTakeFirst();
    if (row === undefined) return;
    await tx
      .insertInto('health_checks')
      .values({ org_id: org.orgId, connection_id: connectionId, ...found })
      .onConflict((known) => known.columns(['org_id', 'connection_id']).doUpdateSet(found))
      .execute();
  });
}
