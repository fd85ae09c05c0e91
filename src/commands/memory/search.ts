// `search`: one question over everything in memory, each hit with its source and its age.
import type { Command } from 'commander';
import { DrawbridgeError } from '../../errors.ts';
import type { Memory, MemoryAnswer, MemoryQuery, Passage } from '../../memory/memory.ts';
import { readTimeZone } from '../../memory/question/time-zone.ts';
import { type DocumentKind, documentKinds } from '../../providers/record.ts';
import { recall } from '../../recall/recall.ts';
import { readFreshness } from '../../recall/thresholds.ts';
import type { OrgStore } from '../../store/store.ts';
import { ageInWords, parseInstant } from '../../time.ts';
import { shutOut } from '../../tools/answers/freshness.ts';
import { alikeOf, hitOf } from '../../tools/answers/hits.ts';
import { openSession, positive, questionOf, usageError, withRooms } from '../command.ts';
import { namesOf } from '../connections/find-connection.ts';
import type { Output } from '../terminal/output.ts';
import { shownLine } from '../terminal/shown.ts';

interface Options {
  kinds?: DocumentKind[];
  since?: number;
  until?: number;
  client?: string[];
  account?: string;
  limit: number;
  cursor?: string;
  live?: boolean;
  json?: boolean;
}

function kindsOf(text: string): DocumentKind[] {
  return text.split(',').map((word) => {
    const kind = documentKinds.find((known) => known === word.trim());
    if (kind === undefined)
      throw usageError(`--kinds: "${word}" is no kind. There are: ${documentKinds.join(', ')}.`);
    return kind;
  });
}

/** The snippet on one line, with the words that were asked for marked on a terminal. */
function marked(output: Output, { snippet, marks = [] }: Passage): string {
  const pieces: string[] = [];
  let from = 0;
  for (const [start, end] of marks) {
    if (start < from) continue;
    pieces.push(
      shownLine(snippet.slice(from, start)),
      output.style(['bold', 'yellow'], shownLine(snippet.slice(start, end))),
    );
    from = end;
  }
  return [...pieces, shownLine(snippet.slice(from))].join('').replace(/\s+/g, ' ');
}

function clientLine(answer: MemoryAnswer, now: number): string | undefined {
  const { client, candidates } = answer;
  if (client !== undefined) {
    const last = client.lastContactAt;
    const contact = last === undefined ? '' : `, last contact ${ageInWords(Math.max(0, now - last))} ago`;
    return `Client: ${shownLine(client.name)} ${shownLine(client.emails.join(', '))}${contact}`;
  }
  if (candidates.length === 0) return undefined;
  return `Several clients could be meant: ${candidates.map((each) => shownLine(`${each.name} <${each.emails[0] ?? '?'}>`)).join(', ')}`;
}

/** Memory names a client by its place in a list; here there is a flag. */
async function byFlag<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError) || !/^clients\.\d+$/u.test(thrown.field ?? '')) throw thrown;
    throw usageError(thrown.message.replace(/^clients\.\d+/u, '--client'));
  }
}

/** @param connected how many accounts there are */
export async function nothingFound(memory: Memory, org: OrgStore, connected: number): Promise<string> {
  const { documents } = await memory.stats(org);
  if (documents > 0) return 'Nothing in memory answers that.';
  const fill = 'drawbridge import PATH reads files';
  return connected === 0
    ? `Memory is empty: nothing is connected or imported yet. drawbridge connect mailbox (or caldav) brings an account's records, ${fill}.`
    : `Memory is empty. drawbridge sync brings the records of connected accounts, ${fill}.`;
}

async function search(words: string[], options: Options): Promise<void> {
  const question = questionOf(words);
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const { memory, connections, org, pageUrl } = rooms;
    const all = await connections.list(org);
    const account = options.account;
    const chosen =
      account === undefined
        ? undefined
        : all.filter((each) => [each.id, each.label, each.account].includes(account));
    if (chosen?.length === 0) {
      const known = all.map(namesOf(all)).join(', ') || 'none is connected yet';
      throw usageError(`--account: there is no account "${account}". There are: ${known}.`);
    }
    const query: MemoryQuery = {
      question,
      understand: { now: clock.now(), timeZone: await readTimeZone(org) },
      collapse: true,
      limit: options.limit,
      ...(options.kinds === undefined ? {} : { kinds: options.kinds }),
      ...(options.since === undefined ? {} : { since: options.since }),
      ...(options.until === undefined ? {} : { until: options.until }),
      ...(options.client === undefined ? {} : { clients: options.client }),
      ...(chosen === undefined ? {} : { connectionIds: chosen.map((each) => each.id) }),
      ...(options.cursor === undefined ? {} : { cursor: options.cursor }),
    };
    const now = clock.now();
    const { answer, judge, notes } = await byFlag(async () =>
      options.live === true
        ? recall(rooms, org, query, { maxAgeMs: 0, accounts: chosen })
        : {
            answer: await memory.search(org, query),
            judge: {
              connections: new Map(all.map((each) => [each.id, each])),
              now,
              maxAgeMs: undefined,
              freshness: await readFreshness(org),
            },
            notes: [],
          },
    );
    if (output.json) {
      output.value({
        hits: answer.passages.map((passage) => ({
          ...hitOf(passage, judge),
          snippet: passage.snippet,
          marks: passage.marks ?? [],
          ...alikeOf(passage),
          score: passage.score,
          contentHash: passage.contentHash,
        })),
        ...(answer.wordsOnly === undefined ? {} : { wordsOnly: answer.wordsOnly }),
        ...(answer.unreranked === undefined ? {} : { unreranked: answer.unreranked }),
        understood: answer.understood,
        notes,
        client: answer.client ?? null,
        candidates: answer.candidates,
        nextCursor: answer.nextCursor ?? null,
      });
      return;
    }
    const about = clientLine(answer, now);
    if (about !== undefined) output.line(`${about}\n`);
    if (answer.passages.length === 0) {
      output.line(await nothingFound(memory, org, all.length));
    }
    if (answer.understood.length > 0) output.aside(`Understood: ${shownLine(answer.understood.join(', '))}`);
    for (const line of [...notes, ...shutOut(all, pageUrl)]) output.aside(shownLine(line));
    if (answer.wordsOnly !== undefined) output.aside(shownLine(answer.wordsOnly));
    if (answer.unreranked !== undefined) output.aside(shownLine(answer.unreranked));
    for (const [index, passage] of answer.passages.entries()) {
      const hit = hitOf(passage, judge);
      const written = hit.writtenAt === undefined ? '' : `${hit.writtenAt.slice(0, 10)}, `;
      const stale = hit.freshness === 'stale' ? output.style('yellow', ' (stale)') : '';
      output.line(`${index + 1}. ${output.style('bold', shownLine(passage.title))}`);
      output.line(
        output.style(
          'dim',
          `   ${hit.kind}, ${written}from ${shownLine(hit.account)}, verified ${hit.age} ago`,
        ) + stale,
      );
      const people = (hit.people ?? []).slice(0, 4).join(', ');
      if (people !== '') output.line(output.style('dim', `   ${shownLine(people)}`));
      output.line(`   ${marked(output, passage)}`);
      for (const line of hit.attribution ?? []) output.line(output.style('dim', `   ${shownLine(line)}`));
      const { more } = alikeOf(passage);
      if (more !== undefined) output.line(output.style('dim', `   ${more}`));
      output.line(output.style('dim', `   ${hit.url === undefined ? hit.uri : shownLine(hit.url)}`));
      output.line();
    }
    if (answer.nextCursor !== undefined) output.line(`More: --cursor ${answer.nextCursor}`);
  });
}

/** A date option, in words of its flag. */
function instant(flag: string): (text: string) => number {
  return (text) => {
    try {
      return parseInstant(text, flag);
    } catch (error) {
      throw usageError(error instanceof Error ? error.message : String(error));
    }
  };
}

export function declare(command: Command): void {
  command
    .argument('<question...>', 'what you want to know, in your own words')
    .option('--kinds <list>', `only these kinds, with commas between (${documentKinds.join(', ')})`, kindsOf)
    .option('--since <date>', 'written at or after, such as 2026-03-01', instant('--since'))
    .option('--until <date>', 'written before', instant('--until'))
    .option('--client <name...>', 'only what concerns these clients: names or addresses')
    .option('--account <account>', 'only from this account: its id or label')
    .option('--limit <number>', 'most hits', positive('--limit'), 10)
    .option('--cursor <cursor>', 'go on behind an earlier answer')
    .option('--live', 'ask the accounts first, whatever memory holds; at most two, three seconds')
    .option('--json', 'answer as JSON')
    .action(search);
}
