// A passage of memory as tools answer it: what it says, where it stands, who wrote it, how old it is.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import type { Passage } from '../memory/memory.ts';
import { isOwn } from '../providers/own.ts';
import { documentKinds } from '../providers/record.ts';
import { ageInWords, iso } from '../time.ts';
import { visible, visibleLine } from '../untrusted.ts';
import type { ToolLink } from './define.ts';
import { allowedAge } from './freshness.ts';

export const kindsField = z.array(z.enum(documentKinds)).optional();

export const hitFields = {
  uri: z.string().optional().describe('Read it whole with read-source'),
  kind: z.string(),
  title: z.string(),
  people: z.array(z.string()).optional(),
  url: z.string().optional(),
  account: z.string().describe('Source account'),
  writtenAt: z.string().optional().describe('Of an event: when it begins'),
  fetchedAt: z.string(),
  age: z.string().describe('Since it was last verified'),
  freshness: z.enum(['fresh', 'stale', 'live']),
};

const hitShape = z.object(hitFields);

export function documentUri(id: string): string {
  return `ime://documents/${id}`;
}

/** What the age of a hit is judged by. */
export interface Judge {
  /** As they were before memory was asked: a sync that ends later says nothing of what was found. */
  connections: ReadonlyMap<string, Connection>;
  now: number;
  /** When the call began, where it asks providers. */
  began?: number;
  maxAgeMs: number | undefined;
}

/** The fields of `hitFields`, judged against the age that the caller allows. */
export function hitOf(passage: Passage, { connections, now, began, maxAgeMs }: Judge) {
  const connection = connections.get(passage.connectionId);
  // A sync that came to its end has seen whatever changed: it verifies every record of its account.
  const synced = connection?.hasFeeds === true ? (connection.lastSyncAt ?? 0) : 0;
  const verifiedAt = Math.max(passage.verifiedAt, synced);
  const age = Math.max(0, now - verifiedAt);
  const isFresh = isOwn(connection?.provider ?? '') || age <= allowedAge(passage.kind, maxAgeMs);
  const people = passage.people
    .slice(0, 6)
    .map((p) => visibleLine(p.name ?? p.address ?? '', 80))
    .filter((p) => p !== '');
  return {
    uri: documentUri(passage.documentId),
    kind: passage.kind,
    title: visibleLine(passage.title),
    ...(people.length > 0 ? { people } : {}),
    ...(passage.url === undefined ? {} : { url: passage.url.slice(0, 500) }),
    account: passage.source,
    ...(passage.writtenAt === undefined ? {} : { writtenAt: iso(passage.writtenAt) }),
    fetchedAt: iso(passage.fetchedAt),
    age: ageInWords(age),
    freshness:
      began !== undefined && synced >= began
        ? ('live' as const)
        : isFresh
          ? ('fresh' as const)
          : ('stale' as const),
  };
}

const mostLinks = 5;

/** Links to the first hits. Their names are ours: a title was written by others, and a link stands in no frame. */
export function linksOf(hits: readonly z.input<typeof hitShape>[]): ToolLink[] {
  return hits
    .slice(0, mostLinks)
    .flatMap(({ uri, kind }, index) =>
      uri === undefined ? [] : [{ uri, name: `Hit ${index + 1} (${kind})` }],
    );
}

/** One line that says what a hit is: for the text of an answer. */
export function hitLine(hit: z.input<typeof hitShape>, number: number): string {
  const when = hit.writtenAt === undefined ? '' : `, ${whenInWords(hit.kind, hit.writtenAt)}`;
  const who = hit.people === undefined ? '' : `, ${hit.people.slice(0, 3).join(', ')}`;
  return `${number}. [${hit.kind}] ${hit.title}${who}${when}; ${hit.account}, verified ${hit.age} ago (${hit.freshness})${hit.uri === undefined ? '' : `; ${hit.uri}`}`;
}

function whenInWords(kind: string, at: string): string {
  return kind === 'event' ? `on ${at.slice(0, 16).replace('T', ' ')} UTC` : `written ${at.slice(0, 10)}`;
}

/** A passage's text for a model, cut at `max` characters. */
export function passageText(text: string, max: number): string {
  const clean = visible(text);
  return clean.length > max ? `${clean.slice(0, max)}…` : clean;
}
