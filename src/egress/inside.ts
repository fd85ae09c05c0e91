// Who is calling, for clients that cannot be handed a fetch: the work they run in knows its caller, and what
// they send from there goes through the door as that caller.
import { AsyncLocalStorage } from 'node:async_hooks';
import { DrawbridgeError } from '../errors.ts';
import type { FetchOptions } from './egress.ts';

/** The door as one caller has it. */
export interface Inside {
  fetch(input: string | URL, init?: FetchOptions): Promise<Response>;
}

const inside = new AsyncLocalStorage<Inside>();

export function runInside<Result>(door: Inside, work: () => Promise<Result>): Promise<Result> {
  return inside.run(door, work);
}

/** The door of the work that this is called from; undefined outside of any. */
export function currentDoor(): Inside | undefined {
  return inside.getStore();
}

/** What a client gets that tries to leave by itself. `host` only: the rest of an address may hold data. */
export function unguarded(host: string): DrawbridgeError {
  return new DrawbridgeError(
    'internal',
    `A call to ${host === '' ? 'an address' : host} tried to leave past the door, and was refused.`,
  );
}
