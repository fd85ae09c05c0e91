// A server of others that scores passages: POST {base}/rerank. Which score belongs to which passage is said by its index,
// whatever order they come in; an answer that cannot be right is not believed.
import { DrawbridgeError } from '../../errors.ts';
import { type Asking, askJson } from '../embed/answered.ts';
import type { RemoteSettings } from './settings.ts';

interface Shape {
  body(model: string, question: string, passages: readonly string[]): object;
  rows(answer: Record<string, unknown>): unknown;
  score: string;
}

/** What all servers of a kind take, and no more: some refuse a field that they do not know. */
const shapes: Record<RemoteSettings['kind'], Shape> = {
  cohere: {
    // Not every server gives all scores where top_n is left out.
    body: (model, query, documents) => ({ model, query, documents, top_n: documents.length }),
    rows: (answer) => answer['results'],
    score: 'relevance_score',
  },
  voyage: {
    body: (model, query, documents) => ({ model, query, documents }),
    rows: (answer) => answer['data'],
    score: 'relevance_score',
  },
  tei: {
    body: (_model, query, texts) => ({ query, texts, truncate: true }),
    rows: (answer) => answer,
    score: 'score',
  },
};

/** Room for servers that repeat each passage. */
const mostBytes = 4 * 1024 * 1024;

/** @throws DrawbridgeError as `askJson`; `malformed_response` for wrong, missing or surplus scores */
export async function askServer(
  settings: RemoteSettings,
  question: string,
  passages: readonly string[],
  asking: Omit<Asking, 'kind' | 'act' | 'maxBytes'> & { timeoutMs: number },
): Promise<number[]> {
  const url = new URL(`${settings.url.replace(/\/$/u, '')}/rerank`);
  const shape = shapes[settings.kind];
  const answer = await askJson(url, shape.body(settings.model, question, passages), {
    ...asking,
    kind: 'question',
    act: 'rerank',
    maxBytes: mostBytes,
  });
  const wrong = (what: string) => new DrawbridgeError('malformed_response', `${url.hostname} ${what}.`);
  const rows = shape.rows((answer ?? {}) as Record<string, unknown>);
  if (!Array.isArray(rows)) throw wrong('answered without a list of scores');
  if (rows.length !== passages.length)
    throw wrong(`gave ${rows.length} scores for ${passages.length} passages`);
  const scores: (number | undefined)[] = passages.map(() => undefined);
  for (const row of rows as unknown[]) {
    const one = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>;
    const { index } = one as { index?: unknown };
    const score = one[shape.score];
    if (typeof index !== 'number' || !(index in scores) || scores[index] !== undefined)
      throw wrong('numbered its scores wrongly');
    if (typeof score !== 'number' || !Number.isFinite(score)) throw wrong('gave a score that is no number');
    scores[index] = score;
  }
  return scores.map((score) => score ?? 0);
}
