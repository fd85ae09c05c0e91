// From what an org chose to something that embeds: the call through the door in this org's name, or the thread that
// runs a model of this machine. The name of the model that answers is found out before anything is believed.
import type { Clock } from '../../clock.ts';
import type { Caller, Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import { createWorkerPool, type WorkerPool } from '../worker-pool.ts';
import type { Asking } from './answered.ts';
import type { Embedder } from './embedder.ts';
import type { LocalAnswer, LocalTask } from './local-model.ts';
import { askOllama, ollamaDigest } from './ollama.ts';
import { askOpenai } from './openai.ts';
import { type EmbedderSettings, embedderName } from './settings.ts';
import { askSupabase } from './supabase.ts';

/** Texts of one task of the thread: a question waits for no more than that. */
const textsATask = 4;
const localTimeoutMs = 120_000;

/** Background work asks little at once; a question waits behind none of it. */
const limitOf = {
  passage: { perSecond: 20, burst: 20, concurrent: 4 },
  question: { perSecond: 50, burst: 100, concurrent: 8 },
} as const;

export interface OpenEmbedders {
  /**
   * Finds out which model answers, by asking it once.
   * @throws DrawbridgeError what is wrong with it, for people
   */
  open(orgId: string, settings: EmbedderSettings, key: Secret | undefined): Promise<Embedder>;
  /** The same for a model whose name is known: it is asked for its version alone, where it has one. */
  reopen(
    orgId: string,
    settings: EmbedderSettings,
    known: { name: string; dimensions: number; key: Secret | undefined },
  ): Promise<Embedder>;
  close(): Promise<void>;
}

export function createOpenEmbedders({
  egress,
  home,
  clock,
  log,
}: {
  egress: Pick<Egress, 'fetchFor'>;
  home: string;
  clock: Clock;
  log: Log;
}): OpenEmbedders {
  let pool: WorkerPool<LocalTask, LocalAnswer> | undefined;

  async function askLocal(
    settings: Extract<EmbedderSettings, { kind: 'local' }>,
    texts: readonly string[],
  ): Promise<{ vectors: Float32Array; dimensions: number; version: string }> {
    pool ??= createWorkerPool({ entry: 'embed-worker', size: 1, timeoutMs: localTimeoutMs, clock, log });
    const { folder, pooling, precision } = settings;
    const parts: Float32Array[] = [];
    let last = { dimensions: 0, version: '' };
    for (let i = 0; i === 0 || i < texts.length; i += textsATask) {
      const some = texts.slice(i, i + textsATask);
      const answer = await pool.run({ folder, home, pooling, precision, texts: some });
      if ('fault' in answer) throw new DrawbridgeError('invalid_request', answer.fault, { retry: 'ask' });
      if (!answer.vectors.every(Number.isFinite))
        throw new DrawbridgeError(
          'malformed_response',
          `The model in ${folder} gives vectors that are no numbers.`,
        );
      parts.push(answer.vectors);
      last = answer;
    }
    const vectors = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      vectors.set(part, at);
      at += part.length;
    }
    return { vectors, ...last };
  }

  const caller = (orgId: string, settings: EmbedderSettings, kind: Asking['kind']): Caller => ({
    orgId,
    provider: `embedder-${settings.kind}`,
    connectionId: `embedder-${kind}s`,
    operation: 'embed',
    cause: 'sync',
    limit: limitOf[kind],
  });

  function asker(orgId: string, settings: EmbedderSettings, key: Secret | undefined) {
    return async (
      texts: readonly string[],
      kind: Asking['kind'],
      { dimensions, signal }: { dimensions: number | undefined; signal: AbortSignal | undefined },
    ): Promise<{ vectors: Float32Array; dimensions: number }> => {
      const before = (kind === 'passage' ? settings.passagePrefix : settings.questionPrefix) ?? '';
      const given = before === '' ? texts : texts.map((text) => before + text);
      if (settings.kind === 'local') {
        signal?.throwIfAborted();
        const answer = await askLocal(settings, given);
        if (dimensions !== undefined && answer.dimensions !== dimensions)
          throw new DrawbridgeError(
            'malformed_response',
            `The model in ${settings.folder} gives ${answer.dimensions} numbers where ${dimensions} belong.`,
          );
        return answer;
      }
      const send = egress.fetchFor(caller(orgId, settings, kind));
      const asking: Asking = { send, key, kind, signal, now: clock.now() };
      if (settings.kind === 'openai') return askOpenai(settings, given, dimensions, asking);
      if (settings.kind === 'ollama') return askOllama(settings, given, dimensions, asking);
      return askSupabase(settings, given, dimensions, asking);
    };
  }

  async function versionOf(
    orgId: string,
    settings: EmbedderSettings,
    key: Secret | undefined,
  ): Promise<string> {
    if (settings.kind === 'local') return (await askLocal(settings, [])).version;
    if (settings.kind !== 'ollama') return '';
    const send = egress.fetchFor(caller(orgId, settings, 'passage'));
    return ollamaDigest(settings, { send, key, kind: 'passage', now: clock.now() });
  }

  function embedder(
    orgId: string,
    settings: EmbedderSettings,
    { name, dimensions, key }: { name: string; dimensions: number; key: Secret | undefined },
  ): Embedder {
    const ask = asker(orgId, settings, key);
    return {
      name,
      dimensions,
      limits: { tokens: settings.tokens, texts: settings.texts },
      embed: async (texts, kind, signal) => (await ask(texts, kind, { dimensions, signal })).vectors,
    };
  }

  return {
    async open(orgId, settings, key) {
      const version = await versionOf(orgId, settings, key);
      const probe = await asker(orgId, settings, key)(['A house with a garden.'], 'passage', {
        dimensions: settings.dimensions,
        signal: undefined,
      });
      const { dimensions } = probe;
      const name = embedderName(settings, { dimensions, version });
      return embedder(orgId, settings, { name, dimensions, key });
    },
    async reopen(orgId, settings, { name, dimensions, key }) {
      const version = await versionOf(orgId, settings, key);
      const found = embedderName(settings, { dimensions, version });
      if (found !== name) {
        throw new DrawbridgeError(
          'conflict',
          `The model behind ${name} is another one by now (${found}). Choose it again: drawbridge embedder set`,
          { retry: 'ask' },
        );
      }
      return embedder(orgId, settings, { name, dimensions, key });
    },
    async close() {
      await pool?.close();
    },
  };
}
