// `keys`: what agents show at /mcp. A key is printed once, when it is made; only its hash is kept.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { type ApiKey, createKeys, type Keys } from '../../auth/keys.ts';
import type { Scope } from '../../auth/principal.ts';
import type { Rooms } from '../../rooms.ts';
import { ageInWords, iso } from '../../time.ts';
import { atTerminal, openSession, stdioServers, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

function keysOf({ store, clock, log }: Rooms): Keys {
  return createKeys({ store, clock, log });
}

function scopesOf(text: string): Scope[] {
  return text.split(',').map((word) => {
    const scope = word.trim();
    if (scope !== 'read' && scope !== 'propose')
      throw usageError(`--scopes: "${scope}" is neither read nor propose.`);
    return scope;
  });
}

/** For whom a key acts, as a person reads it. */
function whose({ member }: Pick<ApiKey, 'member'>): string {
  if (member === undefined) return '';
  if (member.name === undefined) return 'for a member who was removed';
  const { name, email } = member;
  return `for ${shownLine(email === undefined || email === name ? name : `${name}, ${email}`)}`;
}

async function create(options: {
  name: string;
  scopes: Scope[];
  member?: string;
  json?: boolean;
}): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    // An agent that makes itself a key would be let in by another door, under a name of its choice.
    await refuseBelowAgent('keys create', await stdioServers(rooms.store));
    const made = await keysOf(rooms).create(rooms.org.orgId, options.name, options.scopes, {
      record: atTerminal(rooms),
      member: options.member,
    });
    const { id, name, scopes, member, key } = made;
    if (output.json) {
      output.value({ id, name, scopes, member, key: key.reveal() });
      return;
    }
    output.line(key.reveal());
    output.aside(
      `This is the only time it is shown. ${[shownLine(name), 'may', scopes.join(' and '), whose(made)].join(' ').trim()}; id ${id}.`,
    );
  });
}

async function list(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const all = await keysOf(rooms).list(rooms.org.orgId);
    const time = (ms: number | undefined) => (ms === undefined ? null : iso(ms));
    if (output.json) {
      output.value(
        all.map((key) => ({
          ...key,
          createdAt: iso(key.createdAt),
          lastUsedAt: time(key.lastUsedAt),
          revokedAt: time(key.revokedAt),
        })),
      );
      return;
    }
    if (all.length === 0) output.line('No keys. Make one: drawbridge keys create --name NAME');
    for (const key of all) {
      const used =
        key.revokedAt !== undefined
          ? output.style('red', 'revoked')
          : key.lastUsedAt === undefined
            ? 'never used'
            : `used ${ageInWords(Math.max(0, clock.now() - key.lastUsedAt))} ago`;
      output.line(
        [key.id, output.style('bold', shownLine(key.name)), key.scopes.join(', '), whose(key), used]
          .filter((part) => part !== '')
          .join('  '),
      );
    }
  });
}

async function revoke(id: string, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    await keysOf(rooms).revoke(rooms.org.orgId, id, atTerminal(rooms));
    if (output.json) output.value({ id, revoked: true });
    else output.line(`${shownLine(id)} opens nothing any more.`);
  });
}

export function declare(command: Command): void {
  command
    .command('create')
    .description('make a key; it is shown once')
    .requiredOption('--name <name>', 'the agent or program that will use it')
    .option('--scopes <list>', 'read, propose, or both with a comma between', scopesOf, [
      'read',
      'propose',
    ] as Scope[])
    .option('--member <email>', 'the member whom it acts for: it reads what they may, and decides nothing')
    .option('--json', 'answer as JSON')
    .action(create);
  command
    .command('list')
    .description('all keys, newest first')
    .option('--json', 'answer as JSON')
    .action(list);
  command
    .command('revoke')
    .description('from now on the key opens nothing')
    .argument('<id>')
    .option('--json', 'answer as JSON')
    .action(revoke);
}
