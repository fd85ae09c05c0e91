// Dropbox's interface files (Stone), read: namespaces with their structs, unions, aliases and routes.
// https://github.com/dropbox/stone/blob/main/docs/lang_ref.rst
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Type {
  name: string;
  /** `max_length: '255'`; of a list its item type has the name ''. */
  arguments: Record<string, string>;
  item: Type | undefined;
  nullable: boolean;
}
export interface Field {
  name: string;
  /** Undefined: a tag without a value. */
  type: Type | undefined;
  hasDefault: boolean;
}
export interface Definition {
  kind: 'struct' | 'union' | 'alias';
  namespace: string;
  parent: string | undefined;
  fields: Field[];
  /** Of a struct: by which tags its kinds are told apart. */
  kinds: Field[] | undefined;
  /** Of an alias. */
  stands: Type | undefined;
}
export interface Route {
  namespace: string;
  argument: Type;
  result: Type;
  error: Type;
  attributes: Record<string, string>;
}
export interface Stone {
  definitions: Map<string, Definition>;
  /** By their path: `files/list_folder/continue`, `files/delete_v2`. */
  routes: Map<string, Route>;
}

/** @param folder of `.stone` files */
export function readStone(folder: string): Stone {
  const stone: Stone = { definitions: new Map(), routes: new Map() };
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.stone'))) {
    readNamespace(readFileSync(join(folder, file), 'utf8'), stone);
  }
  return stone;
}

function readNamespace(text: string, { definitions, routes }: Stone): void {
  // Words about it hold anything, over many lines.
  const lines = text
    .replace(/^\s+"(?:[^"\\]|\\.)*"\s*$/gms, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*[#@]/.test(line));
  const namespace = /^namespace (\w+)/m.exec(text)?.[1] ?? '';
  for (let at = 0; at < lines.length; at += 1) {
    const head = lines[at] ?? '';
    const body: string[] = [];
    while (/^\s/.test(lines[at + 1] ?? '')) {
      at += 1;
      body.push(lines[at] ?? '');
    }
    const [, alias, aliased] = /^alias (\w+) = (.+)$/.exec(head) ?? [];
    const base = { namespace, parent: undefined, fields: [], kinds: undefined, stands: undefined };
    if (alias !== undefined) {
      const stands = typeOf(aliased ?? '', namespace);
      definitions.set(`${namespace}.${alias}`, { ...base, kind: 'alias', stands });
    }
    const [, kind, name, parent] = /^(struct|union)(?:_closed)? (\w+)(?: extends ([\w.]+))?/.exec(head) ?? [];
    if (name !== undefined) {
      definitions.set(`${namespace}.${name}`, {
        ...base,
        kind: kind === 'struct' ? 'struct' : 'union',
        parent: parent === undefined ? undefined : full(parent, namespace),
        ...membersOf(body, namespace, kind === 'union'),
      });
    }
    const route = /^route ([\w/]+)(?::(\d+))? \(([^,]+), ([^,]+), ([^)]+)\)/.exec(head);
    if (route !== null) {
      const [, path, version, argument = '', result = '', error = ''] = route;
      routes.set(`${namespace}/${path}${version === undefined ? '' : `_v${version}`}`, {
        namespace,
        argument: typeOf(argument, namespace),
        result: typeOf(result, namespace),
        error: typeOf(error, namespace),
        attributes: Object.fromEntries(
          body.flatMap((line) => {
            const [, key, value] = /^\s+(\w+) = "?([^"]*)"?$/.exec(line) ?? [];
            return key === undefined ? [] : [[key, value ?? '']];
          }),
        ),
      });
    }
  }
}

function membersOf(
  body: readonly string[],
  namespace: string,
  isUnion: boolean,
): Pick<Definition, 'fields' | 'kinds'> {
  const fields: Field[] = [];
  let kinds: Field[] | undefined;
  let inside: 'kinds' | 'example' | undefined;
  for (const line of body) {
    const deep = /^\s{8}/.test(line);
    if (!deep) inside = undefined;
    const text = line.trim();
    if (deep) {
      if (inside === 'kinds') kinds?.push(fieldOf(text, namespace));
    } else if (/^example /.test(text)) inside = 'example';
    else if (!isUnion && /^union(_closed)?$/.test(text)) {
      inside = 'kinds';
      kinds = [];
    } else fields.push(fieldOf(text, namespace));
  }
  return { fields, kinds };
}

function fieldOf(text: string, namespace: string): Field {
  const [, name = '', type, given] =
    /^(\w+)(?:\s+((?:[^"=]|"(?:[^"\\]|\\.)*"|=(?=\S))+?))?(\s+=\s.*)?$/.exec(text) ?? [];
  if (name === '') throw new Error(`a member that cannot be read: ${text}`);
  return {
    name,
    type: type === undefined ? undefined : typeOf(type, namespace),
    hasDefault: given !== undefined,
  };
}

const builtIn = /^(String|Boolean|Bytes|Timestamp|Void|U?Int(32|64)|Float(32|64)|List|Map)$/;
const full = (name: string, namespace: string) =>
  name.includes('.') || builtIn.test(name) ? name : `${namespace}.${name}`;

function typeOf(text: string, namespace: string): Type {
  const [, name = '', inner, nullable] = /^([\w.]+)(?:\((.*)\))?(\?)?$/s.exec(text.trim()) ?? [];
  if (name === '') throw new Error(`a type that cannot be read: ${text}`);
  const given: Record<string, string> = {};
  for (const [, key = '', quoted, plain] of (inner ?? '').matchAll(
    /(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s)]+))/g,
  )) {
    given[key] = quoted?.replace(/\\\\/g, '\\') ?? plain ?? '';
  }
  const listed = name === 'List' ? /^([\w.]+(?:\([^)]*\))?\??)/.exec(inner ?? '')?.[1] : undefined;
  return {
    name: full(name, namespace),
    arguments: given,
    item: listed === undefined ? undefined : typeOf(listed, namespace),
    nullable: nullable !== undefined,
  };
}
