// What a person says is the org's own address: stored, entered in the record, and out of the clients at once.
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { makerOf } from '../../auth/record-change.ts';
import { DrawbridgeError } from '../../errors.ts';
import { writeSetting } from '../../store/settings.ts';
import type { OrgStore } from '../../store/store.ts';
import { lockIngest } from '../index/lock.sql.ts';
import { ofOurs, ownAddresses, ownSetting, saidAddresses } from './own-mail.ts';
import { partOwn, takeBack } from './part-own.ts';

const shape = /^[^\s@<>,;:"%]{1,64}@[^\s@<>,;:"%_]{1,190}$/u;
const mostAddresses = 100;

export interface OwnChange {
  add?: readonly string[];
  remove?: readonly string[];
}

export interface OwnChanged {
  addresses: string[];
  /**
   * Documents that must be read anew for what they say of clients (`rebuild` does): those that show any of these
   * addresses; `all` of them; undefined where none must.
   */
  reread: readonly string[] | 'all' | undefined;
}

/** Lower case, each once. @throws DrawbridgeError `invalid_request` with `field` for what is no e-mail address */
export function checkOwnAddresses(given: readonly string[], field: string): string[] {
  return given.map((one) => {
    const address = one.trim().toLowerCase();
    if (shape.test(address)) return address;
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: "${one.slice(0, 80)}" is no e-mail address. Write it in full, without a name: anna@example.com.`,
      { field },
    );
  });
}

/**
 * Clients that are us are gone with the same transaction. @throws DrawbridgeError `invalid_request` with `field`;
 * `permission_denied` for whoever is no person of the org
 */
export async function changeOwnAddresses(
  { audit }: { audit: Pick<Audit, 'append'> },
  org: OrgStore,
  person: Person,
  { add = [], remove = [], field, channel }: OwnChange & { field: string; channel: string },
): Promise<OwnChanged> {
  if (person.kind !== 'person' || person.orgId !== org.orgId)
    throw new DrawbridgeError('permission_denied', 'Only a person of the org changes its settings.');
  const added = checkOwnAddresses(add, field);
  const removed = checkOwnAddresses(remove, field);
  const { orgId } = org;
  const at = await org.now();
  return org.write(async (tx) => {
    await lockIngest(tx, org.dialect, orgId);
    const known = await saidAddresses(tx, orgId);
    const addresses = [...new Set([...known, ...added])].filter((one) => !removed.includes(one));
    const missing = removed.find((one) => !known.includes(one));
    if (missing !== undefined)
      throw new DrawbridgeError(
        'invalid_request',
        `${field}: ${missing} was not said to be yours. ${known.length === 0 ? 'No address was.' : `There are: ${known.join(', ')}.`}`,
        { field },
      );
    if (addresses.length > mostAddresses)
      throw new DrawbridgeError('invalid_request', `${field}: at most ${mostAddresses} can be kept.`, {
        field,
      });
    if (addresses.length === known.length && addresses.every((one) => known.includes(one)))
      return { addresses, reread: undefined };
    const before = await ownAddresses(tx, orgId);
    const value = addresses.length === 0 ? undefined : addresses;
    await writeSetting(tx, orgId, { name: ownSetting, value, at });
    await audit.append(tx, orgId, at, {
      kind: 'settings.changed',
      subject: ownSetting,
      by: makerOf(person),
      channel,
      facts: { setting: `${addresses.length} of the org's own` },
      values: { addresses: addresses.join('\n') },
    });
    const after = await ownAddresses(tx, orgId);
    const lost = [...before].filter((one) => !after.has(one));
    await takeBack(tx, orgId, lost);
    if (after.size > 0) await partOwn(tx, { orgId, now: at, own: after });
    return { addresses, reread: toReadAnew(before, after) };
  });
}

/** What must be learned, beside what was forgotten: facts of who is ours no more, and questions that are put to us now. */
function toReadAnew(before: ReadonlySet<string>, after: ReadonlySet<string>): OwnChanged['reread'] {
  const ours = { before: ofOurs(before), after: ofOurs(after) };
  const lost = [...before].filter((one) => !after.has(one));
  const newer = [...after].filter((one) => !before.has(one));
  // A colleague's words count as a client's again, and where nobody is us every question waits.
  if (lost.some((one) => ours.before(`x${one}`) && !ours.after(`x${one}`))) return 'all';
  if (lost.length > 0 && after.size === 0) return 'all';
  const concerned = before.size === 0 ? lost : [...lost, ...newer];
  return concerned.length === 0 ? undefined : concerned;
}
