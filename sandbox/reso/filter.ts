// The part of OData's $filter that RESO services take, read from its text and held against rows.
// https://docs.oasis-open.org/odata/odata/v4.0/ part 2, 5.1.1

export type Row = Record<string, unknown>;
type Value = string | number | boolean | null | undefined;
type Read = (row: Row) => Value;
type Test = (row: Row) => boolean;

/** What a server answers 400 to. */
export class BadQuestion extends Error {}

const token =
  /\s*(?:('(?:[^']|'')*')|(\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?)|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|([(),]))/y;

/** @param has whether the resource has a field of that name @throws BadQuestion */
export function parseFilter(text: string, has: (field: string) => boolean): Test {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match === null) throw new BadQuestion(`$filter: not understood: ${text.slice(0, 80)}`);
    tokens.push(match[0].trim());
  }
  let at = 0;
  const peek = () => tokens[at];
  const take = (wanted?: string): string => {
    const next = tokens[at];
    if (next === undefined || (wanted !== undefined && next !== wanted))
      throw new BadQuestion(`$filter: expected ${wanted ?? 'more'}, found ${next ?? 'the end'}`);
    at += 1;
    return next;
  };

  function either(): Test {
    const parts = [both()];
    while (peek() === 'or') {
      take();
      parts.push(both());
    }
    return (row) => parts.some((part) => part(row));
  }
  function both(): Test {
    const parts = [one()];
    while (peek() === 'and') {
      take();
      parts.push(one());
    }
    return (row) => parts.every((part) => part(row));
  }
  function one(): Test {
    if (peek() === 'not') {
      take();
      const inner = one();
      return (row) => !inner(row);
    }
    if (peek() === '(') {
      take();
      const inner = either();
      take(')');
      return inner;
    }
    if (/^(startswith|endswith|contains)$/.test(peek() ?? '')) {
      const name = take();
      take('(');
      const whole = value();
      take(',');
      const part = value();
      take(')');
      return (row) => {
        const [text, piece] = [String(whole(row) ?? ''), String(part(row) ?? '')];
        return name === 'startswith'
          ? text.startsWith(piece)
          : name === 'endswith'
            ? text.endsWith(piece)
            : text.includes(piece);
      };
    }
    const left = value();
    const operator = take();
    const right = value();
    return (row) => compared(operator, left(row), right(row));
  }
  function value(): Read {
    const next = take();
    if (next.startsWith("'")) return always(unquoted(next));
    if (/^\d{4}-/.test(next)) return always(next);
    if (/^-?\d/.test(next)) return always(Number(next));
    if (next === 'null') return always(null);
    if (next === 'true' || next === 'false') return always(next === 'true');
    if (next === 'tolower') {
      take('(');
      const inner = value();
      take(')');
      return (row) => String(inner(row) ?? '').toLowerCase();
    }
    // `namespace.Type'Member'`: the value of an EnumType.
    if (next.includes('.')) return always(unquoted(take()));
    if (!has(next)) throw new BadQuestion(`$filter: there is no field ${next}`);
    return (row) => row[next] as Value;
  }

  const test = either();
  if (at < tokens.length) throw new BadQuestion(`$filter: ${tokens[at]} stands where nothing may`);
  return test;
}

const always =
  (given: Value): Read =>
  () =>
    given;
const unquoted = (text: string): string => text.slice(1, -1).replaceAll("''", "'");

function compared(operator: string, left: Value, right: Value): boolean {
  if (!/^(eq|ne|gt|ge|lt|le)$/.test(operator)) throw new BadQuestion(`$filter: no operator ${operator}`);
  if (left == null || right == null)
    return operator === 'eq' ? (left ?? null) === (right ?? null) : operator === 'ne';
  const order = orderOf(left, right);
  return { eq: order === 0, ne: order !== 0, gt: order > 0, ge: order >= 0, lt: order < 0, le: order <= 0 }[
    operator as 'eq'
  ];
}

const isTime = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);

export function orderOf(one: unknown, other: unknown): number {
  const [left, right] = isTime(one) && isTime(other) ? [Date.parse(one), Date.parse(other)] : [one, other];
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [a, b] = [String(left ?? ''), String(right ?? '')];
  return a < b ? -1 : a > b ? 1 : 0;
}
