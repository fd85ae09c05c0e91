// Questions that were asked ahead, together: whoever asks one of them gets its answer without a call, once. Any
// other is asked as ever.
import type { ProviderContext } from './define.ts';

/** What tells one question from another. */
export type KeyOf = (url: URL, headers: Headers) => string;

/** @param answers by key: JSON, each of status 200 */
export function answeredAhead(
  context: ProviderContext,
  answers: Map<string, string>,
  keyOf: KeyOf,
): ProviderContext {
  return {
    ...context,
    async fetch(input, init = {}) {
      const plain = !(input instanceof Request) && (init.method ?? 'GET') === 'GET';
      const key = plain ? keyOf(new URL(input), new Headers(init.headers)) : '';
      const answer = answers.get(key);
      if (answer === undefined) return context.fetch(input, init);
      answers.delete(key);
      return new Response(answer, { headers: { 'content-type': 'application/json' } });
    },
  };
}
