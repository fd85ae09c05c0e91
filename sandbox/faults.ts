// Failure on order: a test or a person says what goes wrong next, and each server of the sandbox obeys once.

export type Fault =
  /** Answers with this status instead of doing the work: an HTTP status, an SMTP reply code, or any number for an IMAP NO. */
  | { kind: 'refuse'; status: number; text?: string; headers?: Record<string, string> }
  /** Cuts the connection: before anything happened, or after the effect stands but before the answer leaves. */
  | { kind: 'drop'; after: 'nothing' | 'effect' }
  /** Does the work only when `until` settles. */
  | { kind: 'hold'; until: Promise<unknown> }
  /** Answers with this body, byte for byte, as if it were the true answer; of IMAP in the line that ends a command (not SMTP). */
  | { kind: 'garble'; body: string; contentType?: string };

interface Order {
  fault: Fault;
  /** Part of the label of the step that should fail; empty fits every step. */
  step: string;
}

/** A queue of faults, each taken by the first step whose label contains the order's `step`. */
export class Faults {
  readonly #orders: Order[] = [];

  /** `times` faults, one after the other, on steps whose label contains `step` (case is ignored). */
  failNext(fault: Fault, step = '', times = 1): void {
    for (let i = 0; i < times; i += 1) this.#orders.push({ fault, step: step.toUpperCase() });
  }

  /** Takes the order meant for `step`, if there is one. */
  take(step: string): Fault | undefined {
    const label = step.toUpperCase();
    const at = this.#orders.findIndex((order) => label.includes(order.step));
    return at < 0 ? undefined : this.#orders.splice(at, 1)[0]?.fault;
  }

  clear(): void {
    this.#orders.length = 0;
  }
}
