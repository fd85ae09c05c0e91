// What a person changed in a proposal before approving it, field by field.
import { visible } from '../../untrusted.ts';

export interface Edit {
  /** Where in the payload: `to.0.email`. */
  field: string;
  /** As text; undefined: it was not there. */
  proposed?: string;
  approved?: string;
}

const mostEdits = 40;
const longestValue = 1_000;

/** Leaves that differ, in the order of the payload; at most 40, each value at most 1,000 characters. */
export function editsBetween(proposed: unknown, approved: unknown): Edit[] {
  const [before, after] = [leaves(proposed), leaves(approved)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((field) => before.get(field) !== after.get(field))
    .slice(0, mostEdits)
    .map((field) => {
      const [was, is] = [before.get(field), after.get(field)];
      return {
        field: visible(field),
        ...(was === undefined ? {} : { proposed: short(was) }),
        ...(is === undefined ? {} : { approved: short(is) }),
      };
    });
}

function short(value: string): string {
  const text = visible(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

function leaves(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    for (const [key, one] of Object.entries(value)) leaves(one, path === '' ? key : `${path}.${key}`, found);
  } else if (value !== undefined) {
    found.set(path, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return found;
}
