// What the verbs of the queue share: the rooms below, the clock, and the times that its promises are made of.
import type { Audit } from '../audit/audit.ts';
import type { Agent, Person, Principal } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionRow } from './envelope.ts';
import type { Action, PolicyVerdict } from './queue.ts';
import type { Steady } from './steady.ts';

/** Where a fault test may stop the executor. Each is passed once for an action that runs through. */
export type Checkpoint =
  | 'before-claim'
  | 'after-claim'
  | 'after-verify'
  | 'before-sending-mark'
  | 'after-sending-mark'
  | 'before-outcome'
  | 'after-outcome';

/** What policy looks at. */
export interface PolicySubject {
  provider: string;
  operation: string;
  effect: string;
  connectionId: string;
  /** The provider's own id of the account. */
  account: string;
  /** Whether the operation says whom and how much it concerns; where it does not, neither is known. */
  told: boolean;
  recipients: readonly string[];
  amount: { value: number; currency: string } | undefined;
  /** The member who decided, where one has: that person's own rules bind it, too. */
  decidedBy?: string | undefined;
  /** Database time. */
  at: number;
  /** Who proposed it; `id`: the member, or the key. */
  principal: { kind: string; id: string; name: string };
}

export interface Policy {
  judge(org: OrgStore, subject: PolicySubject): Promise<PolicyVerdict>;
}

/** Whether a decision must be signed by a passkey, and whether it was. */
export interface Presence {
  require(org: OrgStore, action: Pick<Action, 'id' | 'effect' | 'operation' | 'provider'>): Promise<boolean>;
  /**
   * `decision.hash` is what is approved: with edits, the hash of the edited payload.
   * @returns JSON to store: `credential`, `name` and `at` (integer ms), and whatever verifies it offline
   * @throws DrawbridgeError `permission_denied`
   */
  check(
    org: OrgStore,
    person: Person,
    decision: { actionId: string; verdict: 'approve' | 'reject'; hash: string; presence: unknown },
    row: ActionRow,
  ): Promise<string>;
  /** Before it runs, of an action that requires it. @throws DrawbridgeError `conflict`: then nothing is sent */
  verify(org: OrgStore, row: ActionRow): Promise<void>;
}

export interface QueueRoom {
  connections: Connections;
  clock: Clock;
  log: Log;
  steady: Steady;
  /** Milliseconds from proposal to expiry. */
  actionTtlMs: number;
  /** Bytes that all attachments of one action may hold together. */
  attachmentLimit: number;
  /** The record of every move; undefined: none is kept. */
  audit?: Pick<Audit, 'append'> | undefined;
  /** Names this process in leases; unguessable, new with each start. */
  owner: string;
  /** Milliseconds that a lease lasts unless it is renewed. */
  leaseMs: number;
  /** Milliseconds that an approved send waits, and can be taken back, before it leaves. */
  holdMs: number;
  /** New actions of one principal a minute. */
  proposalsPerMinute: number;
  /** Absent: every write asks. */
  policy?: Policy | undefined;
  /** Absent: no decision needs a signature. */
  presence?: Presence | undefined;
  /** Absent: nothing is handed over. */
  member?: ((orgId: string, memberId: string) => Promise<{ name: string } | undefined>) | undefined;
  checkpoint(step: Checkpoint, actionId: string | undefined): void | Promise<void>;
  /** Tells the listeners of this process, after the move was committed. */
  announce(orgId: string, action: Action): void;
}

export const seconds = 1_000;
const minutes = 60 * seconds;
export const hours = 60 * minutes;

/** Canonical JSON of a payload, in UTF-8 bytes. */
export const payloadLimit = 1024 * 1024;
/** An identical proposal gets the finished action's outcome for this long. */
export const replayMs = 10 * minutes;
/** Claims of one action before it fails; a claim that ran into a dead process counts. */
export const maxAttempts = 8;
/** Rest after the nth claim that came to nothing. */
export const attemptBackOff = [5 * seconds, 15 * seconds, 60 * seconds, 5 * minutes, 15 * minutes] as const;
/** Longest rest between attempts, whatever a provider asks for. */
export const longestRest = 60 * minutes;
/** Longest run of one operation; SMTP allows 10 minutes for the answer to the mail (RFC 5321, 4.5.3.2.6). */
export const runLimitMs = 15 * minutes;
/** An approval is not acted on later than this after the decision, or after the action's own expiry if that is later. */
export const approvalLastsMs = 60 * minutes;
/** When an unknown action is looked up, counted from the look-up before. After the last, a person decides. */
export const lookUpBackOff = [
  5 * seconds,
  30 * seconds,
  2 * minutes,
  10 * minutes,
  hours,
  6 * hours,
  24 * hours,
] as const;
export const lookUpLimitMs = 60 * seconds;
/** A request that a stalled process still holds may arrive late: absence proves nothing before this has passed. */
export const lateEffectMs = 30 * seconds;

/** The nth (from 1) of a back-off, the last one for ever after. */
export function restAfter(backOff: readonly number[], nth: number): number {
  return backOff[Math.min(Math.max(nth, 1), backOff.length) - 1] ?? longestRest;
}

/** @throws DrawbridgeError `permission_denied`: a principal of one org with the handle of another is our own mistake, and ends here. */
export function sameOrg(org: OrgStore, principal: Principal): void {
  if (principal.orgId !== org.orgId) {
    throw new DrawbridgeError('permission_denied', 'You act in another organisation.');
  }
}

/** @throws DrawbridgeError `permission_denied` for an agent whose key may only read. */
export function mayPropose(principal: Principal): void {
  if (principal.kind === 'agent' && !(principal as Agent).scopes.includes('propose')) {
    throw new DrawbridgeError(
      'permission_denied',
      'This key may read only. Ask the owner for a key with the scope "propose".',
    );
  }
}
