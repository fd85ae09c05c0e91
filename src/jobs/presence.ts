// Which Drawbridge servers live on this database: each tells itself in a row with a heartbeat. A row
// without one is a dead process.
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';

const beat = 10_000;
const stale = 35_000;

export interface LiveProcess {
  pid: number;
  kind: 'stdio' | 'http';
  url: string | undefined;
}

export interface Presence {
  /** Tells where this process serves pages. */
  serving(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** Registers this process; `onBeat` runs with each heartbeat, its failures are logged. */
export async function announce(
  store: Store,
  given: { kind: LiveProcess['kind']; pid: number; clock: Clock; log: Log; onBeat?: () => Promise<void> },
): Promise<Presence> {
  const { clock, log } = given;
  const stopped = new AbortController();
  const started = await store.control.now();
  const id = newId('prc', started);
  await store.control.write(async (tx) => {
    await tx
      .deleteFrom('processes')
      .where('heartbeat_at', '<', started - stale)
      .execute();
    await tx
      .insertInto('processes')
      .values({ id, pid: given.pid, kind: given.kind, url: null, started_at: started, heartbeat_at: started })
      .execute();
  });

  async function beats(): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleep(beat, { signal: stopped.signal, unref: true });
      } catch {
        return; // stopped
      }
      try {
        const now = await store.control.now();
        await store.control.write((tx) =>
          tx.updateTable('processes').set({ heartbeat_at: now }).where('id', '=', id).execute(),
        );
        await given.onBeat?.();
      } catch (thrown) {
        log.warn({ err: thrown }, 'heartbeat failed');
      }
    }
  }
  const running = beats();

  return {
    async serving(url) {
      await store.control.write((tx) =>
        tx.updateTable('processes').set({ url }).where('id', '=', id).execute(),
      );
    },
    async stop() {
      stopped.abort();
      await running;
      await store.control.write((tx) => tx.deleteFrom('processes').where('id', '=', id).execute());
    },
  };
}

/** Servers with a heartbeat of late, and a process behind it. `isAlive` answers for a pid on this machine. */
export async function liveProcesses(
  store: Store,
  isAlive: (pid: number) => boolean = pidIsAlive,
): Promise<LiveProcess[]> {
  const now = await store.control.now();
  const rows = await store.control.read((db) =>
    db
      .selectFrom('processes')
      .select(['pid', 'kind', 'url'])
      .where('heartbeat_at', '>=', now - stale)
      .orderBy('started_at')
      .execute(),
  );
  return rows
    .filter((row) => isAlive(row.pid))
    .map((row) => ({ pid: row.pid, kind: row.kind, url: row.url ?? undefined }));
}

function pidIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // Not ours to signal, but there.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
