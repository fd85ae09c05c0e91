// `explain`: why memory answers a question as it does. What was understood, where it looked, and what each score is
// made of.
import type { Command } from 'commander';
import type { Passage } from '../../memory/memory.ts';
import { readTimeZone } from '../../memory/question/time-zone.ts';
import { allowedAge, readFreshness } from '../../recall/thresholds.ts';
import { verdictOf } from '../../recall/verdict.ts';
import { ageInWords } from '../../time.ts';
import { openSession, positive, questionOf, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { nothingFound } from './search.ts';

const partNames = {
  header: 'title, people, date',
  body: 'text',
  neighbours: 'passages beside it',
  proximity: 'words near each other',
  feedback: 'passages like it',
  vectors: 'meaning',
  reranker: 'moved by the reranker',
} as const;

/** Parts and lifts as shares of the best hit's score, the largest first; what has no part is left out. */
function sharesOf(passage: Passage, whole: number): { what: string; share: number }[] {
  const { parts, lifts = {} } = passage;
  const named = Object.entries(parts ?? {}).map(([name, value]) => ({
    what: partNames[name as keyof typeof partNames] ?? name,
    share: value / whole,
  }));
  const lifted = Object.entries(lifts).map(([name, value]) => ({
    what: `understood: ${name}`,
    share: value / whole,
  }));
  return [...named, ...lifted]
    .filter(({ share }) => Math.abs(share) >= 0.0005)
    .sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
}

const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);
const scoreOf = ({ parts, lifts }: Passage) =>
  sum(Object.values(parts ?? {})) + sum(Object.values(lifts ?? {}));

async function explain(words: string[], options: { limit: number; json?: boolean }): Promise<void> {
  const question = questionOf(words);
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async ({ memory, connections, org }) => {
    const all = await connections.list(org);
    const timeZone = await readTimeZone(org);
    const freshness = await readFreshness(org);
    const answer = await memory.search(org, {
      question,
      limit: options.limit,
      understand: { now: clock.now(), timeZone },
      collapse: true,
    });
    const judge = {
      connections: new Map(all.map((each) => [each.id, each])),
      now: clock.now(),
      maxAgeMs: undefined,
      freshness,
    };
    const [best] = answer.passages;
    const whole = best === undefined ? 1 : scoreOf(best) || 1;
    const explained = answer.passages.map((passage) => {
      const { age, freshness: verdict } = verdictOf(passage, judge);
      const allowed = allowedAge(passage.kind, judge, judge.connections.get(passage.connectionId));
      return { passage, age, verdict, allowed, shares: sharesOf(passage, whole) };
    });
    if (output.json) {
      output.value({
        terms: answer.terms,
        understood: answer.understood,
        timeZone,
        wordsOnly: answer.wordsOnly ?? null,
        ...(answer.unreranked === undefined ? {} : { unreranked: answer.unreranked }),
        hits: explained.map(({ passage, age, verdict, allowed, shares }) => ({
          uri: `ime://documents/${passage.documentId}`,
          title: passage.title,
          kind: passage.kind,
          account: passage.source,
          score: passage.score,
          shares,
          alike: passage.alike ?? null,
          ageMs: age,
          allowedMs: Number.isFinite(allowed) ? allowed : null,
          freshness: verdict,
        })),
      });
      return;
    }
    output.line(`Searched by: ${shownLine(answer.terms.join(' ')) || 'nothing'}`);
    output.line(
      `Understood (${timeZone}): ${shownLine(answer.understood.join('; ')) || 'nothing beside its words'}`,
    );
    if (answer.wordsOnly !== undefined) output.aside(shownLine(answer.wordsOnly));
    if (answer.unreranked !== undefined) output.aside(shownLine(answer.unreranked));
    if (explained.length === 0) output.line(await nothingFound(memory, org, all.length));
    for (const [index, { passage, age, verdict, allowed, shares }] of explained.entries()) {
      output.line();
      output.line(
        `${index + 1}. ${output.style('bold', shownLine(passage.title))}  ${passage.score.toFixed(3)}`,
      );
      const limit = Number.isFinite(allowed) ? `, may be ${ageInWords(allowed)} old` : '';
      output.line(
        output.style(
          'dim',
          `   ${passage.kind} from ${shownLine(passage.source)}, verified ${ageInWords(age)} ago${limit}: ${verdict}`,
        ),
      );
      for (const { what, share } of shares)
        output.line(`   ${(share >= 0 ? '+' : '') + share.toFixed(3)}  ${what}`);
      const { inThread = 0, copies = 0 } = passage.alike ?? {};
      if (inThread > 0) output.line(`   and ${inThread} more in this thread`);
      if (copies > 0) output.line(`   and ${copies} more that say the same`);
    }
  });
}

export function declare(command: Command): void {
  command
    .argument('<question...>', 'as you would ask it with search')
    .option('--limit <number>', 'most hits', positive('--limit'), 5)
    .option('--json', 'answer as JSON')
    .action(explain);
}
