// A passage of memory as tools answer it: what it says, where it stands, who wrote it, how old it is.
import { z } from 'zod';
import type { Passage } from '../../memory/memory.ts';
import { documentKinds } from '../../providers/record.ts';
import { type Judge, verdictOf } from '../../recall/verdict.ts';
import { ageInWords, iso } from '../../time.ts';
import { visible, visibleLine } from '../../untrusted.ts';
import type { ToolLink } from '../define.ts';

export const kindsField = z.array(z.enum(documentKinds)).optional();

/** Declared as far as a caller needs it to go on; the rest is carried and told by its names. */
export const hitFields = {
  uri: z.string().optional().describe('Read it whole with read-source'),
  kind: z.string(),
  title: z.string(),
  account: z.string().describe('Source account'),
  age: z.string().describe('Since last verified'),
  freshness: z.enum(['fresh', 'stale', 'live']),
};

/** What is said of every hit. Times in ISO 8601. */
export type Hit = {
  uri?: string;
  kind: string;
  title: string;
  people?: string[];
  url?: string;
  account: string;
  /** Of an event: when it begins. */
  writtenAt?: string;
  fetchedAt: string;
  verifiedAt: string;
  age: string;
  freshness: 'fresh' | 'stale' | 'live';
  /** Of a listing: lines that its source wants shown with it. */
  attribution?: string[];
};

export function documentUri(id: string): string {
  return `ime://documents/${id}`;
}

/** The fields of `hitFields`, judged against the age that the caller allows. */
export function hitOf(passage: Passage, judge: Judge): Hit {
  const { verifiedAt, age, freshness } = verdictOf(passage, judge);
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
    verifiedAt: iso(verifiedAt),
    age: ageInWords(age),
    freshness,
    ...attributed(passage.attribution),
  };
}

const mostLines = 8;
const longestLine = 300;

/** Lines of a listing's sources, as far as they fit an answer. */
export function attributed(lines: readonly string[] | undefined): { attribution?: string[] } {
  if (lines === undefined || lines.length === 0) return {};
  return { attribution: lines.slice(0, mostLines).map((line) => visibleLine(line, longestLine)) };
}

/** The same in a text, each on a line of its own. */
export function attributionText(
  { attribution = [] }: { attribution?: string[] | undefined },
  text = '',
): string {
  // A passage may hold them already.
  return attribution
    .filter((line) => !text.includes(line))
    .map((line) => `\n   ${line}`)
    .join('');
}

const mostLinks = 5;

/** Links to the first hits. Their names are ours: a title was written by others, and a link stands in no frame. */
export function linksOf(hits: readonly Hit[]): ToolLink[] {
  return hits
    .slice(0, mostLinks)
    .flatMap(({ uri, kind }, index) =>
      uri === undefined ? [] : [{ uri, name: `Hit ${index + 1} (${kind})` }],
    );
}

/** One line that says what a hit is: for the text of an answer. */
export function hitLine(hit: Hit, number: number): string {
  const when = hit.writtenAt === undefined ? '' : `, ${whenInWords(hit.kind, hit.writtenAt)}`;
  const who = hit.people === undefined ? '' : `, ${hit.people.slice(0, 3).join(', ')}`;
  return `${number}. [${hit.kind}] ${hit.title}${who}${when}; ${hit.account}, verified ${hit.age} ago (${hit.freshness})${hit.uri === undefined ? '' : `; ${hit.uri}`}`;
}

function whenInWords(kind: string, at: string): string {
  return kind === 'event' ? `on ${at.slice(0, 16).replace('T', ' ')} UTC` : `written ${at.slice(0, 10)}`;
}

/** What was collapsed into a hit, in words. */
export function alikeOf({ alike }: Passage): { more?: string } {
  const said = [
    ...(alike === undefined || alike.inThread === 0 ? [] : [`and ${alike.inThread} more in this thread`]),
    ...(alike === undefined || alike.copies === 0 ? [] : [`and ${alike.copies} more that say the same`]),
  ];
  return said.length === 0 ? {} : { more: said.join(', ') };
}

/** What of the question was understood beside its words. It repeats the asker's own words and dates, and no source's. */
export function understoodLine(understood: readonly string[]): string[] {
  return understood.length === 0
    ? []
    : [`Understood: ${understood.map((one) => visibleLine(one)).join(', ')}`];
}

/** A passage's text for a model, cut at `max` characters. */
export function passageText(text: string, max: number): string {
  const clean = visible(text);
  return clean.length > max ? `${clean.slice(0, max)}…` : clean;
}
