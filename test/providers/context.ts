// A context whose other side is a function: what leaves is remembered as it would have left.
import type { WriteContext } from '../../src/providers/define.ts';
import { Secret } from '../../src/secret.ts';
import { log } from '../connections/office.ts';
import { manualClock } from '../egress/manual-clock.ts';
import type { Exchange } from './contract.ts';

export interface TestContext {
  context: WriteContext;
  /** In the order of their leaving. */
  asked: (Omit<Exchange, 'provider'> & { idempotent: boolean | undefined; gate: 'shut' | 'open' })[];
}

/** @param answer a Response as it is; anything else as JSON with status 200 */
export function contextOver(
  answer: (request: Request, url: URL) => unknown,
  given: Partial<WriteContext> = {},
): TestContext {
  const asked: TestContext['asked'] = [];
  let gate: 'shut' | 'open' = 'shut';
  const none = () => Promise.reject(new Error('HTTP alone'));
  const context: WriteContext = {
    connectionId: 'con_a',
    fields: {},
    secret: () => new Secret('the-secret-of-the-test'),
    token: none,
    within: (work) => work(),
    async fetch(input, init = {}) {
      const { idempotent, maxBytes: _most, timeoutMs: _limit, once: _once, ...standard } = init;
      const request = new Request(input instanceof Request ? input : String(input), standard);
      const body = await request.clone().text();
      asked.push({
        method: request.method,
        url: request.url,
        headers: Object.fromEntries(request.headers),
        ...(body === '' ? {} : { body }),
        idempotent,
        gate,
      });
      const answered = answer(request, new URL(request.url));
      return answered instanceof Response ? answered : Response.json(answered);
    },
    dial: none,
    converse: none,
    clock: manualClock(),
    log,
    effectKey: 'key_of_the_effect',
    attachment: none,
    aboutToSend: async () => {
      gate = 'open';
    },
    ...given,
  };
  return { context, asked };
}
