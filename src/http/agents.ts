// Who may enter at /mcp: an API key, or an access token of the issuer where there is one. Whoever has neither is
// told where to get one (RFC 9728, RFC 6750), and nothing else.
import { type Context, Hono } from 'hono';
import type { Keys } from '../auth/keys.ts';
import type { Hosted } from '../auth/oidc/hosted.ts';
import type { Agent } from '../auth/principal.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { DrawbridgeError } from '../errors.ts';
import { refusal } from './answers.ts';

const metadataPath = '/.well-known/oauth-protected-resource';
const scopes = ['read', 'propose'];

const noKey =
  'An API key is needed, on this machine too: send it as "Authorization: Bearer dbk_…". Make one with: drawbridge keys create --name NAME';

// The same for a key that never was: who guesses learns nothing.
const wrongKey =
  'The key is not known or was revoked. It goes in "Authorization: Bearer dbk_…"; see yours with drawbridge keys list, make one with drawbridge keys create --name NAME';

/** What is at /mcp, and who gives tokens for it (RFC 9728, 3): at the address with the path, and at the root's. */
export function protectedResource(hosted: Hosted): Hono<PageEnv> {
  const routes = new Hono<PageEnv>();
  const metadata = {
    resource: hosted.resource,
    authorization_servers: [hosted.issuer],
    scopes_supported: scopes,
    bearer_methods_supported: ['header'],
    resource_name: 'Drawbridge',
  };
  for (const path of [metadataPath, `${metadataPath}/mcp`]) routes.get(path, (c) => c.json(metadata));
  return routes;
}

/** The agent that a request comes from, or the answer to one that comes from none. */
export async function agentOrRefusal(
  c: Context<PageEnv>,
  { keys, hosted }: { keys: Keys; hosted: Hosted | undefined },
): Promise<Agent | Response> {
  const header = c.req.header('authorization');
  const challenge = (...parts: string[]) => {
    const where =
      hosted === undefined
        ? []
        : [`resource_metadata="${hosted.origin}${metadataPath}/mcp"`, `scope="${scopes.join(' ')}"`];
    c.header('WWW-Authenticate', `Bearer ${['realm="drawbridge"', ...parts, ...where].join(', ')}`);
  };
  try {
    const agent = (await keys.verify(header)) ?? (await hosted?.agent(header));
    if (agent !== undefined) return agent;
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError) || hosted === undefined) throw thrown;
    if (thrown.field === 'token') {
      challenge('error="invalid_token"');
      return refusal(c, 401, thrown.message);
    }
    if (thrown.field === 'scope') challenge('error="insufficient_scope"');
    throw thrown;
  }
  challenge(...(header === undefined ? [] : ['error="invalid_token"']));
  return refusal(c, 401, header === undefined ? noKey : wrongKey);
}
