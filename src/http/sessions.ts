// A browser's session: the cookie that carries it, the page that opens it, and the way out. A request
// without one sees how to come in, and nothing else.
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { sameText } from '../auth/digest.ts';
import type { Hosted } from '../auth/oidc/hosted.ts';
import { deadLink, type SignIn, sessionLongestMs } from '../auth/sign-in.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { signedOutPage, signInPage, steppingStone } from '../dashboard/page/message.ts';
import { hostedSignInPage } from '../dashboard/page/sign-in-page.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { refusal } from './answers.ts';

/**
 * Over https the name has the `__Host-` prefix, which binds the cookie to this host, path / and https. On
 * the local pages, which are plain http, Safari would not keep such a cookie; the host's own name keeps it
 * apart there.
 */
function cookieName(secure: boolean): string {
  return secure ? '__Host-drawbridge' : 'drawbridge';
}

const onePath =
  /^\/(?:actions\/[a-z0-9_]{1,64}|history|policy|passkeys|(?:connections|connect(?:\/[a-z0-9-]{1,64})?)(?:\?[\w=&%.~+*-]{1,1000})?)?$/;

/** Where to go after sign-in: one of our own pages, whatever was asked for (open redirects). */
export function safePath(to: string | undefined): string {
  return to !== undefined && onePath.test(to) ? to : '/';
}

/** The token that this browser brought, if any. */
export function sessionToken(c: Context<PageEnv>): string | undefined {
  return getCookie(c, cookieName(c.get('secure')));
}

/** Gives this browser a session's token. */
export function keepSession(c: Context<PageEnv>, token: Secret): void {
  const secure = c.get('secure');
  setCookie(c, cookieName(secure), token.reveal(), {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    maxAge: sessionLongestMs / 1_000,
    secure,
  });
}

/** Admits a browser with a session; anyone else is shown how to come in. */
export function requireSession(
  signIn: SignIn,
  hosted: Pick<Hosted, 'options'> | undefined,
): MiddlewareHandler<PageEnv> {
  return async (c, next) => {
    const session = await signIn.session(sessionToken(c));
    if (session !== undefined) {
      c.set('session', session);
      return next();
    }
    // A strict cookie stays behind when a link on another site is followed; one step within our own brings it.
    if (c.req.method === 'GET' && c.req.header('sec-fetch-site') === 'cross-site') {
      const path = safePath(`${c.req.path}${new URL(c.req.url).search}`);
      return c.html(steppingStone(path));
    }
    if (hosted !== undefined) {
      const path = safePath(`${c.req.path}${new URL(c.req.url).search}`);
      return c.html(hostedSignInPage(hosted.options, path), 401);
    }
    return c.html(signedOutPage(), 401);
  };
}

export function signInRoutes(signIn: SignIn): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();

  // Mail scanners, previews and prefetching fetch links: looking at this one must not spend it.
  routes.get('/sign-in', async (c) => {
    const token = c.req.query('token') ?? '';
    // A button that cannot work would only be pressed in vain.
    if (!(await signIn.isLive(token))) return refusal(c, 403, deadLink);
    return c.html(signInPage(token, safePath(c.req.query('to'))));
  });

  routes.post('/sign-in', async (c) => {
    const form = await c.req.parseBody();
    const link = typeof form['token'] === 'string' ? form['token'] : '';
    const to = typeof form['to'] === 'string' ? form['to'] : undefined;
    const { token } = await signIn.spend(link, sessionToken(c));
    keepSession(c, token);
    return c.redirect(safePath(to), 303);
  });

  routes.post('/sign-out', async (c) => {
    const token = sessionToken(c);
    const session = await signIn.session(token);
    if (token !== undefined && session !== undefined) {
      const form = await c.req.parseBody();
      if (typeof form['csrf'] !== 'string' || !sameText(form['csrf'], session.csrf)) {
        throw new DrawbridgeError('permission_denied', 'This form belongs to another session.');
      }
      await signIn.end(token);
    }
    deleteCookie(c, cookieName(c.get('secure')), { path: '/', secure: c.get('secure') });
    return c.redirect('/', 303);
  });

  return routes;
}
