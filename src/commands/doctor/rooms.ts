// Checks of the rooms: the database, the search index, the servers, the network, and each account live.
import { createMembers } from '../../auth/members.ts';
import { createHosted } from '../../auth/oidc/hosted.ts';
import { toDrawbridgeError } from '../../errors.ts';
import { liveProcesses } from '../../jobs/presence.ts';
import { type CallFailure, type CallMetric, callMetrics, lastFailures } from '../../observe/metrics.ts';
import { isOwn } from '../../providers/own.ts';
import type { Rooms } from '../../rooms.ts';
import { cronOf } from '../../store/postgres/pg-cron.ts';
import { ageInWords, minute } from '../../time.ts';
import type { Check } from './machine.ts';

// Reserved for documentation (RFC 2606) and always resolvable where names are.
const knownHost = 'example.com';
/** pg_cron has a run each minute. */
const lateMs = 5 * minute;

export async function checkStore({ store, org }: Rooms): Promise<Check[]> {
  await org.now();
  const where = store.dialect === 'sqlite' ? `SQLite, ${org.file ?? 'in memory'}` : 'PostgreSQL';
  return [{ part: 'database', state: 'ok', message: `${where}; its migrations are applied` }];
}

/** Who asks for due syncs besides the running processes; nothing where only they can. */
export async function checkSchedule({ store }: Pick<Rooms, 'store'>): Promise<Check[]> {
  const part = 'schedule';
  const cron = await cronOf(store);
  if (cron.state === 'absent') return [];
  if (cron.state === 'idle') {
    const message = 'running processes ask for syncs that are due; pg_cron is here and does not';
    return [{ part, state: 'ok', message, mend: 'Have it ask, too: drawbridge sync --pg-cron on' }];
  }
  const carried = 'pg_cron asks each minute for syncs that are due';
  const { lastRun, now } = cron;
  if (lastRun === undefined) return [{ part, state: 'ok', message: `${carried}; it has not yet` }];
  const message = `${carried}; last ${ageInWords(Math.max(0, now - lastRun.at))} ago`;
  const mend = 'Running processes still ask. See cron.job_run_details, and the settings of pg_cron';
  if (lastRun.failed) {
    return [{ part, state: 'warning', message: `${message}, and failed: ${lastRun.message.trim()}`, mend }];
  }
  if (now - lastRun.at > lateMs) return [{ part, state: 'warning', message, mend }];
  return [{ part, state: 'ok', message }];
}

/** How many credentials are kept. */
export async function storedCredentials({ org }: Rooms): Promise<number> {
  const row = await org.read((db) =>
    db
      .selectFrom('secrets')
      .select((column) => column.fn.countAll<number | string>().as('count'))
      .where('org_id', '=', org.orgId)
      .executeTakeFirstOrThrow(),
  );
  return Number(row.count);
}

export async function checkIndex({ memory, org }: Rooms): Promise<Check[]> {
  const part = 'search index';
  const { documents, chunks } = await memory.stats(org);
  if (documents === 0) return [{ part, state: 'ok', message: 'memory is empty' }];
  const message = `${documents} documents, ${chunks} passages`;
  const [newest] = await memory.documents(org, { limit: 1 });
  const word = `${newest?.title ?? ''} ${newest?.text ?? ''}`.match(/[\p{L}]{4,}/u)?.[0];
  if (word === undefined) return [{ part, state: 'ok', message }];
  const { passages } = await memory.search(org, { question: word, limit: 1, rerank: false });
  if (passages.length > 0) return [{ part, state: 'ok', message }];
  return [{ part, state: 'broken', message: `${message}, but a word of the newest document finds nothing` }];
}

/** Nothing where none was chosen. Asked with a text of ours: no passage is sent for this. */
export async function checkReranker({ reranking, org }: Pick<Rooms, 'reranking' | 'org'>): Promise<Check[]> {
  const part = 'reranker';
  const chosen = await reranking.chosen(org);
  if (chosen === undefined) return [];
  const { name, host, settings } = chosen;
  const reads =
    host === undefined
      ? 'nothing leaves this machine'
      : `each question and the first ${settings.passages} passages found are sent to ${host}`;
  try {
    const ms = await reranking.probe(org, chosen);
    const message = `${name} answers two passages in ${Math.round(ms)} ms; ${reads}`;
    return [{ part, state: 'ok', message }];
  } catch (thrown) {
    const message = `${name}: ${toDrawbridgeError(thrown).message} Until it answers, passages stand as memory ranks them; ${reads}`;
    return [
      { part, state: 'warning', message, mend: 'Choose another, or none: drawbridge reranker set off' },
    ];
  }
}

export async function checkServers({ store }: Rooms): Promise<Check[]> {
  const live = await liveProcesses(store);
  const web = live.find(({ url }) => url !== undefined);
  const stdio = live.filter(({ kind }) => kind === 'stdio').length;
  const agents =
    stdio === 0 ? 'no desktop client is connected' : `${stdio} stdio ${stdio === 1 ? 'server' : 'servers'}`;
  if (web === undefined) {
    return [
      {
        part: 'servers',
        state: 'ok',
        message: `none serves the pages; ${agents}`,
        mend: 'Start one when you want them: drawbridge serve',
      },
    ];
  }
  return [{ part: 'servers', state: 'ok', message: `pages at ${web.url} (process ${web.pid}); ${agents}` }];
}

export async function checkNetwork({ connections, egress, org, config }: Rooms): Promise<Check[]> {
  const part = 'network';
  const all = await connections.list(org);
  if (!all.some(({ provider }) => !isOwn(provider))) {
    return [{ part, state: 'ok', message: 'no account needs it yet' }];
  }
  const loopback = config.allowLoopback
    ? ' (DRAWBRIDGE_ALLOW_LOOPBACK admits addresses on this machine)'
    : '';
  try {
    const caller = {
      orgId: org.orgId,
      provider: 'doctor',
      connectionId: undefined,
      operation: 'resolve',
      cause: 'status' as const,
    };
    await egress.dial(caller, knownHost, 443);
    return [{ part, state: 'ok', message: `names resolve${loopback}` }];
  } catch (thrown) {
    // Each account's own check below says whether it can be reached; its server may be on this network.
    return [
      {
        part,
        state: 'warning',
        message: `${knownHost} does not resolve: ${toDrawbridgeError(thrown).message}${loopback}`,
      },
    ];
  }
}

/** Nothing in local mode. */
export async function checkSignIn({ config, store, egress, org, clock }: Rooms): Promise<Check[]> {
  if (config.signIn === undefined) return [];
  const part = 'sign-in';
  const { issuer } = config.signIn;
  try {
    await createHosted({ config: config.signIn, store, egress, orgId: org.orgId, clock }).check();
  } catch (thrown) {
    const mend = 'The settings are in docs/guide/hosted-sign-in.md';
    return [{ part, state: 'broken', message: `${issuer}: ${toDrawbridgeError(thrown).message}`, mend }];
  }
  const members = await createMembers({ store, clock }).list(org.orgId);
  if (members.some(({ email }) => email !== undefined))
    return [{ part, state: 'ok', message: `${issuer} answers` }];
  const mend = 'Let yourself in: drawbridge members add --email EMAIL --owner';
  return [{ part, state: 'warning', message: `${issuer} answers, but no member has an address`, mend }];
}

export async function checkConnections({ connections, org, clock }: Rooms): Promise<Check[]> {
  const checks: Check[] = [];
  for (const connection of await connections.list(org)) {
    const part = `${connection.label} (${connection.providerTitle})`;
    if (isOwn(connection.provider)) {
      checks.push({ part, state: 'ok', message: 'the house’s own; needs no connection' });
      continue;
    }
    if (connection.account === '') {
      const mend = `Begin again: drawbridge connect ${connection.provider}`;
      checks.push({ part, state: 'warning', message: 'nobody has come back from the provider yet', mend });
      continue;
    }
    const synced =
      connection.lastSyncAt === undefined
        ? ''
        : `, synced ${ageInWords(Math.max(0, clock.now() - connection.lastSyncAt))} ago`;
    try {
      await connections.check(org, connection.id);
      checks.push({ part, state: 'ok', message: `answers${synced}` });
    } catch (thrown) {
      const { message, retry } = toDrawbridgeError(thrown);
      const mend = retry === 'reconnect' ? { mend: `drawbridge connect ${connection.provider}` } : {};
      checks.push({ part, state: 'broken', message: `${connection.state}: ${message}`, ...mend });
    }
  }
  for (const { connectionId, text } of await connections.notices(org)) {
    // What a connection needs is said by its own check.
    if (connectionId === undefined) checks.push({ part: 'plan', state: 'warning', message: text });
  }
  return checks;
}

export interface CallReport {
  /** Live calls of the last 24 hours, by provider, operation and outcome. */
  calls: CallMetric[];
  /** The last failures of calls. */
  failures: CallFailure[];
}

export async function reportCalls({ org, clock }: Rooms): Promise<CallReport> {
  return {
    calls: await callMetrics(org, clock.now() - 24 * 3_600_000),
    failures: await lastFailures(org, 20),
  };
}
