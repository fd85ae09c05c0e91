// `clients`: who you work with and what is known of them; which are one, and what you say of them yourself.
import type { Command } from 'commander';
import { ageInWords, iso } from '../../time.ts';
import { openSession, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { correct, decide, forget, merge, say, split, undo } from './clients-decide.ts';
import { clientJson, factJson, lineText, mergeJson, mergeLine, named, theOne } from './clients-shown.ts';

interface Common {
  json?: boolean;
}

const listed = 50;

async function list(words: string[], options: Common): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async ({ memory, clientBook, org }) => {
    const asked = words.join(' ');
    const found = await memory.clients(org, { ...(asked === '' ? {} : { words: asked }), limit: listed });
    if (output.json) {
      output.value(found.map(clientJson));
      return;
    }
    if (found.length === 0)
      output.line(
        asked === ''
          ? 'No clients yet. They come with mail and contacts: drawbridge connect'
          : 'Nobody is called so.',
      );
    for (const client of found) {
      const last =
        client.lastContactAt === undefined
          ? ''
          : client.lastContactAt > clock.now()
            ? ', a meeting is to come'
            : `, last contact ${ageInWords(clock.now() - client.lastContactAt)} ago`;
      output.line(
        `${client.id}  ${output.style('bold', named(client))}${client.kind === 'company' ? ' (company)' : ''}, ${client.documentCount} ${client.documentCount === 1 ? 'document' : 'documents'}${last}`,
      );
    }
    const open = await clientBook.merges(org, { limit: 100 });
    if (open.length > 0)
      output.line(`${open.length} could be the same as another: drawbridge clients proposals`);
  });
}

async function show(words: string[], options: Common & { history?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const { memory, clientBook, org } = rooms;
    const { id } = await theOne(rooms, words.join(' '));
    const { client, lines, facts, people } = await memory.profile(org, id);
    const merges = await clientBook.merges(org, { client: id, limit: 20 });
    if (output.json) {
      const told = options.history === true ? facts : facts.filter(({ stands }) => stands);
      output.value({
        ...clientJson(client),
        facts: told.map(factJson),
        people: people.map(clientJson),
        merges: merges.map(mergeJson),
      });
      return;
    }
    const now = clock.now();
    output.line(
      `${output.style('bold', named(client))}  ${client.id}${client.emails.length > 1 ? `  also ${client.emails.slice(1).map(shownLine).join(', ')}` : ''}`,
    );
    for (const line of lines) output.line(lineText(line, now));
    if (people.length > 0) output.line(`  people: ${people.map(named).join(', ')}`);
    for (const merge of merges) output.line(`  ${mergeLine(merge)}`);
    if (options.history === true) {
      output.line('History:');
      for (const { stands, name, value, validFrom, validUntil, id: factId } of facts) {
        const until = validUntil === undefined ? '' : ` to ${iso(validUntil).slice(0, 10)}`;
        output.line(
          `  ${factId}  ${stands ? 'now' : 'was'}  ${shownLine(name)}: ${shownLine(value)}  ${iso(validFrom).slice(0, 10)}${until}`,
        );
      }
    }
  });
}

async function proposals(options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ clientBook, org }) => {
    const open = await clientBook.merges(org, { limit: listed });
    if (output.json) output.value(open.map(mergeJson));
    else if (open.length === 0) output.line('Nothing to decide: nobody looks like another.');
    for (const one of output.json ? [] : open)
      output.line(`${Math.round(one.score * 100)} %  ${mergeLine(one)}`);
    if (!output.json && open.length > 0)
      output.line('One client? drawbridge clients accept ID. Two? drawbridge clients reject ID');
  });
}

export function declare(command: Command): void {
  const json = ['--json', 'answer as JSON'] as const;
  const one = 'name, address, phone or id';
  command
    .command('list', { isDefault: true })
    .description('those last in contact, or whose name or address begins so')
    .argument('[words...]')
    .option(...json)
    .action(list);
  command
    .command('show')
    .description('what is known of a client, each line with its source and age')
    .argument('<client...>', one)
    .option('--history', 'with what was superseded, and the ids of facts')
    .option(...json)
    .action(show);
  command
    .command('proposals')
    .description('who could be the same')
    .option(...json)
    .action(proposals);
  for (const [name, accept, what] of [
    ['accept', true, 'a proposal: they are one client'],
    ['reject', false, 'a proposal: they stay two'],
  ] as const) {
    command
      .command(name)
      .description(what)
      .argument('<id>', 'of the proposal')
      .option(...json)
      .action((id: string, options: Common) => decide(id, accept, options));
  }
  command
    .command('merge')
    .description('join two clients')
    .argument('<client>', one)
    .argument('<other>', one)
    .option(...json)
    .action(merge);
  command
    .command('split')
    .description('part addresses that belong to somebody else')
    .argument('<client>', one)
    .argument('<address...>')
    .option(...json)
    .action(split);
  command
    .command('undo')
    .description('take a merge, a split or a rejection back')
    .argument('<id>')
    .option(...json)
    .action(undo);
  command
    .command('say')
    .description('add a fact of your own')
    .argument('<client>', one)
    .argument('<name>', 'such as budget, role, phone')
    .argument('<value>')
    .option(...json)
    .action(say);
  command
    .command('correct')
    .description('say another value in the place of a fact')
    .argument('<fact>', 'its id (clients show --history)')
    .argument('<value>')
    .option(...json)
    .action(correct);
  command
    .command('forget')
    .description('take a fact away')
    .argument('<fact>')
    .option(...json)
    .action(forget);
}
