// A house that signs people in at an issuer: the real door leads to the emulated one, and a browser is its
// cookies and what it is sent.
import { onTestFinished } from 'vitest';
import { createOidcIssuer, type IssuerPerson, type OidcIssuer } from '../../sandbox/oidc-issuer.ts';
import { type Emulator, type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import { createMembers, type Members } from '../../src/auth/members.ts';
import { createHosted } from '../../src/auth/oidc/hosted.ts';
import { loadConfig } from '../../src/config.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { door } from '../egress/wire.ts';
import { type Answer, type Asked, type House, openHouse } from './house.ts';

export const publicUrl = 'https://bridge.example.com';
export const resource = `${publicUrl}/mcp`;
const host = 'bridge.example.com';
export const client = {
  id: 'client-1',
  secret: 's3cret/with+signs',
  redirectUri: `${publicUrl}/sign-in/callback`,
};

export const ana: IssuerPerson = {
  subject: 'u-ana',
  email: 'Ana@Northgate.example',
  verified: true,
  name: 'Ana',
};
export const ben: IssuerPerson = {
  subject: 'u-ben',
  email: 'ben@northgate.example',
  verified: true,
  name: 'Ben',
};
export const eve: IssuerPerson = {
  subject: 'u-eve',
  email: 'eve@elsewhere.example',
  verified: true,
  name: 'Eve',
};
/** Says that it has Ana's address, which nobody has checked. */
export const mallory: IssuerPerson = { ...ana, subject: 'u-mallory', verified: false };
/** Has got Ana's address after her. */
export const successor: IssuerPerson = { ...ana, subject: 'u-successor' };

export interface Scene {
  house: House;
  issuer: OidcIssuer;
  hosts: ProviderHosts;
  members: Members;
  clock: ManualClock;
  browser(): VisitingBrowser;
  mcp(token: string): Promise<Answer>;
}

export interface VisitingBrowser {
  get(path: string): Promise<Answer>;
  ask(path: string, asked: Asked): Promise<Answer>;
  /** Presses a button of the sign-in page. Returns the address at the issuer that it is sent on to. */
  press(given?: { option?: string; to?: string; origin?: string }): Promise<string>;
  /** At the issuer, as that person. Returns the way back, path and query. */
  agree(url: string, person?: { subject: string }): Promise<string>;
  /** From the button to the answer of the callback. */
  signIn(person: { subject: string }, option?: string): Promise<Answer>;
  cookies: Map<string, string>;
}

/** A house whose people come in by what `env` says; `emulators` play who that is. */
export async function openHosted<Played extends Emulator>(
  played: (clock: ManualClock) => Played,
  env: Record<string, string>,
): Promise<Omit<Scene, 'issuer'> & { issuer: Played }> {
  // The library that reads ID tokens looks at the machine's own clock.
  const clock = manualClock(Math.floor(Date.now() / 1000) * 1000);
  const issuer = played(clock);
  const hosts = await startProviderHosts([issuer]);
  onTestFinished(() => hosts.close());
  const { egress } = door({ clock, sandboxUrl: hosts.url });
  const { signIn: config } = loadConfig({ DRAWBRIDGE_PUBLIC_URL: publicUrl, ...env });
  if (config === undefined) throw new Error('sign-in is not configured');
  const house = await openHouse({
    clock,
    publicUrl,
    sandboxUrl: hosts.url,
    hosted: (rooms) => createHosted({ ...rooms, config, egress }),
  });
  onTestFinished(() => house.close());
  const members = createMembers({ store: house.store, clock });
  await members.add(house.org.orgId, { email: 'ana@northgate.example', name: 'Ana', role: 'owner' });
  return {
    house,
    issuer,
    hosts,
    members,
    clock,
    browser: () => browserOf(house),
    mcp: (token) =>
      house.ask('/mcp', {
        method: 'POST',
        headers: { host, accept: 'application/json', authorization: `Bearer ${token}` },
        body: '{}',
      }),
  };
}

export function openScene(env: Record<string, string> = {}): Promise<Scene> {
  const people = [ana, ben, eve, mallory, successor];
  return openHosted((clock) => createOidcIssuer({ host: 'login.example', client, people }, clock), {
    DRAWBRIDGE_OIDC_ISSUER: 'https://login.example',
    DRAWBRIDGE_OIDC_CLIENT_ID: client.id,
    DRAWBRIDGE_OIDC_CLIENT_SECRET: client.secret,
    ...env,
  });
}

export function browserOf(house: House): VisitingBrowser {
  const cookies = new Map<string, string>();

  async function ask(path: string, more: Asked = {}): Promise<Answer> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await house.ask(path, {
      ...more,
      headers: { host, ...(cookie === '' ? {} : { cookie }), ...more.headers },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    return answer;
  }

  const visiting: VisitingBrowser = {
    cookies,
    ask,
    get: (path) => ask(path),
    async press({ option = 'issuer', to = '/', origin = publicUrl } = {}) {
      const answer = await ask('/sign-in/with', {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ option, to }).toString(),
      });
      return (/<a href="([^"]+)"/.exec(answer.body)?.[1] ?? '').replaceAll('&amp;', '&');
    },
    async agree(url, person: { subject: string } = ana) {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ person: person.subject }),
      });
      const back = new URL(response.headers.get('location') ?? '');
      if (back.origin !== publicUrl) throw new Error(`sent back to ${back.origin}`);
      return `${back.pathname}${back.search}`;
    },
    async signIn(person, option = 'issuer') {
      return ask(await visiting.agree(await visiting.press({ option }), person));
    },
  };
  return visiting;
}
