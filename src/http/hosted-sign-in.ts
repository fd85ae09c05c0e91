// Signing in at an issuer, over the wire: the page with its buttons, the way there, and the way back. The cookie
// that binds one to the other is this host's alone.
import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Hosted } from '../auth/oidc/hosted.ts';
import { browserValue, newBrowserValue, signInLivesMs } from '../auth/oidc/states.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { messagePage, steppingStone } from '../dashboard/page/message.ts';
import { hostedSignInPage, leavingPage } from '../dashboard/page/sign-in-page.ts';
import { type DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { statusFor } from './answers.ts';
import { keepSession, safePath, sessionToken } from './sessions.ts';

/** `sandboxUrl`: where browsers find what the sandbox plays. */
export interface HostedParts {
  hosted: Hosted;
  signIn: SignIn;
  sandboxUrl: string | undefined;
  log: Log;
}

export function hostedSignInRoutes({ hosted, signIn, sandboxUrl, log }: HostedParts): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();

  routes.get('/sign-in', async (c, next) => {
    // A one-time link works here, too.
    if (c.req.query('token') !== undefined) return next();
    return c.html(hostedSignInPage(hosted.options, safePath(c.req.query('to'))));
  });

  routes.post('/sign-in/with', async (c) => {
    // The issuer sends people back to the public address, where another name's cookies do not come along.
    if (c.get('origin') !== hosted.origin) return c.redirect(`${hosted.origin}/sign-in`, 303);
    const form = await c.req.parseBody();
    const option = typeof form['option'] === 'string' ? form['option'] : '';
    const to = safePath(typeof form['to'] === 'string' ? form['to'] : undefined);
    try {
      const url = await hosted.begin({ option, to, browser: bindBrowser(c) });
      const title = hosted.options.find(({ id }) => id === option)?.title ?? option;
      return c.html(leavingPage(throughSandbox(url, sandboxUrl), title));
    } catch (thrown) {
      return fault(c, log, thrown);
    }
  });

  routes.get('/sign-in/callback', async (c) => {
    const callback = new URL(`/sign-in/callback${new URL(c.req.url).search}`, hosted.origin);
    const browser = browserValue(getCookie(c, bindingName(c)));
    try {
      const { person, to } = await hosted.finish({ callback, browser });
      const { token } = await signIn.open(person, sessionToken(c));
      keepSession(c, token);
      // The session's strict cookie stays behind on the way from another site; one step within our own brings it.
      return c.html(steppingStone(safePath(to)));
    } catch (thrown) {
      return fault(c, log, thrown);
    }
  });

  return routes;
}

/** One value a browser: several sign-ins at once may be under way in it. */
function bindBrowser(c: Context<PageEnv>): string {
  const browser = browserValue(getCookie(c, bindingName(c))) ?? newBrowserValue();
  setCookie(c, bindingName(c), browser, {
    httpOnly: true,
    // The issuer sends the browser here from another site.
    sameSite: 'Lax',
    path: '/',
    maxAge: signInLivesMs / 1_000,
    secure: c.get('secure'),
  });
  return browser;
}

/** Over https no neighbouring host can plant it, with which somebody else's sign-in could be finished here. */
function bindingName(c: Context<PageEnv>): string {
  return c.get('secure') ? '__Host-drawbridge-sign-in' : 'drawbridge-sign-in';
}

function throughSandbox(url: string, sandboxUrl: string | undefined): string {
  if (sandboxUrl === undefined) return url;
  const { host, pathname, search } = new URL(url);
  return `${sandboxUrl}/${host}${pathname}${search}`;
}

async function fault(c: Context<PageEnv>, log: Log, thrown: unknown): Promise<Response> {
  const error = toDrawbridgeError(thrown);
  // What the person reads leaves out why an answer did not hold: here it stands. A dead link is nobody's alarm.
  const level = error.code === 'internal' ? 'error' : error.field === 'token' ? 'warn' : 'info';
  log[level]({ err: thrown }, 'a sign-in failed');
  const text = await messagePage({
    title: titleOf(error),
    session: undefined,
    text: error.message,
    link: { path: '/sign-in', title: 'Begin again' },
  });
  return c.html(text, statusFor(error.code));
}

function titleOf(error: DrawbridgeError): string {
  if (error.field === 'state') return 'This way back is closed';
  switch (error.code) {
    case 'provider_unavailable':
    case 'timeout':
    case 'network':
    case 'rate_limited':
      return 'Sign-in does not answer';
    default:
      return 'You are not signed in';
  }
}
