// How Mailchimp is spoken to, and what its refusals mean.
// https://mailchimp.com/developer/marketing/docs/errors/
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { codeOfStatus } from '../../errors.ts';
import type { Answer, Http, Refusal } from '../http.ts';

const problem = z.object({
  title: z.string().optional().catch(undefined),
  detail: z.string().optional().catch(undefined),
  errors: z
    .array(z.object({ field: z.string().optional().catch(undefined), message: z.string() }))
    .optional()
    .catch(undefined),
});

export const http = { baseUrl: 'https://{dc}.api.mailchimp.com/3.0', refusal } as const satisfies Http;

/** How a data centre is called. What is of another form never becomes part of an address. */
export function isDataCentre(told: string): boolean {
  return /^[a-z]{2}[1-9]\d{0,2}$/.test(told);
}

/** A contact's id in its audience: MD5 of the address in lower case. */
export function hashOf(email: string): string {
  return createHash('md5').update(email.toLowerCase()).digest('hex');
}

function refusal({ status, body }: Answer): Refusal | undefined {
  if (status < 400) return undefined;
  const { title, detail, errors = [] } = problem.safeParse(body).data ?? {};
  const said = [detail ?? title, ...errors.map(({ field = '', message }) => `${field} ${message}`.trim())]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
  const words = said === '' ? {} : { message: said };
  if (status === 401) {
    return {
      code: 'auth_expired',
      advice: 'Mailchimp does not accept the credential any more. Connect the account again.',
      ...words,
    };
  }
  // Whoever left comes back by their own consent alone.
  if (status === 400 && /compliance state|forgotten email/i.test(title ?? '')) {
    return {
      code: 'permission_denied',
      retry: 'ask',
      advice:
        'This contact has left, bounced or was erased: Mailchimp subscribes them again only when they agree themselves. Set the status to pending to ask them.',
      ...words,
    };
  }
  if (status === 404) {
    return {
      code: 'not_found',
      advice: 'Mailchimp has no such audience, contact, campaign or report (a draft has none).',
      ...words,
    };
  }
  if (status === 429) return { code: 'rate_limited', ...words };
  return { code: codeOfStatus(status), ...words };
}
