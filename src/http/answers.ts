// How a fault is told: as a page to a browser, as JSON to a program, and never with a stack.
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Session } from '../auth/sign-in.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { messagePage } from '../dashboard/page/message.ts';
import type { DrawbridgeError, ErrorCode } from '../errors.ts';

const statusOf: Record<ErrorCode, ContentfulStatusCode> = {
  auth_expired: 401,
  auth_revoked: 401,
  permission_denied: 403,
  rate_limited: 429,
  quota_exhausted: 429,
  not_found: 404,
  invalid_request: 400,
  conflict: 409,
  provider_unavailable: 502,
  timeout: 504,
  network: 502,
  malformed_response: 502,
  internal: 500,
};

const titles: Partial<Record<ContentfulStatusCode, string>> = {
  400: 'That did not work',
  401: 'Sign in first',
  403: 'Refused',
  404: 'There is nothing here',
  409: 'Something changed',
  413: 'Too large',
  421: 'Wrong address',
  429: 'Too many requests',
};

export function statusFor(code: ErrorCode): ContentfulStatusCode {
  return statusOf[code];
}

/**
 * Answers with `message` in the form that the caller reads.
 * @param error for programs: its code, whether trying again is worth it, and the field at fault
 */
export async function refusal(
  c: Context,
  status: ContentfulStatusCode,
  message: string,
  error?: Pick<DrawbridgeError, 'code' | 'retry' | 'field'>,
): Promise<Response> {
  if (c.req.path === '/mcp') {
    return c.json({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }, status);
  }
  if (!(c.req.header('accept') ?? '').includes('text/html')) {
    const { code, retry, field } = error ?? {};
    return c.json({ error: message, code, retry, field }, status);
  }
  const session: Session | undefined = (c as Context<PageEnv>).get('session');
  const text = await messagePage({
    title: titles[status] ?? 'Something went wrong',
    session,
    text: message,
    ...(status === 421 ? {} : { link: { path: '/', title: 'Back to the approvals' } }),
  });
  return c.html(text, status);
}
