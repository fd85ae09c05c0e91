// A handle is all that the house sees of a database: read, write, now. Work inside work of the same handle
// joins it; anything else that would wait for itself is refused at once.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely, Transaction } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import type { Handle } from './store.ts';

/** `beside`: a write that is on the disk when it resolves, though the event loop has not waited for that. */
export type RunMode = 'read' | 'write' | 'beside';

/** How one database runs a unit of work; `tx` is one transaction. */
export interface Engine<Tables> {
  run<Result>(mode: RunMode, work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Integer milliseconds; inside a transaction where one is given. */
  now(tx: Kysely<Tables> | undefined): Promise<number>;
}

interface Running {
  engine: unknown;
  mode: RunMode;
  tx: unknown;
  over: boolean;
}

const running = new AsyncLocalStorage<Running>();

function current(): Running | undefined {
  const found = running.getStore();
  // What was started inside a transaction and outlived it is no longer inside.
  return found === undefined || found.over ? undefined : found;
}

export function createHandle<Tables>(engine: Engine<Tables>): Handle<Tables> {
  async function enter<Result>(
    mode: RunMode,
    work: (tx: Transaction<Tables>) => Promise<Result>,
  ): Promise<Result> {
    return engine.run(mode, async (tx) => {
      const here: Running = { engine, mode, tx, over: false };
      try {
        return await running.run(here, () => work(tx));
      } finally {
        here.over = true;
      }
    });
  }

  /** The transaction that the caller is in already, when it is this handle's. */
  function joined(what: 'read' | 'write' | 'now'): Transaction<Tables> | undefined {
    const outer = current();
    if (outer === undefined) return undefined;
    if (outer.engine !== engine) {
      throw nested(`${what} on one database inside a ${outer.mode} on another`);
    }
    if (what === 'write') throw nested(`a write inside a ${outer.mode}: hand the transaction on`);
    // The same engine made it, so it is of the same tables.
    return outer.tx as Transaction<Tables>;
  }

  return Object.freeze({
    async read<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result> {
      const outer = joined('read');
      return outer === undefined ? enter('read', work) : work(outer);
    },
    async write<Result>(work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result> {
      joined('write');
      return enter('write', work);
    },
    async writeBeside<Result>(work: (tx: Transaction<Tables>) => Promise<Result>): Promise<Result> {
      joined('write');
      return enter('beside', work);
    },
    async now(): Promise<number> {
      return engine.now(joined('now'));
    },
  });
}

function nested(what: string): DrawbridgeError {
  return new DrawbridgeError('internal', `Refused: ${what}. It would wait for itself.`);
}
