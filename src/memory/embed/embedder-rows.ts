// The rows of an org's embedders: which one answers, which is being built, and how far each has come.
import type { Kysely, Selectable } from 'kysely';
import type { DrawbridgeError } from '../../errors.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import { prepared } from '../../store/prepared.ts';
import type { OrgTables } from '../../store/tables.ts';
import { type EmbedderSettings, embedderSettings } from './settings.ts';
import { staticEnName } from './static-en.ts';

export type Db = Kysely<OrgTables>;
type Row = Selectable<OrgTables['embedders']>;

export interface EmbedderRow {
  name: string;
  /** Undefined: written by another version. */
  settings: EmbedderSettings | undefined;
  sealed: { sealed: Uint8Array; keyId: string } | undefined;
  dimensions: number;
  state: Row['state'];
  doneSeq: number;
  embedded: number;
  refused: number;
  tries: number;
  error: { code: string; message: string; at: number } | undefined;
  retryAt: number;
  switchedAt: number | undefined;
}

/** `chosen`: by a person, the stored name; null: what the environment says. `before`: what `undo` goes back to. */
export interface Chosen {
  chosen: string | null;
  before: string | null;
}

const setting = 'embedder';
const faultSetting = 'embedder_fault';

function rowOf(row: Row): EmbedderRow {
  const { sealed, key_id: keyId } = row;
  return {
    name: row.name,
    settings: embedderSettings.safeParse(fromJson(row.settings)).data,
    sealed: sealed === null || keyId === null ? undefined : { sealed, keyId },
    dimensions: Number(row.dimensions),
    state: row.state,
    doneSeq: Number(row.done_seq),
    embedded: Number(row.embedded),
    refused: Number(row.refused),
    tries: Number(row.tries),
    error: row.error === null ? undefined : fromJson(row.error),
    retryAt: Number(row.retry_at),
    switchedAt: row.switched_at === null ? undefined : Number(row.switched_at),
  };
}

const inOrder = prepared((db: Db, { orgId }: { orgId: string }) =>
  db.selectFrom('embedders').selectAll().where('org_id', '=', orgId).orderBy('created_at').orderBy('name'),
);

/** In the order in which they came. */
export async function readRows(db: Db, orgId: string): Promise<EmbedderRow[]> {
  return (await inOrder(db, { orgId })).map(rowOf);
}

export const currentOf = (rows: readonly EmbedderRow[]): EmbedderRow | undefined =>
  rows.find((row) => row.state === 'current');
export const currentName = (rows: readonly EmbedderRow[]): string => currentOf(rows)?.name ?? staticEnName;

export async function readChosen(db: Db, orgId: string): Promise<Chosen> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', setting)
    .executeTakeFirst();
  return row === undefined ? { chosen: null, before: null } : fromJson<Chosen>(row.value);
}

export async function writeChosen(db: Db, orgId: string, chosen: Chosen, at: number): Promise<void> {
  const value = toJson(chosen);
  await db
    .insertInto('org_settings')
    .values({ org_id: orgId, name: setting, value, updated_at: at })
    .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
    .execute();
}

/** Why what the environment says could not be begun, and when that was. */
export async function readFault(db: Db, orgId: string): Promise<EmbedderRow['error']> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', faultSetting)
    .executeTakeFirst();
  return row === undefined ? undefined : fromJson(row.value);
}

/** Undefined: there is none any more. */
export async function writeFault(
  db: Db,
  orgId: string,
  error: DrawbridgeError | undefined,
  at: number,
): Promise<void> {
  if (error === undefined) {
    await db
      .deleteFrom('org_settings')
      .where('org_id', '=', orgId)
      .where('name', '=', faultSetting)
      .execute();
    return;
  }
  const value = errorText(error, at);
  await db
    .insertInto('org_settings')
    .values({ org_id: orgId, name: faultSetting, value, updated_at: at })
    .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
    .execute();
}

type Change = Partial<
  Pick<Row, 'state' | 'switched_at' | 'error' | 'retry_at' | 'tries' | 'sealed' | 'key_id'>
>;

/** Every change is seen by the next search. */
export async function changeRow(
  db: Db,
  orgId: string,
  name: string,
  change: Change,
  at: number,
): Promise<void> {
  await db
    .updateTable('embedders')
    .set((row) => ({ ...change, change: row('change', '+', 1), updated_at: at }))
    .where('org_id', '=', orgId)
    .where('name', '=', name)
    .execute();
}

export interface NewRow {
  name: string;
  settings: EmbedderSettings;
  dimensions: number;
  sealed: EmbedderRow['sealed'];
}

/** A model that is to be built: its old vectors go on where they ended. Any other that was being built is given up. */
export async function beginBuilding(
  db: Db,
  orgId: string,
  { name, settings, dimensions, sealed }: NewRow,
  at: number,
): Promise<void> {
  await giveUpBuilding(db, orgId, name, at);
  const key = { sealed: sealed?.sealed ?? null, key_id: sealed?.keyId ?? null };
  const again = {
    settings: toJson(settings),
    ...key,
    state: 'building' as const,
    tries: 0,
    error: null,
    retry_at: 0,
    updated_at: at,
    switched_at: null,
  };
  await db
    .insertInto('embedders')
    .values({
      org_id: orgId,
      name,
      dimensions,
      done_seq: 0,
      embedded: 0,
      refused: 0,
      change: 0,
      created_at: at,
      ...again,
    })
    .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet(again))
    .execute();
}

/** What is being built, other than `name`, goes. */
export async function giveUpBuilding(
  db: Db,
  orgId: string,
  name: string | undefined,
  at: number,
): Promise<void> {
  await db
    .updateTable('embedders')
    .set({ state: 'purging', updated_at: at })
    .where('org_id', '=', orgId)
    .where('state', '=', 'building')
    .where('name', '<>', name ?? '')
    .execute();
}

/** From now on `name` answers; what answered before is kept for a while. */
export async function switchTo(db: Db, orgId: string, name: string, at: number): Promise<void> {
  const rows = await readRows(db, orgId);
  for (const row of rows) {
    if (row.name === name) await changeRow(db, orgId, name, { state: 'current', switched_at: at }, at);
    else if (row.state === 'current')
      await changeRow(db, orgId, row.name, { state: 'former', switched_at: at }, at);
  }
}

export const errorText = (error: DrawbridgeError, at: number) =>
  toJson({ code: error.code, message: error.message, at });
