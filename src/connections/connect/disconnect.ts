// Disconnecting: the grant is ended at the provider first, within a bounded time, then the credentials are
// forgotten, whatever came of it. What a person still has to do there is said.
import { withDeadline } from '../../egress/deadline.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import { isOwn } from '../../providers/own.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { loadSecrets } from '../credentials.ts';
import { allRows, type ConnectionRow, rowById } from '../rows.ts';
import type { Recorder } from '../states.ts';
import { tokenFields } from '../tokens/grant.ts';
import { tokenCall } from '../tokens/token-call.ts';
import { appOf } from './apps.ts';
import type { AuthorizeParts } from './authorize.ts';
import { removeConnection } from './connect.ts';

const revokeWithinMs = 10_000;

export interface Disconnected {
  revoked: boolean;
  why?: string;
}

type Parts = Recorder &
  Pick<AuthorizeParts, 'vault' | 'apps' | 'clock' | 'egress' | 'oauth' | 'log'> & {
    /** Undefined for a provider that this version does not know. */
    load(provider: string): Promise<Provider | undefined>;
    /** As that connection reaches it. */
    reached(row: ConnectionRow): Promise<Provider | undefined>;
    appOf(provider: string): string | undefined;
    /** Switched off: no call is made to it. */
    isOff(provider: string): boolean;
  };

/** @throws DrawbridgeError `not_found` */
export async function disconnect(org: OrgStore, parts: Parts, id: string): Promise<Disconnected> {
  const row = await org.read((db) => rowById(db, org.orgId, id));
  if (row === undefined) throw new DrawbridgeError('not_found', `There is no connection ${id}.`);
  const told = await endGrant(org, parts, row);
  await removeConnection(org, parts, id);
  return told;
}

async function endGrant(org: OrgStore, parts: Parts, row: ConnectionRow): Promise<Disconnected> {
  const { clock, log } = parts;
  const provider = await parts.reached(row);
  if (provider === undefined || isOwn(row.provider)) return { revoked: false };
  const { auth, title } = provider;
  if (auth.kind !== 'oauth2') {
    return { revoked: false, why: `Drawbridge has forgotten the credentials; they stay valid at ${title}.` };
  }
  if (auth.revocation === undefined && auth.official === undefined) {
    return {
      revoked: false,
      why: `${title} has no way to revoke from here. Remove Drawbridge in the settings of the account there.`,
    };
  }
  const sibling = await sharingGrant(org, parts, row);
  if (sibling !== undefined) {
    return {
      revoked: false,
      why: `${sibling} uses the same grant of ${row.label} and would have lost it. It ends at the provider when the last of them is disconnected.`,
    };
  }
  if (parts.isOff(row.provider)) {
    return {
      revoked: false,
      why: `${title} is switched off in this installation, so nothing was said to it. Remove Drawbridge in the settings of the account there.`,
    };
  }
  const byHand = `Remove Drawbridge in the settings of the account at ${title}.`;
  try {
    const secrets = await loadSecrets(org, parts.vault, row.id);
    const access = secrets.get(tokenFields.access);
    const refresh = secrets.get(tokenFields.refresh);
    if (access === undefined && refresh === undefined) return { revoked: false };
    const fields = fromJson<Record<string, unknown>>(row.fields);
    const app = await appOf(org, parts, auth, { fields, secrets: async () => secrets });
    if (app === undefined)
      return { revoked: false, why: `Its app is not registered here any more. ${byHand}` };
    const call = tokenCall(org, parts, provider, { app, fields, connectionId: row.id });
    const oauth = await parts.oauth();
    const expired = () => new DrawbridgeError('timeout', `${title} did not answer in time.`);
    await withDeadline({ clock, timeoutMs: revokeWithinMs, expired }, () =>
      oauth.revoke({ auth, ...call }, { access, refresh }),
    );
    return { revoked: true };
  } catch (thrown) {
    const error = toDrawbridgeError(thrown);
    log.warn({ err: thrown, connection: row.id }, 'a grant could not be revoked at the provider');
    return { revoked: false, why: `${error.message} ${byHand}` };
  }
}

/** Google ends all grants of an account to an app at once: what else of the org lives on the same one. */
async function sharingGrant(org: OrgStore, parts: Parts, row: ConnectionRow): Promise<string | undefined> {
  const app = parts.appOf(row.provider);
  const others = (await allRows(org)).filter(
    (other) => other.id !== row.id && parts.appOf(other.provider) === app && other.account === row.account,
  );
  const other = others[0];
  return other === undefined ? undefined : (await parts.load(other.provider))?.title;
}
