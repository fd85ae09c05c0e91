// What every reader of a media type gives: the text a person reads, and which parts of it are searched.
import type { Person } from '../../providers/record.ts';
import type { AttachedFile } from './attachments.ts';

/** Half-open, UTF-16 units of `text`. */
export interface Span {
  start: number;
  end: number;
  /** The headings it stands under. */
  heading?: string;
}

export interface Normalised {
  title: string;
  text: string;
  /**
   * The searched parts in order, never overlapping. How they are cut: `record` as one piece unless far too
   * long, `turns` in whole turns (a span a turn), `sections` at headings and paragraphs.
   */
  spans: Span[];
  cut: 'record' | 'turns' | 'sections';
  people: Person[];
  threadId?: string;
  url?: string;
  writtenAt?: number;
  facts: Record<string, unknown>;
  /** Of a mail: the files in it, and those that were left unread with the reason. */
  attached?: AttachedFile[];
  attachmentsLeft?: { name: string; reason: string }[];
}

/** A record that cannot be read; the message is the reason that the person gets. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord';
}

const volatileFacts = new Set([
  'fetchedAt',
  'fetched_at',
  'retrievedAt',
  'syncedAt',
  'etag',
  'changeKey',
  'syncToken',
  'lastViewedAt',
]);

/** Facts without those that say when we looked, not what was there. */
export function lasting(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([key]) => !volatileFacts.has(key)));
}

/** The same without what stands at these paths (`writtenAt`, `facts.properties.views`). */
export function withoutVolatile<Content extends object>(
  content: Content,
  paths: readonly string[] = [],
): Content {
  return paths.reduce((left, path) => without(left, path.split('.')), content);
}

function without<Content extends object>(content: Content, [name, ...rest]: readonly string[]): Content {
  if (name === undefined || !Object.hasOwn(content, name)) return content;
  const { [name as keyof Content]: inner, ...others } = content;
  if (rest.length === 0) return others as Content;
  if (typeof inner !== 'object' || inner === null) return content;
  return { ...content, [name]: without(inner, rest) };
}
