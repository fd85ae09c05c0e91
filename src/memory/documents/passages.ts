// Chunks read back as exact passages of their documents.
import type { Kysely } from 'kysely';
import type { DocumentKind, Person } from '../../providers/record.ts';
import { fromJson } from '../../store/codec.ts';
import { prepared } from '../../store/prepared.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { seesAll } from '../../viewer.ts';
import type { Passage } from '../memory.ts';
import { attributionOf } from '../properties/attribution.ts';
import { textOf } from './packed.ts';
import { readable } from './readable.sql.ts';

type Db = Kysely<OrgTables>;

export interface PassageRow {
  chunk_id: string;
  seq: number;
  start_at: number;
  end_at: number;
  content_hash: string;
  document_id: string;
  external_id: string;
  kind: string;
  title: string;
  text: string;
  text_packed: Uint8Array | null;
  people: string;
  url: string | null;
  connection_id: string;
  provider: string;
  label: string | null;
  written_at: number | null;
  fetched_at: number;
  verified_at: number;
  attribution?: string[];
}

function select(db: Db, org: Pick<OrgStore, 'orgId' | 'viewer'>, seqs: readonly number[]) {
  return (
    db
      .selectFrom('chunks as c')
      .innerJoin('source_documents as d', (join) =>
        join.onRef('d.org_id', '=', 'c.org_id').onRef('d.id', '=', 'c.document_id'),
      )
      .leftJoin('connected_sources as s', (join) =>
        join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
      )
      .select([
        'c.id as chunk_id',
        'c.seq',
        'c.start_at',
        'c.end_at',
        'c.content_hash',
        'd.id as document_id',
        'd.external_id',
        'd.kind',
        'd.title',
        'd.text',
        'd.text_packed',
        'd.people',
        'd.url',
        'd.connection_id',
        'd.provider',
        's.label',
        'd.written_at',
        'd.fetched_at',
        'd.verified_at',
      ])
      .where('c.org_id', '=', org.orgId)
      .where('c.seq', 'in', seqs)
      // The index was asked on an earlier snapshot: what was deleted since is not answered.
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
  );
}

type Values = Record<string, string | number>;
/** By how many chunks are asked for: a page of an answer. */
const mostPrepared = 20;
const asking = new Map<number, (db: Db, values: Values) => Promise<PassageRow[]>>();

function selectPrepared(db: Db, orgId: string, seqs: readonly number[]): Promise<PassageRow[]> {
  let ask = asking.get(seqs.length);
  if (ask === undefined) {
    const names = seqs.map((_, i) => `seq${i}`);
    ask = prepared((one: Db, values: Values) =>
      select(
        one,
        { orgId: values['orgId'] as string },
        names.map((name) => values[name] as number),
      ),
    );
    asking.set(seqs.length, ask);
  }
  return ask(db, { orgId, ...Object.fromEntries(seqs.map((seq, i) => [`seq${i}`, seq])) });
}

/** By number of the chunk; what is deleted is not among them. */
export async function rowsOf(
  db: Kysely<OrgTables>,
  org: Pick<OrgStore, 'orgId' | 'viewer'>,
  hits: readonly { seq: number }[],
): Promise<Map<number, PassageRow>> {
  if (hits.length === 0) return new Map();
  const seqs = hits.map((hit) => hit.seq);
  const rows: PassageRow[] =
    seesAll(org.viewer) && seqs.length <= mostPrepared
      ? await selectPrepared(db, org.orgId, seqs)
      : await select(db, org, seqs).execute();
  const listings = rows.filter(({ kind }) => kind === 'listing').map((row) => row.document_id);
  const lines = await attributionOf(db, org.orgId, [...new Set(listings)]);
  return new Map(
    rows.map((row) => {
      const attribution = lines.get(row.document_id);
      return [Number(row.seq), attribution === undefined ? row : { ...row, attribution }];
    }),
  );
}

/** @param snippet cuts the part around what was asked for */
export function toPassage(row: PassageRow, score: number, snippet: (text: string) => string): Passage {
  const text = textOf(row).slice(row.start_at, row.end_at);
  return {
    documentId: row.document_id,
    externalId: row.external_id,
    chunkId: row.chunk_id,
    kind: row.kind as DocumentKind,
    title: row.title,
    text,
    start: row.start_at,
    end: row.end_at,
    snippet: snippet(text),
    contentHash: row.content_hash,
    people: fromJson<Person[]>(row.people),
    url: row.url ?? undefined,
    connectionId: row.connection_id,
    brainId: row.provider === 'brain' ? row.external_id : undefined,
    source: row.label ?? row.provider,
    writtenAt: row.written_at ?? undefined,
    fetchedAt: row.fetched_at,
    verifiedAt: row.verified_at,
    score,
    ...(row.attribution === undefined ? {} : { attribution: row.attribution }),
  };
}

/** The first passage of each document that was written in the span, in the order of their time. */
export async function latestPassages(
  org: OrgStore,
  span: { kinds: DocumentKind[]; since: number; until: number; limit: number },
): Promise<Passage[]> {
  return org.read(async (db) => {
    const firsts = await db
      .selectFrom('source_documents as d')
      .innerJoin('chunks as c', (join) =>
        join.onRef('c.org_id', '=', 'd.org_id').onRef('c.document_id', '=', 'd.id').on('c.ordinal', '=', 0),
      )
      .select('c.seq')
      .where('d.org_id', '=', org.orgId)
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
      .where('d.kind', 'in', span.kinds)
      .where('d.written_at', '>=', span.since)
      .where('d.written_at', '<', span.until)
      .orderBy('d.written_at')
      .orderBy('d.id')
      .limit(span.limit)
      .execute();
    const rows = await rowsOf(db, org, firsts);
    return firsts.flatMap(({ seq }) => {
      const row = rows.get(Number(seq));
      return row === undefined ? [] : [toPassage(row, 1, (text) => text.slice(0, 300))];
    });
  });
}
