// A few worker threads behind one function. Started on first use; one that dies fails its own tasks with a
// reason and is replaced; an idle one never keeps the process alive.
import { type Transferable, Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { workerUrl } from '../worker-path.ts';
import type { Answer, Note, Task } from './worker-side.ts';

/** The worker died, or took too long and was ended: the task may be what did it. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
}

export interface WorkerPool<Input, Output> {
  /** `transfer`: parts of the input that become the worker's own. @throws WorkerLost, or an Error with the worker's own message */
  run(input: Input, transfer?: readonly Transferable[]): Promise<Output>;
  close(): Promise<void>;
}

interface Waiting<Output> {
  resolve(output: Output): void;
  reject(error: Error): void;
  /** When it is given up, on the clock of durations. */
  lateAt: number;
}
interface Member<Output> {
  worker: Worker;
  /** In the order in which they were asked, and so in which they are late. */
  waiting: Map<number, Waiting<Output>>;
  isWatched: boolean;
  /** Since when it has had nothing to do, on the clock of durations; and whether somebody waits for it to be long. */
  idleAt: number;
  isLeftAlone: boolean;
}

export interface PoolOptions {
  entry: 'parse-worker' | 'search-worker' | 'embed-worker';
  size: number;
  /** A task that takes longer ends its worker. */
  timeoutMs: number;
  /** Most megabytes of objects, arrays of numbers not counted: with a bound V8 collects what is left lying sooner. */
  heapMb?: number;
  /** For what is made and soon left lying: with little of it V8 collects more often, and keeps less. Default 8. */
  nurseryMb?: number;
  /** One that was given nothing for so long is ended: its heap is tens of megabytes. Left out: it stays. */
  idleMs?: number;
  clock: Clock;
  log: Log;
}

export function createWorkerPool<Input, Output>(options: PoolOptions): WorkerPool<Input, Output> {
  const members = new Set<Member<Output>>();
  let nextId = 1;
  const over = new AbortController();

  function lose(member: Member<Output>, reason: string): void {
    if (!members.delete(member)) return;
    for (const task of member.waiting.values()) task.reject(new WorkerLost(reason));
    member.waiting.clear();
  }

  function start(): Member<Output> {
    // Standard streams stay the worker's own: stdout belongs to JSON-RPC.
    // Two parsers with nurseries of the default size keep 60 MB more for the same work.
    const resourceLimits = {
      maxYoungGenerationSizeMb: options.nurseryMb ?? 8,
      ...(options.heapMb === undefined ? {} : { maxOldGenerationSizeMb: options.heapMb }),
    };
    const entry = workerUrl(`memory/${options.entry}`);
    const worker = new Worker(entry, { stdout: true, stderr: true, resourceLimits });
    const member: Member<Output> = {
      worker,
      waiting: new Map(),
      isWatched: false,
      idleAt: options.clock.elapsed(),
      isLeftAlone: false,
    };
    worker.on('message', (answer: Answer | Note) => {
      if ('note' in answer) return options.log.debug({ worker: options.entry }, answer.note);
      const task = member.waiting.get(answer.id);
      if (task === undefined) return;
      member.waiting.delete(answer.id);
      if (member.waiting.size === 0) {
        worker.unref();
        void leaveAlone(member);
      }
      if ('error' in answer) task.reject(new Error(answer.error));
      else task.resolve(answer.output as Output);
    });
    worker.on('error', (error) => lose(member, error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => lose(member, `the worker ended with code ${code}`));
    worker.unref();
    members.add(member);
    return member;
  }

  /** The least busy member; a new one while all are busy and there is room. */
  function choose(): Member<Output> {
    let best: Member<Output> | undefined;
    for (const member of members) {
      if (best === undefined || member.waiting.size < best.waiting.size) best = member;
    }
    if (best === undefined || (best.waiting.size > 0 && members.size < options.size)) return start();
    return best;
  }

  /** One timer a worker, which outlives the tasks: one a task costs more than handing it over. */
  async function watch(member: Member<Output>): Promise<void> {
    for (;;) {
      const oldest = member.waiting.values().next().value;
      if (oldest === undefined) {
        member.isWatched = false;
        return;
      }
      const left = oldest.lateAt - options.clock.elapsed();
      if (left <= 0) break;
      try {
        await options.clock.sleep(left, { signal: over.signal, unref: true });
      } catch {
        // The pool is closed.
        return;
      }
    }
    lose(member, `no answer within ${options.timeoutMs} ms`);
    await member.worker.terminate();
  }

  const ending = new Set<Promise<unknown>>();

  /** Ends it when it was given nothing for `idleMs`. */
  async function leaveAlone(member: Member<Output>): Promise<void> {
    member.idleAt = options.clock.elapsed();
    if (options.idleMs === undefined || member.isLeftAlone) return;
    member.isLeftAlone = true;
    for (;;) {
      const left = member.idleAt + options.idleMs - options.clock.elapsed();
      if (left <= 0) break;
      try {
        await options.clock.sleep(left, { signal: over.signal, unref: true });
      } catch {
        // The pool is closed.
        return;
      }
      if (member.waiting.size === 0) continue;
      member.isLeftAlone = false;
      return;
    }
    // First out of the pool, so that it is given nothing more.
    if (!members.delete(member)) return;
    const ended = member.worker.terminate();
    ending.add(ended);
    await ended;
    ending.delete(ended);
  }

  return {
    run(input, transfer = []) {
      if (over.signal.aborted) return Promise.reject(new Error('Memory is closed.'));
      const member = choose();
      const task: Task = { id: nextId, input };
      nextId += 1;
      return new Promise((resolve, reject) => {
        const lateAt = options.clock.elapsed() + options.timeoutMs;
        member.waiting.set(task.id, { resolve, reject, lateAt });
        member.worker.ref();
        member.worker.postMessage(task, [...transfer]);
        if (member.isWatched) return;
        member.isWatched = true;
        void watch(member);
      });
    },
    async close() {
      over.abort();
      const workers = [...members].map((member) => member.worker);
      for (const member of [...members]) lose(member, 'the pool is closed');
      await Promise.all([...workers.map((worker) => worker.terminate()), ...ending]);
    },
  };
}
