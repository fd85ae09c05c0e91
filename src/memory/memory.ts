// The Intelligence Memory Engine, as the floors above see it.
import type { Transaction } from 'kysely';
import type { Listing, ListingSearch } from '../providers/capabilities.ts';
import type { DocumentKind, Person, SourceRecord } from '../providers/record.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { ClientProfile } from './clients/profile.ts';
import type { ScoreParts } from './rank/parts.ts';

export interface Source {
  connectionId: string;
  provider: string;
}

export interface IngestResult {
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  /** Records that could not be read, with the place and the reason; nothing else of theirs is stored. */
  rejected: { externalId: string; reason: string }[];
}

export interface IngestBatch {
  records: SourceRecord[];
  deleted?: string[];
  /** `kinds`: it is a list of these alone; attachments go with their mail. */
  complete?: { ids: string[]; prefix?: string; kinds?: readonly string[] };
  /** Stored in the same transaction as the records. */
  cursor?: { feed: string; value: unknown };
  /**
   * What stood in memory is read anew, and no provider was asked: by external id the hash that it was found with. One
   * that is another or gone by now is left alone; ages and hashes stay as they were.
   */
  again?: ReadonlyMap<string, string>;
  /** What is gone is kept aside (memory/documents/held-deletions.ts) instead of forgotten at once. */
  gather?: boolean;
  /** Forgets at most so many of those that were kept aside and agreed to. */
  agreed?: number;
  /** In the same transaction, at its end; what it throws takes all of the batch back. */
  also?(tx: Transaction<OrgTables>, result: IngestResult): Promise<void>;
}

/** Documents that were read anew, those that could not be, and the last one's id. */
export interface Rebuilt {
  documents: number;
  rejected: IngestResult['rejected'];
  after: string | undefined;
}

export interface MemoryQuery {
  question: string;
  kinds?: DocumentKind[];
  /** Written at or after / before, integer ms. */
  since?: number;
  until?: number;
  /** Client names or addresses; each is resolved to addresses before searching. */
  clients?: string[];
  /** Documents of any of these. */
  connectionIds?: string[];
  /** Restricts to one thread, meeting or conversation. */
  threadId?: string;
  /** Only these documents. */
  documentIds?: string[];
  /**
   * Reads times, senders, kinds, amounts and addresses out of the question, days as they are in `timeZone` (the org's where it is left out) at `now`.
   * What it states outright narrows the search, unless nothing is found within; all else lifts what fits.
   */
  understand?: { now: number; timeZone?: string };
  /** One hit a conversation, and one of several documents that say the same. */
  collapse?: boolean;
  /** False: whoever asks shows passages whole, so `snippet` is left empty and `marks` out. */
  snippets?: false;
  /** False: no reranker is asked, whatever the org chose. */
  rerank?: false;
  /** 0..1 of the best hit's score. */
  minScore?: number;
  limit: number;
  /** From an earlier answer. @throws DrawbridgeError `invalid_request` when it is not one. */
  cursor?: string;
}

export const propertiesAPage = 200;

export interface Passage {
  documentId: string;
  /** The provider's own id of it. */
  externalId: string;
  chunkId: string;
  kind: DocumentKind;
  title: string;
  /** The passage itself, and its span in the document's text (UTF-16 units). */
  text: string;
  start: number;
  end: number;
  /** The part around the matched words, at most ~300 characters. */
  snippet: string;
  /** SHA-256 of the passage's text, hex. */
  contentHash: string;
  people: Person[];
  url: string | undefined;
  connectionId: string;
  /** The entry of the org's own words that it is. */
  brainId: string | undefined;
  /** The account's label. */
  source: string;
  writtenAt: number | undefined;
  fetchedAt: number;
  verifiedAt: number;
  /** 0..1 relative to the best hit; 1 is the best. */
  score: number;
  /** Where in the snippet a word that was asked for stands: begin and end, UTF-16 units. */
  marks?: (readonly [number, number])[];
  /** What the score is made of, relative to the best hit's; and what was understood of the question has added. */
  parts?: ScoreParts;
  lifts?: Record<string, number>;
  /** Further hits of the same thread, and other documents that say the same. */
  alike?: { inThread: number; copies: number };
  /** Of a listing: lines that its source wants shown with it. */
  attribution?: string[];
}

export interface Client {
  id: string;
  kind: 'person' | 'company';
  name: string;
  emails: string[];
  phones: string[];
  company: string | undefined;
  firstContactAt: number | undefined;
  lastContactAt: number | undefined;
  documentCount: number;
}

export interface MemoryAnswer {
  /** What was understood of the question beside its words, for whoever asked; and the terms that it was searched by. */
  understood: string[];
  terms: string[];
  passages: Passage[];
  nextCursor: string | undefined;
  /** Where it goes on for whoever shows the first `count` passages alone. */
  cursorAfter(count: number): string | undefined;
  /** Why meaning was not searched but words alone, for people: the org's embedder did not answer. */
  wordsOnly: string | undefined;
  /** Why the org's reranker had no say, for people. */
  unreranked: string | undefined;
  /** The client that the question means, where exactly one is meant. */
  client: Client | undefined;
  /** Clients that a name could mean, where there are several. */
  candidates: Client[];
}

export interface StoredDocument {
  id: string;
  kind: DocumentKind;
  title: string;
  text: string;
  /** Empty for an attachment: `payload` has its bytes. */
  raw: Uint8Array;
  mediaType: string;
  externalId: string;
  people: Person[];
  threadId: string | undefined;
  url: string | undefined;
  connectionId: string;
  provider: string;
  source: string;
  writtenAt: number | undefined;
  fetchedAt: number;
  verifiedAt: number;
  contentHash: string;
  facts: Record<string, unknown>;
}

/** A home as one source shows it. */
export interface PropertySighting {
  id: string;
  connectionId: string;
  provider: string;
  /** The source's own id. */
  externalId: string;
  /** The document that it stands in, where there is one. */
  documentId: string | undefined;
  documentTitle: string | undefined;
  /** A document says it in words; it is no listing. */
  said: boolean;
  url: string | undefined;
  listing: Listing;
  /** Why it was taken for this home: `new`, `parcel`, `mls`, `address`, `line` or `person`, and that in words. */
  joinedBy: string;
  joinedWhy: string;
  firstSeenAt: number;
  fetchedAt: number;
  /** When the details (and not just a search result's row) were last fetched; undefined: never. */
  detailedAt: number | undefined;
}

/** A document whose words speak of a home. */
export interface PropertyMention {
  documentId: string;
  kind: DocumentKind;
  title: string;
  connectionId: string;
  writtenAt: number | undefined;
  /** The address as it is written there, and its span in the document's text; none where only the title has it. */
  words: string;
  span?: { start: number; end: number };
}

/** One home, whatever the sources. What is said of it as a whole is of its main sighting, the last fetched. */
export interface Property {
  id: string;
  /** The document of the main sighting, where there is one. */
  documentId: string | undefined;
  /** Merged from all its sightings; `id` is that of the main one. */
  listing: Listing;
  connectionId: string;
  provider: string;
  fetchedAt: number;
  detailedAt: number | undefined;
  /** Newest first; a price that several sources tell is one row that names them. */
  priceHistory: {
    at: number;
    event: string;
    price: number;
    currency: string | undefined;
    seenAt: number;
    seenIn: { sighting: PropertySighting; seenAt: number }[];
  }[];
  /** Last fetched first. */
  sightings: PropertySighting[];
  /** Newest first, at most fifty. */
  mentions: PropertyMention[];
}

export interface Memory {
  /** One transaction a call; keep batches near 50 records so that commits stay short. Parsing happens in a worker. */
  ingest(org: OrgStore, source: Source, batch: IngestBatch): Promise<IngestResult>;
  cursor(org: OrgStore, connectionId: string, feed: string): Promise<unknown>;
  search(org: OrgStore, query: MemoryQuery): Promise<MemoryAnswer>;
  /** The first passage of each document written in the span, in the order of their time. */
  latest(
    org: OrgStore,
    span: { kinds: DocumentKind[]; since: number; until: number; limit: number },
  ): Promise<Passage[]>;
  /** @throws DrawbridgeError `not_found`, for a tombstone and another org's id alike. */
  document(org: OrgStore, id: string): Promise<StoredDocument>;
  /** The document's own bytes; those of an attachment out of its mail. @throws DrawbridgeError `not_found` */
  payload(org: OrgStore, id: string): Promise<Uint8Array>;
  /** Documents of one connection, newest first. */
  documents(
    org: OrgStore,
    filter: { connectionId?: string; kinds?: DocumentKind[]; limit: number; before?: string },
  ): Promise<StoredDocument[]>;
  clients(org: OrgStore, filter: { words?: string; limit: number }): Promise<Client[]>;
  /** @throws DrawbridgeError `not_found` */
  client(
    org: OrgStore,
    id: string,
  ): Promise<
    Client & { recent: { id: string; kind: DocumentKind; title: string; writtenAt: number | undefined }[] }
  >;
  /** By id, address, phone or name; several where a name is several's, none where nobody is called so. */
  clientsCalled(org: OrgStore, words: string): Promise<Client[]>;
  /** What is known of a client, each line with its source. @throws DrawbridgeError `not_found` */
  profile(org: OrgStore, id: string): Promise<ClientProfile>;
  /**
   * Reads some documents anew from the payloads that were kept, those behind `after` ('' for the first); no provider is
   * asked, and no age changes. `showing`: only those that show any of these addresses. Undefined: there are none behind it.
   */
  rebuild(org: OrgStore, after: string, showing?: readonly string[]): Promise<Rebuilt | undefined>;
  recordListings(org: OrgStore, source: Source, listings: Listing[], detailed: boolean): Promise<void>;
  property(
    org: OrgStore,
    key: { id?: string; url?: string; address?: string },
  ): Promise<Property | undefined>;
  /** `propertiesAPage` at a time, last fetched first. */
  properties(org: OrgStore, filter: ListingSearch): Promise<Property[]>;
  stats(
    org: OrgStore,
  ): Promise<{ documents: number; chunks: number; clients: number; byKind: Record<string, number> }>;
  /** Told after each batch that changed something. Returns the unsubscribe. */
  onChange(listener: (orgId: string, documentIds: string[]) => void): () => void;
  close(): Promise<void>;
}
