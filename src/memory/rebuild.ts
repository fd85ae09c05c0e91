// Memory made anew from what it kept: payloads are read again by what reads them today, and no provider is asked.
import type { DocumentKind, Person, RecordMediaType, SourceRecord } from '../providers/record.ts';
import { recordMediaTypes } from '../providers/record.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import { attachedTo } from './documents/attached.ts';
import { hashOf } from './documents/content-hash.ts';
import { unpack } from './documents/payload.ts';
import type { IngestBatch, IngestResult, Rebuilt, Source } from './memory.ts';

/** Documents of one transaction. */
const atOnce = 50;

const isMediaType = (text: string): text is RecordMediaType =>
  (recordMediaTypes as readonly string[]).includes(text);

/** Live documents behind `after`, in the order of their ids; attachments come with their mail. */
async function page(org: OrgStore, after: string, showing: readonly string[] | undefined) {
  return org.read((db) => {
    const all = db
      .selectFrom('source_documents')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('id', '>', after)
      .where('deleted_at', 'is', null)
      .orderBy('id')
      .limit(atOnce);
    if (showing === undefined) return all.execute();
    return all
      .where((is) =>
        is.exists(
          is
            .selectFrom('document_people as p')
            .select('p.address')
            .whereRef('p.org_id', '=', 'source_documents.org_id')
            .whereRef('p.document_id', '=', 'source_documents.id')
            .where('p.address', 'in', ['', ...showing]),
        ),
      )
      .execute();
  });
}

type Row = Awaited<ReturnType<typeof page>>[number];

/** The record as it came in, as far as it is kept: what its source said of it beside the payload stands in the row. */
function recordOf(row: Row): SourceRecord | undefined {
  if (attachedTo(row.external_id) !== undefined || !isMediaType(row.media_type)) return undefined;
  const { raw, facts } = unpack(row);
  const { fileName } = fromJson<{ fileName?: unknown }>(facts);
  return {
    externalId: row.external_id,
    kind: row.kind as DocumentKind,
    mediaType: row.media_type,
    raw,
    title: row.title,
    people: fromJson<Person[]>(row.people),
    ...(typeof fileName === 'string' ? { fileName } : {}),
    ...(row.written_at === null ? {} : { writtenAt: row.written_at }),
    ...(row.url === null ? {} : { url: row.url }),
    ...(row.thread_id === null ? {} : { threadId: row.thread_id }),
    ...(row.readers === null ? {} : { readers: fromJson<string[]>(row.readers) }),
    ...(row.labels === null ? {} : { labels: fromJson<string[]>(row.labels) }),
  };
}

/** The next documents behind `after` (an id; '' for the first), that show any of `showing`. Undefined: there are none. */
export async function rebuildSome(
  org: OrgStore,
  ingest: (org: OrgStore, source: Source, batch: IngestBatch) => Promise<IngestResult>,
  after: string,
  showing?: readonly string[],
): Promise<Rebuilt | undefined> {
  const rows = await page(org, after, showing);
  if (rows.length === 0) return undefined;
  const told: Rebuilt = { documents: 0, rejected: [], after: rows.at(-1)?.id };
  for (const [connectionId, own] of Map.groupBy(rows, (row) => row.connection_id)) {
    const records = own.flatMap((row) => recordOf(row) ?? []);
    const again = new Map(own.map((row) => [row.external_id, hashOf(row.content_hash)]));
    const provider = own[0]?.provider ?? '';
    const { updated, rejected } = await ingest(org, { connectionId, provider }, { records, again });
    told.documents += updated;
    told.rejected.push(...rejected);
  }
  return told;
}
