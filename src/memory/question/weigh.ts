// Hits weighed by what was understood of the question: a wish lifts what fits it, and shuts nothing out.
import type { Kysely } from 'kysely';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { type Words, wordsOf } from '../documents/packed.ts';
import { readable } from '../documents/readable.sql.ts';
import type { IndexFilters, IndexHit } from '../index/search-index.ts';

/** What is known of a hit before it is read whole. */
export interface LightRow {
  seq: number;
  documentId: string;
  kind: string;
  title: string;
  threadId: string | null;
  writtenAt: number | null;
  contentHash: string;
  /** Terms of the chunk, unpacked when they are first asked for. */
  words(): Words;
  senders: string[];
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** By number; what the org's viewer may not see is not among them. */
export async function lightRows(
  db: Kysely<OrgTables>,
  org: OrgStore,
  hits: readonly { seq: number }[],
): Promise<Map<number, LightRow>> {
  if (hits.length === 0) return new Map();
  const rows = await db
    .selectFrom('chunks as c')
    .innerJoin('source_documents as d', (join) =>
      join.onRef('d.org_id', '=', 'c.org_id').onRef('d.id', '=', 'c.document_id'),
    )
    .select(['c.seq', 'c.content_hash', 'c.header', 'c.body', 'c.words', 'c.start_at', 'c.end_at'])
    .select(['d.id', 'd.kind', 'd.title', 'd.people'])
    // A long text is not read for nothing.
    .select((is) => [
      is.case().when('c.words', 'is not', null).then(is.ref('d.text')).end().as('text'),
      is.case().when('c.words', 'is not', null).then(is.ref('d.text_packed')).end().as('text_packed'),
    ])
    .select(['d.thread_id', 'd.written_at'])
    .where('c.org_id', '=', org.orgId)
    .where(
      'c.seq',
      'in',
      hits.map(({ seq }) => seq),
    )
    .where('d.deleted_at', 'is', null)
    .where(readable(org, 'd'))
    .execute();
  return new Map(
    rows.map((row) => [
      Number(row.seq),
      {
        seq: Number(row.seq),
        documentId: row.id,
        kind: row.kind,
        title: row.title,
        threadId: row.thread_id,
        writtenAt: row.written_at,
        contentHash: row.content_hash,
        words: once(() => wordsOf(row)),
        senders: fromJson<{ address?: string; role: string }[]>(row.people).flatMap(({ address, role }) =>
          address !== undefined && ['from', 'organiser', 'speaker'].includes(role) ? [address] : [],
        ),
      },
    ]),
  );
}

/** Something that lifts what fits it: by a share of the best score. */
export interface Wish {
  name: string;
  lift: number;
  fits(row: LightRow): number;
}

export interface Settled {
  /** Bounds that the question states outright. */
  narrowed: IndexFilters;
  wishes: Wish[];
  /** What was understood, for whoever asked. */
  said: string[];
}

export interface Weighed extends IndexHit {
  row: LightRow;
  /** What each wish has added, in units of `score`. */
  lifts: Record<string, number>;
}

/** Best first: the index's scores, relative to its best, and what the wishes add. */
export function weigh(
  hits: readonly IndexHit[],
  rows: ReadonlyMap<number, LightRow>,
  wishes: readonly Wish[],
): Weighed[] {
  const best = hits[0]?.score ?? 0;
  return hits
    .flatMap((hit): Weighed[] => {
      const row = rows.get(hit.seq);
      if (row === undefined) return [];
      const lifts: Record<string, number> = {};
      let score = hit.score;
      for (const { name, lift, fits } of wishes) {
        const added = best * lift * fits(row);
        if (added === 0) continue;
        lifts[name] = (lifts[name] ?? 0) + added;
        score += added;
      }
      return [{ ...hit, score, row, lifts }];
    })
    .sort((a, b) => b.score - a.score || a.seq - b.seq);
}
