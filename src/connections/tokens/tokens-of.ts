// Renewal as connections have it: whose grant it is, what is said when it has ended, and what becomes of
// tokens that nobody waits for any more.
import type { AppCredentials } from '../../config.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import type { OAuth2, TokenAnswer, TokenCall } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import { appOf } from '../connect/apps.ts';
import type { AuthorizeParts } from '../connect/authorize.ts';
import type { Connection } from '../connections.ts';
import { loadSecrets } from '../credentials.ts';
import { reportOutcome } from '../report.ts';
import { allRows, isUnfinished } from '../rows.ts';
import { isUsable } from '../states.ts';
import { tokenCall } from './token-call.ts';
import { createTokens, type Timing, type Tokens } from './tokens.ts';

export interface TokensOfParts
  extends Pick<AuthorizeParts, 'vault' | 'clock' | 'log' | 'egress' | 'oauth' | 'audit'> {
  apps: ReadonlyMap<string, AppCredentials>;
  get(org: OrgStore, id: string): Promise<Connection>;
  /** As the connection reaches it. */
  load(connection: Connection): Promise<Provider>;
  /** The app of a provider, without loading it. */
  appOf(provider: string): string | undefined;
  /** How a person connects again, as the end of a sentence. */
  reconnect(connection: Connection): string;
  timing?: Partial<Timing> | undefined;
}

/** Ends a grant that nothing here will use. What cannot be ended is logged: nobody waits for it. */
export async function giveBack(
  org: OrgStore,
  parts: Pick<TokensOfParts, 'appOf' | 'oauth' | 'log'>,
  grant: TokenCall & { auth: OAuth2 },
  answer: TokenAnswer,
): Promise<void> {
  const sharing = (await allRows(org)).some(
    (row) => !isUnfinished(row) && parts.appOf(row.provider) === grant.auth.app,
  );
  // Revoking may end every grant of that person to the app, also one that is in use.
  if (sharing) return;
  try {
    const oauth = await parts.oauth();
    await oauth.revoke(grant, { access: answer.accessToken, refresh: answer.refreshToken });
  } catch (error) {
    parts.log.warn({ err: error }, 'tokens that nothing uses could not be revoked');
  }
}

export function tokensOf(parts: TokensOfParts): Tokens {
  const { clock, log } = parts;

  return createTokens({
    vault: parts.vault,
    clock,
    log,
    oauth: parts.oauth,
    ...(parts.timing === undefined ? {} : { timing: parts.timing }),

    async grantOf(org, connectionId) {
      const connection = await parts.get(org, connectionId);
      const { auth, ...provider } = await parts.load(connection);
      if (!isUsable(connection.state) || auth.kind !== 'oauth2') {
        throw new DrawbridgeError(
          'auth_expired',
          `${connection.label} must be connected again: ${parts.reconnect(connection)}`,
        );
      }
      const app = await appOf(org, parts, auth, {
        fields: connection.fields,
        secrets: () => loadSecrets(org, parts.vault, connectionId),
      });
      if (app === undefined) {
        // The account is as good as before: it goes on when the app is back.
        throw new DrawbridgeError(
          'permission_denied',
          `The app "${auth.app}" of ${provider.title} is not registered here any more.`,
        );
      }
      const { fields } = connection;
      return { auth, ...tokenCall(org, parts, { auth, ...provider }, { app, fields, connectionId }) };
    },

    async ended(org, connectionId, { version, cause }) {
      const code = cause instanceof DrawbridgeError ? cause.code : 'auth_expired';
      const error = await parts
        .get(org, connectionId)
        .then(
          (connection) =>
            new DrawbridgeError(
              code,
              `${connection.label} must be connected again, its access has ended: ${parts.reconnect(connection)}`,
              { cause },
            ),
          toDrawbridgeError,
        );
      if (error.code === code) await reportOutcome(org, parts, connectionId, { error, version });
      return error;
    },

    orphaned: (org, grant, answer) => giveBack(org, parts, grant, answer),
  });
}
