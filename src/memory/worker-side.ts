// The worker's end of a pool: one answer for every task, an error as an answer too.
import { parentPort } from 'node:worker_threads';

export interface Task {
  id: number;
  input: unknown;
}
export type Answer = { id: number; output: unknown } | { id: number; error: string };
/** A word for the log, which a worker has none of. */
export interface Note {
  note: string;
}

/** Has the pool write a line into its log. */
export function tellLog(note: string): void {
  parentPort?.postMessage({ note } satisfies Note);
}

/** Answers every task that the pool sends with what `work` gives. */
export function serveTasks<Input, Output>(work: (input: Input) => Promise<Output> | Output): void {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a worker only.');
  port.on('message', async (task: Task) => {
    let answer: Answer;
    try {
      answer = { id: task.id, output: await work(task.input as Input) };
    } catch (thrown) {
      answer = {
        id: task.id,
        error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      };
    }
    port.postMessage(answer);
  });
}
