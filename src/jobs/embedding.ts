// A server looks every few seconds whether an org's embedder has something to do: what another process chose or
// stored, what had to wait, what is to go.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Embedding } from '../memory/embed/embedding.ts';
import type { OrgStore } from '../store/store.ts';

const everyMs = 15_000;

export function startEmbedding(given: {
  orgs(): Promise<OrgStore[]>;
  embedding: Pick<Embedding, 'settle'>;
  clock: Clock;
  log: Log;
}): { stop(): Promise<void> } {
  const { embedding, clock, log } = given;
  const stopped = new AbortController();
  const { signal } = stopped;

  async function rounds(): Promise<void> {
    while (!signal.aborted) {
      try {
        await clock.sleep(everyMs, { signal, unref: true });
      } catch {
        return; // stopped
      }
      try {
        for (const org of await given.orgs()) embedding.settle(org);
      } catch (thrown) {
        log.warn({ err: thrown }, 'the orgs could not be listed');
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
