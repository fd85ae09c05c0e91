// Ollama: POST {base}/api/embed, and the digest of the model's files as its version: a newer pull under the same
// name is another model.
import { DrawbridgeError } from '../../errors.ts';
import { type Asking, askJson, unitVectors } from './answered.ts';
import type { EmbedderSettings } from './settings.ts';

type Settings = Extract<EmbedderSettings, { kind: 'ollama' }>;

const under = ({ url }: Settings, path: string) => new URL(`${url.replace(/\/$/u, '')}${path}`);

/** https://docs.ollama.com/api/embed: the vectors stand in the order of the texts. */
export async function askOllama(
  settings: Settings,
  texts: readonly string[],
  dimensions: number | undefined,
  asking: Asking,
): Promise<{ vectors: Float32Array; dimensions: number }> {
  const url = under(settings, '/api/embed');
  const answer = await askJson(
    url,
    {
      model: settings.model,
      input: texts,
      ...(settings.dimensions === undefined ? {} : { dimensions: settings.dimensions }),
    },
    asking,
  );
  const rows = (answer as { embeddings?: unknown } | null)?.embeddings;
  if (!Array.isArray(rows)) {
    throw new DrawbridgeError('malformed_response', `${url.hostname} answered without a list of vectors.`);
  }
  return unitVectors(rows, { count: texts.length, dimensions, host: url.hostname });
}

/**
 * The digest of the model as it is pulled: https://docs.ollama.com/api/tags
 * @throws DrawbridgeError `not_found` where it is not pulled
 */
export async function ollamaDigest(settings: Settings, asking: Asking): Promise<string> {
  const answer = await askJson(under(settings, '/api/tags'), undefined, asking);
  const models = (answer as { models?: unknown } | null)?.models;
  const names = [settings.model, `${settings.model}:latest`];
  for (const one of Array.isArray(models) ? (models as unknown[]) : []) {
    const { name, digest } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    if (names.includes(String(name)) && typeof digest === 'string') return digest.slice(0, 16);
  }
  throw new DrawbridgeError(
    'not_found',
    `This Ollama has no model ${settings.model}. On its machine: ollama pull ${settings.model}`,
    { retry: 'ask' },
  );
}
