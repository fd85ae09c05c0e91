// The index behind its interface: numbers and what went are written with the chunks, questions are answered in a
// worker, folding goes on in the background.
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { createQueueLock } from '../../store/sqlite/queue-lock.ts';
import { staticEn } from '../embed/static-en.ts';
import { createReader, type Reader } from '../reader.ts';
import { createWorkerPool, WorkerLost } from '../worker-pool.ts';
import { withAccess } from './access.ts';
import { beginChange } from './change.ts';
import { createFolding, type FoldSizes } from './fold.ts';
import type { SearchIndex } from './search-index.ts';
import type { SearchAnswer, SearchTask } from './searcher.ts';

const timeoutMs = 30_000;
/** Ten times what a question leaves lying. */
const heapMb = 128;
/** A question leaves 1 MB lying: collected after a few instead of at nearly each, it waits less. */
const nurseryMb = 24;

export function createPostingsIndex({
  clock,
  log,
  background: given,
  foldSizes,
}: {
  clock: Clock;
  log: Log;
  /** The thread that folds; one of its own where none is given. */
  background?: Pick<Reader, 'fold'>;
  foldSizes?: FoldSizes;
}): SearchIndex {
  const pool = createWorkerPool<SearchTask, SearchAnswer>({
    entry: 'search-worker',
    size: 1,
    timeoutMs,
    heapMb,
    nurseryMb,
    clock,
    log,
  });
  // Starts no thread before it has work.
  const own = createReader({ clock, log });
  const background = given ?? own;
  const { name, dimensions } = staticEn;
  const folding = createFolding({ clock, log, models: [{ name, dimensions }], background }, foldSizes);
  // The worker answers one after another: who waits holds no connection meanwhile.
  const turns = createQueueLock();

  async function ask(task: Omit<SearchTask, 'access'>, org: Parameters<SearchIndex['search']>[0]) {
    const pass = org.dialect === 'postgres' ? await turns.take() : undefined;
    try {
      return await withAccess(org, (access, transfer) => pool.run({ ...task, access }, transfer));
    } catch (thrown) {
      if (!(thrown instanceof WorkerLost)) throw thrown;
      throw new DrawbridgeError('timeout', 'The search was given up; ask again, or narrow the question.', {
        retry: 'later',
        cause: thrown,
      });
    } finally {
      pass?.();
    }
  }

  return {
    change: beginChange,
    async search(org, query) {
      const { hits, loose } = await ask({ orgId: org.orgId, query }, org);
      folding.settle(org, loose);
      return hits;
    },
    settle: (org, loose) => folding.settle(org, loose),
    settled: () => folding.settled(),
    async close() {
      await Promise.all([pool.close(), own.close(), folding.close()]);
    },
  };
}
