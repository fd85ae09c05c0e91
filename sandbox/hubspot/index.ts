// HubSpot on loopback: its OAuth pages and tokens, and the CRM's objects, searches and associations, with
// their limits, scopes and refusals.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Emulator } from '../providers.ts';
import { json, refused, tooMany } from './answers.ts';
import { createCrm } from './crm.ts';
import { CrmState } from './state.ts';

export interface HubspotEmulator extends Emulator {
  state: CrmState;
  auth: AuthorizationServer;
  portal: number;
}

export interface HubspotOptions {
  clock: Clock;
  app?: { clientId: string; clientSecret: string };
  redirectUris?: readonly string[];
  /** Records that a search can page through; HubSpot's is 10,000. */
  searchCap?: number;
  /** How long a change stays unseen by searches, ms. */
  indexLagMs?: number;
  /** Enforced where given: calls in any 10 s, searches in any second. */
  limits?: { tenSecondly: number; searchesPerSecond: number };
  /** Properties that somebody added to the account. */
  customProperties?: readonly string[];
  /** Seconds; HubSpot's are 1,800. */
  accessLivesS?: number;
}

const portal = 48_112_233;
export const hubspotApp = { clientId: 'hubspot-app', clientSecret: 'hubspot-app-secret-of-the-sandbox' };

export function createHubspot(options: HubspotOptions): HubspotEmulator {
  const { clock, searchCap = 10_000, indexLagMs = 0, limits } = options;
  const state = new CrmState(clock, options.customProperties);
  const auth = createAuthorizationServer(
    {
      authorizePath: '/oauth/authorize',
      tokenPath: '/oauth/v3/token',
      revokePath: '/oauth/v3/token/revoke',
      app: options.app ?? hubspotApp,
      ...(options.redirectUris === undefined ? {} : { redirectUris: options.redirectUris }),
      pkce: 'optional',
      clientAuthentication: 'body',
      accessLivesS: options.accessLivesS ?? 1800,
      rotation: 'never',
      repeatsRefreshToken: true,
      answerExtras: { hub_id: portal, user_id: 9_341, token_use: 'access_token' },
    },
    clock,
  );
  const calls = countedWindow(clock, limits?.tenSecondly, 10_000);
  const searches = countedWindow(clock, limits?.searchesPerSecond, 1_000);
  const crm = createCrm({ state, clock, searchCap, indexLagMs, searchedOften: searches.spent });

  return {
    provider: 'hubspot',
    hosts: ['api.hubapi.com', 'app.hubspot.com'],
    state,
    auth,
    portal,
    handle(call) {
      const signing = auth.handle(call);
      if (signing !== undefined) return call.host === 'api.hubapi.com' ? inOwnWords(signing) : signing;
      const granted = auth.scopesOf(call.headers['authorization']);
      if (granted === undefined) {
        return refused(401, 'EXPIRED_AUTHENTICATION', 'The OAuth token used to make this call is not valid.');
      }
      if (calls.spent()) return tooMany('TEN_SECONDLY_ROLLING');
      const answer = call.path === '/account-info/v3/details' ? json(200, details) : crm(call, granted);
      const most = limits?.tenSecondly ?? 110;
      // Searches tell nothing of the limits.
      if (call.path.endsWith('/search')) return answer;
      return {
        ...answer,
        headers: {
          ...answer.headers,
          'x-hubspot-ratelimit-max': String(most),
          'x-hubspot-ratelimit-remaining': String(Math.max(0, most - calls.count())),
          'x-hubspot-ratelimit-interval-milliseconds': '10000',
        },
      };
    },
  };
}

/** How HubSpot names what RFC 6749 5.2 calls otherwise; seen in reports of its users. */
const reasons: Record<string, string> = {
  invalid_client: 'BAD_CLIENT_SECRET',
  invalid_grant: 'BAD_REFRESH_TOKEN',
  unsupported_grant_type: 'BAD_GRANT_TYPE',
};

/** HubSpot says why in `status`, not in `error`. */
function inOwnWords(answer: Answer): Answer {
  if (answer.status < 400) return answer;
  const { error = '' } = JSON.parse(answer.body ?? '{}') as { error?: string };
  const status = reasons[error] ?? 'BAD_REQUEST';
  return refused(answer.status, status, 'missing or invalid refresh token', { status });
}

const details = {
  portalId: portal,
  accountType: 'STANDARD',
  timeZone: 'US/Pacific',
  companyCurrency: 'USD',
  additionalCurrencies: [],
  utcOffset: '-08:00',
  utcOffsetMilliseconds: -28_800_000,
  uiDomain: 'app.hubspot.com',
  dataHostingLocation: 'na1',
};

/** Calls in any `windowMs`; without a bound they are counted all the same. */
function countedWindow(clock: Clock, most: number | undefined, windowMs: number) {
  const stamps: number[] = [];
  return {
    count: () => stamps.length,
    /** Counts a call, unless there were too many already. */
    spent(): boolean {
      const now = clock.now();
      while ((stamps[0] ?? now) <= now - windowMs) stamps.shift();
      if (most !== undefined && stamps.length >= most) return true;
      stamps.push(now);
      return false;
    },
  };
}
