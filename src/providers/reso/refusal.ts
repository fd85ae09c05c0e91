// Refusals of RESO services in our words: OData's `error`, Bridge's flat body, and Spark's envelope, which its
// platform sends before a request comes to OData at all.
import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { Answer, Refusal } from '../http.ts';

const text = z.string().optional().catch(undefined);
const body = z.object({
  error: z
    .union([z.string(), z.object({ message: text })])
    .optional()
    .catch(undefined),
  message: text,
  D: z
    .object({ Success: z.boolean(), Code: z.number().optional(), Message: text })
    .optional()
    .catch(undefined),
});

/** By Spark's own number, which says more than its status. https://sparkplatform.com/docs/supporting_documentation/error_codes */
const sparkCodes: Readonly<Record<number, Omit<Refusal, 'message'>>> = {
  1021: {
    code: 'permission_denied',
    retry: 'ask',
    advice: 'This Spark key is for replication alone. Connect it again with the role "replication".',
  },
  1500: {
    code: 'permission_denied',
    retry: 'ask',
    advice: 'The MLS has not given this Spark key the right to that data.',
  },
  1510: { code: 'provider_unavailable' },
  1515: { code: 'timeout', advice: 'Spark gave up on the question: ask for less at once.' },
  1516: { code: 'timeout', advice: 'Spark gave up on the question: ask for less at once.' },
  1550: { code: 'rate_limited' },
};

const advice: Partial<Record<ErrorCode, string>> = {
  auth_expired: 'The MLS does not accept the token. Connect it again with a valid one.',
  permission_denied: 'The token has no right to that data: the MLS grants it by its licence.',
};

export function refusal({ status, body: given }: Answer): Refusal | undefined {
  const { error, message, D } = body.safeParse(given).data ?? {};
  if (status < 300 && D?.Success !== false) return undefined;
  const said = D?.Message ?? (typeof error === 'string' ? error : error?.message) ?? message;
  const words = said === undefined ? {} : { message: said };
  const spark = D?.Code === undefined ? undefined : sparkCodes[D.Code];
  if (spark !== undefined) return { ...spark, ...words };
  const code = codes[status] ?? (status >= 500 || status < 300 ? 'provider_unavailable' : 'invalid_request');
  return { code, ...words, ...(advice[code] === undefined ? {} : { advice: advice[code] }) };
}

const codes: Readonly<Record<number, ErrorCode>> = {
  401: 'auth_expired',
  403: 'permission_denied',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  410: 'not_found',
  429: 'rate_limited',
};
