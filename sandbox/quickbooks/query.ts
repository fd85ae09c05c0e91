// The query language of QuickBooks, as far as its documentation goes: one entity, conditions joined by `and`,
// an order, a place to start. Anything else is refused, as the real one does.

export interface Parsed {
  count: boolean;
  entity: string;
  conditions: Condition[];
  orderBy: { property: string; descending: boolean } | undefined;
  start: number;
  most: number;
}

export interface Condition {
  property: string;
  operator: string;
  values: (string | boolean)[];
}

type Token = { kind: 'word' | 'text' | 'sign'; value: string };

/** @throws Error in the words of QuickBooks's parser */
export function parseQuery(text: string): Parsed {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = (value: string) =>
    tokens[at]?.kind !== 'text' && tokens[at]?.value.toLowerCase() === value.toLowerCase();
  const take = (): Token => {
    const token = tokens[at];
    if (token === undefined) throw new Error('QueryParserError: unexpected end of the statement');
    at += 1;
    return token;
  };
  const expect = (value: string): void => {
    if (!peek(value)) throw new Error(`QueryParserError: expected ${value} at token ${at + 1}`);
    at += 1;
  };
  const word = (): string => {
    const token = take();
    if (token.kind !== 'word') throw new Error(`QueryParserError: a name was expected at token ${at}`);
    return token.value;
  };
  const value = (): string | boolean => {
    const token = take();
    if (token.kind === 'text') return token.value;
    if (token.kind === 'word' && /^(true|false)$/i.test(token.value)) return /^true$/i.test(token.value);
    throw new Error(`QueryParserError: a value was expected at token ${at}`);
  };
  const whole = (): number => {
    const number = word();
    if (!/^\d{1,9}$/.test(number)) throw new Error('QueryParserError: a number was expected');
    return Number(number);
  };
  const values = (): (string | boolean)[] => {
    expect('(');
    const all = [value()];
    while (peek(',')) {
      at += 1;
      all.push(value());
    }
    expect(')');
    return all;
  };
  const condition = (): Condition => {
    const property = word();
    const operator = take().value.toLowerCase();
    if (operator === 'in') return { property, operator, values: values() };
    if (!['=', '<', '>', '<=', '>=', 'like'].includes(operator)) {
      throw new Error(`QueryParserError: unknown operator ${operator}`);
    }
    return { property, operator, values: [value()] };
  };

  expect('select');
  const count = peek('count');
  if (count) {
    at += 1;
    expect('(');
    expect('*');
    expect(')');
  } else expect('*');
  expect('from');
  const parsed: Parsed = { count, entity: word(), conditions: [], orderBy: undefined, start: 1, most: 100 };
  if (peek('where')) {
    at += 1;
    parsed.conditions.push(condition());
    while (peek('and')) {
      at += 1;
      parsed.conditions.push(condition());
    }
  }
  if (peek('orderby')) {
    at += 1;
    parsed.orderBy = { property: word(), descending: false };
    if (peek('asc') || peek('desc')) parsed.orderBy.descending = take().value.toLowerCase() === 'desc';
  }
  if (peek('startposition')) {
    at += 1;
    parsed.start = whole();
  }
  if (peek('maxresults')) {
    at += 1;
    parsed.most = whole();
  }
  if (at < tokens.length) throw new Error(`QueryParserError: unexpected text at token ${at + 1}`);
  return parsed;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  // In a literal a backslash takes the character after it as it is.
  const grammar = /\s*(?:'((?:[^'\\]|\\.)*)'|([\w.]+)|(<=|>=|[=<>(),*]))\s*/gsy;
  for (;;) {
    const from = grammar.lastIndex;
    if (from >= text.length) return tokens;
    const match = grammar.exec(text);
    if (match === null) throw new Error(`QueryParserError: lexical error at character ${from + 1}`);
    const [, literal, name, sign = ''] = match;
    if (literal !== undefined) tokens.push({ kind: 'text', value: literal.replace(/\\(.)/gs, '$1') });
    else if (name !== undefined) tokens.push({ kind: 'word', value: name });
    else tokens.push({ kind: 'sign', value: sign });
  }
}

/** Whether a record's value fits. Dates and times by their moment, numbers by their size, text without case. */
export function fits(has: unknown, { operator, values }: Condition): boolean {
  if (operator === 'in') return values.some((value) => compare(has, value) === 0);
  const [value = ''] = values;
  if (operator === 'like') return like(String(has ?? ''), String(value));
  if (has === undefined) return false;
  const order = compare(has, value);
  if (operator === '=') return order === 0;
  if (operator === '<') return order < 0;
  if (operator === '>') return order > 0;
  return operator === '<=' ? order <= 0 : order >= 0;
}

export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'boolean' || typeof b === 'boolean') return a === b ? 0 : 1;
  const [left, right] = [String(a ?? ''), String(b ?? '')];
  const [x, y] = [sizeOf(left), sizeOf(right)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return left.toLowerCase().localeCompare(right.toLowerCase(), 'en');
}

function sizeOf(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
}

function like(text: string, pattern: string): boolean {
  const parts = pattern.split('%').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text);
}
