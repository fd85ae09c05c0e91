// What a page is given: the rooms it reads, and who looks at it. Agents never get here.
import type { HttpBindings } from '@hono/node-server';
import type { Passkeys } from '../auth/passkeys.ts';
import type { Agent, Person } from '../auth/principal.ts';
import type { Session } from '../auth/sign-in.ts';
import type { Clock } from '../clock.ts';
import type { Notice } from '../connections/attention.ts';
import type { Connections } from '../connections/connections.ts';
import type { Ingestion } from '../jobs/ingestion.ts';
import type { Log } from '../log.ts';
import type { ClientBook } from '../memory/clients/book.ts';
import type { Memory } from '../memory/memory.ts';
import type { Brain } from '../memory/receipts/brain.ts';
import type { Receipts } from '../memory/receipts/receipts.ts';
import type { OrgPresence } from '../queue/decide/presence.ts';
import type { OrgPolicy } from '../queue/policy/policy.ts';
import type { Queue } from '../queue/queue.ts';
import type { OrgStore, SeenOrg } from '../store/store.ts';

export interface PageRooms {
  clock: Clock;
  log: Log;
  connections: Pick<
    Connections,
    | 'list'
    | 'get'
    | 'read'
    | 'write'
    | 'offers'
    | 'form'
    | 'notices'
    | 'events'
    | 'connect'
    | 'authorize'
    | 'authorized'
    | 'registerApp'
    | 'disconnect'
  >;
  queue: Pick<
    Queue,
    | 'get'
    | 'list'
    | 'events'
    | 'decide'
    | 'previewEdit'
    | 'snooze'
    | 'handOver'
    | 'undo'
    | 'settle'
    | 'cancel'
    | 'erase'
    | 'onMove'
  >;
  /** For the search, and the passages that an action cites; absent where there is no memory. */
  memory?: Pick<Memory, 'document' | 'documents' | 'search'> | undefined;
  /** Who belongs to an org. */
  members(orgId: string): Promise<readonly { id: string; name: string; role: 'owner' | 'member' }[]>;
  receipts: Pick<Receipts, 'outputs' | 'informedBy'>;
  brain: Brain;
  clientBook: ClientBook;
  ingestion: Pick<Ingestion, 'overview' | 'states' | 'request' | 'change' | 'decide'>;
  policy: OrgPolicy;
  presence: OrgPresence;
  passkeys: Passkeys;
  orgFor(orgId: string): Promise<OrgStore>;
  /** What memory shows to that person, by the readers of each document. */
  orgSeenBy(person: Person): Promise<SeenOrg>;
  /** Has the executor look at once. */
  wake(): void;
  /** Begins to bring what is new from a connection into memory. */
  refresh(org: OrgStore, connectionId: string): void;
  /** Address of a page of ours, for whom is elsewhere. */
  pageUrl(path: string): string;
}

/** Who looks at a page, and what needs them. */
export interface Viewer extends Session {
  notices?: readonly Notice[];
}

export interface PageEnv {
  Bindings: HttpBindings;
  Variables: {
    /** The origin that this request came to, one of ours. */
    origin: string;
    /** Whether it came over https. */
    secure: boolean;
    session: Viewer;
    /** On the API alone, where a key was shown instead of a session. */
    agent: Agent | undefined;
  };
}
