// find-operation: everything that the connected accounts can do beyond the tools of the list, found by words,
// each with the schema of what it takes.
import { z } from 'zod';
import type { FoundOperation } from '../connections/connections.ts';
import { framed, visible, visibleLine } from '../untrusted.ts';
import { countFitting } from './answers/pages.ts';
import { plain } from './call/plain-schema.ts';
import { defineTool } from './define.ts';
import { accountsNamed } from './names/accounts.ts';

const found = z.object({
  operation: z.string(),
  connection: z.string(),
  account: z.string(),
  title: z.string(),
  description: z.string().optional(),
  effect: z.string().describe('read, or what it changes: then run-operation proposes it'),
  granted: z.boolean().optional().describe('false: the account was connected without this permission'),
  input: z.looseObject({}).describe('JSON Schema'),
});

const output = z.object({
  operations: z.array(found),
  more: z.number().int().describe('Further matches: narrow the words'),
  unreachable: z.array(z.string()).optional(),
});

export const findOperation = defineTool({
  name: 'find-operation',
  title: 'Find an operation',
  description:
    'Finds what connected accounts can do that no other tool does (labels, drafts, deals, notes, invoices …), with the schema of its input. Then call run-operation.',
  kind: 'read',
  live: true,
  input: z.object({
    query: z.string().max(200).describe('What is to be done, in a few words; "" lists all'),
    account: z.string().optional(),
    effect: z.enum(['read', 'write']).optional(),
    limit: z.number().int().min(1).max(20).default(5),
  }),
  output,
  async run({ rooms, org }, input) {
    const { connections } = rooms;
    const { operations, unreachable } = await connections.operations(org);
    const meant =
      input.account === undefined ? undefined : accountsNamed(await connections.list(org), input.account);
    const able = operations.filter(
      ({ connection, operation }) =>
        (meant === undefined || meant.some(({ id }) => id === connection.id)) &&
        (input.effect === undefined || (operation.effect === 'read') === (input.effect === 'read')),
    );
    const matches = ranked(able, input.query);
    const rows = matches.slice(0, input.limit).map(described);
    const shown = rows.slice(0, countFitting(rows));
    const more = matches.length - shown.length;
    const failing = unreachable.map(({ connection, error }) =>
      visibleLine(`${connection.label} (${connection.id}): ${error.message}`, 300),
    );
    const lineOf = (row: z.input<typeof found>) =>
      `${row.operation} · ${row.account} (${row.connection}) · ${row.effect}: ${row.title}`;
    // Somebody else named the tools of another server.
    const ours = shown.filter(({ operation }) => !operation.startsWith('mcp:')).map(lineOf);
    const theirs = shown.filter(({ operation }) => operation.startsWith('mcp:')).map(lineOf);
    const text = [
      ...(shown.length === 0 ? ['Nothing fits. Try other words, or "" for all.'] : ours),
      ...(theirs.length === 0 ? [] : [framed(theirs.join('\n'), 'Tools of other servers')]),
      ...(more > 0 ? [`${more} more: narrow the words, or raise limit.`] : []),
      ...failing.map((line) => `Could not ask ${line}`),
    ].join('\n');
    return {
      data: { operations: shown, more, ...(failing.length === 0 ? {} : { unreachable: failing }) },
      text,
    };
  },
});

function described({ connection, name, operation, granted }: FoundOperation): z.input<typeof found> {
  const schema = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' });
  return {
    operation: name,
    connection: connection.id,
    account: visibleLine(connection.label, 120),
    title: visibleLine(operation.title, 120),
    ...(operation.description === undefined
      ? {}
      : { description: visible(operation.description).slice(0, 500) }),
    effect: operation.effect,
    ...(granted ? {} : { granted }),
    input: plain(schema, 'input') as z.input<typeof found>['input'],
  };
}

/** Those that share a word with the query, the rarer the word the higher; a word may be the beginning of another. */
function ranked(operations: readonly FoundOperation[], query: string): FoundOperation[] {
  const wanted = wordsOf(query);
  if (wanted.length === 0) return [...operations];
  const texts = operations.map(({ connection, name, operation }) => ({
    name: wordsOf(`${name} ${operation.title}`),
    rest: wordsOf(`${connection.provider} ${connection.providerTitle} ${operation.description ?? ''}`),
  }));
  const weights = wanted.map((word) => {
    const holding = texts.filter(({ name, rest }) => [...name, ...rest].some((one) => alike(one, word)));
    return Math.log(1 + operations.length / (1 + holding.length));
  });
  return operations
    .map((operation, index) => {
      const { name = [], rest = [] } = texts[index] ?? {};
      const score = wanted.reduce((sum, word, at) => {
        const weight = weights[at] ?? 0;
        if (name.some((one) => alike(one, word))) return sum + 2 * weight;
        return rest.some((one) => alike(one, word)) ? sum + weight : sum;
      }, 0);
      return { operation, score };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ operation }) => operation);
}

function wordsOf(text: string): string[] {
  return text
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** The same word, or a form of it: `label` and `labels`, `invoice` and `invoices`. */
function alike(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return short === long || (short.length >= 3 && long.startsWith(short) && long.length - short.length <= 3);
}
