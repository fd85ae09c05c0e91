// The data keys of an org: each wrapped by a master key, one of them current, retired ones kept while
// something is sealed under them.
import { randomBytes } from 'node:crypto';
import { DrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { OrgStore } from '../store/store.ts';
import type { Key, MasterKeys } from './master-keys.ts';
import { sealBytes, unsealBytes } from './seal.ts';
import { sealedSettings } from './sealed-setting.ts';

const keyBytes = 32;
/** A process may hold a retired key for a while yet: what it sealed must still open. */
const graceMs = 3_600_000;

export interface DataKeys {
  current: Key & { createdAt: number };
  byId: ReadonlyMap<string, Key>;
}

/** The org's data keys; the first is made here. `masters` is asked anew for each wrapping. */
export async function loadDataKeys(org: OrgStore, masters: (make: boolean) => MasterKeys): Promise<DataKeys> {
  const rows = await readRows(org);
  const known = rows.some((row) => row.retired_at === null) ? rows : await makeFirst(org, masters);
  const byId = new Map<string, Key>();
  for (const row of known) {
    const master = masters(false).all.get(row.master_key_id);
    if (master === undefined) {
      const present = masters(false).present.id;
      throw new DrawbridgeError(
        'auth_expired',
        `The credentials of this org are kept under another key (${row.master_key_id}; the present one is ${present}). Restore the former key file or DRAWBRIDGE_KEY, or connect the accounts again.`,
      );
    }
    try {
      byId.set(row.id, { id: row.id, bytes: unsealBytes(master.bytes, place(org, row), row.wrapped) });
    } catch (cause) {
      throw new DrawbridgeError('internal', 'A data key was altered: nothing was opened with it.', { cause });
    }
  }
  const current = known.find((row) => row.retired_at === null);
  const key = current === undefined ? undefined : byId.get(current.id);
  if (current === undefined || key === undefined) {
    throw new DrawbridgeError('internal', 'The org has no current data key.');
  }
  return { current: { ...key, createdAt: current.created_at }, byId };
}

/** Makes a new data key current, and retires the one before. */
export async function retireDataKey(
  org: OrgStore,
  masters: (make: boolean) => MasterKeys,
  present: string,
): Promise<void> {
  const at = await org.now();
  const fresh = newRow(org, masters(true), at);
  await org.write(async (tx) => {
    const retired = await tx
      .updateTable('data_keys')
      .set({ retired_at: at })
      .where('org_id', '=', org.orgId)
      .where('id', '=', present)
      .where('retired_at', 'is', null)
      .executeTakeFirst();
    // Another process was first: its new key stands.
    if (retired.numUpdatedRows !== 1n) return;
    await tx.insertInto('data_keys').values(fresh).execute();
  });
}

/** Wraps each data key under the present master key. Can be stopped anywhere and run again. */
export async function rewrapDataKeys(org: OrgStore, masters: MasterKeys): Promise<number> {
  let rewrapped = 0;
  for (const row of await readRows(org)) {
    if (row.master_key_id === masters.present.id) continue;
    const former = masters.all.get(row.master_key_id);
    if (former === undefined) {
      throw new DrawbridgeError(
        'auth_expired',
        `A data key is wrapped under master key ${row.master_key_id}, which is not here. Name it in DRAWBRIDGE_KEY_FORMER, or restore the key file.`,
      );
    }
    const plain = unsealBytes(former.bytes, place(org, row), row.wrapped);
    const next = { ...row, master_key_id: masters.present.id };
    const { numUpdatedRows } = await org.write((tx) =>
      tx
        .updateTable('data_keys')
        .set({
          wrapped: sealBytes(masters.present.bytes, place(org, next), plain),
          master_key_id: next.master_key_id,
        })
        .where('org_id', '=', org.orgId)
        .where('id', '=', row.id)
        .where('master_key_id', '=', row.master_key_id)
        .executeTakeFirst(),
    );
    rewrapped += Number(numUpdatedRows);
  }
  return rewrapped;
}

/** Removes retired keys under which nothing is sealed any more, once nobody can hold them. */
export async function dropSpentDataKeys(org: OrgStore): Promise<void> {
  const before = (await org.now()) - graceMs;
  await org.write(async (tx) => {
    const settings = await sealedSettings(tx, org.orgId);
    await tx
      .deleteFrom('data_keys')
      .where('org_id', '=', org.orgId)
      .where('retired_at', '<', before)
      .where((row) => row.and(settings.map(({ key }) => row('id', '<>', key.keyId))))
      .where((row) =>
        row.and([
          row.not(
            row.exists(
              row
                .selectFrom('secrets')
                .select('secrets.key_id')
                .where('secrets.org_id', '=', org.orgId)
                .whereRef('secrets.key_id', '=', 'data_keys.id'),
            ),
          ),
          row.not(
            row.exists(
              row
                .selectFrom('provider_apps')
                .select('provider_apps.key_id')
                .where('provider_apps.org_id', '=', org.orgId)
                .whereRef('provider_apps.key_id', '=', 'data_keys.id'),
            ),
          ),
          row.not(
            row.exists(
              row
                .selectFrom('embedders')
                .select('embedders.key_id')
                .where('embedders.org_id', '=', org.orgId)
                .whereRef('embedders.key_id', '=', 'data_keys.id'),
            ),
          ),
        ]),
      )
      .execute();
  });
}

interface Row {
  id: string;
  wrapped: Uint8Array;
  master_key_id: string;
  created_at: number;
  retired_at: number | null;
}

function readRows(org: OrgStore): Promise<Row[]> {
  return org.read((db) =>
    db
      .selectFrom('data_keys')
      .select(['id', 'wrapped', 'master_key_id', 'created_at', 'retired_at'])
      .where('org_id', '=', org.orgId)
      .orderBy('created_at')
      .orderBy('id')
      .execute(),
  );
}

async function makeFirst(org: OrgStore, masters: (make: boolean) => MasterKeys): Promise<Row[]> {
  const fresh = newRow(org, masters(true), await org.now());
  // One key is current, an index sees to it: who comes second takes the first's.
  await org.write((tx) =>
    tx
      .insertInto('data_keys')
      .values(fresh)
      .onConflict((other) => other.doNothing())
      .execute(),
  );
  return readRows(org);
}

function newRow(org: OrgStore, { present }: MasterKeys, at: number): Row & { org_id: string } {
  const id = newId('dk', at);
  const row = { id, master_key_id: present.id };
  return {
    ...row,
    org_id: org.orgId,
    wrapped: sealBytes(present.bytes, place(org, row), randomBytes(keyBytes)),
    created_at: at,
    retired_at: null,
  };
}

function place(org: OrgStore, { id, master_key_id }: Pick<Row, 'id' | 'master_key_id'>): string[] {
  return ['drawbridge data key', org.orgId, id, master_key_id];
}
