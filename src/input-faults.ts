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
    const said = faultInWords(issue, raw);
    // What an expression means stands in the field's description, if anywhere.
    const meant = issue.code === 'invalid_format' ? describedAt(schema, issue.path) : undefined;
    return {
      field: path,
      text: `${path || whole}: ${said}${meant === undefined ? '' : ` (${meant})`}`,
    };
  });
}

/** What stands at `path`: itself, and behind it what it is where it is given at all. */
function formsAt(schema: z.ZodType, path: readonly PropertyKey[]): unknown[] {
  const bare = (one: unknown): unknown[] =>
    one instanceof z.ZodOptional || one instanceof z.ZodDefault ? [one, ...bare(one.unwrap())] : [one];
  let forms = bare(schema);
  for (const step of path) {
    const at = forms.at(-1);
    forms = bare(
      at instanceof z.ZodObject ? at.shape[String(step)] : at instanceof z.ZodArray ? at.element : undefined,
    );
  }
  return forms;
}

/** The names of the fields of the object that stands at `path`. */
function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const at = formsAt(schema, path).at(-1);
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

function describedAt(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  return formsAt(schema, path).flatMap((one) => (one instanceof z.ZodType ? (one.description ?? []) : []))[0];
}

const typesInWords: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const formatsInWords: Record<string, string> = {
  datetime: 'must be a time with its zone, like 2026-03-01T15:00:00Z',
  date: 'must be a date, like 2026-03-01',
  time: 'must be a time, like 15:00:00',
  email: 'must be an e-mail address',
  url: 'must be an address, like https://example.com',
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
    case 'invalid_format':
      // A message of the schema's own says more than we know; zod's own says less.
      if (!issue.message.startsWith('Invalid ')) return issue.message;
      return (
        formatsInWords[issue.format] ??
        (issue.pattern === undefined ? issue.message : `must match ${issue.pattern}`)
      );
    default:
      return issue.message;
  }
}
