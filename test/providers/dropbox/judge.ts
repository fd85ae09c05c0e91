// Whether an exchange keeps Dropbox's interface files: the route, its host, every member of what was asked and
// answered (required, known, of its type), each error by its tags. What a server may add later is refused, too:
// the emulator shall say nothing that Dropbox does not.
import type { Exchange } from '../contract.ts';
import type { Definition, Field, Stone, Type } from './stone.ts';

export interface Verdict {
  ok: boolean;
  operation: string | null;
  errors: string[];
}

const hosts: Record<string, string> = { api: 'api.dropboxapi.com', content: 'content.dropboxapi.com' };
/** https://www.dropbox.com/developers/documentation/http/documentation#error-handling */
const ofAll: Record<number, string> = {
  401: 'auth.AuthError',
  403: 'auth.AccessError',
  422: 'common.PathRootError',
  429: 'auth.RateLimitError',
};

export function judge(stone: Stone, exchange: Exchange): Verdict {
  const url = new URL(exchange.url);
  const name = url.pathname.replace(/^\/2\//, '');
  const route = stone.routes.get(name);
  if (route === undefined) return { ok: false, operation: null, errors: [`there is no route ${name}`] };
  const { style = 'rpc', host = 'api' } = route.attributes;
  const errors: string[] = [];
  if (exchange.method !== 'POST') errors.push(`the method is ${exchange.method}`);
  if (url.hostname !== hosts[host]) errors.push(`the host is not ${hosts[host]}`);
  if (url.search !== '') errors.push('there is a query');
  const type = exchange.headers['content-type'];
  if (style === 'rpc') {
    if (exchange.body !== undefined && type !== 'application/json') errors.push(`the body is ${type}`);
    errors.push(...ofText(stone, String(exchange.body ?? 'null'), route.argument, 'asked'));
  } else {
    const header = exchange.headers['dropbox-api-arg'] ?? '';
    if (/[^\x20-\x7e]/.test(header)) errors.push('the header holds what is not ASCII');
    errors.push(...ofText(stone, header, route.argument, 'asked'));
    if (style === 'upload' && type !== 'application/octet-stream') errors.push(`the body is ${type}`);
    if (style === 'download' && exchange.body !== undefined) errors.push('a download has a body');
  }
  const root = exchange.headers['dropbox-api-path-root'];
  const pathRoot: Type = { name: 'common.PathRoot', arguments: {}, item: undefined, nullable: false };
  if (root !== undefined) errors.push(...ofText(stone, root, pathRoot, 'path root'));
  const { response } = exchange;
  if (response !== undefined) errors.push(...ofAnswer(stone, response, { style, route }));
  return { ok: errors.length === 0, operation: name, errors };
}

function ofAnswer(
  stone: Stone,
  { status, headers, body }: NonNullable<Exchange['response']>,
  { style, route }: { style: string; route: { result: Type; error: Type } },
): string[] {
  if (status === 200 && style === 'download') {
    return ofText(stone, headers['dropbox-api-result'] ?? '', route.result, 'result');
  }
  if (status === 200) return faults(stone, body ?? null, route.result, 'answer');
  if (status === 400) return typeof body === 'string' ? [] : ['400 is told in a line of text'];
  const error = status === 409 ? route.error : { ...route.error, name: ofAll[status] ?? '' };
  if (error.name === '') return status >= 500 ? [] : [`there is no status ${status}`];
  if (typeof body !== 'object' || body === null) return ['an error is an object'];
  const { error: told, error_summary: summary, ...rest } = body as Record<string, unknown>;
  return [
    ...(typeof summary === 'string' ? [] : ['error_summary is missing']),
    ...Object.keys(rest).map((one) => `an error has no ${one}`),
    ...faults(stone, told, error, 'error'),
  ];
}

function ofText(stone: Stone, text: string, type: Type, where: string): string[] {
  try {
    return faults(stone, JSON.parse(text), type, where);
  } catch {
    return [`${where} is no JSON`];
  }
}

function faults(stone: Stone, value: unknown, type: Type, at: string): string[] {
  if (type.name === 'Void') return value === null || value === undefined ? [] : [`${at}: takes nothing`];
  if (value === null || value === undefined) return type.nullable ? [] : [`${at}: is missing`];
  const known = stone.definitions.get(type.name);
  if (known?.kind === 'alias' && known.stands !== undefined) return faults(stone, value, known.stands, at);
  if (known?.kind === 'struct') return ofStruct(stone, value, known, at);
  if (known?.kind === 'union') return ofUnion(stone, value, known, at);
  return ofPlain(stone, value, type, at);
}

function ofPlain(stone: Stone, value: unknown, { name, arguments: given, item }: Type, at: string): string[] {
  const bound = (key: string) => (given[key] === undefined ? undefined : Number(given[key]));
  if (name === 'List') {
    if (!Array.isArray(value)) return [`${at}: is no list`];
    if (value.length > (bound('max_items') ?? Number.POSITIVE_INFINITY)) return [`${at}: is too long`];
    return value.flatMap((one, index) =>
      item === undefined ? [] : faults(stone, one, item, `${at}.${index}`),
    );
  }
  if (name === 'String') {
    if (typeof value !== 'string') return [`${at}: is no text`];
    const short = value.length < (bound('min_length') ?? 0);
    const long = value.length > (bound('max_length') ?? Number.POSITIVE_INFINITY);
    const other = given['pattern'] !== undefined && !new RegExp(`^(?:${given['pattern']})$`).test(value);
    return short || long || other ? [`${at}: ${JSON.stringify(value)} is not as its type says`] : [];
  }
  if (name === 'Timestamp') {
    return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value)
      ? []
      : [`${at}: is no time`];
  }
  if (name === 'Boolean') return typeof value === 'boolean' ? [] : [`${at}: is neither true nor false`];
  if (/^U?Int/.test(name)) {
    const least = bound('min_value') ?? (name.startsWith('U') ? 0 : Number.NEGATIVE_INFINITY);
    const fits =
      Number.isInteger(value) && Number(value) >= least && Number(value) <= (bound('max_value') ?? 2 ** 53);
    return fits ? [] : [`${at}: ${String(value)} is no such number`];
  }
  return [`${at}: ${name} is not known`];
}

function fieldsOf(stone: Stone, definition: Definition): Field[] {
  const parent = definition.parent === undefined ? undefined : stone.definitions.get(definition.parent);
  return [...(parent === undefined ? [] : fieldsOf(stone, parent)), ...definition.fields];
}

function ofStruct(stone: Stone, value: unknown, struct: Definition, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${at}: is no object`];
  if (struct.kinds !== undefined && '.tag' in value) {
    const { '.tag': tag, ...rest } = value;
    const kind = struct.kinds.find(({ name }) => name === tag)?.type;
    if (kind === undefined) return [`${at}: there is no kind ${String(tag)}`];
    return faults(stone, rest, kind, `${at}(${String(tag)})`);
  }
  if (struct.kinds !== undefined) return [`${at}: does not say its kind`];
  const fields = fieldsOf(stone, struct);
  return [
    ...Object.keys(value)
      .filter((name) => !fields.some((field) => field.name === name))
      .map((name) => `${at}: has no ${name}`),
    ...fields.flatMap(({ name, type, hasDefault }) => {
      const one = (value as Record<string, unknown>)[name];
      if (type === undefined || (hasDefault && one === undefined)) return [];
      return faults(stone, one, type, `${at}.${name}`);
    }),
  ];
}

function ofUnion(stone: Stone, value: unknown, union: Definition, at: string): string[] {
  const tag: unknown = typeof value === 'string' ? value : (value as Record<string, unknown>)['.tag'];
  const member = fieldsOf(stone, union).find(({ name }) => name === tag);
  if (member === undefined) return [`${at}: has no tag ${String(tag)}`];
  const { '.tag': _tag, ...rest } = typeof value === 'string' ? {} : (value as Record<string, unknown>);
  const where = `${at}(${member.name})`;
  if (member.type === undefined) {
    return Object.keys(rest).map((name) => `${where}: has no ${name}`);
  }
  const known = stone.definitions.get(member.type.name);
  // The members of a plain struct stand beside the tag; anything else under the tag's name.
  if (known?.kind === 'struct' && known.kinds === undefined) {
    return Object.keys(rest).length === 0 && member.type.nullable ? [] : ofStruct(stone, rest, known, where);
  }
  const { [member.name]: own, ...others } = rest;
  return [
    ...Object.keys(others).map((name) => `${where}: has no ${name}`),
    ...faults(stone, own, member.type, where),
  ];
}
