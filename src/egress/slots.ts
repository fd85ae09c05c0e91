// Calls in flight at once: of one connection, and of one provider in this process. First come, first served.

export interface Slots {
  /** Resolves with the release once a slot is free; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
  /** Nobody holds one, so nobody waits either. */
  rests(): boolean;
}

/** At most `concurrent` holders at once, first come first served. */
export function createSlots(concurrent: number): Slots {
  let free = concurrent;
  const waiting: (() => void)[] = [];
  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }
  function once(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      release();
    };
  }
  return {
    rests: () => free === concurrent,
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return once();
      }
      return new Promise((resolve, reject) => {
        const admit = (): void => {
          signal.removeEventListener('abort', giveUp);
          resolve(once());
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(admit), 1);
          reject(signal.reason);
        };
        waiting.push(admit);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
