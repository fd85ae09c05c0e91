// What every page's address does with a request first: whose org, which action, and whether a form is this
// session's own.
import type { Context } from 'hono';
import { sameText } from '../auth/digest.ts';
import { DrawbridgeError } from '../errors.ts';
import type { PageEnv } from './environment.ts';
import { messagePage } from './page/message.ts';

const idShape = /^[a-z0-9_]{1,64}$/;

/** The posted field of a name; '' where there is none. */
export type Field = (name: string) => string;

/** @throws DrawbridgeError `not_found` */
export function actionIdOf(c: Context<PageEnv>): string {
  const id = c.req.param('id') ?? '';
  if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such action.');
  return id;
}

/** The posted fields, once they carry this session's token. @throws DrawbridgeError `permission_denied` */
export async function fieldsOf(c: Context<PageEnv>): Promise<Field> {
  const form = await c.req.parseBody();
  const field = (name: string) => {
    const value = Object.hasOwn(form, name) ? form[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  if (!sameText(field('csrf'), c.get('session').csrf)) {
    throw new DrawbridgeError(
      'permission_denied',
      'This form belongs to another session, perhaps one from before you signed in. Load the page again and repeat it.',
    );
  }
  return field;
}

/** A decision that came too late or for something else: says so, and leads to what stands there now. */
export async function stale(c: Context<PageEnv>, id: string, thrown: unknown): Promise<Response> {
  if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'conflict') throw thrown;
  const text = await messagePage({
    title: 'Not done: this is not what you saw',
    session: c.get('session'),
    text: `${thrown.message} Nothing was decided by this click.`,
    link: { path: `/actions/${id}`, title: 'See it as it stands' },
  });
  return c.html(text, 409);
}
