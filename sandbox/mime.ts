// The little of MIME that an IMAP server must know: headers, parts, and how ENVELOPE and BODYSTRUCTURE
// (RFC 3501 7.4.2) are written.

export interface Part {
  /** The part's own header block, with its closing empty line. */
  header: Buffer;
  body: Buffer;
  type: string;
  subtype: string;
  parameters: [string, string][];
  fields: [string, string][];
  children: Part[];
}

/** Header fields in order, unfolded; names as written. */
export function parseFields(header: Buffer): [string, string][] {
  const unfolded = header.toString('latin1').replace(/\r?\n[ \t]+/g, ' ');
  const fields: [string, string][] = [];
  for (const line of unfolded.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return fields;
}

export function fieldOf(fields: [string, string][], name: string): string | undefined {
  return fields.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** `text/plain; charset=utf-8` as its value and parameters; parameter names in lower case. */
export function parseParameters(value: string): { value: string; parameters: [string, string][] } {
  const parameters: [string, string][] = [];
  const [first = '', ...rest] = value.match(/(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? [];
  for (const piece of rest) {
    const equals = piece.indexOf('=');
    if (equals < 0) continue;
    const text = piece.slice(equals + 1).trim();
    const bare = text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
    parameters.push([piece.slice(0, equals).trim().toLowerCase(), bare]);
  }
  return { value: first.trim(), parameters };
}

/** Splits a message or part into its header block (with the empty line) and its body. */
export function splitHeader(raw: Buffer): { header: Buffer; body: Buffer } {
  for (const gap of ['\r\n\r\n', '\n\n']) {
    const at = raw.indexOf(gap);
    if (at >= 0) return { header: raw.subarray(0, at + gap.length), body: raw.subarray(at + gap.length) };
  }
  return { header: raw, body: Buffer.alloc(0) };
}

function splitMultipart(body: Buffer, boundary: string): Buffer[] {
  const text = body.toString('latin1');
  const escaped = boundary.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const marks = [...text.matchAll(new RegExp(`(?:^|\\r?\\n)--${escaped}(--)?[ \\t]*(?:\\r?\\n|$)`, 'g'))];
  const parts: Buffer[] = [];
  for (const [index, mark] of marks.entries()) {
    const next = marks[index + 1];
    if (mark[1] === '--' || next === undefined) break;
    parts.push(body.subarray(mark.index + mark[0].length, next.index));
  }
  return parts;
}

export function parsePart(raw: Buffer): Part {
  const { header, body } = splitHeader(raw);
  const fields = parseFields(header);
  const { value, parameters } = parseParameters(fieldOf(fields, 'content-type') ?? 'text/plain');
  const [type = 'text', subtype = 'plain'] = value.toLowerCase().split('/');
  const boundary = parameters.find(([name]) => name === 'boundary')?.[1];
  const children =
    type === 'multipart' && boundary !== undefined ? splitMultipart(body, boundary).map(parsePart) : [];
  return { header, body, type, subtype, parameters, fields, children };
}

/** The part that `1.2` names (RFC 3501 6.4.5); an empty path is the whole message. */
export function partAt(root: Part, path: number[]): Part | undefined {
  let part: Part | undefined = root;
  for (const number of path) {
    if (part === undefined) return undefined;
    part = part.children.length > 0 ? part.children[number - 1] : number === 1 ? part : undefined;
  }
  return part;
}

/** A string as IMAP sends it: NIL, quoted, or a literal where quoting cannot carry it. */
export function quote(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  if (/^[\x20-\x7e]*$/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  return `{${Buffer.byteLength(text, 'latin1')}}\r\n${text}`;
}

interface Address {
  name: string | undefined;
  email: string;
}

/** The addresses of a header field; groups and comments are out of the sandbox's world. */
export function parseAddresses(value: string | undefined): Address[] {
  const found: Address[] = [];
  for (const piece of value?.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []) {
    const angled = /^(.*)<([^<>]+)>\s*$/.exec(piece.trim());
    const name = angled?.[1]
      ?.trim()
      .replace(/^"(.*)"$/, '$1')
      .replace(/\\(.)/g, '$1');
    const email = (angled?.[2] ?? piece).trim();
    if (email !== '') found.push({ name: name === '' ? undefined : name, email });
  }
  return found;
}

function addressList(value: string | undefined): string {
  const list = parseAddresses(value).map(({ name, email }) => {
    const at = email.lastIndexOf('@');
    return `(${quote(name)} NIL ${quote(email.slice(0, at))} ${quote(email.slice(at + 1))})`;
  });
  return list.length === 0 ? 'NIL' : `(${list.join('')})`;
}

export function envelope(fields: [string, string][]): string {
  const get = (name: string) => fieldOf(fields, name);
  const from = get('from');
  return `(${[
    quote(get('date')),
    quote(get('subject')),
    addressList(from),
    addressList(get('sender') ?? from),
    addressList(get('reply-to') ?? from),
    addressList(get('to')),
    addressList(get('cc')),
    addressList(get('bcc')),
    quote(get('in-reply-to')),
    quote(get('message-id')),
  ].join(' ')})`;
}

function parameterList(parameters: [string, string][]): string {
  if (parameters.length === 0) return 'NIL';
  return `(${parameters.map(([name, value]) => `${quote(name)} ${quote(value)}`).join(' ')})`;
}

function disposition(fields: [string, string][]): string {
  const value = fieldOf(fields, 'content-disposition');
  if (value === undefined) return 'NIL';
  const parsed = parseParameters(value);
  return `(${quote(parsed.value)} ${parameterList(parsed.parameters)})`;
}

export function bodyStructure(part: Part, extended: boolean): string {
  if (part.children.length > 0) {
    const inner = part.children.map((child) => bodyStructure(child, extended)).join('');
    const tail = extended ? ` ${parameterList(part.parameters)} ${disposition(part.fields)} NIL NIL` : '';
    return `(${inner} ${quote(part.subtype)}${tail})`;
  }
  const lines = part.type === 'text' ? ` ${part.body.toString('latin1').split('\n').length - 1}` : '';
  const basics = [
    quote(part.type),
    quote(part.subtype),
    parameterList(part.parameters),
    quote(fieldOf(part.fields, 'content-id')),
    quote(fieldOf(part.fields, 'content-description')),
    quote(fieldOf(part.fields, 'content-transfer-encoding') ?? '7bit'),
    String(part.body.length),
  ].join(' ');
  const tail = extended ? ` NIL ${disposition(part.fields)} NIL NIL` : '';
  return `(${basics}${lines}${tail})`;
}
