// Once an hour each org's connections are looked after: tokens that end soon are renewed, accounts that nobody
// used are asked whether they still answer, keys that are 90 days old are replaced, and what was kept for its time goes.
import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import type { Log } from '../log.ts';
import type { OrgStore } from '../store/store.ts';

const everyMs = 3_600_000;
/** Processes that start together do not come round together; a short-lived one leaves it to the others. */
const firstAfterMs = 60_000;
const spreadMs = 300_000;
const orgsAtOnce = 4;

export interface Care {
  /** Gives up what is under way; a token call that has begun is waited for by `Connections.close`. */
  stop(): Promise<void>;
}

export function startCare(given: {
  orgs(): Promise<OrgStore[]>;
  connections: Pick<Connections, 'lookAfter' | 'rotateKeys'>;
  /** Lets go of what was kept for its time. */
  retain(org: OrgStore, signal: AbortSignal): Promise<void>;
  clock: Clock;
  log: Log;
}): Care {
  const { clock, log, connections } = given;
  const stopped = new AbortController();
  const { signal } = stopped;

  /** What fails has its turn in an hour; the other orgs, and the other work, have theirs all the same. */
  async function tried(org: OrgStore, what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, orgId: org.orgId }, what);
    }
  }

  async function round(): Promise<void> {
    const waiting = await given.orgs();
    const worker = async (): Promise<void> => {
      for (let org = waiting.pop(); org !== undefined && !signal.aborted; org = waiting.pop()) {
        await tried(org, 'connections not looked after', async () => {
          await connections.lookAfter(org, signal);
          if (!signal.aborted) await connections.rotateKeys(org);
        });
        if (!signal.aborted) {
          await tried(org, 'old entries not let go', () => given.retain(org, signal));
        }
      }
    };
    await Promise.all(Array.from({ length: orgsAtOnce }, worker));
  }

  async function rounds(): Promise<void> {
    for (let waitMs = firstAfterMs; !signal.aborted; waitMs = everyMs) {
      try {
        await clock.sleep(waitMs + randomInt(spreadMs), { signal, unref: true });
      } catch {
        return; // stopped
      }
      try {
        await round();
      } catch (error) {
        log.warn({ err: error }, 'the orgs could not be listed');
      }
    }
  }

  const running = rounds();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
