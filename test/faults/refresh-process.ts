// A process of its own that reads from a connection whenever it is told. Started with one JSON argument,
// RefreshTask; each message is a round, and is answered with what came of it.
import { createOAuth } from '../../src/auth/oauth/create.ts';
import { systemClock } from '../../src/clock.ts';
import { openHarbour } from './refresh-rooms.ts';

export interface RefreshTask {
  home: string;
  /** PostgreSQL; absent: embedded, in the home. */
  databaseUrl?: string | undefined;
  sandboxUrl: string;
  orgId: string;
  connectionId: string;
  leaseMs: number;
  /** Dies by SIGKILL when the provider has rotated the token, before anything is stored. */
  diesAfterRotation: boolean;
}

export interface Told {
  round: number;
  /** Absent when the read succeeded. */
  error?: string;
  ms: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as RefreshTask;
const oauth = createOAuth({ clock: systemClock });
const rooms = await openHarbour(task.home, {
  sandboxUrl: task.sandboxUrl,
  databaseUrl: task.databaseUrl,
  leaseMs: task.leaseMs,
  oauth: {
    ...oauth,
    async refresh(...call) {
      const answer = await oauth.refresh(...call);
      if (task.diesAfterRotation) process.kill(process.pid, 'SIGKILL');
      return answer;
    },
  },
});
const org = await rooms.store.forOrg(task.orgId);

async function read(): Promise<void> {
  const connection = await rooms.connections.get(org, task.connectionId);
  await rooms.connections.runRead(org, connection, 'berths', {}, { timeoutMs: 140_000 });
}

process.on('message', (round: number) => {
  const began = performance.now();
  const tell = (error?: string): void => {
    const ms = Math.round(performance.now() - began);
    process.send?.({ round, ms, ...(error === undefined ? {} : { error }) } satisfies Told);
  };
  read().then(
    () => tell(),
    (error: unknown) => tell(String(error)),
  );
});
process.on('disconnect', () => void rooms.close());
// Ready: the rooms are open, and the first read finds nothing to load.
await read();
process.send?.({ round: 0, ms: 0 } satisfies Told);
