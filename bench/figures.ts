// Medians and percentiles, and how a bench prints them.

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** A line of a bench: what, ours, the reference, their ratio and the goal. */
export function row(what: string, ours: number, reference: number, unit: string, goal: string): string {
  return `${what.padEnd(34)} ${ours.toFixed(1).padStart(10)} ${unit.padEnd(5)} reference ${reference.toFixed(1).padStart(10)} ${unit.padEnd(5)} ratio ${(ours / reference).toFixed(2)}  (goal: ${goal})`;
}
