// A Dropbox account of the sandbox behind the real door: what the provider's code asks is seen as Dropbox would
// have got it.
import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { refusal } from '../../../sandbox/dropbox/answers.ts';
import { createDropbox, type Dropbox, dropboxApp } from '../../../sandbox/dropbox/index.ts';
import { type Call, type ProviderHosts, startProviderHosts } from '../../../sandbox/providers.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import { providerContext } from '../../../src/connections/context.ts';
import { createEgress } from '../../../src/egress/door.ts';
import type { WriteContext } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/dropbox/index.ts';
import { Secret } from '../../../src/secret.ts';
import { log } from '../../connections/office.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';

export interface Scene {
  dropbox: Dropbox;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Requests since the last call of this: route, arguments, content. */
  asked(): { route: string; args: unknown; content?: string }[];
  /** How often `aboutToSend` was called. */
  announced(): number;
}

export const all = [
  'account_info.read',
  'files.metadata.read',
  'files.content.read',
  'files.content.write',
  'sharing.read',
];

function bearerOf({ authorization }: Dropbox, scopes: readonly string[]): string {
  const verifier = 'v'.repeat(43);
  const redirect = 'http://localhost:7331/callback';
  const call = (path: string, query: Record<string, string>, body: URLSearchParams) =>
    authorization.handle({
      host: 'www.dropbox.com',
      method: 'POST',
      path: `/oauth2/${path}`,
      query: new URLSearchParams(query),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of scopes) consented.append('scope', scope);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { client_id: dropboxApp.clientId, redirect_uri: redirect, response_type: 'code' };
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  const back = call('authorize', { ...asked, ...pkce, scope: scopes.join(' '), state: 's' }, consented);
  const code = new URL(back?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const token = call(
    'token',
    {},
    new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
      client_id: dropboxApp.clientId,
      client_secret: dropboxApp.clientSecret,
    }),
  );
  return (JSON.parse(token?.body ?? '{}') as { access_token: string }).access_token;
}

export async function openScene(given: { story?: boolean; scopes?: readonly string[] } = {}): Promise<Scene> {
  const clock = manualClock();
  const world = given.story === true ? loadWorld(clock.now()) : emptyWorld(clock.now());
  const dropbox = createDropbox({ clock, world });
  const hosts = await startProviderHosts([dropbox.emulator]);
  const egress = createEgress({ allowLoopback: true, sandboxUrl: hosts.url, clock, log, random: () => 0 });
  onTestFinished(async () => {
    await egress.close();
    await hosts.close();
  });
  const bearer = new Secret(bearerOf(dropbox, given.scopes ?? all));
  const base = providerContext({
    egress,
    clock,
    log,
    orgId: 'org_1',
    // Its own limits would make the tests wait.
    provider: { ...provider, limit: { perSecond: 10_000, burst: 10_000, concurrent: 20 } },
    connectionId: 'con_1',
    operation: 'test',
    cause: 'tool',
    fields: { email: world.user.email, root: '3235641' },
    secrets: new Map(),
    bearer: { fresh: async () => bearer },
  });
  let announced = 0;
  let seen = 0;
  return {
    dropbox,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      const calls = hosts.calls().slice(seen);
      seen += calls.length;
      return calls.map(shownOf);
    },
    context: {
      ...base,
      effectKey: 'eff_01test',
      attachment: () => Promise.reject(new Error('no attachment here')),
      async aboutToSend() {
        announced += 1;
      },
    },
  };
}

function shownOf({ host, path, headers, body }: Call) {
  const route = `${host}${path}`;
  const header = headers['dropbox-api-arg'];
  if (header === undefined) return { route, args: JSON.parse(body) as unknown };
  return { route, args: JSON.parse(header) as unknown, ...(body === '' ? {} : { content: body }) };
}

/** To be ordered of the sandbox: an error with these tags, in Dropbox's own words. */
export function refusing(tags: readonly (string | object)[], status = 409) {
  const { body = '', headers = {} } = refusal(tags, status);
  return { kind: 'refuse', status, text: body, headers } as const;
}

export const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
