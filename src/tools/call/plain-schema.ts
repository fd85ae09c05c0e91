// A JSON Schema as clients and models are shown it: no more than tells them something.

/** Characters of an expression that still tell something to whoever reads it. */
const longestPattern = 100;

/**
 * Bounds that only say "a safe integer" or "not empty", the expression behind a format that has a name or a long one
 * behind a description, and whether an answer of ours may have other fields, cost tokens and tell a client nothing:
 * what comes in is checked here in full.
 */
export function plain(value: unknown, side: 'input' | 'output'): object {
  const within = (item: unknown) => (typeof item === 'object' && item !== null ? plain(item, side) : item);
  if (Array.isArray(value)) return value.map(within);
  const given = value as Record<string, unknown>;
  const isNamed = typeof given['format'] === 'string';
  const isDescribed = typeof given['description'] === 'string';
  const entries = Object.entries(given).filter(
    ([key, item]) =>
      !((key === 'maximum' || key === 'minimum') && Math.abs(Number(item)) === Number.MAX_SAFE_INTEGER) &&
      !(key === 'minLength' && item === 1) &&
      !(
        key === 'pattern' &&
        typeof item === 'string' &&
        (isNamed || (isDescribed && item.length > longestPattern))
      ) &&
      !(key === '$schema' && typeof item === 'string') &&
      !(key === 'additionalProperties' && side === 'output'),
  );
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      // Any field, said as every converter reads it: some take the empty schema for no further field.
      key === 'additionalProperties' && Object.keys(Object(item)).length === 0
        ? item !== false
        : within(item),
    ]),
  );
}
