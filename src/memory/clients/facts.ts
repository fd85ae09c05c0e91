// Facts of a client as they stand: of one slot the newest, a person's word before any other, an enricher's only where
// nothing else is known. What was superseded is there as history, closed by what came after it.
import type { Kysely } from 'kysely';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { readable } from '../documents/readable.sql.ts';
import type { FactFamily } from '../facts/claim.ts';
import { isOwnMail } from './own-mail.ts';

type Db = Kysely<OrgTables>;

export interface ClientFact {
  id: string;
  clientId: string;
  family: FactFamily;
  name: string;
  slot: string;
  value: string;
  data: Readonly<Record<string, unknown>>;
  /** Where it stands; undefined: a person or an enricher says so. */
  document:
    | {
        id: string;
        title: string;
        kind: string;
        /** The account's label. */
        source: string;
        url: string | undefined;
        threadId: string | undefined;
        connectionId: string;
        verifiedAt: number;
      }
    | undefined;
  /** In the document's text, half-open; undefined where its words are there no more. */
  span: { start: number; end: number } | undefined;
  /** 0..1 */
  confidence: number;
  origin: 'computed' | 'person' | 'enricher';
  by: string | undefined;
  /** Since when it holds, and until when it held; integer ms. */
  validFrom: number;
  validUntil: number | undefined;
  /** When its source was last known to say so. */
  verifiedAt: number;
  contentHash: string;
  /** Whether it stands now. */
  stands: boolean;
  /** Other sources that say the same. */
  alsoSaid: number;
  /** What a newer source says in place of a person's word. */
  disputed: string | undefined;
}

/** What is read of one client. */
const mostFacts = 3000;

async function rowsOf(org: Pick<OrgStore, 'orgId' | 'viewer'>, db: Db, clientIds: readonly string[]) {
  const columns = [
    'f.id',
    'f.client_id',
    'f.family',
    'f.name',
    'f.slot',
    'f.value',
    'f.data',
    'f.start_at',
    'f.end_at',
    'f.confidence',
    'f.origin',
    'f.by',
    'f.valid_from',
    'f.valid_until',
    'f.removed',
    'f.recorded_at',
    'f.content_hash',
    'f.document_id',
  ] as const;
  const said = await db
    .selectFrom('client_facts as f')
    .innerJoin('source_documents as d', (join) =>
      join.onRef('d.org_id', '=', 'f.org_id').onRef('d.id', '=', 'f.document_id'),
    )
    .leftJoin('connected_sources as s', (join) =>
      join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
    )
    .select(columns)
    .select([
      'd.title',
      'd.kind',
      'd.url',
      'd.thread_id',
      'd.connection_id',
      'd.provider',
      'd.verified_at',
      's.label',
    ])
    .where('f.org_id', '=', org.orgId)
    .where('f.client_id', 'in', ['', ...clientIds])
    .where('d.deleted_at', 'is', null)
    .where(readable(org, 'd'))
    .orderBy('f.valid_from', 'desc')
    .orderBy('f.id', 'desc')
    .limit(mostFacts)
    .execute();
  const told = await db
    .selectFrom('client_facts as f')
    .select(columns)
    .where('f.org_id', '=', org.orgId)
    .where('f.client_id', 'in', ['', ...clientIds])
    .where('f.document_id', 'is', null)
    .orderBy('f.recorded_at', 'desc')
    .orderBy('f.id', 'desc')
    .limit(mostFacts)
    .execute();
  return { said, told };
}

type Said = Awaited<ReturnType<typeof rowsOf>>['said'][number];
type Told = Awaited<ReturnType<typeof rowsOf>>['told'][number];

function toFact(row: Said | Told): ClientFact {
  const document =
    'title' in row && row.document_id !== null
      ? {
          id: row.document_id,
          title: row.title,
          kind: row.kind,
          source: row.label ?? row.provider,
          url: row.url ?? undefined,
          threadId: row.thread_id ?? undefined,
          connectionId: row.connection_id,
          verifiedAt: row.verified_at,
        }
      : undefined;
  return {
    id: row.id,
    clientId: row.client_id ?? '',
    family: row.family as FactFamily,
    name: row.name,
    slot: row.slot,
    value: row.value,
    data: fromJson<Record<string, unknown>>(row.data),
    document,
    span: row.start_at === null || row.end_at === null ? undefined : { start: row.start_at, end: row.end_at },
    confidence: row.confidence,
    origin: row.origin,
    by: row.by ?? undefined,
    validFrom: row.valid_from,
    validUntil: row.valid_until ?? undefined,
    verifiedAt: document?.verifiedAt ?? row.recorded_at,
    contentHash: row.content_hash,
    stands: false,
    alsoSaid: 0,
    disputed: undefined,
  };
}

/** Settles one slot: who stands, and what closed the others. `rows` newest first. */
function settleSlot(rows: readonly (Said | Told)[]): ClientFact[] {
  const facts = rows.map(toFact);
  const [word] = rows
    .filter((row) => row.origin === 'person')
    .toSorted((a, b) => b.recorded_at - a.recorded_at);
  const taken = word?.removed === 1 ? word : undefined;
  const computed = facts
    .filter(({ origin }) => origin === 'computed')
    .toSorted((a, b) => b.validFrom - a.validFrom || (a.id < b.id ? 1 : -1));
  let newer: ClientFact | undefined;
  for (const fact of computed) {
    if (fact.validUntil === undefined && newer !== undefined) {
      if (fact.value === newer.value) newer.alsoSaid += 1;
      fact.validUntil = newer.validFrom;
    }
    newer ??= fact.validUntil === undefined ? fact : undefined;
  }
  const standing = computed.find((fact) => fact.validUntil === undefined);
  const spoken = word === undefined ? undefined : facts.find(({ id }) => id === word.id);
  if (spoken !== undefined && taken === undefined) {
    spoken.stands = true;
    if (standing !== undefined && standing.value !== spoken.value) {
      if (standing.validFrom > spoken.validFrom) spoken.disputed = standing.value;
      standing.validUntil = spoken.validFrom;
    }
  } else if (standing !== undefined) {
    // What a person took away stays away as long as it is the same that is said.
    standing.stands = taken?.value !== standing.value;
    if (!standing.stands) standing.validUntil = taken?.recorded_at;
  } else if (taken === undefined) {
    const added = facts.find(({ origin }) => origin === 'enricher');
    if (added !== undefined) added.stands = true;
  }
  for (const fact of facts) {
    if (fact.origin === 'person' && !fact.stands && fact.validUntil === undefined)
      fact.validUntil = word?.recorded_at ?? fact.validFrom;
  }
  const removed = new Set(rows.filter((row) => row.removed === 1).map((row) => row.id));
  return facts.filter(({ id }) => !removed.has(id));
}

/** All that is known of a client, standing or not, as far as the viewer may see it. Newest first. */
export async function factsOf(
  org: Pick<OrgStore, 'orgId' | 'viewer'>,
  db: Db,
  clientIds: readonly string[],
): Promise<ClientFact[]> {
  const { said, told } = await rowsOf(org, db, clientIds);
  const slots = Map.groupBy<string, Said | Told>([...said, ...told], (row) => row.slot);
  const facts = [...slots.values()].flatMap(settleSlot);
  await closeAnswered(org, db, facts);
  return facts.toSorted((a, b) => b.validFrom - a.validFrom || (a.id < b.id ? 1 : -1));
}

const mostThreads = 300;

/** A question is open until a later message of ours, or of whom it was put to, stands in its thread. */
async function closeAnswered(
  org: Pick<OrgStore, 'orgId' | 'viewer'>,
  db: Db,
  facts: readonly ClientFact[],
): Promise<void> {
  const open = facts.filter(({ family, stands }) => family === 'question' && stands);
  const threads = [...new Set(open.flatMap(({ document }) => document?.threadId ?? []))].slice(
    0,
    mostThreads,
  );
  if (threads.length === 0) return;
  const isOurs = await isOwnMail(db, org.orgId);
  const rows = await db
    .selectFrom('source_documents as d')
    .innerJoin('document_people as p', (join) =>
      join.onRef('p.org_id', '=', 'd.org_id').onRef('p.document_id', '=', 'd.id'),
    )
    .select(['d.id', 'd.thread_id', 'd.written_at', 'p.address', 'p.role'])
    .where('d.org_id', '=', org.orgId)
    .where('d.deleted_at', 'is', null)
    .where('d.thread_id', 'in', threads)
    .where('p.role', 'in', ['from', 'to'])
    .execute();
  const askedOf = new Map<string, Set<string>>();
  for (const { id, role, address } of rows) {
    if (role === 'to') askedOf.set(id, (askedOf.get(id) ?? new Set()).add(address));
  }
  const messages = rows.filter(({ role }) => role === 'from');
  for (const fact of open) {
    const asked = askedOf.get(fact.document?.id ?? '');
    const after = messages
      .filter((row) => row.thread_id === fact.document?.threadId)
      .filter((row) => isOurs(row.address) || asked?.has(row.address) === true)
      .flatMap((row) => ((row.written_at ?? 0) > fact.validFrom ? [row.written_at ?? 0] : []))
      .sort((a, b) => a - b);
    if (after[0] === undefined) continue;
    fact.validUntil = after[0];
    fact.stands = false;
  }
}
