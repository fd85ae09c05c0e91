// Dropbox in the sandbox: its sign-in, its two hosts, one account's files, filled with the story.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import { filesOf } from '../google/file-store.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import type { World } from '../world.ts';
import { forbidden, refusal, tooMany, unreadable } from './answers.ts';
import { type Args, createRoutes } from './routes.ts';
import { DropboxStore } from './store.ts';

export const dropboxApp = { clientId: 'sandbox-dropbox', clientSecret: 'sandbox-only-dropbox-secret' };
const root = '3235641';
const revokePath = '/2/auth/token/revoke';

export interface Dropbox {
  emulator: Emulator;
  authorization: AuthorizationServer;
  files: DropboxStore;
  /** So many calls from now on are answered with 429, and these seconds to wait. */
  throttle(calls: number, seconds: number): void;
  /** The team's space moves: paths that name the old one are refused. */
  moveRoot(to: string): void;
}

export function createDropbox({ clock, world }: { clock: Clock; world: World }): Dropbox {
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/oauth2/authorize',
      tokenPath: '/oauth2/token',
      revokePath,
      app: dropboxApp,
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 14_400,
      rotation: 'never',
      answerExtras: { uid: '12345', account_id: accountId },
    },
    clock,
  );
  const files = new DropboxStore(clock);
  fill(files, world);
  let space = root;
  const { api, content } = createRoutes(files, accountOf(world));
  let throttled = { calls: 0, seconds: 0 };

  function handle(call: Call): Answer {
    const bearer = call.headers['authorization'];
    const granted = authorization.scopesOf(bearer);
    if (call.path === revokePath) {
      if (granted === undefined) return refusal(['invalid_access_token'], 401);
      const body = new URLSearchParams({ token: bearer?.replace(/^Bearer /i, '') ?? '' }).toString();
      authorization.handle({ ...call, headers: {}, body });
      return { status: 200, headers: { 'content-type': 'application/json' }, body: 'null' };
    }
    const signIn = authorization.handle(call);
    if (signIn !== undefined) return signIn;
    const name = /^\/2\/(.+)$/.exec(call.path)?.[1] ?? '';
    const carries = call.host === 'content.dropboxapi.com';
    const route = (carries ? content : api)[name];
    if (route === undefined || call.method !== 'POST') return unreadable(name, 'Unknown API function');
    const refused = forbidden(granted, route.scope) ?? elsewhere(call, space);
    if (refused !== undefined) return refused;
    if (throttled.calls > 0) {
      throttled.calls -= 1;
      return tooMany(throttled.seconds);
    }
    const args = argsOf(carries ? call.headers['dropbox-api-arg'] : call.body);
    if (args === undefined) return unreadable(name, 'request body: could not decode input as JSON');
    return route.answer(args, call.body);
  }

  return {
    authorization,
    files,
    throttle: (calls, seconds) => {
      throttled = { calls, seconds };
    },
    moveRoot: (to) => {
      space = to;
    },
    emulator: {
      provider: 'dropbox',
      hosts: ['www.dropbox.com', 'api.dropboxapi.com', 'content.dropboxapi.com'],
      handle,
    },
  };
}

/** A path root that is not the account's. */
function elsewhere({ headers }: Call, space: string): Answer | undefined {
  const told = headers['dropbox-api-path-root'];
  if (told === undefined || (JSON.parse(told) as { root?: string }).root === space) return undefined;
  const info = { '.tag': 'user', root_namespace_id: space, home_namespace_id: space };
  return refusal(['invalid_root', { invalid_root: info }], 422);
}

function argsOf(text: string | undefined): Args | undefined {
  // A header carries ASCII alone.
  if (text === undefined) return undefined;
  try {
    return (JSON.parse(text) ?? {}) as Args;
  } catch {
    return undefined;
  }
}

const accountId = 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc';

function accountOf({ user }: World): object {
  const [given = '', ...rest] = user.name.split(' ');
  return {
    account_id: accountId,
    name: {
      given_name: given,
      surname: rest.join(' '),
      familiar_name: given,
      display_name: user.name,
      abbreviated_name: user.name.replace(/[^A-Z]/g, ''),
    },
    email: user.email,
    email_verified: true,
    disabled: false,
    locale: 'en',
    referral_link: 'https://www.dropbox.com/referrals/AADexample',
    is_paired: false,
    account_type: { '.tag': 'basic' },
    root_info: { '.tag': 'user', root_namespace_id: root, home_namespace_id: root },
  };
}

/** The papers, sheets and the price list of the story, a Paper document, and a folder shared with the colleague. */
function fill(store: DropboxStore, world: World): void {
  const [first] = world.mail;
  if (first === undefined) return;
  for (const { name, bytes, exports, parents, modifiedTime } of filesOf(world).files()) {
    const modified = Date.parse(modifiedTime);
    if (bytes !== undefined) {
      store.put(`${parents.includes('root') ? '' : '/Papers'}/${name}`, bytes, { modified });
    }
    const [markdown, csv] = [exports?.['text/markdown'], exports?.['text/csv']];
    if (markdown !== undefined) store.put(`/Sheets/${name}.md`, markdown, { modified });
    if (csv !== undefined) store.put(`/${name}.csv`, csv, { modified });
  }
  store.put('/Shared/house-rules.txt', 'No shoes in staged houses. Keys go back the same day.', {
    modified: first.at,
  });
  store.share('/Shared', [
    { email: world.user.email, access: 'owner' },
    { email: world.colleague.email, access: 'editor' },
  ]);
  store.put('/Plan of the week.paper', '', {
    exports: { markdown: '# Plan of the week\n\nMonday: photographs.', html: '<h1>Plan of the week</h1>' },
    modified: first.at,
  });
}
