// JSON as text, the same bytes in both databases.

export function toJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** Trusts its own column: what `toJson` wrote there, and nothing from outside. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
