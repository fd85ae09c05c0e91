// What a page is given: the rooms it reads, and who looks at it. Agents never get here.
import type { HttpBindings } from '@hono/node-server';
import type { Session } from '../auth/sign-in.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import type { Log } from '../log.ts';
import type { Queue } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';

export interface PageRooms {
  clock: Clock;
  log: Log;
  connections: Pick<Connections, 'list'>;
  queue: Pick<Queue, 'get' | 'list' | 'events' | 'decide' | 'settle' | 'cancel' | 'onMove'>;
  orgFor(orgId: string): Promise<OrgStore>;
  /** Has the executor look at once. */
  wake(): void;
}

export interface PageEnv {
  Bindings: HttpBindings;
  Variables: {
    /** The origin that this request came to, one of ours. */
    origin: string;
    /** Whether it came over https. */
    secure: boolean;
    session: Session;
  };
}
