// A record to everything that is stored of it: normalised text, chunks, their terms, a hash of what it
// says. Runs in the parse worker, off the event loop that serves.
import { createHash } from 'node:crypto';
import type { DocumentKind, Person, SourceRecord } from '../providers/record.ts';
import { cutIntoChunks } from './chunk/chunk.ts';
import { attachedId } from './documents/attached.ts';
import type { Packed } from './documents/payload.ts';
import type { Claims } from './facts/claim.ts';
import { claimsOf } from './facts/rules.ts';
import { detectLanguage } from './language/detect.ts';
import { fallbackLanguage } from './language/stem.ts';
import { terms } from './language/terms.ts';
import { normalise } from './normalise/normalise.ts';
import { lasting, type Normalised, UnreadableRecord, withoutVolatile } from './normalise/normalised.ts';
import { type Mention, mentionsIn } from './properties/mentions.ts';

/** Raised when reading changes, so that the next sync stores what is read differently. */
const readingVersion = 2;
const peopleInHeader = 12;

export interface ParsedChunk {
  start: number;
  end: number;
  /** Terms joined by spaces, as the index takes them. */
  header: string;
  body: string;
  /** The terms packed; then `header` and `body` are empty. */
  words?: Uint8Array;
  /** SHA-256 of the passage, hex. */
  contentHash: string;
  /** Quantised, a byte a dimension, by the name of what made them. */
  vectors?: { model: string; vector: Uint8Array }[];
}

export interface ParsedRecord {
  externalId: string;
  kind: DocumentKind;
  mediaType: string;
  title: string;
  text: string;
  people: Person[];
  threadId: string | null;
  url: string | null;
  writtenAt: number | null;
  language: string | null;
  facts: Record<string, unknown>;
  /** Sorted, lower case; null: the whole org, and under nothing. */
  readers: string[] | null;
  labels: string[] | null;
  contentHash: string;
  chunks: ParsedChunk[];
  /** What it says of clients. */
  claims: Claims;
  /** The homes that its words speak of. */
  mentions: Mention[];
  /** The payload as it is stored, where that is not as it came. */
  packed?: Packed;
  /** The text as an org's own file stores it, where that is smaller. */
  textPacked?: Uint8Array;
}

/** `attached`: what a mail carries, each a document of its own. */
export type ParseOutcome =
  | { parsed: ParsedRecord; attached?: ParsedRecord[] }
  | { externalId: string; reason: string };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The same JSON for the same values, whatever order their keys came in. */
function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${stableJson(inner)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function hashOf({ kind, readers, labels, volatile }: SourceRecord, document: Normalised): string {
  const { title, text, people, threadId, url, writtenAt } = document;
  const content = { kind, title, text, people, threadId, url, writtenAt, facts: lasting(document.facts) };
  // Who may read it is part of what is stored: a change of it alone is a change. Without it, hashes stay as they were.
  const access = { readers: named(readers) ?? undefined, labels: named(labels) ?? undefined };
  return sha256(`${readingVersion} ${stableJson({ ...withoutVolatile(content, volatile), ...access })}`);
}

const monthNames = new Map<string, Intl.DateTimeFormat>();

function dateWords(at: number | undefined, language: string): string {
  if (at === undefined || Math.abs(at) > 8.64e15) return '';
  let format = monthNames.get(language);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' });
    monthNames.set(language, format);
  }
  const date = new Date(at);
  const english = language === 'en' ? '' : ` ${dateWords(at, 'en')}`;
  return `${date.toISOString().slice(0, 10)} ${format.format(date)}${english}`;
}

/** Links by their host and path, without the tracking behind them. */
function withoutTracking(text: string): string {
  return text.includes('://') ? text.replace(/\bhttps?:\/\/([^\s<>"?#]{1,120})[^\s<>"]*/giu, ' $1 ') : text;
}

function headerOf(kind: DocumentKind, document: Normalised, language: string): string {
  const people = document.people
    .slice(0, peopleInHeader)
    .map((person) => `${person.name ?? ''} ${person.address ?? ''}`)
    .join(' ');
  return `${kind} ${document.title} ${people} ${dateWords(document.writtenAt, language)}`;
}

function chunksOf(kind: DocumentKind, document: Normalised, language: string): ParsedChunk[] {
  const header = terms(headerOf(kind, document, language), [language]).join(' ');
  return cutIntoChunks(document).map((chunk) => {
    const heading = chunk.heading === undefined ? '' : ` ${terms(chunk.heading, [language]).join(' ')}`;
    return {
      start: chunk.start,
      end: chunk.end,
      header: header + heading,
      body: terms(withoutTracking(chunk.words), [language]).join(' '),
      contentHash: sha256(document.text.slice(chunk.start, chunk.end)),
    };
  });
}

/** The attachments of a mail, read; those that cannot be are named in its facts with the reason. */
async function parseAttached(record: SourceRecord, mail: Normalised): Promise<ParsedRecord[]> {
  const { attached: files = [], people, threadId, url, writtenAt } = mail;
  const parsed: ParsedRecord[] = [];
  const unread = [...(mail.attachmentsLeft ?? [])];
  for (const { fileName, mediaType, raw, id } of files) {
    const child: SourceRecord = {
      externalId: attachedId(record.externalId, id),
      kind: 'file',
      mediaType,
      raw,
      fileName,
      people,
      ...(record.readers === undefined ? {} : { readers: record.readers }),
      ...(record.labels === undefined ? {} : { labels: record.labels }),
      ...(threadId === undefined ? {} : { threadId }),
      ...(url === undefined ? {} : { url }),
      ...(writtenAt === undefined ? {} : { writtenAt }),
    };
    try {
      const file = await normalise(child);
      const attachedTo = { externalId: record.externalId, title: mail.title };
      parsed.push(parsedOf(child, { ...file, facts: { ...file.facts, attachedTo, size: raw.byteLength } }));
    } catch (thrown) {
      unread.push({ name: fileName, reason: reasonOf(thrown) });
    }
  }
  if (unread.length > 0) mail.facts['unreadAttachments'] = unread;
  return parsed;
}

async function parseRecord(
  record: SourceRecord,
): Promise<{ parsed: ParsedRecord; attached?: ParsedRecord[] }> {
  // Decoders do not all take memory that another thread could write.
  const raw = record.raw.buffer instanceof SharedArrayBuffer ? new Uint8Array(record.raw) : record.raw;
  const document = await normalise({ ...record, raw });
  const attached = await parseAttached(record, document);
  const parsed = parsedOf(record, document);
  return attached.length === 0 ? { parsed } : { parsed, attached };
}

function parsedOf(record: SourceRecord, document: Normalised): ParsedRecord {
  const language = detectLanguage(`${document.title}\n${document.text}`);
  const { externalId, kind } = record;
  const { title, text, spans, people, facts, writtenAt = null } = document;
  return {
    externalId,
    kind,
    mediaType: record.mediaType,
    title,
    text,
    people,
    threadId: document.threadId ?? null,
    url: document.url ?? null,
    writtenAt,
    language: language ?? null,
    facts,
    claims: claimsOf({ externalId, kind, title, text, spans, people, facts, writtenAt }),
    mentions: mentionsIn({ kind: record.kind, ...document }),
    readers: named(record.readers),
    labels: named(record.labels?.length === 0 ? undefined : record.labels),
    contentHash: hashOf(record, document),
    chunks: chunksOf(record.kind, document, language ?? fallbackLanguage),
  };
}

/** Nobody (an empty list) is not everybody. */
function named(names: readonly string[] | undefined): string[] | null {
  return names === undefined ? null : [...new Set(names.map((name) => name.trim().toLowerCase()))].sort();
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof UnreadableRecord ? thrown.message : `cannot be read: ${String(thrown)}`;
}

/** Every record's outcome in order; one that cannot be read has the reason and stops no other. */
export async function parseRecords(records: readonly SourceRecord[]): Promise<ParseOutcome[]> {
  const outcomes: ParseOutcome[] = [];
  for (const record of records) {
    try {
      outcomes.push(await parseRecord(record));
    } catch (thrown) {
      outcomes.push({ externalId: record.externalId, reason: reasonOf(thrown) });
    }
  }
  return outcomes;
}
