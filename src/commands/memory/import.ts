// `import PATH…`: files into memory, with a bar on the way and a list of what could not be read.
import type { Command } from 'commander';
import { extensions } from '../../jobs/import/formats.ts';
import type { ImportResult } from '../../jobs/import/import-paths.ts';
import { keepHeapSmall } from '../../jobs/import/small-heap.ts';
import { interruption, openSession, withRooms } from '../command.ts';
import type { Output } from '../terminal/output.ts';
import { createProgress, size } from '../terminal/progress.ts';
import { shownLine } from '../terminal/shown.ts';

const mostListed = 20;

function tellPlaces(output: Output, title: string, places: ImportResult['rejected'], total: number): void {
  if (total === 0) return;
  output.aside(output.styleAside('yellow', title));
  for (const { place, reason } of places.slice(0, mostListed)) {
    output.aside(`  ${shownLine(place)}: ${shownLine(reason)}`);
  }
  if (total > mostListed) output.aside(`  … and ${total - mostListed} more; --json lists up to a thousand.`);
}

function tell(output: Output, result: ImportResult, seconds: number): void {
  const { seen, inserted, updated, unchanged, rejected, rejectedTotal, skipped, resumed, stopped } = result;
  const rate = seconds > 0 ? `, ${Math.round(seen / seconds)} a second` : '';
  const how = resumed ? ' (an interrupted import went on)' : '';
  output.line(
    `${seen} ${seen === 1 ? 'record' : 'records'}${rate}${how}: ${inserted} new, ${updated} changed, ${unchanged} known already.`,
  );
  tellPlaces(output, `${rejectedTotal} could not be read:`, rejected, rejectedTotal);
  tellPlaces(
    output,
    skipped.length === 1 ? 'One file was passed over:' : `${skipped.length} files were passed over:`,
    skipped,
    skipped.length,
  );
  if (stopped) output.line('Stopped. The same command goes on from here.');
}

async function importFiles(paths: string[], options: { json?: boolean }): Promise<void> {
  keepHeapSmall();
  const session = openSession(options);
  const { output, clock } = session;
  const { importPaths } = await import('../../jobs/import/import-paths.ts');
  const progress = createProgress(output, clock);
  const { signal, end } = interruption();
  const began = clock.elapsed();
  const result = await withRooms(session, ({ org, memory, connections, log }) =>
    importPaths({
      org,
      paths,
      memory,
      connections,
      clock,
      log,
      signal,
      onProgress: ({ bytesDone, bytesTotal, seen, rejected }) => {
        const bad = rejected === 0 ? '' : `, ${rejected} unreadable`;
        progress.show(
          bytesDone,
          bytesTotal,
          `${size(bytesDone)} of ${size(bytesTotal)}, ${seen} records${bad}`,
        );
      },
    }).finally(() => {
      progress.end();
      end();
    }),
  );
  if (output.json) output.value(result);
  else tell(output, result, (clock.elapsed() - began) / 1000);
  // A record that could not be read is reported and costs no other; but a script must learn that none could.
  const read = result.inserted + result.updated + result.unchanged;
  const met = result.rejectedTotal + result.skipped.length;
  if (result.stopped || (read === 0 && met > 0)) process.exitCode = 1;
}

export function declare(command: Command): void {
  command
    .argument('<path...>', 'files and folders')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      `
Reads ${extensions.join(' ')}, and mail folders without an extension.
Importing the same again changes nothing. An interrupted import goes on where it was.
In .jsonl a line is {id, kind, title, text, at, people, thread, url}; one with the id and kind of
an earlier line replaces it.`,
    )
    .action(importFiles);
}
