// The process-wide undici dispatcher, Node's built-in fetch included: from work that knows its caller it leads
// through the door, from anywhere else nowhere.
import { namesLoopback } from './addresses.ts';
import { currentDoor, type Inside, unguarded } from './inside.ts';

/** What undici hands over, as far as it is used here. https://undici.nodejs.org/#/docs/api/Dispatcher */
interface Dispatched {
  origin?: string | URL;
  path: string;
  method: string;
  body?: unknown;
  headers?: unknown;
  upgrade?: unknown;
}

/** Both shapes of a handler: undici 7 and later, and the one before it, which Node's fetch still uses. */
interface Handler {
  onRequestStart?(controller: Controller, context: object): void;
  onResponseStart?(
    controller: Controller,
    status: number,
    headers: Record<string, string | string[]>,
    statusText: string,
  ): void;
  onResponseData?(controller: Controller, chunk: Buffer): void;
  onResponseEnd?(controller: Controller, trailers: object): void;
  onResponseError?(controller: Controller, error: Error): void;
  onConnect?(abort: (reason?: Error) => void): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onData?(chunk: Buffer): boolean;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
}

interface Controller {
  readonly aborted: boolean;
  readonly paused: boolean;
  readonly reason: Error | null;
  readonly rawHeaders: Buffer[];
  abort(reason?: Error): void;
  pause(): void;
  resume(): void;
}

interface Dispatcher {
  dispatch(options: Dispatched, handler: Handler): boolean;
}

// What the door has undone already: an answer is handed over whole and unpacked.
const undone = new Set(['content-encoding', 'content-length', 'transfer-encoding', 'connection']);

/**
 * Takes the place of the dispatcher that a process has under `name`. `admitLoopback` is asked at each call
 * that comes from outside of any work: what plainly names this machine then goes to the dispatcher that was
 * there before, so that a test's own fetch of its own server works.
 */
export function guardDispatcher(name: symbol, admitLoopback: () => boolean): void {
  const before = Reflect.get(globalThis, name) as Dispatcher | undefined;
  const guarded = {
    dispatch(options: Dispatched, handler: Handler): boolean {
      const url = URL.parse(options.path, String(options.origin ?? ''));
      const door = currentDoor();
      if (door === undefined && before !== undefined && url !== null && admitLoopback()) {
        if (namesLoopback(url.hostname)) return before.dispatch(options, handler);
      }
      const answered = replay(handler);
      if (door === undefined || url === null || options.upgrade) {
        answered.start();
        answered.fail(unguarded(url?.hostname ?? ''));
      } else {
        void through(door, url, options, answered);
      }
      return true;
    },
    close: async () => undefined,
    destroy: async () => undefined,
  };
  Object.defineProperty(globalThis, name, { value: guarded, writable: true, configurable: false });
}

async function through(door: Inside, url: URL, options: Dispatched, answered: Replay): Promise<void> {
  const signal = answered.start();
  try {
    const body = await bodyOf(options.body);
    const response = await door.fetch(url, {
      method: options.method,
      headers: headersOf(options.headers),
      ...(body === undefined ? {} : { body }),
      signal,
    });
    answered.finish(response, Buffer.from(await response.arrayBuffer()));
  } catch (thrown) {
    answered.fail(thrown instanceof Error ? thrown : new Error('The call failed.', { cause: thrown }));
  }
}

/** undici takes headers as pairs in a flat list, as an object, or as something to go through. */
function headersOf(given: unknown): Headers {
  const headers = new Headers();
  const add = (name: unknown, value: unknown): void => {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) headers.append(String(name), String(one));
    }
  };
  if (Array.isArray(given) && !Array.isArray(given[0])) {
    for (let at = 0; at + 1 < given.length; at += 2) add(given[at], given[at + 1]);
  } else if (given !== undefined && given !== null) {
    const pairs = Symbol.iterator in Object(given) ? (given as Iterable<unknown>) : Object.entries(given);
    for (const pair of pairs) if (Array.isArray(pair)) add(pair[0], pair[1]);
  }
  return headers;
}

async function bodyOf(given: unknown): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string') return given;
  if (ArrayBuffer.isView(given)) {
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  }
  const parts: Uint8Array[] = [];
  for await (const part of given as AsyncIterable<Uint8Array | string>) {
    parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

interface Replay {
  /** Begins the call; the signal is the handler's own wish to end it. */
  start(): AbortSignal;
  finish(response: Response, body: Buffer): void;
  fail(error: Error): void;
}

/** Plays a whole answer to a handler in the order that a socket would have. */
function replay(handler: Handler): Replay {
  const stop = new AbortController();
  let paused = false;
  let goOn: (() => void) | undefined;
  let rawHeaders: Buffer[] = [];
  let over = false;
  const modern = handler.onRequestStart !== undefined;
  const controller: Controller = {
    get aborted() {
      return stop.signal.aborted;
    },
    get paused() {
      return paused;
    },
    get reason() {
      return (stop.signal.reason as Error | undefined) ?? null;
    },
    get rawHeaders() {
      return rawHeaders;
    },
    abort: (reason) => stop.abort(reason),
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      const next = goOn;
      goOn = undefined;
      next?.();
    },
  };

  function fail(error: Error): void {
    if (over) return;
    over = true;
    if (modern) handler.onResponseError?.(controller, error);
    else handler.onError?.(error);
  }

  function whenResumed(next: () => void): void {
    if (stop.signal.aborted) fail(stop.signal.reason);
    else if (paused) goOn = () => guard(next);
    else next();
  }

  /** A handler that throws ends its own call. */
  function guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      fail(thrown instanceof Error ? thrown : new Error('The answer was not taken.', { cause: thrown }));
    }
  }

  return {
    start() {
      guard(() => {
        if (modern) handler.onRequestStart?.(controller, {});
        else handler.onConnect?.((reason) => stop.abort(reason));
      });
      return stop.signal;
    },
    finish(response, body) {
      const pairs = [...response.headers].filter(([name]) => !undone.has(name));
      rawHeaders = pairs.flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value, 'latin1')]);
      const { status, statusText } = response;
      const end = (): void => {
        if (over) return;
        over = true;
        if (modern) handler.onResponseEnd?.(controller, {});
        else handler.onComplete?.([]);
      };
      const data = (): void => {
        if (body.length === 0) {
          end();
          return;
        }
        if (modern) handler.onResponseData?.(controller, body);
        else if (handler.onData?.(body) === false) paused = true;
        whenResumed(end);
      };
      guard(() => {
        if (over) return;
        if (modern) handler.onResponseStart?.(controller, status, byName(pairs), statusText);
        else if (handler.onHeaders?.(status, rawHeaders, () => controller.resume(), statusText) === false) {
          paused = true;
        }
        whenResumed(data);
      });
    },
    fail,
  };
}

function byName(pairs: [string, string][]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of pairs) {
    const known = headers[name];
    headers[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value];
  }
  return headers;
}
