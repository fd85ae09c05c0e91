// A folder of judged questions (corpus.jsonl, queries.jsonl, qrels.jsonl) as records that memory reads, and how well
// a ranking answers it.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DocumentKind, Person, SourceRecord, Structured } from '../src/providers/record.ts';

export interface CorpusLine {
  _id: string;
  text: string;
  title?: string;
  scope?: string;
  date?: string | number;
  speaker?: string;
  from?: string;
  to?: string | string[];
  turns?: unknown[];
}
export interface QueryLine {
  _id: string;
  text: string;
  scope?: string;
}
interface Judgement {
  query: string;
  doc: string;
  rel: number;
}
const depth = 10;

/** Documents best first. */
export type Ranking = { id: string; score: number }[];

async function readLines<Line>(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.trim() !== '') lines.push(JSON.parse(line) as Line);
  }
  return lines;
}

function person(written: string, role: Person['role']): Person {
  const address = /<([^<>\s]+@[^<>\s]+)>|^\s*([^<>\s]+@[^<>\s]+)\s*$/u.exec(written);
  const name = written.replace(/<[^<>]*>/gu, '').trim();
  const found = address?.[1] ?? address?.[2];
  return {
    ...(found === undefined ? {} : { address: found.toLowerCase() }),
    ...(name === '' || name === found ? {} : { name }),
    role,
  };
}

/** "Speaker: words" a line; a line without a speaker goes on with the turn before. */
function turnsOf(text: string): { speaker?: string; text: string }[] {
  const turns: { speaker?: string; text: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^([^:\n]{1,60}):\s+(.*)$/u.exec(line);
    const last = turns.at(-1);
    if (match !== null) turns.push({ speaker: match[1] ?? '', text: match[2] ?? '' });
    else if (last === undefined) turns.push({ text: line });
    else last.text += `\n${line}`;
  }
  return turns;
}

export function recordOf(line: CorpusLine): SourceRecord {
  const to = line.to === undefined ? [] : [line.to].flat();
  const people = [
    ...(line.from === undefined ? [] : [person(line.from, 'from')]),
    ...to.map((one) => person(one, 'to')),
  ];
  let kind: DocumentKind = 'page';
  const structured: Structured = {
    ...(line.title === undefined ? {} : { title: line.title }),
    ...(line.scope === undefined ? {} : { thread: line.scope }),
    ...(line.date === undefined ? {} : { at: line.date }),
    ...(people.length === 0 ? {} : { people }),
  };
  if (line.from !== undefined) kind = 'mail';
  else if (line.turns !== undefined) kind = 'transcript';
  else if (line.speaker !== undefined) kind = 'chat';
  if (line.speaker !== undefined) structured.turns = [{ speaker: line.speaker, text: line.text }];
  else if (line.turns !== undefined) structured.turns = turnsOf(line.text);
  else structured.text = line.text;
  return {
    externalId: line._id,
    kind,
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(structured)),
  };
}

export interface JudgedFolder {
  corpus: CorpusLine[];
  queries: QueryLine[];
  /** Relevance by document, by query; a query without any is not counted. */
  judgements: Map<string, Map<string, number>>;
}

export async function readJudgedFolder(folder: string): Promise<JudgedFolder> {
  const judgements = new Map<string, Map<string, number>>();
  for (const { query, doc, rel } of await readLines<Judgement>(join(folder, 'qrels.jsonl'))) {
    const known = judgements.get(query) ?? new Map<string, number>();
    judgements.set(query, known.set(doc, rel));
  }
  return {
    corpus: await readLines<CorpusLine>(join(folder, 'corpus.jsonl')),
    queries: await readLines<QueryLine>(join(folder, 'queries.jsonl')),
    judgements,
  };
}

/** nDCG@10 with linear gain, as trec_eval computes it. */
export function ndcg(ranking: Ranking, judged: Map<string, number>): number {
  const dcg = (gains: number[]) => gains.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
  const ideal = dcg([...judged.values()].sort((a, b) => b - a).slice(0, depth));
  return ideal === 0 ? 0 : dcg(ranking.slice(0, depth).map(({ id }) => judged.get(id) ?? 0)) / ideal;
}

export function recall(ranking: Ranking, judged: Map<string, number>): number {
  const relevant = [...judged].filter(([, rel]) => rel > 0);
  const found = new Set(ranking.slice(0, depth).map(({ id }) => id));
  return relevant.filter(([id]) => found.has(id)).length / relevant.length;
}
