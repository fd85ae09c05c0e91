// What an org says of the reranker that it chose.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { mostReranked } from '../cursor.ts';

const model = z
  .string('must be given: the name of a model, as the server names it')
  .regex(/^[\w./:@+-]{1,120}$/u, 'must be the name of a model: letters, digits and ./:@+-');
const url = z.url({ protocol: /^https?$/u, error: 'must be given: an http(s) address' });

/** `tokens`: of question and passage together. */
const limits = (tokens: number) => ({
  passages: z.int('must be a whole number, 2 to 40').min(2).max(mostReranked).default(30),
  tokens: z.int().min(128).max(8_192).default(tokens),
  timeoutMs: z.int('must be a whole number, 100 to 10000').min(100).max(10_000).default(1_500),
});

export const rerankerSettings = z.discriminatedUnion(
  'kind',
  [
    // https://docs.cohere.com/reference/rerank: 1,000 documents, 4,096 tokens each. The same call: Jina, vLLM, LocalAI,
    // and the server of llama.cpp, which refuses more than 512 tokens unless it was started with more (-ub).
    z.strictObject({
      kind: z.literal('cohere'),
      url: url.default('https://api.cohere.com/v2'),
      model,
      ...limits(1_024),
    }),
    // https://docs.voyageai.com/reference/reranker-api: top_k and data where others say top_n and results.
    z.strictObject({
      kind: z.literal('voyage'),
      url: url.default('https://api.voyageai.com/v1'),
      model,
      ...limits(1_024),
    }),
    // https://huggingface.github.io/text-embeddings-inference: serves one model, and takes 32 texts unless told otherwise.
    z.strictObject({ kind: z.literal('tei'), url, model: model.default('as-served'), ...limits(512) }),
    z.strictObject({
      kind: z.literal('local'),
      folder: z.string('must be given: the folder of the model').min(1).max(1_000),
      model,
      precision: z.enum(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4']).default('fp32'),
      ...limits(512),
    }),
  ],
  'must be cohere, voyage, tei or local',
);
export type RerankerSettings = z.output<typeof rerankerSettings>;
export type RemoteSettings = Exclude<RerankerSettings, { kind: 'local' }>;
export const rerankerKinds: readonly RerankerSettings['kind'][] = ['cohere', 'voyage', 'tei', 'local'];

/** `called`: how whoever gave it calls a field. @throws DrawbridgeError `invalid_request` naming the field */
export function readSettings(
  given: unknown,
  called: (field: string) => string = (field) => field,
): RerankerSettings {
  const parsed = rerankerSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues;
  const unknown = fault?.code === 'unrecognized_keys' ? fault.keys[0] : undefined;
  const field = called(unknown ?? (fault?.path.join('.') || 'kind'));
  const message = unknown === undefined ? fault?.message : 'is no setting of this kind';
  throw new DrawbridgeError('invalid_request', `${field}: ${message}`, { field });
}

export const nameOf = ({ kind, model: called }: RerankerSettings): string => `${kind}:${called}`;

/** Where passages go; undefined: they stay in this process. */
export const hostOf = (settings: RerankerSettings): string | undefined =>
  settings.kind === 'local' ? undefined : new URL(settings.url).host;
