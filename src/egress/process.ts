// What a client could leave by without being handed anything is closed for the whole process: the undici
// dispatcher (Node's fetch), Node's own http and https agents.
import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { namesLoopback } from './addresses.ts';
import { guardDispatcher } from './dispatcher.ts';
import { unguarded } from './inside.ts';

// Node 24's fetch looks under the first, the undici package and later Nodes under the second.
const dispatchers = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'];

let guarded = false;
/** Doors open now, and those among them that admit loopback: tests, the sandbox, one's own servers. */
let doors = 0;
let admitting = 0;

/** Calls that plainly name this machine pass unguarded while a door that admits loopback is open, or none is. */
function loopbackPasses(): boolean {
  return doors === 0 || admitting > 0;
}

/** Closes the other ways out, once a process and for good. Returns what is to be called when this door closes. */
export function guardProcess(allowLoopback: boolean): () => void {
  doors += 1;
  if (allowLoopback) admitting += 1;
  if (!guarded) {
    guarded = true;
    // Reading it makes Node set its own dispatcher, which then is there to be replaced.
    void globalThis.Headers;
    for (const name of dispatchers) guardDispatcher(Symbol.for(name), loopbackPasses);
    http.globalAgent = new GuardedHttpAgent();
    https.globalAgent = new GuardedHttpsAgent();
  }
  let open = true;
  return () => {
    if (!open) return;
    open = false;
    doors -= 1;
    if (allowLoopback) admitting -= 1;
  };
}

type Made = (error: Error | null, stream: Duplex) => void;

/** Undefined for what may pass. */
function refusal(host: string | null | undefined): Error | undefined {
  const name = host ?? '';
  return loopbackPasses() && namesLoopback(name === '' ? 'localhost' : name) ? undefined : unguarded(name);
}

function refuse(error: Error, made: Made | undefined): undefined {
  // The agent hands it to its request, as it does with a failed connection; there is no stream then.
  process.nextTick(() => made?.(error, undefined as unknown as Duplex));
}

class GuardedHttpAgent extends http.Agent {
  override createConnection(options: http.ClientRequestArgs, made?: Made): Duplex | null | undefined {
    const error = refusal(options.host);
    return error === undefined ? super.createConnection(options, made) : refuse(error, made);
  }
}

class GuardedHttpsAgent extends https.Agent {
  override createConnection(options: https.RequestOptions, made?: Made): Duplex | null | undefined {
    const error = refusal(options.host);
    return error === undefined ? super.createConnection(options, made) : refuse(error, made);
  }
}
