// XML as a stream of events, by local names. Entities of a document's own are not expanded, so none can
// grow without end; what is malformed is read as far as it goes.
import { Parser } from 'htmlparser2';
import { decodeText } from '../text.ts';

export type Attributes = Record<string, string>;

export interface XmlEvents {
  /** `above`: the names around it, outermost first, without its own. */
  open?(name: string, attributes: Attributes, above: readonly string[]): void;
  /** `inside`: the names around it. */
  text?(words: string, inside: readonly string[]): void;
  close?(name: string, above: readonly string[]): void;
  /** Asked now and then: true ends the reading. */
  enough?(): boolean;
}

const pieceLength = 65_536;

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

export function readXml(bytes: Uint8Array, events: XmlEvents): void {
  const path: string[] = [];
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const local = localName(name);
        events.open?.(local, attributes, path);
        path.push(local);
      },
      ontext(words) {
        events.text?.(words, path);
      },
      onclosetag(name) {
        path.pop();
        events.close?.(localName(name), path);
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  const text = decodeText(bytes);
  for (let at = 0; at < text.length; at += pieceLength) {
    if (events.enough?.() === true) return;
    parser.write(text.slice(at, at + pieceLength));
  }
  parser.end();
}

/** An attribute by its local name, with or without a prefix. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  return attributes[name] ?? prefixed(attributes, name);
}

/** An attribute that has a prefix: `r:id` beside an `id`. */
export function prefixed(attributes: Attributes, name: string): string | undefined {
  const key = Object.keys(attributes).find((own) => own.endsWith(`:${name}`));
  return key === undefined ? undefined : attributes[key];
}

/** Whether an on/off property (ECMA-376-1, 17.17.4) is on. */
export function isOn(attributes: Attributes): boolean {
  return !['0', 'false', 'off'].includes(attribute(attributes, 'val') ?? 'true');
}

/** The words of the first element of that name, trimmed; undefined where there are none. */
export function wordsOf(bytes: Uint8Array | undefined, element: string): string | undefined {
  if (bytes === undefined) return undefined;
  let words = '';
  readXml(bytes, {
    text(text, inside) {
      if (inside.at(-1) === element) words += text;
    },
  });
  return words.trim() === '' ? undefined : words.trim();
}
