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
  /** So many steps that fit go well first. */
  spare: number;
}

/** A queue of faults, each taken by the first step whose label contains the order's `step`. */
export class Faults {
  readonly #orders: Order[] = [];

  /**
   * `times` faults, one after the other, on steps whose label contains `step` (case is ignored).
   * @param spare so many of those steps go well first
   */
  failNext(fault: Fault, step = '', times = 1, spare = 0): void {
    for (let i = 0; i < times; i += 1) {
      this.#orders.push({ fault, step: step.toUpperCase(), spare: i === 0 ? spare : 0 });
    }
  }

  /** Takes the order meant for `step`, if there is one. */
  take(step: string): Fault | undefined {
    const label = step.toUpperCase();
    const at = this.#orders.findIndex((order) => label.includes(order.step));
    const order = this.#orders[at];
    if (order === undefined) return undefined;
    if (order.spare > 0) {
      order.spare -= 1;
      return undefined;
    }
    this.#orders.splice(at, 1);
    return order.fault;
  }

  /** Faults that no step has met yet. */
  get waiting(): number {
    return this.#orders.length;
  }

  clear(): void {
    this.#orders.length = 0;
  }
}
