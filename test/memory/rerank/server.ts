// A server on loopback that scores passages by the grade that stands in them, in each of the shapes that are spoken.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type Wire } from '../../egress/wire.ts';
import { answerJson, type EmbedWorld } from '../embed/world.ts';

export const gradeOf = (text: string): number => Number(/Grade (-?\d+)/u.exec(text)?.[1] ?? 0);

export interface GradingServer extends Wire {
  /** Passages that it was sent, a list a call; calls with a text of the org's alone. */
  calls(): string[][];
  questions(): string[];
  /** Answers instead of the usual way, where it says true. */
  instead: ((response: ServerResponse, passages: string[], request: IncomingMessage) => boolean) | undefined;
}

interface Body {
  query: string;
  documents?: string[];
  texts?: string[];
}

const passagesOf = ({ documents, texts }: Body): string[] => documents ?? texts ?? [];
const isProbe = ({ query }: Body): boolean => query === 'Which house has a garden?';

export async function gradingServer(): Promise<GradingServer> {
  const wire = await serve((request, response) => {
    const asked = JSON.parse(wire.seen.at(-1)?.body || '{}') as Body;
    const passages = passagesOf(asked);
    if (server.instead?.(response, passages, request) === true) return;
    // Best first, as servers give them: an index says which is which.
    const graded = passages
      .map((text, index) => ({ index, score: gradeOf(text) }))
      .sort((a, b) => b.score - a.score);
    const relevance = graded.map(({ index, score }) => ({ index, relevance_score: score }));
    if (asked.texts !== undefined) answerJson(response, graded);
    else if (request.url === '/voyage/rerank') answerJson(response, { object: 'list', data: relevance });
    else answerJson(response, { id: 'x', results: relevance, meta: {} });
  });
  const bodies = () => wire.seen.map(({ body }) => JSON.parse(body) as Body).filter((body) => !isProbe(body));
  const server: GradingServer = {
    ...wire,
    calls: () => bodies().map(passagesOf),
    questions: () => bodies().map(({ query }) => query),
    instead: undefined,
  };
  return server;
}

export const cohere = (url: string, more: object = {}) => ({
  kind: 'cohere',
  url: `${url}/v2`,
  model: 'rerank-1',
  ...more,
});

export async function choose(world: EmbedWorld, settings: unknown, where = world): Promise<void> {
  await world.reranking.set(where.org, where.owner, { settings, key: world.key, channel: 'test' });
}

/** Notes with a grade each. @returns their titles as memory ranks them */
export async function houses(world: EmbedWorld, grades: readonly number[]): Promise<string[]> {
  await world.notes(
    Object.fromEntries(
      grades.map((grade, i) => [
        `h${String(i).padStart(2, '0')}`,
        `The house stands by the lake${', as all of them do'.repeat(i)}. Grade ${grade}.`,
      ]),
    ),
  );
  const { passages } = await world.memory.search(world.org, { question, limit: 100, rerank: false });
  return passages.map(({ title }) => title);
}

/** The last passage that was sent is the best. */
export const lastFirst = (response: ServerResponse, passages: readonly string[]): true =>
  answerJson(response, { results: passages.map((_, index) => ({ index, relevance_score: index })) });

export const question = 'house by the lake';

/** All pages of an answer, and what each said of the reranker. */
export async function pages(
  world: EmbedWorld,
  limit: number,
  between: (page: number) => Promise<void> | void = () => undefined,
  more: object = {},
): Promise<{ titles: string[]; said: (string | undefined)[] }> {
  const titles: string[] = [];
  const said: (string | undefined)[] = [];
  let cursor: string | undefined;
  do {
    const answer = await world.memory.search(world.org, {
      question,
      limit,
      ...more,
      ...(cursor === undefined ? {} : { cursor }),
    });
    titles.push(...answer.passages.map(({ title }) => title));
    said.push(answer.unreranked);
    cursor = answer.nextCursor;
    await between(said.length);
  } while (cursor !== undefined);
  return { titles, said };
}
