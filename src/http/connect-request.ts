// What a person's form, or a program with that person's session, asks to connect: checked for its csrf token
// before anything else of it is read.
import type { Context } from 'hono';
import { z } from 'zod';
import { sameText } from '../auth/digest.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { DrawbridgeError } from '../errors.ts';
import { registerSecret } from '../secret.ts';

export interface Asked {
  fields: Record<string, string>;
  secrets: Record<string, string>;
  access: 'read' | 'write';
  via: 'api' | 'mcp';
  /** The connection that is to be connected again. */
  account: string | undefined;
  /** Whether the answer is read by a program. */
  json: boolean;
}

const texts = z.record(z.string().max(100), z.string().max(8_192)).default({});
const token = z.object({ csrf: z.string().optional() });
const shape = token.extend({
  fields: texts,
  secrets: texts,
  access: z.enum(['read', 'write']).default('write'),
  via: z.enum(['api', 'mcp']).default('api'),
  account: z
    .string()
    .max(64)
    .optional()
    .transform((text) => (text === '' ? undefined : text)),
});

/** @throws DrawbridgeError `permission_denied` for another session's form, `invalid_request` with `field` */
export async function readAsked(c: Context<PageEnv>): Promise<Asked> {
  const isJson = (c.req.header('content-type') ?? '').startsWith('application/json');
  const raw = isJson ? await jsonBody(c) : nested(await formBody(c));
  const parsed = shape.safeParse(raw);
  // By itself: a form of ours with a fault in another field is not a stranger's.
  const csrf = token.safeParse(raw).data?.csrf ?? c.req.header('x-csrf-token') ?? '';
  if (!sameText(csrf, c.get('session').csrf)) {
    throw new DrawbridgeError(
      'permission_denied',
      'This form belongs to another session, perhaps one from before you signed in. Load the page again and repeat it.',
    );
  }
  if (!parsed.success) {
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    if (field === '') throw new DrawbridgeError('invalid_request', 'The body holds no fields.');
    throw new DrawbridgeError('invalid_request', `${field}: is not usable.`, { field });
  }
  const { csrf: _csrf, ...asked } = parsed.data;
  for (const secret of Object.values(asked.secrets)) registerSecret(secret);
  return { ...asked, json: (c.req.header('accept') ?? '').includes('application/json') };
}

async function jsonBody(c: Context<PageEnv>): Promise<unknown> {
  try {
    return await c.req.json();
  } catch (cause) {
    throw new DrawbridgeError('invalid_request', 'The body is not JSON.', { cause });
  }
}

async function formBody(c: Context<PageEnv>): Promise<Record<string, unknown>> {
  try {
    return await c.req.parseBody();
  } catch (cause) {
    throw new DrawbridgeError('invalid_request', 'The body is not a form.', { cause });
  }
}

/** `field.NAME` and `secret.NAME` of a form as what they belong to. */
function nested(form: Record<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const secrets: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(form)) {
    if (name.startsWith('field.')) fields[name.slice('field.'.length)] = value;
    else if (name.startsWith('secret.')) secrets[name.slice('secret.'.length)] = value;
    else rest[name] = value;
  }
  return { ...rest, fields, secrets };
}
