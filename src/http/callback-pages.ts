// Where a person lands when connecting did not end with an account: what happened, and what to do now.
import type { Context } from 'hono';
import { type Begun, NotAuthorized } from '../connections/connect/authorized.ts';
import { type ConnectPlace, showConnect } from '../dashboard/connections/routes.ts';
import type { PageEnv, PageRooms } from '../dashboard/environment.ts';
import { messagePage, steppingStone } from '../dashboard/page/message.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { statusFor } from './answers.ts';
import type { Asked } from './connect-request.ts';

/** One step within our own pages, which brings the session's cookie. */
export async function step(c: Context<PageEnv>, path: string): Promise<Response> {
  return c.html(steppingStone(path));
}

export async function signedOut(c: Context<PageEnv>, provider: string): Promise<Response> {
  const text = await messagePage({
    title: 'This browser is signed out',
    session: undefined,
    text: `Nothing was connected. An account is connected in a browser that is signed in to Drawbridge. In a terminal, run: drawbridge connect ${provider}. It opens the browser signed in, and you begin again there.`,
  });
  return c.html(text, 401);
}

/** What came back from the provider was no account. */
export async function callbackFault(
  c: Context<PageEnv>,
  rooms: Pick<PageRooms, 'log'>,
  { provider, thrown }: { provider: string; thrown: unknown },
): Promise<Response> {
  const error = toDrawbridgeError(thrown);
  if (error.code === 'internal') rooms.log.error({ err: thrown, provider }, 'the way back failed');
  const text = await messagePage({
    title: titleOf(error),
    session: c.get('session'),
    text: `${error.message}${adviceOf(error)}`,
    // Where no place is left, beginning again ends here again.
    link:
      error.code === 'quota_exhausted'
        ? { path: '/connections', title: 'To the accounts' }
        : { path: beginAgain(provider, thrown), title: 'Begin again' },
  });
  return c.html(text, statusFor(error.code));
}

/** The page with what was chosen before: who asked for less is not asked for more the second time. */
function beginAgain(provider: string, thrown: unknown): string {
  if (!(thrown instanceof NotAuthorized)) return `/connect/${provider}`;
  return connectPath(provider, thrown.begun);
}

function connectPath(provider: string, { access, via, account, fields }: Begun): string {
  const chosen = new URLSearchParams();
  if (access === 'read') chosen.set('access', access);
  if (via === 'mcp') chosen.set('via', via);
  if (account !== undefined) chosen.set('account', account);
  for (const [name, value] of Object.entries(fields)) chosen.set(`field.${name}`, value);
  return `/connect/${provider}${chosen.size === 0 ? '' : `?${chosen}`}`;
}

function titleOf(error: DrawbridgeError): string {
  if (error.field === 'state') return 'This way back is closed';
  if (error.field === 'account') return 'That is another account';
  switch (error.code) {
    case 'permission_denied':
      return 'You did not agree';
    case 'quota_exhausted':
      return 'No connection is left';
    case 'provider_unavailable':
    case 'timeout':
    case 'network':
    case 'rate_limited':
      return 'The provider does not answer';
    default:
      return 'It is not connected';
  }
}

function adviceOf(error: DrawbridgeError): string {
  if (error.field === 'state' || error.field === 'account') return '';
  switch (error.code) {
    case 'permission_denied':
      return ' If that was not meant, begin again and allow it.';
    case 'provider_unavailable':
    case 'timeout':
    case 'network':
    case 'rate_limited':
      return ' Nothing was connected. Wait a little, then begin again.';
    case 'auth_expired':
    case 'auth_revoked':
      return ' Check the client ID and secret of the app, then begin again.';
    default:
      return '';
  }
}

/**
 * What was asked cannot be begun: the form again with the fault at its field, or for a program the error.
 * @throws what was thrown, where a program asked
 */
export async function connectFault(
  c: Context<PageEnv>,
  rooms: Pick<PageRooms, 'connections' | 'orgFor' | 'log' | 'members'>,
  place: ConnectPlace,
  { provider, asked, thrown }: { provider: string; asked: Asked; thrown: unknown },
): Promise<Response> {
  if (asked.json || !(thrown instanceof DrawbridgeError) || thrown.field === 'provider') throw thrown;
  // Its app is not registered: the page says how.
  if (thrown.field === 'app') return c.redirect(connectPath(provider, { ...asked, via: 'api' }), 303);
  return showConnect(c, rooms, place, provider, {
    account: asked.account,
    given: asked,
    fault: { field: thrown.field, message: thrown.message.replace(`${thrown.field}: `, '') },
  });
}
