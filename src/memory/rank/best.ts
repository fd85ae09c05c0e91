// The best of many by score, without sorting all: a heap whose root is the worst that is kept.

/** Slots with their scores, best first; of equal ones the lower slot. */
export interface Best {
  slots: number[];
  scores: number[];
}

export interface BestKeeper {
  offer(slot: number, score: number): void;
  /** What it takes to be kept; below it there is no use to offer. */
  readonly least: number;
  /** Empties the keeper. */
  take(): Best;
}

export function keepBest(count: number): BestKeeper {
  const slots = new Uint32Array(count);
  const scores = new Float64Array(count);
  let size = 0;

  const worse = (a: number, b: number) => {
    const x = scores[a] ?? 0;
    const y = scores[b] ?? 0;
    return x < y || (x === y && (slots[a] ?? 0) > (slots[b] ?? 0));
  };
  const swap = (a: number, b: number) => {
    const slot = slots[a] ?? 0;
    const score = scores[a] ?? 0;
    slots[a] = slots[b] ?? 0;
    scores[a] = scores[b] ?? 0;
    slots[b] = slot;
    scores[b] = score;
  };
  const sink = () => {
    for (let at = 0; ; ) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < size && worse(child, worst)) worst = child;
      if (worst === at) return;
      swap(at, worst);
      at = worst;
    }
  };

  return {
    get least() {
      return size < count ? Number.NEGATIVE_INFINITY : (scores[0] ?? 0);
    },
    offer(slot, score) {
      if (size < count) {
        slots[size] = slot;
        scores[size] = score;
        for (let at = size; at > 0; ) {
          const parent = (at - 1) >> 1;
          if (!worse(at, parent)) break;
          swap(at, parent);
          at = parent;
        }
        size += 1;
        return;
      }
      const root = scores[0] ?? 0;
      if (count === 0 || score < root || (score === root && slot > (slots[0] ?? 0))) return;
      slots[0] = slot;
      scores[0] = score;
      sink();
    },
    take() {
      const order = Array.from({ length: size }, (_, i) => i).sort((a, b) => (worse(a, b) ? 1 : -1));
      const best = {
        slots: order.map((i) => slots[i] ?? 0),
        scores: order.map((i) => scores[i] ?? 0),
      };
      size = 0;
      return best;
    },
  };
}
