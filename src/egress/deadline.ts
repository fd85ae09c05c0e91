// Work that ends when its time is up or its caller gives up, even if it does not listen to its signal.
import type { Clock } from '../clock.ts';
import type { DrawbridgeError } from '../errors.ts';

export interface Deadline {
  clock: Clock;
  timeoutMs: number;
  /** The caller's own. */
  signal?: AbortSignal | undefined;
  /** What is thrown when the time is up. */
  expired(): DrawbridgeError;
}

/** @throws what `work` throws; once aborted, the abort's reason instead: the cause, not its echo */
export async function withDeadline<Result>(
  { clock, timeoutMs, signal: callers, expired }: Deadline,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const over = new AbortController();
  const signal = callers === undefined ? limit.signal : AbortSignal.any([callers, limit.signal]);
  // Holds the process: work that waits for nothing of this machine must still be told that its time is up.
  void clock.sleep(timeoutMs, { signal: over.signal }).then(
    () => limit.abort(expired()),
    // The work was over first.
    () => undefined,
  );
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  // Both may reject after the race is decided, with nobody left to listen.
  aborted.promise.catch(() => undefined);
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    const running = work(signal);
    running.catch(() => undefined);
    return await Promise.race([running, aborted.promise]);
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
  }
}
