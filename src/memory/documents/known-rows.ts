// Which documents of a batch are there already, and which live ones it says are gone.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import type { IngestBatch } from '../memory.ts';
import { attachedMark, attachedTo } from './attached.ts';
import { hashOf } from './content-hash.ts';

type Tx = Transaction<OrgTables>;

/** A document that is there already, tombstones included. */
export interface Known {
  id: string;
  externalId: string;
  contentHash: string;
  deletedAt: number | null;
  threadId: string | null;
  writtenAt: number | null;
}

/** Ids a statement. */
export const idsAtOnce = 500;

/** `items` in pieces of `size`. */
export function* parts<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

const knownColumns = ['id', 'external_id', 'content_hash', 'deleted_at', 'thread_id', 'written_at'] as const;
interface KnownRow {
  id: string;
  external_id: string;
  content_hash: string;
  deleted_at: number | null;
  thread_id: string | null;
  written_at: number | null;
}

function toKnown(row: KnownRow): Known {
  return {
    id: row.id,
    externalId: row.external_id,
    contentHash: hashOf(row.content_hash),
    deletedAt: row.deleted_at,
    threadId: row.thread_id,
    writtenAt: row.written_at,
  };
}

/** By external id. */
export async function findKnown(
  tx: Tx,
  orgId: string,
  connectionId: string,
  externalIds: readonly string[],
): Promise<Map<string, Known>> {
  const found = new Map<string, Known>();
  for (const some of parts(externalIds, idsAtOnce)) {
    const rows = await tx
      .selectFrom('source_documents')
      .select(knownColumns)
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('external_id', 'in', some)
      .execute();
    for (const row of rows) found.set(row.external_id, toKnown(row));
  }
  return found;
}

/** Live documents that the batch says are gone: named, or missing from a complete list. */
export async function findGone(
  tx: Tx,
  orgId: string,
  connectionId: string,
  batch: IngestBatch,
): Promise<Known[]> {
  const coming = new Set(batch.records.map((record) => record.externalId));
  const named = (batch.deleted ?? []).filter((id) => !coming.has(id));
  const gone = new Map<string, Known>();
  const add = (known: Known) => {
    if (known.deletedAt === null) gone.set(known.id, known);
  };
  for (const known of (await findKnown(tx, orgId, connectionId, named)).values()) add(known);
  if (batch.complete !== undefined) {
    const { ids, prefix = '', kinds } = batch.complete;
    const exist = new Set(ids);
    let query = tx
      .selectFrom('source_documents')
      .select(knownColumns)
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('deleted_at', 'is', null);
    if (kinds !== undefined) query = query.where('kind', 'in', [...kinds]);
    // The range of all ids that begin with the prefix, by their bytes.
    if (prefix !== '') {
      query = query.where('external_id', '>=', prefix).where('external_id', '<', `${prefix}\u{10ffff}`);
    }
    for (const row of await query.execute()) {
      // An attachment is there as long as its mail is.
      const id = attachedTo(row.external_id)?.mail ?? row.external_id;
      if (row.external_id.startsWith(prefix) && !exist.has(id) && !coming.has(id)) add(toKnown(row));
    }
  }
  return [...gone.values()];
}

/** Mails a statement. */
const mailsAtOnce = 50;

/** Live attachments of these mails that are not among those that stay. */
export async function findLeftBehind(
  tx: Tx,
  given: { orgId: string; connectionId: string; mails: readonly string[]; staying: ReadonlySet<string> },
): Promise<Known[]> {
  const { orgId, connectionId, mails, staying } = given;
  const found: Known[] = [];
  for (const some of parts(mails, mailsAtOnce)) {
    const rows = await tx
      .selectFrom('source_documents')
      .select(knownColumns)
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('deleted_at', 'is', null)
      .where((is) =>
        is.or(
          some.map((mail) =>
            // All ids that begin so, by their bytes: what follows is hex.
            is.and([
              is('external_id', '>=', `${mail}${attachedMark}`),
              is('external_id', '<', `${mail}${attachedMark}g`),
            ]),
          ),
        ),
      )
      .execute();
    for (const row of rows) {
      if (attachedTo(row.external_id) !== undefined && !staying.has(row.external_id))
        found.push(toKnown(row));
    }
  }
  return found;
}
