// Calls in flight at once: of one connection, and of one provider in this process. First come, first served.

export interface Slots {
  /**
   * Resolves with the release once so many slots are free, taken together; rejects with the signal's reason.
   * @param wanted default 1; more than there are means all
   */
  enter(signal: AbortSignal, wanted?: number): Promise<() => void>;
  /** Nobody holds one, so nobody waits either. */
  rests(): boolean;
}

/** At most `concurrent` holders at once, first come first served. */
export function createSlots(concurrent: number): Slots {
  let free = concurrent;
  const waiting: { wanted: number; admit(): void }[] = [];
  /** Whoever wants many is not overtaken by those who want few. */
  function admitNext(): void {
    for (let next = waiting[0]; next !== undefined && next.wanted <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.wanted;
      next.admit();
    }
  }
  function once(held: number): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      free += held;
      admitNext();
    };
  }
  return {
    rests: () => free === concurrent,
    async enter(signal, asked = 1) {
      signal.throwIfAborted();
      const wanted = Math.min(asked, concurrent);
      if (waiting.length === 0 && wanted <= free) {
        free -= wanted;
        return once(wanted);
      }
      return new Promise((resolve, reject) => {
        const place = {
          wanted,
          admit(): void {
            signal.removeEventListener('abort', giveUp);
            resolve(once(wanted));
          },
        };
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(place), 1);
          reject(signal.reason);
          admitNext();
        };
        waiting.push(place);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
