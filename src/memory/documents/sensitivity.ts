// What people have hidden from agents: kinds of records, accounts, and labels that a provider put on records. Never
// hidden from people.
import { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { makerOf } from '../../auth/record-change.ts';
import { DrawbridgeError } from '../../errors.ts';
import { documentKinds } from '../../providers/record.ts';
import { settingText, writeSetting } from '../../store/settings.ts';
import type { OrgStore } from '../../store/store.ts';
import type { Hidden } from '../../viewer.ts';

const setting = 'sensitivity';
const mostNames = 100;

const names = z.array(z.string().min(1).max(200)).max(mostNames);
const stored = z.object({ kinds: names, connections: names, labels: names });

/** @throws DrawbridgeError `internal` where the setting cannot be read: then nothing is shown, not everything */
export async function readSensitivity(org: OrgStore): Promise<Hidden> {
  const text = await settingText(org, setting);
  if (text === undefined) return { kinds: [], connections: [], labels: [] };
  try {
    return stored.parse(JSON.parse(text));
  } catch (cause) {
    throw new DrawbridgeError(
      'internal',
      'The setting of what is hidden from agents cannot be read, so agents see nothing. Set it anew: drawbridge sensitivity --reset',
      { cause },
    );
  }
}

export interface SensitivityChange {
  hide?: Partial<Hidden>;
  show?: Partial<Hidden>;
  /** Begins from nothing hidden. */
  reset?: boolean;
}

/** @throws DrawbridgeError `invalid_request` naming what is no kind, or too much; `permission_denied` for an agent */
export async function changeSensitivity(
  { audit }: { audit: Pick<Audit, 'append'> },
  org: OrgStore,
  person: Person,
  given: { change: SensitivityChange; channel: string },
): Promise<Hidden> {
  if (person.kind !== 'person' || person.orgId !== org.orgId)
    throw new DrawbridgeError('permission_denied', 'Only a person of the org says what agents may see.');
  const { change, channel } = given;
  const unknown = change.hide?.kinds?.find((kind) => !documentKinds.some((known) => known === kind));
  if (unknown !== undefined)
    throw new DrawbridgeError(
      'invalid_request',
      `kind: "${unknown}" is no kind. There are: ${documentKinds.join(', ')}.`,
      { field: 'kind' },
    );
  const before =
    change.reset === true ? { kinds: [], connections: [], labels: [] } : await readSensitivity(org);
  const next = (part: keyof Hidden): string[] => {
    const tidy = (all: readonly string[] = []) =>
      all.map((name) => (part === 'labels' ? name.trim().toLowerCase() : name.trim()));
    const shown = new Set(tidy(change.show?.[part]));
    return [...new Set([...before[part], ...tidy(change.hide?.[part])])].filter((name) => !shown.has(name));
  };
  const hidden = stored.safeParse({
    kinds: next('kinds'),
    connections: next('connections'),
    labels: next('labels'),
  });
  if (!hidden.success)
    throw new DrawbridgeError('invalid_request', `At most ${mostNames} of each can be hidden.`);
  const at = await org.now();
  await org.write(async (tx) => {
    await writeSetting(tx, org.orgId, { name: setting, value: hidden.data, at });
    await audit.append(tx, org.orgId, at, {
      kind: 'sensitivity.changed',
      subject: setting,
      by: makerOf(person),
      channel,
      facts: {
        kinds: hidden.data.kinds.join(' '),
        connections: hidden.data.connections.join(' '),
        labels: String(hidden.data.labels.length),
      },
      values: { labels: hidden.data.labels.join('\n') },
    });
  });
  return hidden.data;
}
