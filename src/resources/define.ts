// The shape of a resource kind: a URI prefix, how one is read, which there are, and how an id is completed.
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import type { Memory } from '../memory/memory.ts';
import type { Receipts } from '../memory/receipts/receipts.ts';
import type { Queue } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';

export interface ResourceContext {
  org: OrgStore;
  rooms: {
    clock: Clock;
    memory: Memory;
    receipts: Receipts;
    connections: Connections;
    queue: Queue;
    approveUrl(actionId: string): string;
  };
}

export interface ResourceText {
  mimeType: string;
  text: string;
  trust: 'trusted' | 'untrusted';
}

export interface ResourceEntry {
  id: string;
  name: string;
  description?: string;
}

export interface ResourceKind {
  name: string;
  title: string;
  description: string;
  /** The URI is this and the id. */
  prefix: string;
  mimeType: string;
  /** @throws DrawbridgeError `not_found`, for another org's id alike */
  read(context: ResourceContext, id: string): Promise<ResourceText>;
  /** The newest, at most `limit`. */
  list(context: ResourceContext, limit: number): Promise<ResourceEntry[]>;
}

export function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
