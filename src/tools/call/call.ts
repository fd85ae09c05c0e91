// One call of a tool: input checked, run, answered; whatever goes wrong becomes an answer that names the
// field and the mend, never a stack and never another org's existence.
import { z } from 'zod';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { inputFaults } from '../../input-faults.ts';
import type { Tool, ToolAnswer, ToolContext, ToolLink } from '../define.ts';
import { AskFirst } from './asks.ts';

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
 * @param takesLinks false where the client would refuse a whole answer for the links beside it
 * @throws AskFirst, and nothing else
 */
export async function callTool<Led = never>(
  tool: Tool,
  raw: unknown,
  open: () => Promise<ToolContext>,
  lead?: (to: NonNullable<ToolAnswer<unknown>['lead']>) => { instead: Led } | { note: string } | undefined,
  takesLinks = true,
): Promise<CallResult | Led> {
  try {
    const input = parseInput(tool, raw);
    const context = await open();
    try {
      const answer = await context.rooms.underWay.run(() => tool.run(context, input));
      const led = answer.lead === undefined ? undefined : lead?.(answer.lead);
      if (led !== undefined && 'instead' in led) return led.instead;
      const text = led === undefined ? answer.text : `${led.note}\n${answer.text}`;
      return shape(text, answer.data, takesLinks ? (answer.links ?? []) : []);
    } catch (thrown) {
      // Of a call that was given up, nobody waits for the answer: what it was stopped in is no failure of the tool.
      const wanted = !context.signal.aborted;
      if (wanted && !(thrown instanceof DrawbridgeError || thrown instanceof AskFirst))
        context.rooms.log.error({ err: thrown, tool: tool.name }, 'tool failed');
      throw thrown;
    }
  } catch (thrown) {
    if (thrown instanceof AskFirst) throw thrown;
    return failure(toDrawbridgeError(thrown));
  }
}

/** @throws DrawbridgeError `invalid_request` naming every field at fault */
function parseInput(tool: Tool, raw: unknown): z.output<Tool['input']> {
  const parsed = tool.input.safeParse(withoutNulls(tool.input, raw ?? {}));
  if (parsed.success) return parsed.data;
  const faults = inputFaults(tool.input, parsed.error, raw);
  throw new DrawbridgeError(
    'invalid_request',
    `${tool.name} cannot run with these arguments.\n${faults.map(({ text }) => text).join('\n')}`,
    {
      field: parsed.error.issues[0]?.path.join('.') ?? '',
    },
  );
}

/**
 * A client whose model must name every field (OpenAI's strict mode) says null for one that it leaves out. Only fields
 * that may be left out: a null elsewhere is a fault, and inside a free-form object it is a value.
 */
function withoutNulls(schema: z.ZodType, value: unknown): unknown {
  if (!(schema instanceof z.ZodObject) || typeof value !== 'object' || value === null || Array.isArray(value))
    return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, given]) => {
      const field: unknown = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
      if (field instanceof z.ZodOptional || field instanceof z.ZodDefault)
        return given === null ? [] : [[name, withoutNulls(field.unwrap() as z.ZodType, given)]];
      return [[name, field instanceof z.ZodType ? withoutNulls(field, given) : given]];
    }),
  );
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
