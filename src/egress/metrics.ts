// How often each provider's operations were called, how it went and how long it took. Numbers only: no
// address, no query, no body.
import type { Caller, EgressMetric } from './egress.ts';

export interface Metrics {
  /** `outcome`: `ok`, an HTTP status, or an error code. */
  add(caller: Caller, outcome: string, ms: number): void;
  all(): EgressMetric[];
}

export function createMetrics(): Metrics {
  const rows = new Map<string, EgressMetric>();
  return {
    add({ provider, operation }, outcome, ms) {
      const key = JSON.stringify([provider, operation, outcome]);
      const row = rows.get(key) ?? { provider, operation, outcome, count: 0, totalMs: 0 };
      row.count += 1;
      row.totalMs += ms;
      rows.set(key, row);
    },
    all: () => [...rows.values()].map((row) => ({ ...row })),
  };
}
