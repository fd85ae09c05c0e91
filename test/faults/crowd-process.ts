// One of several processes on one home: it ingests mails, claims leases and asks whole questions for some
// seconds, and tells at the end what it was promised, what failed, and how long its event loop stood still.

import { generateQuestions } from '../../bench/corpus.ts';
import { type StandStill, watchStandStill } from '../../bench/stand-still.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory } from '../../src/memory/memory.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { claimOnce } from '../store/fixtures/claim.ts';
import { idOf, mailsOf } from './crowd-mail.ts';
import { isFound } from './crowd-question.ts';

export interface CrowdTask {
  home: string | undefined;
  url: string | undefined;
  orgId: string;
  connectionId: string;
  /** Below 0: it only waits. */
  worker: number;
  seconds: number;
}

export interface CrowdAccount {
  worker: number;
  ingested: number;
  claimed: number;
  refused: number;
  searches: number;
  /** Own mails that were stored and that a question about them did not bring. */
  missed: string[];
  /** How often each message was heard. */
  errors: Record<string, number>;
  standStill: StandStill;
}

const leases = ['executor', 'schedules', 'sync'];
const mailsAtOnce = 5;
const task = JSON.parse(process.argv[2] ?? '{}') as CrowdTask;
const account: Omit<CrowdAccount, 'standStill'> = {
  worker: task.worker,
  ingested: 0,
  claimed: 0,
  refused: 0,
  searches: 0,
  missed: [],
  errors: {},
};
let step = 'start';

async function ingest(org: OrgStore, memory: Memory, mails: Generator<SourceRecord, never>): Promise<void> {
  const records = Array.from({ length: mailsAtOnce }, () => mails.next().value);
  const source = { connectionId: task.connectionId, provider: 'mailbox' };
  const { inserted, rejected } = await memory.ingest(org, source, { records });
  if (inserted !== records.length)
    throw new Error(`${inserted} of ${records.length} were stored: ${rejected[0]?.reason}`);
  account.ingested += inserted;
}

/** One question about a mail of its own, and one of those that people ask. */
async function ask(org: OrgStore, memory: Memory, n: number, question: string): Promise<void> {
  const found = await isFound(org, memory, task.worker, n);
  account.searches += 1;
  if (!found) account.missed.push(idOf(task.worker, n));
  await memory.search(org, { question, limit: 10 });
  account.searches += 1;
}

async function work(): Promise<StandStill> {
  const log = createLog({ level: 'silent' });
  const databaseUrl = task.url === undefined ? undefined : new Secret(task.url);
  const config = { home: task.home ?? '', databaseUrl };
  const store = await openStore({ config, clock: systemClock, log });
  const org = await store.forOrg(task.orgId);
  const memory = createMemory({ clock: systemClock, log });
  const mails = mailsOf(task.worker);
  const questions = generateQuestions(task.worker + 1, 500);
  const turn = async (round: number): Promise<void> => {
    step = 'ingest';
    await ingest(org, memory, mails);
    step = 'claim';
    if (await claimOnce(org, leases[round % leases.length] ?? 'sync', `worker ${task.worker}`))
      account.claimed += 1;
    else account.refused += 1;
    step = 'search';
    // The newest, and older ones too: what is stored stays stored.
    const n = round % 2 === 0 ? account.ingested - 1 : (round * 7) % account.ingested;
    await ask(org, memory, n, questions[round % questions.length] ?? '');
  };
  // Starting (modules, threads, the first plans) is not what is measured.
  await turn(0);
  const watch = watchStandStill(() => step);
  const end = performance.now() + task.seconds * 1_000;
  for (let round = 1; performance.now() < end; round += 1) {
    try {
      await turn(round);
    } catch (thrown) {
      const said = thrown instanceof Error ? thrown.message : String(thrown);
      account.errors[said] = (account.errors[said] ?? 0) + 1;
    }
  }
  const standStill = watch.end();
  await memory.close();
  await store.close();
  return standStill;
}

async function wait(): Promise<StandStill> {
  const watch = watchStandStill(() => 'wait');
  await systemClock.sleep(task.seconds * 1_000);
  return watch.end();
}

const standStill = await (task.worker < 0 ? wait() : work());
process.stdout.write(`${JSON.stringify({ ...account, standStill } satisfies CrowdAccount)}\n`);
