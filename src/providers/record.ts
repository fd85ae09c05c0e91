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

/** `message/rfc822` (raw mail), `text/calendar`, `text/markdown`, `text/plain`, or `application/json` (a Structured record). */
export type RecordMediaType =
  | 'message/rfc822'
  | 'text/calendar'
  | 'text/markdown'
  | 'text/plain'
  | 'application/json';

export interface SourceRecord {
  /** The provider's own id, unique in its connection. */
  externalId: string;
  kind: DocumentKind;
  mediaType: RecordMediaType;
  raw: Uint8Array;
  /** Overrides of what reading `raw` would give. Times are integer ms. */
  title?: string;
  writtenAt?: number;
  url?: string;
  threadId?: string;
  people?: Person[];
}

/** The JSON of a record that has no older standard form: import lines, listings, contacts. */
export interface Structured {
  title?: string;
  text?: string;
  /** In place of `text`, where the provider's own is HTML: what is hidden in it is left out. */
  html?: string;
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
