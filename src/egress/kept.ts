// Answers that came with a validator (RFC 9110, 8.8) are kept a while, so that a provider may say "not
// modified" instead of sending them again. Small and bounded: a few answers for a few connections.
import type { Answer } from './answer.ts';

const mostConnections = 32;
const mostAnswers = 64;
const mostBytes = 1024 * 1024;
const largest = 256 * 1024;

export interface Kept {
  /** Adds to `headers` what asks for "not modified". Returns the answer that is then still good. */
  ask(connection: string, key: string, headers: Headers): Answer | undefined;
  /** Keeps an answer that can be asked about; forgets what was there before it. */
  keep(connection: string, key: string, answer: Answer): void;
}

interface Shelf {
  answers: Map<string, Answer>;
  bytes: number;
}

export function createKept(): Kept {
  const shelves = new Map<string, Shelf>();

  /** Maps keep the order of insertion: what was used last stands last. */
  function shelfOf(connection: string): Shelf {
    const shelf = shelves.get(connection) ?? { answers: new Map(), bytes: 0 };
    shelves.delete(connection);
    shelves.set(connection, shelf);
    const [oldest] = shelves.keys();
    if (shelves.size > mostConnections && oldest !== undefined) shelves.delete(oldest);
    return shelf;
  }

  function drop(shelf: Shelf, key: string): void {
    const answer = shelf.answers.get(key);
    if (answer === undefined) return;
    shelf.answers.delete(key);
    shelf.bytes -= answer.body?.byteLength ?? 0;
  }

  return {
    ask(connection, key, headers) {
      const answer = shelves.get(connection)?.answers.get(key);
      if (answer === undefined) return undefined;
      const etag = answer.headers.get('etag');
      const modified = answer.headers.get('last-modified');
      if (etag !== null) headers.set('if-none-match', etag);
      // RFC 9110, 13.1.3: ignored where both are sent, so it is sent alone.
      else if (modified !== null) headers.set('if-modified-since', modified);
      return answer;
    },
    keep(connection, key, answer) {
      const size = answer.body?.byteLength ?? 0;
      const { headers } = answer;
      const shelf = shelfOf(connection);
      drop(shelf, key);
      if (
        answer.status !== 200 ||
        size > largest ||
        (headers.get('cache-control') ?? '').includes('no-store')
      ) {
        return;
      }
      if (!headers.has('etag') && !headers.has('last-modified')) return;
      shelf.answers.set(key, answer);
      shelf.bytes += size;
      for (const [oldest] of shelf.answers) {
        if (shelf.answers.size <= mostAnswers && shelf.bytes <= mostBytes) break;
        drop(shelf, oldest);
      }
    },
  };
}

/** The kept answer, as the provider confirmed it: RFC 9111, 4.3.4. */
export function confirmed(kept: Answer, by: Answer): Answer {
  const headers = new Headers(kept.headers);
  for (const [name, value] of by.headers) {
    if (name !== 'content-length' && name !== 'content-encoding') headers.set(name, value);
  }
  return { ...kept, headers };
}
