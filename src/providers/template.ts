// Addresses with `{placeholders}`: which names may stand in them is checked when they are written, and what
// is put in their place can change neither host nor path segments.
import { DrawbridgeError } from '../errors.ts';

/** The placeholders of `Text`, as a union of their names. */
export type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;

/** `Text` itself where `Known` declares each of its placeholders; else a type that no string has. */
export type Template<Text extends string, Known extends string> = [Exclude<Names<Text>, Known>] extends [
  never,
]
  ? Text
  : { undeclaredPlaceholder: Exclude<Names<Text>, Known> };

/** `Text` itself where it is written out; a text that is put together while running could hold anything. */
export type Written<Text extends string> = string extends Text
  ? { mustBeWrittenOut: 'use a {placeholder}' }
  : Record<never, 1> extends Record<Text, 1>
    ? { mustBeWrittenOut: 'use a {placeholder}' }
    : Text;

/** Whether each placeholder of the text has a value. */
export function isFilled(template: string, values: Readonly<Record<string, unknown>>): boolean {
  return [...template.matchAll(placeholder)].every(([, name = '']) => values[name] !== undefined);
}

const placeholder = /\{([^{}]*)\}/g;
/** What may stand in a host name: labels and dots, nothing that ends the host. */
const inHost = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/**
 * A path with its placeholders filled in, each as one percent-encoded segment part.
 * @throws DrawbridgeError `invalid_request` with `field` for what is missing, empty, or a dot segment
 */
export function fillPath(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(placeholder, (_, name: string) => {
    const text = textOf(values, name);
    if (/^\.*$/.test(text) || !text.isWellFormed()) {
      throw new DrawbridgeError('invalid_request', `${name}: cannot be part of an address.`, { field: name });
    }
    return encodeURIComponent(text);
  });
}

/** A server on this machine, with its port: egress admits it only by its flag. */
const ownServer = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/;

/**
 * An address whose placeholders stand in its host or path. Where one field is the whole host, it may also be a
 * server on this machine, which is spoken to in clear text.
 * @throws DrawbridgeError `invalid_request` with `field`
 */
export function fillUrl(template: string, values: Readonly<Record<string, unknown>>): URL {
  const cut = /^([a-z]+:\/\/[^/?#]*)(.*)$/.exec(template);
  if (cut === null) throw new DrawbridgeError('internal', 'A provider declares an address that is no URL.');
  const [, origin = '', rest = ''] = cut;
  const whole = /^https:\/\/\{([^{}]*)\}$/.exec(origin)?.[1];
  const own = whole === undefined ? '' : textOf(values, whole);
  const filled = ownServer.test(own)
    ? `http://${own}`
    : origin.replace(placeholder, (_, name: string) => {
        const text = textOf(values, name);
        if (!inHost.test(text)) {
          throw new DrawbridgeError('invalid_request', `${name}: cannot be part of a host name.`, {
            field: name,
          });
        }
        return text;
      });
  const url = URL.parse(`${filled}${fillPath(rest, values)}`);
  if (url === null) throw new DrawbridgeError('invalid_request', 'The settings make no usable address.');
  return url;
}

/**
 * The value of a header with its placeholders filled in.
 * @throws DrawbridgeError `invalid_request` with `field` for what cannot stand in a header
 */
export function fillHeader(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(placeholder, (_, name: string) => {
    const text = textOf(values, name);
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
      throw new DrawbridgeError('invalid_request', `${name}: cannot be part of a header.`, { field: name });
    }
    return text;
  });
}

function textOf(values: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new DrawbridgeError('invalid_request', `${name}: is missing.`, { field: name });
  }
  return String(value);
}
