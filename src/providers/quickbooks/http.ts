// How QuickBooks Online is spoken to, and what its faults mean. What is not certain of it stands here, in one place.
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Answer, Refusal } from '../http.ts';

/** By the `environment` of a connection. https://developer.intuit.com/app/developer/qbo/docs/develop/sandboxes */
export const hosts = {
  production: 'quickbooks.api.intuit.com',
  sandbox: 'sandbox-quickbooks.api.intuit.com',
} as const;
/** Of its own pages, for people. Known, not verified. */
export const pages = {
  production: 'https://app.qbo.intuit.com/app',
  sandbox: 'https://app.sandbox.qbo.intuit.com/app',
} as const;
/** Version of its data, sent with every request: answers keep one shape. Intuit serves none below 75 any more (known, not verified). */
const minorVersion = '75';
/** Rows that a query gives at most, and objects that change data capture does. */
export const mostRows = 1_000;
/** After 429. Known, not verified: Intuit names no header. */
const throttledMs = 60_000;

export const http = { baseUrl: 'https://{host}/v3/company/{realm}', refusal } as const;

/** What is sent with every request. */
export const version = { minorversion: minorVersion } as const;

const text = z.string().optional().catch(undefined);
/** `{Fault: {Error: [{Message, Detail, code}], type}}`; the gateway before it writes the names in lower case. */
const faultBody = z
  .object({
    Fault: z.object({
      Error: z.array(z.object({ Message: text, Detail: text, code: text })).catch([]),
      type: text,
    }),
  })
  .or(
    z
      .object({
        fault: z.object({
          error: z.array(z.object({ message: text, detail: text, code: text })).catch([]),
          type: text,
        }),
      })
      .transform(({ fault }) => ({
        Fault: {
          type: fault.type,
          Error: fault.error.map(({ message, detail, code }) => ({ Message: message, Detail: detail, code })),
        },
      })),
  );

/** https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes */
const codes: Record<string, ErrorCode> = {
  '120': 'permission_denied',
  '610': 'not_found',
  '3100': 'permission_denied',
  '3200': 'auth_expired',
  '5010': 'conflict',
  '6140': 'conflict',
  '6190': 'permission_denied',
  '6240': 'conflict',
  '3001': 'rate_limited',
};
const advice: Record<string, string> = {
  '120': 'Whoever connected this company may no longer do that in QuickBooks.',
  '5010': 'It was changed in QuickBooks meanwhile. Read it again, and propose anew.',
  '6190': 'The subscription of this QuickBooks company does not allow changes.',
};
const types: Record<string, ErrorCode> = {
  authenticationfault: 'auth_expired',
  authentication: 'auth_expired',
  authorizationfault: 'permission_denied',
  authorization: 'permission_denied',
  validationfault: 'invalid_request',
  throttlingfault: 'rate_limited',
  servicefault: 'provider_unavailable',
  systemfault: 'provider_unavailable',
};
const statuses: Record<number, ErrorCode> = {
  401: 'auth_expired',
  403: 'permission_denied',
  404: 'not_found',
};

/** A fault may come with status 200, too. */
function refusal({ status, headers, body }: Answer): Refusal | undefined {
  const wait = headers.has('retry-after') ? {} : { retryAfterMs: throttledMs };
  const fault = faultBody.safeParse(body).data?.Fault;
  if (fault === undefined) return status === 429 ? { code: 'rate_limited', ...wait } : undefined;
  const [first] = fault.Error;
  // `003200` and `3200` are the same.
  const number = first?.code?.replace(/^0+/, '') ?? '';
  const said = [first?.Message, first?.Detail].filter((part) => part !== undefined && part !== '');
  const words = {
    ...(said.length === 0 ? {} : { message: [...new Set(said)].join(': ') }),
    ...(advice[number] === undefined ? {} : { advice: advice[number] }),
  };
  const code =
    (status === 429 ? 'rate_limited' : undefined) ??
    codes[number] ??
    statuses[status] ??
    types[fault.type?.toLowerCase() ?? ''] ??
    (status >= 500 ? 'provider_unavailable' : 'invalid_request');
  return { code, ...words, ...(code === 'rate_limited' ? wait : {}) };
}
