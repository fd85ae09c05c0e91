// `sync [ACCOUNT]`: brings what is new into memory, now, or says when that is done by itself.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import type { Connection } from '../../connections/connections.ts';
import type { Rooms } from '../../rooms.ts';
import { openSession, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { findConnection, namesOf } from './find-connection.ts';
import { toldOf, watchSyncs } from './sync-watch.ts';

interface Options {
  json?: boolean;
  now?: boolean;
  full?: boolean;
  watch?: boolean;
  pause?: boolean;
  resume?: boolean;
  every?: string;
  confirmDeletions?: boolean;
  keep?: boolean;
  pgCron?: string;
}

/** What else than syncing may be asked for; each for itself. */
const deeds = ['watch', 'pause', 'resume', 'every', 'confirmDeletions', 'keep', 'pgCron'] as const;

async function sync(account: string | undefined, options: Options): Promise<void> {
  const asked = deeds.filter((deed) => options[deed] !== undefined);
  const [deed, other] = asked;
  if (other !== undefined || (deed !== undefined && (options.now === true || options.full === true))) {
    throw usageError('sync does one of these at a time: see drawbridge sync --help.');
  }
  const session = openSession(options);
  const { output } = session;
  if (options.pgCron !== undefined) {
    if (account !== undefined) throw usageError('--pg-cron is about every account: leave the name away.');
    await carry(session, options.pgCron);
    return;
  }
  await withRooms(session, async (rooms) => {
    const all = await rooms.connections.list(rooms.org);
    const nameOf = namesOf(all);
    const chosen =
      account === undefined ? all.filter((each) => each.hasFeeds) : [findConnection(all, account)];
    if (chosen.length === 0 && !output.json) output.line('No connected account has anything to sync.');
    if (deed === undefined) {
      const { syncAndTell } = await import('./sync-and-tell.ts');
      const told = await syncAndTell(session, rooms, chosen, { full: options.full === true, nameOf });
      if (output.json) output.value(told);
    } else if (deed === 'watch') {
      await watchSyncs(session, rooms, { chosen, nameOf });
    } else if (deed === 'confirmDeletions' || deed === 'keep') {
      if (account === undefined) throw usageError('Say which account: drawbridge sync ACCOUNT --keep.');
      await decide(session, rooms, chosen, deed === 'keep' ? 'keep' : 'forget');
    } else {
      await change(session, rooms, { chosen, nameOf }, options);
    }
  });
}

async function change(
  { output }: Session,
  rooms: Rooms,
  { chosen, nameOf }: { chosen: readonly Connection[]; nameOf: (one: Connection) => string },
  { pause, resume, every }: Options,
): Promise<void> {
  const { everyWords, parseEvery } = await import('../../jobs/sync-schedule.ts');
  const { org, ingestion } = rooms;
  const set = {
    ...(every === undefined ? {} : { everyMs: parseEvery(every) }),
    ...(pause === true ? { paused: true } : resume === true ? { paused: false } : {}),
  };
  const told: object[] = [];
  for (const connection of chosen) {
    await ingestion.change(org, connection, set);
    const [state] = await ingestion.states(org, [connection.id]);
    told.push(toldOf(connection, state));
    if (output.json) continue;
    const schedule = state?.schedule;
    const words =
      schedule?.paused === true
        ? 'paused. drawbridge sync goes on when you ask.'
        : `synced ${everyWords(schedule?.everyMs)}.`;
    output.line(`${shownLine(nameOf(connection))}: ${words}`);
  }
  if (output.json) output.value(told);
}

/** Has the database itself ask for what is due, or lets it be. */
async function carry(session: Session, answer: string): Promise<void> {
  if (answer !== 'on' && answer !== 'off') throw usageError('--pg-cron is on or off.');
  const { output } = session;
  const { scheduleByCron, unscheduleByCron } = await import('../../store/postgres/pg-cron.ts');
  await withRooms(session, async ({ store }) => {
    await (answer === 'on' ? scheduleByCron(store) : unscheduleByCron(store));
  });
  if (output.json) output.value({ pgCron: answer });
  else if (answer === 'on') output.line('pg_cron asks each minute for the syncs of all orgs that are due.');
  else output.line('pg_cron asks for no syncs. Each running process looks for what is due.');
}

async function decide(
  { output }: Session,
  rooms: Rooms,
  [connection]: readonly Connection[],
  answer: 'forget' | 'keep',
): Promise<void> {
  if (connection === undefined) return;
  const { ingestion, org, owner, store } = rooms;
  await refuseBelowAgent('sync', await stdioServers(store));
  const records = await ingestion.decide(org, owner, { connection, answer, channel: 'terminal' });
  if (output.json) {
    output.value({ connectionId: connection.id, label: connection.label, answer, records });
    return;
  }
  const done = answer === 'forget' ? 'are forgotten here, too' : 'are kept, and not asked about again';
  output.line(`${shownLine(connection.label)}: ${records} records ${done}.`);
}

export function declare(command: Command): void {
  command
    .argument('[account]', 'id or label; without it, every account')
    .option('--now', 'sync now, as without it')
    .option('--full', 'read everything again from the beginning; what is not there any more is found')
    .option('--watch', 'show what runs, in whichever process, until Ctrl-C')
    .option('--pause', 'no more syncs by schedule or webhook')
    .option('--resume', 'the opposite')
    .option('--every <time>', 'how often: nightly, or 5m to 7d (30m, 6h, 1d)')
    .option('--confirm-deletions', 'much was gone at once: forget it here, too')
    .option('--keep', 'much was gone at once: keep it here')
    .option('--pg-cron <on|off>', 'on PostgreSQL: whether pg_cron asks for syncs that are due')
    .option('--json', 'answer as JSON')
    .action(sync);
}
