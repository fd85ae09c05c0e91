// The web server with real connections behind it: the guild's office, its consent page, and people with
// browsers.
import { onTestFinished } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import { createPasskeys } from '../../src/auth/passkeys.ts';
import type { Person, Scope } from '../../src/auth/principal.ts';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listen.ts';
import { createQueue } from '../../src/queue/create.ts';
import { createPresence } from '../../src/queue/decide/presence.ts';
import { createPolicy } from '../../src/queue/policy/policy.ts';
import { type GuildOffice, openGuild } from '../connections/guild.ts';
import { log } from '../connections/office.ts';
import { type Answer, type Ask, askerAt } from './ask.ts';
import { memoryRooms } from './memory-rooms.ts';

/** A signed-in browser: it keeps its cookies, and brings them where a browser would. */
export interface Browser {
  csrf: string;
  cookies: Map<string, string>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, headers?: Record<string, string>): Promise<Answer>;
}

export interface GuildHouse extends GuildOffice {
  ask: Ask;
  port: number;
  origin: string;
  refreshed: string[];
  signedIn(person?: Person): Promise<Browser>;
  key(scopes: Scope[]): Promise<string>;
}

export async function openGuildHouse(
  given: Parameters<typeof openGuild>[0] & { publicUrl?: string } = {},
): Promise<GuildHouse> {
  const office = await openGuild(given);
  const { store, clock, connections, org } = office;
  const queue = createQueue({ connections, clock, log, actionTtlMs: 86_400_000, holdMs: 0 });
  const policy = createPolicy();
  const presence = createPresence({ pageUrl: (path) => `https://drawbridge.test${path}` });
  const passkeys = createPasskeys();
  const refreshed: string[] = [];
  const app = createHttpApp({
    rooms: {
      config: { publicUrl: given.publicUrl, sandboxUrl: undefined },
      clock,
      log,
      store,
      connections,
      queue,
      policy,
      presence,
      passkeys,
      ...memoryRooms({ clock, log, store, connections }),
      orgFor: (id) => store.forOrg(id),
      wake: () => undefined,
      refresh: (_org, id) => void refreshed.push(id),
      pageUrl: (path) => `https://drawbridge.test${path}`,
    },
    mcp: async () => new Response('no'),
    log,
  });
  const listening = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => listening.close());
  const public_ = given.publicUrl === undefined ? undefined : new URL(given.publicUrl);
  const host = public_?.host ?? `drawbridge.localhost:${listening.port}`;
  const origin = public_?.origin ?? `http://${host}`;
  const ask = askerAt(listening.port, host);
  const signIn = createSignIn({ store, clock });

  return {
    ...office,
    ask,
    port: listening.port,
    origin,
    refreshed,
    async signedIn(person = office.person) {
      const cookies = new Map<string, string>();
      const send: Browser['send'] = async (method, path, headers = {}) => {
        const { body, ...more } = headers;
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const answer = await ask(path, {
          method,
          headers: { cookie, ...(method === 'GET' ? {} : { origin }), ...more },
          ...(body === undefined ? {} : { body }),
        });
        for (const line of answer.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          cookies.set(name, value);
        }
        return answer;
      };
      const browser: Browser = {
        csrf: '',
        cookies,
        send,
        get: (path, headers) => send('GET', path, headers),
        post: (path, fields, headers = {}) =>
          send('POST', path, {
            'content-type': 'application/x-www-form-urlencoded',
            body: new URLSearchParams(fields).toString(),
            ...headers,
          }),
      };
      await browser.post('/sign-in', { token: (await signIn.createLink(person)).reveal() });
      browser.csrf = /name="csrf" value="([^"]+)"/.exec((await browser.get('/')).body)?.[1] ?? '';
      return browser;
    },
    key: async (scopes) =>
      (await createKeys({ store, clock, log }).create(org.orgId, 'An agent', scopes)).key.reveal(),
  };
}
