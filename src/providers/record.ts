// What a feed or an import hands to memory: the provider's own payload, and the little that is known
// about it without reading it. Memory does the reading.

export const documentKinds = [
  'mail',
  'event',
  'contact',
  'company',
  'deal',
  'invoice',
  'listing',
  'file',
  'note',
  'chat',
  'transcript',
  'page',
  'payment',
  'ticket',
  'order',
  'metric',
] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** What a person is to a record. */
export const personRoles = [
  'from',
  'to',
  'cc',
  'attendee',
  'organiser',
  'contact',
  'speaker',
  'agent',
] as const;

export interface Person {
  /** Lower-case e-mail address, or undefined where only a name is known. */
  address?: string;
  name?: string;
  role: (typeof personRoles)[number];
}

/**
 * What memory reads. `application/json` is a Structured record; `text/plain` of kind `transcript` may have a
 * speaker before each turn.
 */
export const recordMediaTypes = [
  'message/rfc822',
  'text/calendar',
  'text/vcard',
  'text/markdown',
  'text/plain',
  'text/html',
  'text/vtt',
  'application/x-subrip',
  'application/pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  'application/json',
] as const;
export type RecordMediaType = (typeof recordMediaTypes)[number];

export interface SourceRecord {
  /** The provider's own id, unique in its connection. */
  externalId: string;
  kind: DocumentKind;
  mediaType: RecordMediaType;
  raw: Uint8Array;
  /** The file's own name: part of the title, and all of it where the content has none. */
  fileName?: string;
  /** When the file was last written, integer ms: counts where the content gives no time of its own. */
  fileTime?: number;
  /** Overrides of what reading `raw` would give. Times are integer ms. */
  title?: string;
  writtenAt?: number;
  url?: string;
  threadId?: string;
  people?: Person[];
  /**
   * Who may read it at the provider, lower case: addresses, and `domain:example.com` for all of a domain. Left out:
   * whoever belongs to the org. What a provider shows to everybody is left out, too.
   */
  readers?: string[];
  /** What the provider filed it under (mail labels, say): a person may hide what bears one from agents. */
  labels?: string[];
  /**
   * Values that change though the record does not, as paths: `writtenAt`, `facts.properties.views` (facts that the
   * text does not say). A record of which only these are others is the one that is known, and is kept as it was.
   */
  volatile?: readonly string[];
}

/** The JSON of a record that has no older standard form: import lines, listings, contacts. */
export interface Structured {
  title?: string;
  text?: string;
  /** In place of `text`, where the provider's own is HTML: what is hidden in it is left out. */
  html?: string;
  /** Words beside the facts, which are then said in words before them. */
  notes?: string;
  people?: Person[];
  thread?: string;
  url?: string;
  /** ISO 8601 or integer ms. */
  at?: string | number;
  /** Speaker turns of a transcript or chat, kept whole when cut into chunks. */
  turns?: { speaker?: string; at?: string | number; text: string }[];
  /** Kind-specific values, kept beside the text (a Listing for kind `listing`). */
  facts?: Record<string, unknown>;
}
