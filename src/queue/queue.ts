// The action queue, as the floors above see it: propose, decide, run, tell. No write reaches a provider by
// another road.
import type { Agent, Person, Principal } from '../auth/principal.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionStatus } from '../store/tables.ts';

export interface Attachment {
  name: string;
  mediaType: string;
  bytes: Uint8Array;
}

export interface Proposal {
  connectionId: string;
  /** Name of a write operation of the connection's provider. */
  operation: string;
  payload: unknown;
  /** Copied into the action now; the payload names each by its SHA-256. */
  attachments?: Attachment[];
  /** Lines that a person should see beside the payload (clashes, say); not hashed. */
  warnings?: string[];
  note?: string;
}

export interface Action {
  id: string;
  status: ActionStatus;
  operation: string;
  effect: string;
  provider: string;
  connectionId: string;
  accountLabel: string;
  summary: string;
  payload: unknown;
  payloadHash: string;
  warnings: string[];
  attachments: { name: string; mediaType: string; size: number; sha256: string }[];
  proposedBy: { kind: string; name: string };
  note: string | undefined;
  proposedAt: number;
  expiresAt: number;
  decidedAt: number | undefined;
  decidedBy: { name: string } | undefined;
  decisionChannel: string | undefined;
  decisionReason: string | undefined;
  finishedAt: number | undefined;
  /** Set once final, and while `unknown` (with the evidence gathered so far). */
  outcome: ActionOutcome | undefined;
}

export type ActionOutcome =
  | {
      kind: 'completed';
      reference: string;
      url?: string;
      details: Record<string, unknown>;
      warning?: string;
      found?: 'by look-up' | 'said by a person';
    }
  | { kind: 'failed'; code: string; message: string }
  | { kind: 'unknown'; message: string; evidence: string[] };

export interface ActionEvent {
  seq: number;
  from: ActionStatus | undefined;
  to: ActionStatus;
  at: number;
  by: { kind: string; name: string };
  channel: string;
  detail: Record<string, unknown>;
}

export type Channel = 'mcp' | 'terminal' | 'page' | 'executor' | 'clock';

export interface Queue {
  /**
   * Validates, canonicalises, hashes and stores. `attached`: an identical proposal was not final yet (or
   * finished less than 10 minutes ago), and this is it.
   * @throws DrawbridgeError `invalid_request` naming the field; then nothing is queued.
   */
  propose(
    org: OrgStore,
    principal: Principal,
    proposal: Proposal,
  ): Promise<{ action: Action; attached: boolean }>;
  /** @throws DrawbridgeError `not_found` */
  get(org: OrgStore, id: string): Promise<Action>;
  list(
    org: OrgStore,
    filter?: { statuses?: ActionStatus[]; limit?: number; before?: string },
  ): Promise<Action[]>;
  events(org: OrgStore, id: string): Promise<ActionEvent[]>;
  /**
   * A person decides on exactly what was hashed.
   * @throws DrawbridgeError `conflict` when the hash is not the action's or it is no longer pending.
   */
  decide(
    org: OrgStore,
    person: Person,
    decision: {
      actionId: string;
      verdict: 'approve' | 'reject';
      hash: string;
      reason?: string;
      channel: Channel;
    },
  ): Promise<Action>;
  /** A pending (or approved, not yet executing) action is withdrawn by who proposed it, or by a person. */
  cancel(org: OrgStore, principal: Agent | Person, id: string, channel: Channel): Promise<Action>;
  /** A person says what became of an `unknown` action. */
  settle(
    org: OrgStore,
    person: Person,
    settlement: { actionId: string; happened: boolean; reason: string; channel: Channel },
  ): Promise<Action>;
  /** Runs approved actions, reconciles unknown ones and expires old ones, once; returns how many it moved. */
  runDue(org: OrgStore, options?: { signal?: AbortSignal }): Promise<number>;
  /** `runDue` again and again for every org until `stop`; `wake` runs it at once. */
  startExecutor(orgs: () => Promise<OrgStore[]>): { wake(): void; stop(): Promise<void> };
  /** Told after each move in this process (other processes' moves are seen by reading). Returns the unsubscribe. */
  onMove(listener: (orgId: string, action: Action) => void): () => void;
}
