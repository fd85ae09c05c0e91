// The action queue, as the floors above see it: propose, decide, run, tell. No write reaches a provider by
// another road.
import type { Agent, Person, Principal } from '../auth/principal.ts';
import type { LiveRecord } from '../providers/define.ts';
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
  /** Takes the place of the hash in finding the same proposal again: the same key with other arguments is an error. */
  idempotencyKey?: string;
  /** Documents that the proposal rests on: `ime://documents/…` that the principal may read. */
  citations?: string[];
  /** What the client tells of the conversation. */
  conversation?: string;
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
  /** The live record that it changes, as it was read; undefined where it changes none. */
  before: LiveRecord | undefined;
  policy: PolicyVerdict | undefined;
  /** Set where a person edited it: what was proposed. `payload` is what was approved. */
  proposed: { payload: unknown; payloadHash: string; reason: string | undefined } | undefined;
  snoozedUntil: number | undefined;
  /** The member who is asked; undefined: any. */
  assignedTo: string | undefined;
  /** Approved, and not run before this moment: until then it can be cancelled. */
  holdUntil: number | undefined;
  undoOf: string | undefined;
  /** What taking it back is called, where that can be proposed. */
  undo: { title: string } | undefined;
  citations: string[];
  conversation: string | undefined;
  /** When a person erased what it said: hashes, states and times are left. */
  erasedAt: number | undefined;
  /** Signed by a passkey: its id and name. */
  proof: { credential: string; name: string; at: number } | undefined;
}

/** What policy said of an action when it was proposed. */
export interface PolicyVerdict {
  outcome: 'deny' | 'ask' | 'auto';
  /** In words, naming the rule. */
  why: string;
  rule: string | undefined;
  /** Of the rules: part of the envelope. */
  version: string;
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

export type Channel = 'mcp' | 'terminal' | 'page' | 'elicitation' | 'policy' | 'executor' | 'clock';

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
    filter?: {
      statuses?: ActionStatus[];
      limit?: number;
      before?: string;
      /** Only what this one proposed: its kind, and the id of the member or the key. */
      proposedBy?: { kind: string; id: string };
      /** Also those that a person put off; whoever asks for what one proposed gets them anyway. */
      snoozed?: boolean;
      /** Only what this member is asked about. */
      assignedTo?: string;
    },
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
      /** Approves this in the place of what was proposed: checked like a proposal, with a hash of its own. */
      edited?: unknown;
      /** A passkey's assertion over the decision, where the org asks for one. */
      presence?: unknown;
      /** With the channel `elicitation`: the client that carried it, which the org must have allowed. */
      client?: string;
    },
  ): Promise<Action>;
  /**
   * The person in whose name this client may carry a decision on the action in the conversation; undefined: it
   * may not.
   */
  carrier(org: OrgStore, agent: Agent, action: Action): Promise<Person | undefined>;
  /**
   * What an edit would approve, and under which hash (a signature is made over that); nothing is decided.
   * @throws DrawbridgeError as `decide`
   */
  previewEdit(
    org: OrgStore,
    person: Person,
    given: { actionId: string; hash: string; edited: unknown; channel: Channel },
  ): Promise<Pick<Action, 'payload' | 'payloadHash' | 'summary' | 'before' | 'policy'>>;
  /** Hides a pending action from the list until then (integer ms); its expiry stays. */
  snooze(
    org: OrgStore,
    person: Person,
    given: { actionId: string; until: number; channel: Channel },
  ): Promise<Action>;
  /** Asks another member to decide. @throws DrawbridgeError `not_found` for one who is no member */
  handOver(
    org: OrgStore,
    person: Person,
    given: { actionId: string; to: string; channel: Channel },
  ): Promise<Action>;
  /** Proposes what takes a completed action back. @throws DrawbridgeError `conflict` where it has no such thing */
  undo(org: OrgStore, principal: Principal, actionId: string): Promise<{ action: Action; attached: boolean }>;
  /** A pending (or approved, not yet executing) action is withdrawn by who proposed it, or by a person. */
  cancel(org: OrgStore, principal: Agent | Person, id: string, channel: Channel): Promise<Action>;
  /** A person says what became of an `unknown` action. */
  settle(
    org: OrgStore,
    person: Person,
    settlement: { actionId: string; happened: boolean; reason: string; channel: Channel },
  ): Promise<Action>;
  /**
   * A person takes what a final action says out of the queue, its history, its attachments and the record; the
   * hashes stay. One that was erased already stays as it is.
   * @throws DrawbridgeError `conflict` for an action that may still run
   */
  erase(
    org: OrgStore,
    person: Person,
    given: { actionId: string; reason: string; channel: Channel },
  ): Promise<Action>;
  /** The same of every final action that names this e-mail address, and of the record's values that do. */
  erasePerson(
    org: OrgStore,
    person: Person,
    given: { address: string; reason: string; channel: Channel },
  ): Promise<{ actions: string[]; live: { id: string; status: ActionStatus }[]; values: number }>;
  /** Runs approved actions, reconciles unknown ones and expires old ones, once; returns how many it moved. */
  runDue(org: OrgStore, options?: { signal?: AbortSignal }): Promise<number>;
  /** `runDue` again and again for every org until `stop`; `wake` runs it at once. */
  startExecutor(orgs: () => Promise<OrgStore[]>): { wake(): void; stop(): Promise<void> };
  /** Told after each move in this process (other processes' moves are seen by reading). Returns the unsubscribe. */
  onMove(listener: (orgId: string, action: Action) => void): () => void;
}
