// Slack on loopback: its consent, its Web API over one workspace, and the host that keeps its files.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import type { World } from '../world.ts';
import { refused, tooMany } from './answers.ts';
import { givenIn, idOf, methods } from './methods.ts';
import { createSignIn } from './sign-in.ts';
import { SlackState } from './state.ts';
import { fillWithPeople, fillWithStory, people } from './story.ts';

export const slackApp = { clientId: '1000.2000', clientSecret: 'slack-app-secret-of-the-sandbox' };

export interface SlackOptions {
  clock: Clock;
  world: World;
  /** Default: the app rotates its tokens. */
  rotates?: boolean;
  /** A call of history a minute, and 15 messages: of an app that is distributed outside of the Marketplace. */
  distributed?: boolean;
  /** Without a word said. */
  empty?: boolean;
}

export interface SlackEmulator extends Emulator {
  state: SlackState;
  authorization: AuthorizationServer;
}

const limited = new Set(['conversations.history', 'conversations.replies']);

export function createSlack(options: SlackOptions): SlackEmulator {
  const { clock, world, distributed = false } = options;
  const state = new SlackState(clock);
  fillWithPeople(state, world);
  if (options.empty !== true) fillWithStory(state, clock.now());
  const signIn = createSignIn({
    clock,
    app: slackApp,
    rotates: options.rotates ?? true,
    team: { id: 'T0TIDEWELL', name: 'Tidewell Homes' },
    userId: people.maren,
    botUserId: people.bot,
  });
  const askedAt = new Map<string, number>();

  /** Seconds to wait for another call of a method. */
  function wait(method: string): number {
    const before = askedAt.get(method);
    const left = before === undefined ? 0 : before + 60_000 - clock.now();
    if (left > 0) return Math.ceil(left / 1000);
    askedAt.set(method, clock.now());
    return 0;
  }

  function file(call: Call, scopes: readonly string[]): Answer {
    const id = /^\/files-pri\/T0TIDEWELL-([A-Z0-9]+)\//.exec(call.path)?.[1];
    const found = state.files.get(id ?? '');
    if (found === undefined)
      return { status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>404</h1>' };
    if (!scopes.includes('files:read')) return elsewhere;
    const { mimetype } = found.file;
    return { status: 200, headers: { 'content-type': mimetype }, body: found.bytes.toString('utf8') };
  }

  return {
    provider: 'slack',
    hosts: ['slack.com', 'files.slack.com', 'tidewell.slack.com'],
    state,
    authorization: signIn.authorization,
    handle(call) {
      if (call.host === 'tidewell.slack.com') return signInPage;
      const signing = signIn.handle(call);
      if (signing !== undefined) return signing;
      const bearer = signIn.bearer(call.headers['authorization']);
      if (call.host === 'files.slack.com') return 'error' in bearer ? elsewhere : file(call, bearer.scopes);
      const name = /^\/api\/([A-Za-z.0-9]+)$/.exec(call.path)?.[1] ?? '';
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (method === undefined) return refused('unknown_method', { req_method: name });
      if ('error' in bearer) return refused(bearer.error);
      const seconds = distributed && limited.has(name) ? wait(name) : 0;
      if (seconds > 0) return tooMany(seconds);
      const { kind, scopes } = bearer;
      const most = distributed ? 15 : 999;
      return method({ state, ...givenIn(call), kind, scopes, me: idOf(kind), most });
    },
  };
}

const signInPage: Answer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  body: '<h1>Sign in to Tidewell Homes</h1>',
};

/** To whom the file is not shown, the page of sign-in is. */
const elsewhere: Answer = {
  status: 302,
  headers: { location: 'https://tidewell.slack.com/?redir=%2Ffiles-pri' },
};
