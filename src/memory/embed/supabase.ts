// An edge function of a Supabase project that runs gte-small: one text a call, so a few calls at once.
import { DrawbridgeError } from '../../errors.ts';
import { type Asking, askJson, unitVectors } from './answered.ts';
import type { EmbedderSettings } from './settings.ts';

type Settings = Extract<EmbedderSettings, { kind: 'supabase' }>;

const callsAtOnce = 4;

/** The function as Supabase's guide writes it: `{input}` in, `{embedding}` out. */
export async function askSupabase(
  settings: Settings,
  texts: readonly string[],
  dimensions: number | undefined,
  asking: Asking,
): Promise<{ vectors: Float32Array; dimensions: number }> {
  const url = new URL(`${settings.url.replace(/\/$/u, '')}/functions/v1/${settings.function}`);
  const rows: unknown[] = new Array(texts.length).fill(undefined);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < texts.length) {
      const at = next;
      next += 1;
      const answer = await askJson(url, { input: texts[at] }, asking);
      const embedding = (answer as { embedding?: unknown } | null)?.embedding;
      if (!Array.isArray(embedding)) {
        throw new DrawbridgeError(
          'malformed_response',
          `${url.hostname} answered without a vector: its function ${settings.function} should give {"embedding": […]}.`,
        );
      }
      rows[at] = embedding;
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, worker));
  return unitVectors(rows, { count: texts.length, dimensions, host: url.hostname });
}
