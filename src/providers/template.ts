// Addresses with `{placeholders}`: which names may stand in them is checked when they are written, and what
// is put in their place can change neither host nor path segments.
import { DrawbridgeError } from '../errors.ts';

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;

/** `Text` itself where `Known` declares each of its placeholders; else a type that no string has. */
export type Template<Text extends string, Known extends string> = [Exclude<Names<Text>, Known>] extends [
  never,
]
  ? Text
  : { undeclaredPlaceholder: Exclude<Names<Text>, Known> };

const placeholder = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;
/** What may stand in a host name: labels and dots, nothing that ends the host. */
const inHost = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/**
 * A path with its placeholders filled in, each as one percent-encoded segment part.
 * @throws DrawbridgeError `invalid_request` with `field` for what is missing, empty, or a dot segment
 */
export function fillPath(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(placeholder, (_, name: string) => {
    const text = textOf(values, name);
    if (text === '' || text === '.' || text === '..') {
      throw new DrawbridgeError('invalid_request', `${name}: cannot be part of an address.`, { field: name });
    }
    return encodeURIComponent(text);
  });
}

/**
 * An address whose placeholders stand in its host or path.
 * @throws DrawbridgeError `invalid_request` with `field`
 */
export function fillUrl(template: string, values: Readonly<Record<string, unknown>>): URL {
  const cut = /^([a-z]+:\/\/[^/?#]*)(.*)$/.exec(template);
  if (cut === null) throw new DrawbridgeError('internal', 'A provider declares an address that is no URL.');
  const [, origin = '', rest = ''] = cut;
  const filled = origin.replace(placeholder, (_, name: string) => {
    const text = textOf(values, name);
    if (!inHost.test(text)) {
      throw new DrawbridgeError('invalid_request', `${name}: cannot be part of a host name.`, {
        field: name,
      });
    }
    return text;
  });
  return new URL(`${filled}${fillPath(rest, values)}`);
}

function textOf(values: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new DrawbridgeError('invalid_request', `${name}: is missing.`, { field: name });
  }
  return String(value);
}
