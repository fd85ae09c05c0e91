// From what an org chose to something that scores: the call through the door in this org's name, or the thread that runs a
// model of this machine.
import type { Clock } from '../../clock.ts';
import { withDeadline } from '../../egress/deadline.ts';
import type { Caller, Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import { piecesOf } from '../embed/pieces.ts';
import { createWorkerPool, type WorkerPool } from '../worker-pool.ts';
import { askServer } from './ask-server.ts';
import type { ScoreAnswer, ScoreTask } from './local-reranker.ts';
import type { Reranker } from './reranker.ts';
import { nameOf, type RerankerSettings } from './settings.ts';

/** The thread that runs a model goes when nobody asked for so long: it holds hundreds of megabytes. */
const idleMs = 600_000;
const localTimeoutMs = 120_000;
/** Questions that the thread has at once. */
const mostWaiting = 2;
const limit = { perSecond: 20, burst: 40, concurrent: 8 } as const;
/** Of the tokens, at most, for the question. */
const questionShare = 0.25;

export interface OpenRerankers {
  open(orgId: string, settings: RerankerSettings, key: Secret | undefined): Reranker;
  close(): Promise<void>;
}

/** A text's beginning, as many tokens of it as there may be. */
const cut = (title: string, text: string, tokens: number): string => piecesOf(title, text, tokens)[0] ?? '';

export function createOpenRerankers({
  egress,
  home,
  clock,
  log,
}: {
  egress: Pick<Egress, 'fetchFor'>;
  home: string;
  clock: Clock;
  log: Log;
}): OpenRerankers {
  let pool: WorkerPool<ScoreTask, ScoreAnswer> | undefined;
  let waiting = 0;

  async function askLocal(task: ScoreTask): Promise<number[]> {
    // Who asked may have left at the time limit: the thread works on, and those behind would only come later still.
    if (waiting >= mostWaiting)
      throw new DrawbridgeError('rate_limited', `The model in ${task.folder} is at earlier questions.`);
    pool ??= createWorkerPool({
      entry: 'embed-worker',
      size: 1,
      timeoutMs: localTimeoutMs,
      idleMs,
      clock,
      log,
    });
    waiting += 1;
    const answer = await pool.run(task).finally(() => {
      waiting -= 1;
    });
    if ('fault' in answer) throw new DrawbridgeError('invalid_request', answer.fault, { retry: 'ask' });
    if (!answer.scores.every(Number.isFinite))
      throw new DrawbridgeError(
        'malformed_response',
        `The model in ${task.folder} gives scores that are no numbers.`,
      );
    return answer.scores;
  }

  return {
    open(orgId, settings, key) {
      const { tokens } = settings;
      const name = nameOf(settings);
      const caller: Caller = {
        orgId,
        provider: `reranker-${settings.kind}`,
        connectionId: 'reranker',
        operation: 'rerank',
        // As with embedders: the plan's calls an hour are those of accounts.
        cause: 'sync',
        limit,
      };
      const ask = async (
        question: string,
        passages: readonly string[],
        timeoutMs: number,
        signal: AbortSignal,
      ) => {
        if (settings.kind === 'local') {
          const { folder, precision } = settings;
          return askLocal({ folder, home, precision, question, passages });
        }
        const asking = { send: egress.fetchFor(caller), key, signal, timeoutMs, now: clock.now() };
        return askServer(settings, question, passages, asking);
      };
      return {
        name,
        score(question, passages, { timeoutMs, signal }) {
          const asked = cut('', question, tokens * questionShare);
          const texts = passages.map((passage) => cut('', passage, tokens * (1 - questionShare)));
          const expired = () =>
            new DrawbridgeError('timeout', `${name} did not answer within ${timeoutMs / 1000} s.`);
          return withDeadline({ clock, timeoutMs, signal, expired }, (limited) =>
            ask(asked, texts, timeoutMs, limited),
          );
        },
      };
    },
    async close() {
      await pool?.close();
    },
  };
}
