// What a provider does not find is answered with what was asked for, by its field, and with the operations that give
// what there is: a provider's own refusal names neither.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import { visibleLine } from '../../untrusted.ts';

type Operations = Provider['operations'];

const lists = /^(?:(?:search|list)(?:-.+)?|[a-z]+s)$/;
const verbs = new Set(['get', 'list', 'search', 'query']);
const mostNamed = 3;

/** Any other error comes back as it is. */
export function leadTo(thrown: unknown, operations: Operations, name: string, given: unknown): unknown {
  const operation = operations[name];
  if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'not_found' || operation === undefined)
    return thrown;
  const asked = namingFields(operation.input, given);
  const [first] = asked;
  if (first === undefined) return thrown;
  const named = asked.map((field) => `input.${field} "${visibleLine(textOf(given, field), 100)}"`);
  const finders = findersOf(operations, name, asked).map((finder) => `\`${finder}\``);
  const mend =
    finders.length === 0
      ? 'Look up the right one with another operation: find-operation names them.'
      : `The right one is found with ${finders.join(', ')}.`;
  return new DrawbridgeError('not_found', `${thrown.message} Asked for: ${named.join(', ')}. ${mend}`, {
    field: `input.${first}`,
    retry: thrown.retry,
    cause: thrown,
  });
}

/** The fields that say which record is meant. */
function namingFields(input: z.ZodType, given: unknown): string[] {
  const known = shapeOf(input);
  const required = requiredOf(input);
  return Object.keys(known).filter((field) => {
    if (field === 'query' || textOf(given, field) === '') return false;
    return required.includes(field) || /^(?:id|url|address|[a-z]+Id)$/.test(field);
  });
}

/** As text; empty where it is left out, or is no text. */
function textOf(given: unknown, field: string): string {
  const value = z.record(z.string(), z.unknown()).safeParse(given).data?.[field];
  return typeof value === 'string' ? value : '';
}

function shapeOf(input: z.ZodType): Readonly<Record<string, z.ZodType>> {
  return input instanceof z.ZodObject ? (input.shape as Record<string, z.ZodType>) : {};
}

function requiredOf(input: z.ZodType): string[] {
  return Object.entries(shapeOf(input))
    .filter(([, field]) => !field.safeParse(undefined).success)
    .map(([field]) => field);
}

function findersOf(operations: Operations, name: string, asked: readonly string[]): string[] {
  const input = operations[name]?.input;
  // One that has to be told the same is no help.
  const usable = Object.entries(operations)
    .filter(([other, { effect }]) => other !== name && effect === 'read' && lists.test(other))
    .filter(([, other]) => !asked.every((field) => requiredOf(other.input).includes(field)))
    .map(([other]) => other);
  const said = asked.map((field) => (input === undefined ? '' : (shapeOf(input)[field]?.description ?? '')));
  const told = usable.filter((other) => said.some((text) => names(text, other)));
  const ofName = lists.test(name) ? [] : closest(usable, nounsOf(name));
  const ofFields = asked.flatMap((field) => closest(usable, nounsOf(field.replace(/Id$/, ''))));
  const named = new Set([...told, ...ofName, ...ofFields]);
  const found = named.size > 0 ? [...named] : usable.filter((other) => verbs.has(other));
  return found.slice(0, mostNamed);
}

/** A word without a dash is any word, unless it stands in backticks. */
function names(text: string, operation: string): boolean {
  if (!operation.includes('-')) return text.includes(`\`${operation}\``);
  return text.split(/[^\w-]+/).includes(operation);
}

/** `get-draft-order`: draft and order. */
function nounsOf(name: string): string[] {
  return name
    .toLowerCase()
    .split('-')
    .filter((word) => !verbs.has(word))
    .map((word) => word.replace(/ies$/, 'y').replace(/s$/, ''));
}

/** Those about nothing else than these nouns, and about most of them. */
function closest(operations: readonly string[], nouns: readonly string[]): string[] {
  const about = operations
    .map((name) => ({ name, own: nounsOf(name) }))
    .filter(({ own }) => own.length > 0 && own.every((noun) => nouns.includes(noun)));
  const most = Math.max(0, ...about.map(({ own }) => own.length));
  return about.filter(({ own }) => own.length === most).map(({ name }) => name);
}
