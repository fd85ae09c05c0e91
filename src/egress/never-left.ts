// Calls that the door itself ended before their first byte: what they would have caused did not happen.
import type { DrawbridgeError } from '../errors.ts';

const unsent = new WeakSet<object>();

/** For the door alone. `error` must be of this one call. */
export function markUnsent(error: DrawbridgeError): void {
  unsent.add(error);
}

/** Whether certainly nothing of the call went out (a limit, an open breaker). */
export function neverLeft(error: unknown): error is DrawbridgeError {
  return typeof error === 'object' && error !== null && unsent.has(error);
}
