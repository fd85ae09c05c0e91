// Mailchimp on loopback: its sign-in with the data centre told afterwards, and the part of the Marketing API that is
// spoken here: audiences, contacts, campaigns, reports.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Emulator } from '../providers.ts';
import { json, missing, problem, thinned } from './answers.ts';
import { Campaigns } from './campaigns.ts';
import { Contacts } from './contacts.ts';

export const mailchimpApp = { clientId: '471147114711', clientSecret: 'mailchimp-app-secret-of-the-sandbox' };
/** A key tells its data centre behind the dash. */
export const mailchimpKey = '0f1e2d3c4b5a69788796a5b4c3d2e1f0-us14';
const dc = 'us14';

export interface Mailchimp extends Emulator {
  authorization: AuthorizationServer;
  contacts: Contacts;
  campaigns: Campaigns;
  /** What the metadata call names as the data centre. */
  names(dataCentre: string): void;
  /** The key is taken no more. */
  revokeKey(): void;
}

export function createMailchimp({ clock }: { clock: Clock }): Mailchimp {
  const contacts = new Contacts(clock);
  const campaigns = new Campaigns(clock, contacts.audiences);
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/oauth2/authorize',
      tokenPath: '/oauth2/token',
      app: mailchimpApp,
      pkce: 'optional',
      clientAuthentication: 'body',
      accessLivesS: 100 * 365 * 86_400,
      rotation: 'never',
      // A token has no end: zero, and scopes that are none.
      answerExtras: { expires_in: 0, scope: null, refresh_token: undefined },
    },
    clock,
  );
  let named = dc;
  let keyLives = true;

  function isLetIn(header: string | undefined): boolean {
    if (authorization.scopesOf(header) !== undefined) return true;
    return keyLives && header === `Bearer ${mailchimpKey}`;
  }

  function signedIn(path: string, header: string | undefined): Answer {
    if (path !== '/oauth2/metadata') return missing();
    // Mailchimp's own word for it here, before bearers were called so.
    const bearer = header?.replace(/^OAuth /, 'Bearer ');
    if (authorization.scopesOf(bearer) === undefined) return json({ error: 'invalid_token' }, 401);
    return json({
      dc: named,
      role: 'owner',
      accountname: 'Tidewell Homes',
      user_id: 5150,
      login: { email: 'office@tidewell.example', login_id: 5150, login_name: 'tidewell' },
      login_url: 'https://login.mailchimp.com',
      api_endpoint: `https://${named}.api.mailchimp.com`,
    });
  }

  return {
    provider: 'mailchimp',
    hosts: ['login.mailchimp.com', `${dc}.api.mailchimp.com`],
    authorization,
    contacts,
    campaigns,
    names(dataCentre) {
      named = dataCentre;
    },
    revokeKey() {
      keyLives = false;
    },
    handle(call) {
      if (call.host === 'login.mailchimp.com') {
        return authorization.handle(call) ?? signedIn(call.path, call.headers['authorization']);
      }
      if (!isLetIn(call.headers['authorization'])) {
        return problem(
          401,
          'API Key Invalid',
          "Your API key may be invalid, or you've attempted to access the wrong datacenter.",
        );
      }
      if (call.path === '/3.0/' && call.method === 'GET') return thinned(call, account);
      return contacts.handle(call) ?? campaigns.handle(call) ?? missing();
    },
  };
}

const account = {
  account_id: '8d3a3db4d97663a9074efcc16',
  login_id: '5150',
  account_name: 'Tidewell Homes',
  email: 'office@tidewell.example',
  role: 'owner',
  total_subscribers: 40,
};
