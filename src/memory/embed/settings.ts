// What an org says of the embedder that it chose, and the name under which its vectors are stored: another server,
// model, version or way of asking is another space, and another name.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../canonical-json.ts';
import { DrawbridgeError } from '../../errors.ts';

/** The name of the one that needs nothing, as people write it. */
export const builtIn = 'built-in';

const model = z
  .string('must be given: the name of a model, as the server names it')
  .regex(/^[\w./:@+-]{1,120}$/u, 'must be the name of a model: letters, digits and ./:@+-');
const url = z.url({ protocol: /^https?$/u, error: 'must be given: an http(s) address' });
const dimensions = z.int().min(2).max(4_096).optional();
const wordsBefore = z.string().max(200).optional();
/** Tokens that one text may have, and texts that one call may have. */
const limits = (tokens: number, texts: number) => ({
  tokens: z.int().min(64).max(32_768).default(tokens),
  texts: z.int().min(1).max(2_048).default(texts),
});
/** What the model wants to be told before a passage or a question (`search_query: `). */
const prefixes = { passagePrefix: wordsBefore, questionPrefix: wordsBefore };

export const embedderSettings = z.discriminatedUnion('kind', [
  // https://platform.openai.com/docs/api-reference/embeddings: 8,192 tokens an input, 300,000 a call.
  z.strictObject({
    kind: z.literal('openai'),
    url: url.default('https://api.openai.com/v1'),
    model,
    dimensions,
    ...limits(8_000, 64),
    ...prefixes,
  }),
  // https://docs.ollama.com/api/embed; the window of many embedding models is 512 or 2,048 tokens.
  z.strictObject({
    kind: z.literal('ollama'),
    url: url.default('http://127.0.0.1:11434'),
    model,
    dimensions,
    ...limits(512, 32),
    ...prefixes,
  }),
  // https://supabase.com/docs/guides/ai/quickstarts/generate-text-embeddings: gte-small, 512 tokens, one text a call.
  z.strictObject({
    kind: z.literal('supabase'),
    url,
    model: model.default('gte-small'),
    function: z
      .string()
      .regex(/^[\w-]{1,80}$/u)
      .default('embed'),
    dimensions: z.int().min(2).max(4_096).default(384),
    ...limits(512, 8),
    ...prefixes,
  }),
  z.strictObject({
    kind: z.literal('local'),
    folder: z.string().min(1).max(1_000),
    model,
    dimensions,
    pooling: z.enum(['mean', 'cls']).default('mean'),
    precision: z.enum(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4']).default('fp32'),
    ...limits(512, 16),
    ...prefixes,
  }),
]);
export type EmbedderSettings = z.output<typeof embedderSettings>;
export type EmbedderKind = EmbedderSettings['kind'];
export const embedderKinds: readonly EmbedderKind[] = ['openai', 'ollama', 'supabase', 'local'];

/** @throws DrawbridgeError `invalid_request` naming the field */
export function readSettings(given: unknown): EmbedderSettings {
  const parsed = embedderSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues;
  const field = fault?.path.join('.') || 'kind';
  throw new DrawbridgeError('invalid_request', `${field}: ${fault?.message ?? 'is no setting'}`, { field });
}

/**
 * Model and version, as they stand on each vector: `openai:text-embedding-3-small@1536-5f1c20ab`.
 * `version`: what the server or the files say of the model beyond its name.
 */
export function embedderName(
  settings: EmbedderSettings,
  found: { dimensions: number; version: string },
): string {
  const { passagePrefix = '', questionPrefix = '' } = settings;
  const where = settings.kind === 'local' ? '' : new URL(settings.url).host;
  const how =
    settings.kind === 'local'
      ? `${settings.pooling} ${settings.precision}`
      : settings.kind === 'supabase'
        ? settings.function
        : '';
  const told = canonicalJson({ where, how, passagePrefix, questionPrefix, ...found });
  const digest = createHash('sha256').update(told).digest('hex').slice(0, 8);
  return `${settings.kind}:${settings.model}@${found.dimensions}-${digest}`;
}
