// What is wrong with an input, in words for who gave it: each fault names its field, and says what it must be.
import { z } from 'zod';

export interface InputFault {
  /** Dotted path of the field, behind `under`. */
  field: string;
  /** The fault in a sentence that begins with the field. */
  text: string;
}

const mostFaults = 8;

/** At most eight of them. `under`: what stands in front of each path (`input`); `whole`: the input itself, by name. */
export function inputFaults(
  schema: z.ZodType,
  error: z.ZodError,
  raw: unknown,
  { under = '', whole = 'arguments' } = {},
): InputFault[] {
  return error.issues.slice(0, mostFaults).map((issue) => {
    const path = [...(under === '' ? [] : [under]), ...issue.path].join('.');
    if (issue.code === 'unrecognized_keys') {
      const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`)).join(', ');
      const there = path === under ? '' : ` of ${path}`;
      return {
        field: path,
        text: `${keys}: no such field. Fields${there} are: ${fieldsAt(schema, issue.path).join(', ')}`,
      };
    }
    return { field: path, text: `${path || whole}: ${faultInWords(issue, raw)}` };
  });
}

/** The names of the fields of the object that stands at `path`. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const step of [...path, undefined]) {
    while (at instanceof z.ZodOptional || at instanceof z.ZodDefault) at = at.unwrap();
    if (step === undefined) break;
    at =
      at instanceof z.ZodObject ? at.shape[String(step)] : at instanceof z.ZodArray ? at.element : undefined;
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

const typesInWords: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function faultInWords(issue: z.core.$ZodIssue, raw: unknown): string {
  switch (issue.code) {
    case 'invalid_type': {
      const given = issue.path.reduce<unknown>(
        (value, step) =>
          typeof value === 'object' && value !== null
            ? (value as Record<PropertyKey, unknown>)[step]
            : undefined,
        raw,
      );
      if (issue.path.length > 0 && given === undefined) return 'is missing';
      return `must be ${typesInWords[issue.expected] ?? issue.expected}`;
    }
    case 'invalid_value':
      return `must be one of: ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      if (issue.origin === 'number' || issue.origin === 'int') return `must be at least ${issue.minimum}`;
      if (issue.minimum === 1) return 'must not be empty';
      return `must have at least ${issue.minimum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    case 'too_big':
      if (issue.origin === 'number' || issue.origin === 'int') return `must be at most ${issue.maximum}`;
      return `must have at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
    default:
      return issue.message;
  }
}
