// A client's profile in the order in which a reader needs it: who, how to reach them, what is open, last and next
// contact, homes, wishes. Every line has its source.
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { DocumentKind } from '../../providers/record.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { seesAll } from '../../viewer.ts';
import { textOf } from '../documents/packed.ts';
import { readable } from '../documents/readable.sql.ts';
import type { Client } from '../memory.ts';
import type { ReceiptItem } from '../receipts/receipts.ts';
import { groupOf, noSuchClient, toClient } from './clients.ts';
import { type ClientFact, factsOf } from './facts.ts';
import { isOwnMail } from './own-mail.ts';

export const profileSections = ['who', 'reach', 'open', 'contact', 'homes', 'wishes', 'said'] as const;
export type ProfileSection = (typeof profileSections)[number];

export interface ProfileLine {
  section: ProfileSection;
  text: string;
  /** Undefined: a person or an enricher says so. */
  documentId: string | undefined;
  span: { start: number; end: number } | undefined;
  /** The account's label, or who says so. */
  source: string;
  origin: ClientFact['origin'];
  confidence: number;
  /** Of what it says: when it was written or said. */
  at: number;
  verifiedAt: number;
  kind: string | undefined;
  connectionId: string | undefined;
  receipt: ReceiptItem | undefined;
}

export interface TimelineEntry {
  id: string;
  kind: DocumentKind;
  title: string;
  source: string;
  /** Of an event when it begins. */
  writtenAt: number | undefined;
  verifiedAt: number;
}

export interface ClientProfile {
  client: Client;
  lines: ProfileLine[];
  /** All facts, standing or not, newest first. */
  facts: ClientFact[];
  /** What is to come, then what was, newest first. */
  timeline: TimelineEntry[];
  /** People of a company. */
  people: Client[];
}

type Db = Kysely<OrgTables>;

const mostTimeline = 40;
const contactKinds: readonly string[] = ['mail', 'event', 'chat', 'transcript'];

function timelineQuery(org: OrgStore, db: Db, emails: readonly string[], documents: readonly string[]) {
  return db
    .selectFrom('source_documents as d')
    .leftJoin('connected_sources as s', (join) =>
      join.onRef('s.org_id', '=', 'd.org_id').onRef('s.id', '=', 'd.connection_id'),
    )
    .select([
      'd.id',
      'd.kind',
      'd.title',
      'd.text',
      'd.text_packed',
      'd.written_at',
      'd.verified_at',
      'd.provider',
      'd.connection_id',
      's.label',
    ])
    .where('d.org_id', '=', org.orgId)
    .where('d.deleted_at', 'is', null)
    .where(readable(org, 'd'))
    .where((is) =>
      is.or([
        is('d.id', 'in', ['', ...documents.slice(0, 300)]),
        is.exists(
          is
            .selectFrom('document_people as p')
            .select('p.address')
            .whereRef('p.org_id', '=', 'd.org_id')
            .whereRef('p.document_id', '=', 'd.id')
            .where('p.address', 'in', ['', ...emails]),
        ),
      ]),
    );
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function lineOf(section: ProfileSection, text: string, fact: ClientFact): ProfileLine {
  const { document, span, origin, by = '', confidence, validFrom, verifiedAt, id, contentHash } = fact;
  const certain = confidence >= 0.6 || origin === 'person' ? '' : ' (uncertain)';
  const marked = origin === 'computed' ? '' : origin === 'person' ? ` (says ${by})` : ` (added by ${by})`;
  return {
    section,
    text: `${text}${certain}${marked}`,
    documentId: document?.id,
    span,
    source: document?.source ?? by,
    origin,
    confidence,
    at: validFrom,
    verifiedAt,
    kind: document?.kind,
    connectionId: document?.connectionId,
    receipt: {
      target: { factId: id },
      documentId: document?.id,
      contentHash,
      verifiedAt,
      scores: { score: confidence },
    },
  };
}

const day = (at: number) => new Date(at).toISOString().slice(0, 10);

/** Newest first; what one document says in the order in which it says it. */
function inReadingOrder(a: ClientFact, b: ClientFact): number {
  if (a.validFrom !== b.validFrom) return b.validFrom - a.validFrom;
  const [one = '', other = ''] = [a.document?.id, b.document?.id];
  if (one !== other) return one < other ? 1 : -1;
  return (a.span?.start ?? 0) - (b.span?.start ?? 0);
}

/** Facts that stand, a line each; a deal's stage and value are one. */
function linesOf(facts: readonly ClientFact[], now: number): ProfileLine[] {
  const standing = facts.filter((fact) => fact.stands).toSorted(inReadingOrder);
  const of = (family: ClientFact['family'], ...names: string[]) =>
    standing.filter((fact) => fact.family === family && (names.length === 0 || names.includes(fact.name)));
  const reach = ['e-mail', 'phone', 'address', 'domain'];
  const who = of('contact').filter(({ name }) => name !== 'name' && !reach.includes(name));
  const worth = new Map(
    of('deal', 'deal value').map((fact) => [fact.slot.split(':').slice(1).join(':'), fact]),
  );
  const deals = of('deal', 'deal stage').filter((fact) => fact.data['open'] !== false);
  const invoices = of('invoice');
  const open = invoices
    .filter((fact) => fact.data['state'] === 'open')
    .toSorted((a, b) => String(a.data['due'] ?? '').localeCompare(String(b.data['due'] ?? '')));
  const settled = invoices.filter(
    (fact) => fact.data['state'] === 'paid' || fact.data['state'] === 'received',
  );
  const wish = (fact: ClientFact) =>
    ['budget', 'area'].includes(fact.name) ? `${fact.name}: ${fact.value}` : fact.value;
  const disputed = ({ disputed: other }: ClientFact) =>
    other === undefined ? '' : `; a newer source says ${other}`;
  const since = (fact: ClientFact) => ` (${day(fact.validFrom)})`;
  const overdue = (fact: ClientFact) =>
    typeof fact.data['due'] === 'string' && fact.data['due'] < day(now) ? ', OVERDUE' : '';
  return [
    ...who.map((fact) => lineOf('who', `${fact.name}: ${fact.value}${disputed(fact)}`, fact)),
    ...of('contact', ...reach).map((fact) =>
      lineOf('reach', `${fact.name}: ${fact.value}${disputed(fact)}`, fact),
    ),
    ...deals.map((fact) => {
      const value = worth.get(fact.slot.split(':').slice(1).join(':'));
      const amount =
        value === undefined ? '' : `, ${value.value.slice(String(value.data['deal'] ?? '').length + 2)}`;
      const closes = typeof fact.data['closes'] === 'string' ? `, closes ${fact.data['closes']}` : '';
      return lineOf('open', `deal ${fact.value}${amount}${closes}`, fact);
    }),
    ...open.map((fact) => lineOf('open', `${fact.value}${overdue(fact)}`, fact)),
    ...of('question').map((fact) => lineOf('open', `asked ${day(fact.validFrom)}: ${fact.value}`, fact)),
    ...settled.slice(0, 2).map((fact) => lineOf('open', fact.value, fact)),
    ...of('property').map((fact) => lineOf('homes', `${fact.value}${since(fact)}`, fact)),
    ...of('preference').map((fact) => lineOf('wishes', `${wish(fact)}${since(fact)}`, fact)),
    ...of('note').map((fact) => lineOf('said', `${fact.name}: ${fact.value}`, fact)),
  ];
}

/** @throws DrawbridgeError `not_found` */
export async function readProfile(
  org: OrgStore,
  clock: Pick<Clock, 'now'>,
  id: string,
): Promise<ClientProfile> {
  const now = clock.now();
  return org.read(async (db) => {
    const group = await groupOf(db, org.orgId, id);
    const all = toClient(group);
    const facts = await factsOf(
      org,
      db,
      group.map((row) => row.id),
    );
    const stated = [...new Set(facts.flatMap(({ document }) => document?.id ?? []))];
    const of = () => timelineQuery(org, db, all.emails, stated);
    const past = await of()
      .where((is) => is.or([is('d.written_at', '<=', now), is('d.written_at', 'is', null)]))
      .orderBy('d.written_at', 'desc')
      .orderBy('d.id', 'desc')
      .limit(mostTimeline)
      .execute();
    const coming = await of()
      .where('d.kind', '=', 'event')
      .where('d.written_at', '>', now)
      .orderBy('d.written_at')
      .orderBy('d.id')
      .limit(10)
      .execute();
    const isOurs = await isOwnMail(db, org.orgId);
    const writers = await writersOf(
      db,
      org.orgId,
      past.map((row) => row.id),
    );
    const last = past.find((row) => row.written_at !== null && contactKinds.includes(row.kind));
    const [next] = coming;
    const chunks = await firstChunks(
      db,
      org.orgId,
      [last?.id, next?.id].filter((one) => one !== undefined),
    );
    const contact = (row: (typeof past)[number] | undefined, words: string): ProfileLine[] => {
      if (row === undefined || row.written_at === null) return [];
      const chunk = chunks.get(row.id);
      const firstLine = textOf(row).split('\n', 1)[0]?.length ?? 0;
      const span =
        chunk === undefined ? { start: 0, end: firstLine } : { start: chunk.start_at, end: chunk.end_at };
      return [
        {
          section: 'contact',
          text: `${words} ${day(row.written_at)}: ${row.title}`,
          documentId: row.id,
          span,
          source: row.label ?? row.provider,
          origin: 'computed',
          confidence: 1,
          at: row.written_at,
          verifiedAt: row.verified_at,
          kind: row.kind,
          connectionId: row.connection_id,
          receipt:
            chunk === undefined
              ? undefined
              : {
                  target: { chunkId: chunk.id },
                  documentId: row.id,
                  contentHash: chunk.content_hash ?? sha256(textOf(row)),
                  verifiedAt: row.verified_at,
                  scores: { score: 1 },
                },
        },
      ];
    };
    const writer = last === undefined ? undefined : writers.get(last.id);
    const how =
      last?.kind !== 'mail'
        ? (last?.kind ?? '')
        : writer !== undefined && isOurs(writer)
          ? 'mail from us'
          : 'mail from them';
    const lines = linesOf(facts, now);
    const order = (section: ProfileSection) => profileSections.indexOf(section);
    lines.push(...contact(last, `last contact (${how})`), ...contact(next, 'next meeting'));
    lines.sort((a, b) => order(a.section) - order(b.section));
    const restricted = !seesAll(org.viewer);
    // Who may not see any of it learns nothing of the client, its name included.
    if (restricted && past.length + coming.length + facts.length === 0) throw noSuchClient();
    const told = (name: string) =>
      facts.filter((fact) => fact.stands && fact.name === name).map(({ value }) => value);
    return {
      client: restricted ? { ...all, phones: told('phone'), company: told('company')[0] } : all,
      lines,
      facts,
      timeline: [...coming.toReversed(), ...past].map((row) => ({
        id: row.id,
        kind: row.kind as DocumentKind,
        title: row.title,
        source: row.label ?? row.provider,
        writtenAt: row.written_at ?? undefined,
        verifiedAt: row.verified_at,
      })),
      people:
        all.kind === 'company'
          ? await peopleAt(
              db,
              org.orgId,
              group.map((row) => row.id),
            )
          : [],
    };
  });
}

async function writersOf(db: Db, orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('document_people')
    .select(['document_id', 'address'])
    .where('org_id', '=', orgId)
    .where('document_id', 'in', ['', ...ids])
    .where('role', '=', 'from')
    .execute();
  return new Map(rows.map((row) => [row.document_id, row.address]));
}

async function firstChunks(db: Db, orgId: string, ids: readonly string[]) {
  const rows = await db
    .selectFrom('chunks')
    .select(['id', 'document_id', 'content_hash', 'start_at', 'end_at'])
    .where('org_id', '=', orgId)
    .where('document_id', 'in', ['', ...ids])
    .where('ordinal', '=', 0)
    .execute();
  return new Map(rows.map((row) => [row.document_id, row]));
}

/** People with an address at a company's domain. */
async function peopleAt(db: Db, orgId: string, companyIds: readonly string[]): Promise<Client[]> {
  const domains = await db
    .selectFrom('client_keys')
    .select('key')
    .where('org_id', '=', orgId)
    .where('client_id', 'in', companyIds)
    .where('key', '>=', 'dom:')
    .where('key', '<', 'dom;')
    .execute();
  const rows = await db
    .selectFrom('client_intelligence as c')
    .innerJoin('client_keys as k', (join) =>
      join.onRef('k.org_id', '=', 'c.org_id').onRef('k.client_id', '=', 'c.id'),
    )
    .selectAll('c')
    .distinct()
    .where('c.org_id', '=', orgId)
    .where('c.merged_into', 'is', null)
    .where('c.document_count', '>', 0)
    .where('k.key', 'in', ['', ...domains.map(({ key }) => `at:${key.slice(4)}`)])
    .orderBy('c.last_contact_at', 'desc')
    .limit(20)
    .execute();
  return rows.map((row) => toClient([row]));
}
