// `import PATH…`: files into memory, with a bar on the way and a list of what could not be read.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { extensions } from '../../jobs/import/formats.ts';
import type { ImportResult } from '../../jobs/import/import-paths.ts';
import { keepHeapSmall } from '../../jobs/import/small-heap.ts';
import { type LikelyOwn, likelyOwn } from '../../memory/clients/likely-own.ts';
import { checkOwnAddresses } from '../../memory/clients/own-addresses.ts';
import { interruption, openSession, stdioServers, withRooms } from '../command.ts';
import type { Output } from '../terminal/output.ts';
import { createProgress, size } from '../terminal/progress.ts';
import { shownLine } from '../terminal/shown.ts';
import { changeOwn } from './own-addresses.ts';

const mostListed = 20;

function tellPlaces(output: Output, title: string, places: ImportResult['rejected'], total: number): void {
  if (total === 0) return;
  output.aside(output.styleAside('yellow', title));
  for (const { place, reason } of places.slice(0, mostListed)) {
    output.aside(`  ${shownLine(place)}: ${shownLine(reason)}`);
  }
  if (total > mostListed) output.aside(`  … and ${total - mostListed} more; --json lists up to a thousand.`);
}

function tell(output: Output, result: ImportResult, likely: LikelyOwn | undefined, seconds: number): void {
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
  if (likely === undefined) return;
  const { address, mails, of } = likely;
  output.line(
    `${mails} of ${of} imported mails are from or to ${shownLine(address)}. If that is you, say so, and you are no client of your own: drawbridge settings own-addresses ${shownLine(address)}`,
  );
}

async function importFiles(paths: string[], options: { json?: boolean; mine: string[] }): Promise<void> {
  keepHeapSmall();
  const mine = checkOwnAddresses(options.mine, '--mine');
  const session = openSession(options);
  const { output, clock } = session;
  const { importPaths } = await import('../../jobs/import/import-paths.ts');
  const progress = createProgress(output, clock);
  const { signal, end } = interruption();
  const began = clock.elapsed();
  const { result, likely } = await withRooms(session, async (rooms) => {
    const { org, memory, connections, log } = rooms;
    if (mine.length > 0) {
      await refuseBelowAgent('import --mine', await stdioServers(rooms.store));
      await changeOwn(session, rooms, { add: mine, field: '--mine' });
    }
    const result = await importPaths({
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
    });
    const { id } = await connections.own(org, 'files');
    return { result, likely: await likelyOwn(org, id) };
  });
  if (output.json) output.value({ ...result, likelyOwn: likely ?? null });
  else tell(output, result, likely, (clock.elapsed() - began) / 1000);
  // A record that could not be read is reported and costs no other; but a script must learn that none could.
  const read = result.inserted + result.updated + result.unchanged;
  const met = result.rejectedTotal + result.skipped.length;
  if (result.stopped || (read === 0 && met > 0)) process.exitCode = 1;
}

export function declare(command: Command): void {
  command
    .argument('<path...>', 'files and folders')
    .option(
      '--mine <address>',
      'an address of your own, so that you are no client of yours; may be said again',
      (address: string, before: string[]) => [...before, address],
      [],
    )
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
