// One call of a tool: input checked, run, answered; whatever goes wrong becomes an answer that names the
// field and the mend, never a stack and never another org's existence.
import { z } from 'zod';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { Tool, ToolAnswer, ToolContext, ToolLink } from './define.ts';

export interface CallResult {
  content: ({ type: 'text'; text: string } | { type: 'resource_link'; uri: string; name: string })[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  [key: string]: unknown;
}

const longestResult = 40_000;

/**
 * @param open gives the context; it is asked only when the input is good
 * @param lead leads the person to a page: what it returns is answered instead, or the note is put in front
 */
export async function callTool<Led = never>(
  tool: Tool,
  raw: unknown,
  open: () => Promise<ToolContext>,
  lead?: (to: NonNullable<ToolAnswer<unknown>['lead']>) => { instead: Led } | { note: string } | undefined,
): Promise<CallResult | Led> {
  try {
    const input = parseInput(tool, raw);
    const context = await open();
    try {
      const answer = await tool.run(context, input);
      const led = answer.lead === undefined ? undefined : lead?.(answer.lead);
      if (led !== undefined && 'instead' in led) return led.instead;
      const text = led === undefined ? answer.text : `${led.note}\n${answer.text}`;
      return shape(text, answer.data, answer.links ?? []);
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError))
        context.rooms.log.error({ err: thrown, tool: tool.name }, 'tool failed');
      throw thrown;
    }
  } catch (thrown) {
    return failure(toDrawbridgeError(thrown));
  }
}

/** @throws DrawbridgeError `invalid_request` naming every field at fault */
function parseInput(tool: Tool, raw: unknown): z.output<Tool['input']> {
  const parsed = tool.input.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 8).map((issue) => {
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`)).join(', ');
      return `${keys}: no such field. Fields${path === '' ? '' : ` of ${path}`} are: ${fieldsAt(tool.input, issue.path).join(', ')}`;
    }
    return `${path || 'arguments'}: ${faultInWords(issue, raw)}`;
  });
  throw new DrawbridgeError(
    'invalid_request',
    `${tool.name} cannot run with these arguments.\n${faults.join('\n')}`,
    {
      field: parsed.error.issues[0]?.path.join('.') ?? '',
    },
  );
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

function shape(text: string, data: Record<string, unknown>, links: ToolLink[]): CallResult {
  const room = longestResult - JSON.stringify(data).length;
  const shown =
    text.length <= Math.max(room, 2_000)
      ? text
      : `${text.slice(0, Math.max(room, 2_000))}\n(shortened; the structured result is whole)`;
  return {
    content: [
      { type: 'text', text: shown },
      ...links.map((link) => ({ type: 'resource_link' as const, uri: link.uri, name: link.name })),
    ],
    structuredContent: data,
  };
}

const advice = {
  never: 'The same call will fail the same way.',
  later: 'It is worth trying again',
  reconnect:
    'The account has to be connected again by a person: connect-provider gives the page (in a terminal: drawbridge connect).',
  ask: 'A person has to decide or supply something first.',
} as const;

function failure(error: DrawbridgeError): CallResult {
  const wait =
    error.retryAfterMs === undefined ? 'later.' : `in ${Math.ceil(error.retryAfterMs / 1000)} seconds.`;
  const retry = error.retry === 'later' ? `${advice.later} ${wait}` : advice[error.retry];
  return { isError: true, content: [{ type: 'text', text: `${error.message}\n(${error.code}) ${retry}` }] };
}
