// `informed-by`: what an output was made from, and which of it says something else by now.
import type { Command } from 'commander';
import { ageInWords, iso } from '../../time.ts';
import { openSession, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

const listed = 50;

async function informedBy(output: string | undefined, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const out = session.output;
  await withRooms(session, async ({ receipts, org }) => {
    if (output === undefined) {
      const all = await receipts.outputs(org, listed);
      if (out.json) out.value(all.map((one) => ({ ...one, at: iso(one.at) })));
      else if (all.length === 0)
        out.line('No output has its sources on record yet. Agents record them with record-attribution.');
      else
        for (const { id, title, at, sources } of all)
          out.line(
            `${id}  ${iso(at)}  ${sources} ${sources === 1 ? 'source' : 'sources'}  ${shownLine(title)}`,
          );
      return;
    }
    const found = await receipts.informedBy(org, output);
    if (out.json) {
      out.value({
        ...found,
        at: iso(found.at),
        sources: found.sources.map((one) => ({
          ...one,
          usedAt: iso(one.usedAt),
          verifiedAt: iso(one.verifiedAt),
        })),
      });
      return;
    }
    out.line(out.style('bold', shownLine(found.title)));
    for (const { section, title, documentId, usedAt, verifiedAt, state } of found.sources) {
      const flag = state === 'unchanged' ? '' : out.style('red', `  ${state} since`);
      out.line(
        `${shownLine(section)}: ${title === undefined ? 'a source that is gone' : shownLine(title)}${documentId === undefined ? '' : `  ime://documents/${documentId}`}  ${ageInWords(Math.max(0, usedAt - verifiedAt))} old when used${flag}`,
      );
    }
  });
}

export function declare(command: Command): void {
  command
    .argument('[output]', 'its id; without, the outputs are listed')
    .option('--json', 'answer as JSON')
    .action(informedBy);
}
