// How oauth4webapi leaves: by the way that it is given.
import type { PlainFetch } from '../../providers/auth.ts';

/** For the library's `customFetch`. A redirect is an answer like any other: nothing follows it. */
export function calling(leave: PlainFetch) {
  return (input: string, init: { method: string; headers: Record<string, string>; body?: unknown }) =>
    leave(input, {
      method: init.method,
      headers: init.headers,
      redirect: 'manual',
      ...(init.body === undefined || init.body === null ? {} : { body: String(init.body) }),
    });
}
