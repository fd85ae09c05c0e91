// `members`: who may sign in where sign-in is at an issuer. Only here does anybody become a member.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { createMembers } from '../../auth/members.ts';
import type { Rooms } from '../../rooms.ts';
import { iso } from '../../time.ts';
import { atTerminal, openSession, type Session, stdioServers, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

function membersOf(rooms: Rooms) {
  return createMembers({ ...rooms, record: atTerminal(rooms) });
}

/** An agent that enters an address of its own would come in as a person, and approve. */
async function asPerson(session: Session, act: string, work: (rooms: Rooms) => Promise<void>): Promise<void> {
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(act, await stdioServers(rooms.store));
    await work(rooms);
  });
}

async function add(options: {
  email: string;
  name?: string;
  owner?: boolean;
  json?: boolean;
}): Promise<void> {
  const session = openSession(options);
  const { output, config } = session;
  await asPerson(session, 'members add', async (rooms) => {
    const { email, name } = options;
    const role = options.owner === true ? 'owner' : 'member';
    const made = await membersOf(rooms).add(rooms.org.orgId, { email, name, role });
    if (output.json) {
      output.value(made);
      return;
    }
    output.line(`${shownLine(made.email ?? '')} may sign in, as ${role}.`);
    if (config.signIn === undefined) {
      output.aside('Nobody can yet: sign-in is not configured (docs/guide/hosted-sign-in.md).');
    } else output.line(`They open ${config.signIn.origin}/sign-in`);
  });
}

async function list(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const all = await createMembers(rooms).list(rooms.org.orgId);
    if (output.json) {
      output.value(
        all.map((member) => ({ ...member, email: member.email ?? null, createdAt: iso(member.createdAt) })),
      );
      return;
    }
    for (const { email, name, role, issuers } of all) {
      const how = issuers.length === 0 ? 'never signed in' : `signs in at ${issuers.join(', ')}`;
      output.line(
        `${output.style('bold', shownLine(name))}  ${shownLine(email ?? 'no address')}  ${role}  ${how}`,
      );
    }
  });
}

async function remove(email: string, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await asPerson(session, 'members remove', async (rooms) => {
    await membersOf(rooms).remove(rooms.org.orgId, email);
    if (output.json) output.value({ email, removed: true });
    else
      output.line(
        `${shownLine(email)} may not sign in any more, and is signed out. API keys stay: drawbridge keys`,
      );
  });
}

async function unlink(email: string, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await asPerson(session, 'members unlink', async (rooms) => {
    await membersOf(rooms).unlink(rooms.org.orgId, email);
    if (output.json) output.value({ email, unlinked: true });
    else
      output.line(
        `${shownLine(email)} is signed out; the next account with that address, verified, is theirs.`,
      );
  });
}

export function declare(command: Command): void {
  command
    .command('add')
    .description('let a person in who signs in with this address')
    .requiredOption('--email <address>', 'as the issuer has verified it')
    .option('--name <name>', 'what they are called here (default: the address)')
    .option('--owner', 'as owner; gives the first owner an address while there is none')
    .option('--json', 'answer as JSON')
    .action(add);
  command.command('list').description('all members').option('--json', 'answer as JSON').action(list);
  command
    .command('remove')
    .description('end their access and sign them out')
    .argument('<email>')
    .option('--json', 'answer as JSON')
    .action(remove);
  command
    .command('unlink')
    .description('forget the accounts that they signed in with')
    .argument('<email>')
    .option('--json', 'answer as JSON')
    .action(unlink);
}
