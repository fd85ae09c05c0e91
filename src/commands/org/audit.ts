// `audit`: the record of what was proposed, decided, run, connected and changed. Verifying and listing are
// open to all who may run the command line; erasing is a person's.
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { AuditCheckpoint, AuditLine } from '../../audit/audit.ts';
import { readCheckpoint } from '../../audit/checkpoint.ts';
import { DrawbridgeError } from '../../errors.ts';
import { iso } from '../../time.ts';
import { openSession, positive, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { declareErase } from './audit-erase.ts';

const largestCheckpoint = 10_000;

async function checkpointIn(file: string): Promise<AuditCheckpoint> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DrawbridgeError('not_found', `The checkpoint ${file} cannot be read.`, { cause });
  });
  if (text.length > largestCheckpoint) {
    throw new DrawbridgeError('invalid_request', `${file} is no checkpoint of a record.`);
  }
  return readCheckpoint(text);
}

/** An export is read whole: at most 10,000 entries are in one. */
async function archiveIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new DrawbridgeError('not_found', `The archive ${file} cannot be read.`, { cause });
  });
  return text.split('\n');
}

async function verifyArchive(file: string, options: { key?: string; json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const lines = await archiveIn(file);
  await withRooms(session, async ({ audit, org }) => {
    const keys = options.key === undefined ? [] : [options.key];
    const { bad, ...part } = await audit.verifyArchive(org, lines, keys);
    if (bad !== undefined) process.exitCode = 1;
    if (output.json) output.value({ holds: bad === undefined, ...part, bad: bad ?? null });
    else if (bad !== undefined) {
      output.line(`${output.style('red', '✗')} Entry ${bad.seq} of the archive does not hold: ${bad.why}.`);
    } else {
      output.line(`${output.style('green', '✓')} The archive holds: entries ${part.from} to ${part.to}.`);
      output.line(`  ends in ${part.head}`);
    }
  });
}

async function verify(options: {
  checkpoint?: string;
  archive?: string;
  key?: string;
  json?: boolean;
}): Promise<void> {
  if (options.archive !== undefined) {
    if (options.checkpoint !== undefined) throw usageError('Give --archive or --checkpoint, not both.');
    await verifyArchive(options.archive, options);
    return;
  }
  const session = openSession(options);
  const { output } = session;
  if (options.key !== undefined && options.checkpoint === undefined) {
    throw usageError('--key: says who signed; give --checkpoint or --archive too.');
  }
  const against = options.checkpoint === undefined ? undefined : await checkpointIn(options.checkpoint);
  await withRooms(session, async ({ audit, org }) => {
    const { entries, bad, head, cut } = await audit.verify(
      org,
      against,
      options.key === undefined ? [] : [options.key],
    );
    if (bad !== undefined) process.exitCode = 1;
    if (output.json) {
      output.value({
        holds: bad === undefined,
        entries,
        head,
        cut,
        bad: bad ?? null,
        checkpoint: against ?? null,
      });
      return;
    }
    if (bad !== undefined) {
      output.line(`${output.style('red', '✗')} Entry ${bad.seq} does not hold: ${bad.why}.`);
      return;
    }
    const agreed = against === undefined ? '' : `, and agrees with the checkpoint of ${iso(against.at)}`;
    output.line(`${output.style('green', '✓')} The record holds: ${entries} entries${agreed}.`);
    output.line(`  ends in ${head}`);
    if (cut > 0) output.line(`  begins after entry ${cut}: what stood before went to an archive`);
    if (against === undefined) {
      output.aside('Entries cut off at the end show only against a checkpoint: drawbridge audit checkpoint');
    }
  });
}

async function checkpoint(options: { out?: string; json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ audit, org }) => {
    const made = await audit.checkpoint(org);
    if (options.out === undefined) {
      output.value(made);
      return;
    }
    // Never over one that was kept.
    await writeFile(options.out, `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx' }).catch(
      (cause: unknown) => {
        throw new DrawbridgeError('conflict', `${options.out} was not written: is it there already?`, {
          cause,
        });
      },
    );
    if (output.json) output.value(made);
    else output.line(`${output.style('green', '✓')} ${made.entries} entries, signed with ${made.publicKey}.`);
    output.aside('Keep it where whoever can change this database cannot change it.');
  });
}

function shownEntry(line: AuditLine): string {
  const { seq, at, kind, subject, by, channel, values, erased } = line;
  const name = values['name'] ?? (erased.includes('name') ? '(erased)' : by.id);
  const summary = values['summary'] === undefined ? '' : `  ${shownLine(values['summary'])}`;
  return `${seq}  ${iso(at)}  ${shownLine(kind)}  ${shownLine(subject)}  ${shownLine(name)} (${by.kind}, ${channel})${summary}`;
}

async function list(options: {
  subject?: string;
  before?: number;
  limit?: number;
  json?: boolean;
}): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const { subject, before, limit } = options;
  await withRooms(session, async ({ audit, org }) => {
    const lines = await audit.list(org, {
      ...(subject === undefined ? {} : { subject }),
      ...(before === undefined ? {} : { before }),
      ...(limit === undefined ? {} : { limit }),
    });
    if (output.json) {
      output.value(lines.map((line) => ({ ...line, at: iso(line.at) })));
      return;
    }
    if (lines.length === 0) output.line('No entries.');
    for (const line of lines) output.line(shownEntry(line));
  });
}

export function declare(command: Command): void {
  command.addHelpText(
    'after',
    '\nExit codes: 0 the record holds; 1 it does not, or something failed; 2 bad usage.',
  );
  command
    .command('verify')
    .description('walk the whole record, and name the first entry that does not hold')
    .option(
      '--checkpoint <file>',
      'against one that was kept elsewhere: nothing was cut off or rebuilt since',
    )
    .option('--archive <file>', 'an export of entries that were let go, in the place of the record')
    .option('--key <public key>', 'whose signature counts beside this installation’s own, in base64')
    .option('--json', 'answer as JSON')
    .action(verify);
  command
    .command('checkpoint')
    .description('sign how far the record has come, as JSON, to be kept elsewhere')
    .option('--out <file>', 'write it there (default: standard output)')
    .option('--json', 'answer as JSON')
    .action(checkpoint);
  command
    .command('list')
    .description('entries, newest first')
    .option('--subject <id>', 'of one action, connection, key …')
    .option('--before <number>', 'older than that entry', positive('--before'))
    .option('--limit <number>', 'how many, at most 500 (default: 50)', positive('--limit'))
    .option('--json', 'answer as JSON')
    .action(list);
  declareErase(command);
}
