// A fair lock within one process: whoever asked first is served first, so that one process never fights
// itself for a database.

export interface QueueLock {
  /** Resolves when it is the caller's turn; call the result once to pass the turn on. */
  take(): Promise<() => void>;
}

export function createQueueLock(): QueueLock {
  let last: Promise<void> = Promise.resolve();
  return {
    async take() {
      const before = last;
      const turn = Promise.withResolvers<void>();
      last = turn.promise;
      await before;
      return turn.resolve;
    },
  };
}
