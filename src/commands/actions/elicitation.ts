// `actions elicitation`: which clients may carry a person's decisions in the conversation. None, unless a person
// says so here.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { createKeys } from '../../auth/keys.ts';
import { DrawbridgeError } from '../../errors.ts';
import { type Carrier, createCarriers } from '../../queue/decide/carriers.ts';
import type { Rooms } from '../../rooms.ts';
import { iso } from '../../time.ts';
import { openSession, stdioServers, withRooms } from '../command.ts';
import type { Output } from '../terminal/output.ts';
import { shownLine } from '../terminal/shown.ts';

interface Common {
  json?: boolean;
}

async function write(output: Output, rooms: Rooms, carriers: readonly Carrier[]): Promise<void> {
  const keys = await createKeys(rooms).list(rooms.org.orgId);
  const named = carriers.map(({ client, at }) => ({
    client,
    name: client === 'stdio' ? 'the local client' : (keys.find(({ id }) => id === client)?.name ?? 'no key'),
    since: iso(at),
  }));
  if (output.json) output.value(named);
  else if (named.length === 0) output.line('No client carries decisions.');
  for (const { client, name } of output.json ? [] : named) output.line(`${client}  ${shownLine(name)}`);
}

async function list(options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    await write(session.output, rooms, await createCarriers().list(rooms.org));
  });
}

async function allow(client: string, options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    const { org, owner, store, audit } = rooms;
    await refuseBelowAgent('elicitation allow', await stdioServers(store));
    const key = (await createKeys(rooms).list(org.orgId)).find(({ id }) => id === client);
    if (client !== 'stdio' && (key === undefined || key.revokedAt !== undefined)) {
      throw new DrawbridgeError(
        'not_found',
        'There is no such key. Give stdio (the local client) or the id of one: drawbridge keys list',
      );
    }
    if (key?.member !== undefined && key.member.id !== owner.memberId) {
      throw new DrawbridgeError(
        'invalid_request',
        'This key acts for another member: what it says they decided would count as yours.',
      );
    }
    const carriers = await createCarriers({ audit }).allow(org, owner, { client, channel: 'terminal' });
    if (!session.output.json) {
      session.output.aside(
        'What this client says you decided now counts as your decision. Allow only one that shows you the question.',
      );
    }
    await write(session.output, rooms, carriers);
  });
}

async function deny(client: string, options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    const { org, owner, audit } = rooms;
    const carriers = await createCarriers({ audit }).deny(org, owner, { client, channel: 'terminal' });
    await write(session.output, rooms, carriers);
  });
}

export function declareElicitation(command: Command): void {
  const line = (name: string, description: string) =>
    command.command(name).description(description).option('--json', 'answer as JSON');
  line('list', 'clients that may').action(list);
  line('allow', 'let a client ask you in the conversation, and take its answer for yours')
    .argument('<client>', 'stdio, or the id of an API key')
    .action(allow);
  line('deny', 'from now on it decides nothing').argument('<client>').action(deny);
}
