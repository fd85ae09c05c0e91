// The key of a server that a setting of the org names, sealed: it stands in the setting itself, as text.
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { OrgTables } from '../store/tables.ts';
import type { Sealed } from './vault.ts';

/** The settings that may hold one. What is sealed is bound to the setting's name. */
export const rerankerSetting = 'reranker';
const holding = [rerankerSetting];

const held = z.looseObject({ key: z.object({ sealed: z.base64(), keyId: z.string() }) });

export const sealedText = ({ sealed, keyId }: Sealed) => ({
  sealed: Buffer.from(sealed).toString('base64'),
  keyId,
});

/** Undefined where the setting's value holds none. */
export function sealedIn(value: unknown): Sealed | undefined {
  const key = held.safeParse(value).data?.key;
  return key === undefined
    ? undefined
    : { sealed: new Uint8Array(Buffer.from(key.sealed, 'base64')), keyId: key.keyId };
}

export interface SealedSetting {
  name: string;
  /** As it is stored. */
  text: string;
  value: Record<string, unknown>;
  key: Sealed;
}

/** The org's settings that hold a key. */
export async function sealedSettings(db: Kysely<OrgTables>, orgId: string): Promise<SealedSetting[]> {
  const rows = await db
    .selectFrom('org_settings')
    .select(['name', 'value'])
    .where('org_id', '=', orgId)
    .where('name', 'in', holding)
    .execute();
  return rows.flatMap(({ name, value: text }) => {
    const value = JSON.parse(text) as Record<string, unknown>;
    const key = sealedIn(value);
    return key === undefined ? [] : [{ name, text, value, key }];
  });
}
