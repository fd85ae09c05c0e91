// An OpenAI-compatible server: POST {base}/embeddings. Vectors are put back in the order of the texts by their own
// index, whatever order they come in.
import { DrawbridgeError } from '../../errors.ts';
import { type Asking, askJson, unitVectors } from './answered.ts';
import type { EmbedderSettings } from './settings.ts';

type Settings = Extract<EmbedderSettings, { kind: 'openai' }>;

/** The answer's rows by their index. */
function inOrder(data: unknown, count: number, host: string): unknown[] {
  const wrong = (what: string) => new DrawbridgeError('malformed_response', `${host} ${what}.`);
  if (!Array.isArray(data)) throw wrong('answered without a list of vectors');
  if (data.length !== count) throw wrong(`gave ${data.length} vectors for ${count} texts`);
  const rows: unknown[] = new Array(count).fill(undefined);
  for (const one of data as unknown[]) {
    const { index, embedding } = (typeof one === 'object' && one !== null ? one : {}) as Record<
      string,
      unknown
    >;
    if (!Number.isInteger(index) || rows[index as number] !== undefined || !((index as number) < count))
      throw wrong('numbered its vectors wrongly');
    rows[index as number] = embedding ?? null;
  }
  return rows;
}

/** https://platform.openai.com/docs/api-reference/embeddings/create */
export async function askOpenai(
  settings: Settings,
  texts: readonly string[],
  dimensions: number | undefined,
  asking: Asking,
): Promise<{ vectors: Float32Array; dimensions: number }> {
  const url = new URL(`${settings.url.replace(/\/$/u, '')}/embeddings`);
  const answer = await askJson(
    url,
    {
      model: settings.model,
      input: texts,
      encoding_format: 'float',
      // Not every model lets itself be shortened: only who asks for it sends it.
      ...(settings.dimensions === undefined ? {} : { dimensions: settings.dimensions }),
    },
    asking,
  );
  const data = (answer as { data?: unknown } | null)?.data;
  const rows = inOrder(data, texts.length, url.hostname);
  return unitVectors(rows, { count: texts.length, dimensions, host: url.hostname });
}
