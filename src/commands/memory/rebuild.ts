// `rebuild`: memory read anew from the payloads that it kept, so that what older programs stored is read as today's
// would. No provider is asked.
import type { Command } from 'commander';
import type { IngestResult } from '../../memory/memory.ts';
import { interruption, openSession, withRooms } from '../command.ts';
import { createProgress } from '../terminal/progress.ts';
import { shownLine } from '../terminal/shown.ts';

const mostListed = 20;

async function rebuild(options: { json?: boolean; after?: string }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  const progress = createProgress(output, clock);
  const { signal, end } = interruption();
  let after = options.after ?? '';
  let documents = 0;
  const rejected: IngestResult['rejected'] = [];
  let ended = false;
  await withRooms(session, async ({ org, memory }) => {
    const { documents: total } = await memory.stats(org);
    while (!signal.aborted) {
      const some = await memory.rebuild(org, after);
      if (some === undefined) {
        ended = true;
        break;
      }
      after = some.after ?? after;
      documents += some.documents;
      rejected.push(...some.rejected);
      progress.show(documents, total, `${documents} of ${total} documents`);
    }
  }).finally(() => {
    progress.end();
    end();
  });
  if (!ended) process.exitCode = 1;
  if (output.json) {
    output.value({ documents, rejected, stopped: !ended, ...(ended ? {} : { after }) });
    return;
  }
  output.line(`${documents} ${documents === 1 ? 'document was' : 'documents were'} read anew.`);
  if (rejected.length > 0) {
    output.aside(`${rejected.length} could not be read, and stay as they were:`);
    for (const { externalId, reason } of rejected.slice(0, mostListed))
      output.aside(`  ${shownLine(externalId)}: ${shownLine(reason)}`);
    if (rejected.length > mostListed)
      output.aside(`  … and ${rejected.length - mostListed} more; --json lists all.`);
  }
  if (!ended)
    output.line(`Stopped. Go on from here: drawbridge rebuild${after === '' ? '' : ` --after ${after}`}`);
}

export function declare(command: Command): void {
  command
    .option('--after <document>', 'go on behind this document, where an earlier run was stopped')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      `
Text, passages, vectors, clients' facts and homes are made again from the payloads that memory keeps.
No provider is asked; how old a record is, and what people decided of it, stays. Safe beside a running server.`,
    )
    .action(rebuild);
}
