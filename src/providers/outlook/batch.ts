// Several questions in one call. It only carries them: what is not answered well inside of it is asked by itself,
// and its answer judged as ever.
// https://learn.microsoft.com/en-us/graph/json-batching
import { z } from 'zod';
import { answeredAhead, type KeyOf } from '../ahead.ts';
import type { ProviderContext } from '../define.ts';
import { microsoftHttp as http } from '../microsoft.ts';

const mostAtOnce = 20;

/** A GET below this version's address. */
export interface Question {
  url: URL;
  /** As it is asked for by itself: by this it is told from others to the same address. */
  prefer: string;
}

const batchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.number().int(),
      headers: z.record(z.string(), z.unknown()).nullish(),
      body: z.unknown(),
    }),
  ),
});

/**
 * A context in which these have been asked already: each is answered once without a call.
 * @throws DrawbridgeError as `fetch`
 */
export async function askedAhead(
  context: ProviderContext,
  questions: readonly Question[],
): Promise<ProviderContext> {
  const answers = new Map<string, string>();
  for (let start = 0; start < questions.length; start += mostAtOnce) {
    const some = questions.slice(start, start + mostAtOnce);
    for (const { id, status, body } of await askTogether(context, some)) {
      const question = some[Number(id)];
      if (question !== undefined && status === 200) {
        answers.set(keyOf(question.url, new Headers({ prefer: question.prefer })), JSON.stringify(body));
      }
    }
  }
  return answeredAhead(context, answers, keyOf);
}

const keyOf: KeyOf = (url, headers) => `${headers.get('prefer') ?? ''} ${url.href}`;

async function askTogether(
  context: ProviderContext,
  questions: readonly Question[],
): Promise<z.infer<typeof batchAnswer>['responses']> {
  const { pathname } = new URL(http.baseUrl);
  const requests = questions.map(({ url, prefer }, index) => ({
    id: String(index),
    method: 'GET',
    url: `${url.pathname.slice(pathname.length)}${url.search}`,
    headers: { accept: 'application/json', prefer },
  }));
  const response = await context.fetch(`${http.baseUrl}/$batch`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ requests }),
    // Questions alone.
    idempotent: true,
    batch: { calls: requests.length, answers: limitsIn },
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  return response.ok ? partsIn(await response.text()) : [];
}

function partsIn(text: string): z.infer<typeof batchAnswer>['responses'] {
  try {
    return batchAnswer.parse(JSON.parse(text)).responses;
  } catch {
    // Each is asked by itself then, and an answer that is none is told of there.
    return [];
  }
}

/** A call that is refused for its rate is so inside of a batch that is answered with 200. */
function limitsIn(text: string): { status: number; headers: Headers }[] {
  return partsIn(text).map(({ status, headers }) => {
    const [, wait] = Object.entries(headers ?? {}).find(([name]) => /^retry-after$/i.test(name)) ?? [];
    const known = typeof wait === 'number' || (typeof wait === 'string' && /^[\w ,:]+$/.test(wait));
    return { status, headers: new Headers(known ? { 'retry-after': String(wait) } : {}) };
  });
}
