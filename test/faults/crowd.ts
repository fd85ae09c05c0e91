// Many processes that ingest, claim and search on one org at once, and the account of what became of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { addSource } from '../../bench/corpus.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { OrgStore } from '../../src/store/store.ts';
import type { OpenedDatabase } from '../store/databases.ts';
import { idOf } from './crowd-mail.ts';
import type { CrowdAccount, CrowdTask } from './crowd-process.ts';
import { isFound } from './crowd-question.ts';

export interface Crowd {
  workers: CrowdAccount[];
  /** A process that only waits: what the machine itself adds to every event loop. */
  witness: CrowdAccount;
  /** Mails and claims that a process was promised and the database does not hold, by name or number. */
  lost: string[];
  /** Mails of all processes that were asked for at the end, by a process that ingested none. */
  askedAtTheEnd: number;
  notFoundAtTheEnd: string[];
}

const mostAskedAtTheEnd = 200;

async function run(task: CrowdTask): Promise<CrowdAccount> {
  const script = fileURLToPath(new URL('./crowd-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`process ${task.worker} ended with ${child.exitCode}: ${err}`);
  return JSON.parse(out) as CrowdAccount;
}

async function missing(org: OrgStore, workers: readonly CrowdAccount[]): Promise<string[]> {
  const rows = await org.read((db) =>
    db.selectFrom('source_documents').select('external_id').where('deleted_at', 'is', null).execute(),
  );
  const stored = new Set(rows.map((row) => row.external_id));
  const lost = workers.flatMap(({ worker, ingested }) =>
    Array.from({ length: ingested }, (_, n) => idOf(worker, n)).filter((id) => !stored.has(id)),
  );
  const { n } = await org.read((db) =>
    db
      .selectFrom('leases')
      .select(db.fn.countAll<number>().as('n'))
      .where('name', 'like', 'claim %')
      .executeTakeFirstOrThrow(),
  );
  const claims = workers.reduce((sum, { claimed }) => sum + claimed, 0);
  return n === claims ? lost : [...lost, `${claims - n} of ${claims} claims`];
}

async function notFound(org: OrgStore, asked: readonly { worker: number; n: number }[]): Promise<string[]> {
  const memory = createMemory({ clock: systemClock, log: createLog({ level: 'silent' }) });
  const lost: string[] = [];
  for (const { worker, n } of asked) {
    if (!(await isFound(org, memory, worker, n))) lost.push(idOf(worker, n));
  }
  await memory.close();
  return lost;
}

/** Runs `processes` workers and a witness for `seconds`. */
export async function runCrowd(
  { store, home, url }: OpenedDatabase,
  { processes, seconds }: { processes: number; seconds: number },
): Promise<Crowd> {
  const org = await store.forOrg(await store.createOrg('Brightwater Homes'));
  const { connectionId } = await addSource(org);
  const task = { home, url, orgId: org.orgId, connectionId, seconds };
  const [witness, ...workers] = await Promise.all([
    run({ ...task, worker: -1 }),
    ...Array.from({ length: processes }, (_, worker) => run({ ...task, worker })),
  ]);
  const all = workers.flatMap(({ worker, ingested }) =>
    Array.from({ length: ingested }, (_, n) => ({ worker, n })),
  );
  const every = Math.ceil(all.length / mostAskedAtTheEnd);
  const asked = all.filter((_, i) => i % every === 0);
  return {
    workers,
    witness,
    lost: await missing(org, workers),
    askedAtTheEnd: asked.length,
    notFoundAtTheEnd: await notFound(org, asked),
  };
}
