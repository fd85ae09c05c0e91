// `brain`: what the org says of itself: services, prices, its voice. Agents read and cite it; only people write it.
import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { type BrainEntry, brainKinds } from '../../memory/receipts/brain.ts';
import type { Rooms } from '../../rooms.ts';
import { iso } from '../../time.ts';
import { openSession, positive, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

interface Common {
  json?: boolean;
}
interface Written extends Common {
  kind?: string;
  title?: string;
  text?: string;
  file?: string;
}

const channel = 'terminal';

/** An agent's shell that writes here would put its own words into the org's mouth. */
async function asPerson(session: Session, act: string, work: (rooms: Rooms) => Promise<void>): Promise<void> {
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(`brain ${act}`, await stdioServers(rooms.store));
    await work(rooms);
  });
}

function jsonOf(entry: BrainEntry): object {
  return { ...entry, at: iso(entry.at) };
}

function show({ output }: Session, entry: BrainEntry, said: string): void {
  if (output.json) output.value(jsonOf(entry));
  else output.line(`${entry.id}  ${shownLine(entry.title)}: ${said}`);
}

async function list(options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ brain, org }) => {
    const entries = await brain.list(org);
    if (output.json) {
      output.value(entries.map(jsonOf));
      return;
    }
    if (entries.length === 0) {
      output.line('Nothing yet. Begin: drawbridge brain add --kind service --title "What we do" --text "…"');
    }
    for (const { id, kind, title, text } of entries) {
      const [first = ''] = text.split('\n');
      output.line(
        `${id}  ${kind.padEnd(7)}  ${output.style('bold', shownLine(title))}  ${shownLine(first).slice(0, 80)}`,
      );
    }
  });
}

/** The text of an entry: given, from a file, or from standard input. */
async function given({ text, file }: Written): Promise<string | undefined> {
  if (text !== undefined && file !== undefined) throw usageError('--text or --file, not both.');
  if (text !== undefined) return text;
  if (file === undefined) return undefined;
  if (file === '-') return textOf(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw usageError(`--file: ${file} cannot be read (${(thrown as NodeJS.ErrnoException).code}).`);
  }
}

async function add(options: Written): Promise<void> {
  const session = openSession(options);
  const text = await given(options);
  if (text === undefined) throw usageError('Give --text, or --file PATH (- for standard input).');
  await asPerson(session, 'add', async ({ brain, org, owner }) => {
    const entry = { kind: options.kind, title: options.title, text };
    show(session, await brain.add(org, owner, entry, channel), 'kept. Agents find and cite it from now on.');
  });
}

async function edit(id: string, options: Written): Promise<void> {
  const session = openSession(options);
  const text = await given(options);
  await asPerson(session, 'edit', async ({ brain, org, owner }) => {
    const [before] = await brain.history(org, id);
    const entry = {
      kind: options.kind ?? before?.kind,
      title: options.title ?? before?.title,
      text: text ?? before?.text,
    };
    const edited = await brain.edit(org, owner, { id, text: entry, channel });
    show(
      session,
      edited,
      `version ${edited.version}. Take it back: drawbridge brain restore ${id} ${edited.version - 1}`,
    );
  });
}

async function remove(id: string, options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await asPerson(session, 'remove', async ({ brain, org, owner }) => {
    const [before] = await brain.history(org, id);
    await brain.remove(org, owner, id, channel);
    if (output.json) output.value({ id, removed: true });
    else
      output.line(
        `${shownLine(id)} is in no answer any more. Bring it back: drawbridge brain restore ${id} ${before?.version ?? 1}`,
      );
  });
}

async function restore(id: string, version: string, options: Common): Promise<void> {
  const session = openSession(options);
  const wanted = positive('version')(version);
  await asPerson(session, 'restore', async ({ brain, org, owner }) => {
    const entry = await brain.restore(org, owner, { id, version: wanted, channel });
    show(session, entry, `stands again as version ${entry.version}.`);
  });
}

async function history(id: string, options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ brain, org }) => {
    const versions = await brain.history(org, id);
    if (output.json) {
      output.value(versions.map(jsonOf));
      return;
    }
    for (const { version, title, text, by, at, removed } of versions) {
      output.line(
        `${output.style('bold', `version ${version}`)}  ${iso(at)}  ${shownLine(by)}${removed ? '  removed' : ''}`,
      );
      output.line(`${shownLine(title)}\n${shownLine(text)}`);
    }
  });
}

export function declare(command: Command): void {
  const json = ['--json', 'answer as JSON'] as const;
  const kinds = `${brainKinds.join(', ')}`;
  command
    .command('list', { isDefault: true })
    .description('what stands')
    .option(...json)
    .action(list);
  command
    .command('add')
    .description('add an entry')
    .requiredOption('--kind <kind>', kinds)
    .requiredOption('--title <title>')
    .option('--text <text>')
    .option('--file <path>', 'the text from a file; - for standard input')
    .option(...json)
    .action(add);
  command
    .command('edit')
    .description('change an entry; what is not given stays, and the former version is kept')
    .argument('<id>')
    .option('--kind <kind>', kinds)
    .option('--title <title>')
    .option('--text <text>')
    .option('--file <path>', 'the text from a file; - for standard input')
    .option(...json)
    .action(edit);
  command
    .command('remove')
    .description('take an entry out of every answer; its versions are kept')
    .argument('<id>')
    .option(...json)
    .action(remove);
  command
    .command('restore')
    .description('make an earlier version the newest')
    .argument('<id>')
    .argument('<version>')
    .option(...json)
    .action(restore);
  command
    .command('history')
    .description('the versions of an entry')
    .argument('<id>')
    .option(...json)
    .action(history);
}
