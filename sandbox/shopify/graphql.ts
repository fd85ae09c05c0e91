// As much of GraphQL as Shopify's side needs: documents are parsed, values are taken from objects as they are
// asked for and no others, and what a query may cost is counted before it runs.

export interface Field {
  kind: 'field';
  alias: string;
  name: string;
  args: Record<string, Value>;
  selections: Selection[];
}
interface Fragment {
  kind: 'fragment';
  on: string;
  selections: Selection[];
}
export type Selection = Field | Fragment;
export interface Document {
  operation: 'query' | 'mutation';
  /** Name → whether it must be given. */
  variables: Map<string, boolean>;
  selections: Selection[];
}
type Value = { variable: string } | { literal: unknown };
export type Variables = Record<string, unknown>;
/** Members are values, or functions of the field's arguments. */
export type Node = { [name: string]: unknown };

const token = /\s*(\.\.\.|[{}()[\]:!$,=]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*)/y;

export class SyntaxFault extends Error {}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const at = token.lastIndex;
    const [, found] = token.exec(text) ?? [];
    if (found === undefined) throw new SyntaxFault(`syntax error at ${at}`);
    if (found !== ',') tokens.push(found);
  }
  return tokens;
}

/** @throws SyntaxFault */
export function parse(text: string): Document {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = () => tokens[at] ?? '';
  const take = (wanted?: string): string => {
    const found = peek();
    if (found === '' || (wanted !== undefined && found !== wanted)) {
      throw new SyntaxFault(`syntax error, expected ${wanted ?? 'more'}, got "${found}"`);
    }
    at += 1;
    return found;
  };

  function value(): Value {
    if (peek() === '$') {
      take();
      return { variable: take() };
    }
    const found = take();
    if (found.startsWith('"')) return { literal: JSON.parse(found) };
    if (/^-?\d/.test(found)) return { literal: Number(found) };
    return { literal: found === 'true' ? true : found === 'false' ? false : found };
  }

  function selections(): Selection[] {
    const found: Selection[] = [];
    take('{');
    while (peek() !== '}') {
      if (peek() === '...') {
        take();
        take('on');
        found.push({ kind: 'fragment', on: take(), selections: selections() });
        continue;
      }
      const first = take();
      const renamed = peek() === ':';
      if (renamed) take();
      const name = renamed ? take() : first;
      const args: Record<string, Value> = {};
      if (peek() === '(') {
        take();
        while (peek() !== ')') {
          const argument = take();
          take(':');
          args[argument] = value();
        }
        take(')');
      }
      found.push({
        kind: 'field',
        alias: first,
        name,
        args,
        selections: peek() === '{' ? selections() : [],
      });
    }
    take('}');
    return found;
  }

  const variables = new Map<string, boolean>();
  let operation: Document['operation'] = 'query';
  if (peek() !== '{') {
    operation = take() === 'mutation' ? 'mutation' : 'query';
    if (peek() !== '(' && peek() !== '{') take();
    if (peek() === '(') {
      take();
      while (peek() !== ')') {
        take('$');
        const name = take();
        take(':');
        let last = '';
        while (peek() !== '$' && peek() !== ')') last = take();
        variables.set(name, last === '!');
      }
      take(')');
    }
  }
  return { operation, variables, selections: selections() };
}

function argumentsOf({ args }: Field, variables: Variables): Variables {
  return Object.fromEntries(
    Object.entries(args).map(([name, given]) => [
      name,
      'variable' in given ? variables[given.variable] : given.literal,
    ]),
  );
}

/** Exactly what is asked for of a value. */
export function taken(selections: readonly Selection[], value: unknown, variables: Variables): unknown {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((one) => taken(selections, one, variables));
  if (selections.length === 0) return value;
  const node = value as Node;
  const found: Node = {};
  for (const one of selections) {
    if (one.kind === 'fragment') {
      if (node['__typename'] === one.on) Object.assign(found, taken(one.selections, node, variables));
      continue;
    }
    const member = node[one.name];
    const read = typeof member === 'function' ? member(argumentsOf(one, variables)) : member;
    found[one.alias] = taken(one.selections, read, variables);
  }
  return found;
}

/** Nothing by themselves: what stands in them is counted. */
const free = new Set(['nodes', 'edges', 'pageInfo', 'userErrors', 'shop']);

/**
 * Points: 1 for an object, as many for a connection as it may have records, 10 for a mutation.
 * https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits
 */
export function costOf(selections: readonly Selection[], variables: Variables): number {
  let sum = 0;
  for (const one of selections) {
    if (one.selections.length === 0) continue;
    const inside = costOf(one.selections, variables);
    const { first } = one.kind === 'field' ? argumentsOf(one, variables) : {};
    const list = one.kind === 'field' && 'args' in one && 'first' in one.args;
    const own = one.kind === 'fragment' || free.has(one.name) ? 0 : 1;
    sum += list ? Number(first ?? 0) * (1 + inside) : own + inside;
  }
  return sum;
}
