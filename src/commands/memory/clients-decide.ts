// What a person decides about clients at a terminal: which are one, and what is true of them.
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import type { ClientMerge } from '../../memory/clients/book.ts';
import type { Rooms } from '../../rooms.ts';
import { openSession, type Session, stdioServers, withRooms } from '../command.ts';
import { mergeJson, named, theOne } from './clients-shown.ts';

interface Common {
  json?: boolean;
}

const channel = 'terminal';

/** What is said of clients is said by people: an agent's shell must not put words into the record. */
async function asPerson(session: Session, act: string, work: (rooms: Rooms) => Promise<void>): Promise<void> {
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(`clients ${act}`, await stdioServers(rooms.store));
    await work(rooms);
  });
}

function told({ output }: Session, merge: ClientMerge, said: string): void {
  if (output.json) output.value(mergeJson(merge));
  else output.line(`${said} Take it back: drawbridge clients undo ${merge.id}`);
}

export async function merge(into: string, other: string, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'merge', async (rooms) => {
    const [one, two] = [await theOne(rooms, into), await theOne(rooms, other)];
    const made = await rooms.clientBook.merge(rooms.org, rooms.owner, {
      into: one.id,
      other: two.id,
      channel,
    });
    told(session, made, `${named(one)} and ${named(two)} are one client.`);
  });
}

export async function split(words: string, keys: string[], options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'split', async (rooms) => {
    const { id } = await theOne(rooms, words);
    const made = await rooms.clientBook.split(rooms.org, rooms.owner, { id, keys, channel });
    told(session, made, `${named(made.other)} is a client apart (${made.other.id}).`);
  });
}

export async function decide(id: string, accept: boolean, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, accept ? 'accept' : 'reject', async (rooms) => {
    const made = await rooms.clientBook.decide(rooms.org, rooms.owner, { id, accept, channel });
    told(session, made, accept ? 'They are one client.' : 'They stay two, and are not proposed again.');
  });
}

export async function undo(id: string, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'undo', async (rooms) => {
    const made = await rooms.clientBook.undo(rooms.org, rooms.owner, { id, channel });
    if (session.output.json) session.output.value(mergeJson(made));
    else
      session.output.line(
        `Taken back: ${made.kind === 'merge' ? 'they are two clients again' : 'they are one client again'}.`,
      );
  });
}

export async function say(words: string, name: string, value: string, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'say', async (rooms) => {
    const { id } = await theOne(rooms, words);
    const fact = await rooms.clientBook.addFact(rooms.org, rooms.owner, {
      clientId: id,
      word: { name, value },
      channel,
    });
    if (session.output.json) session.output.value({ client: id, fact });
    else
      session.output.line(
        `Kept as ${fact}. Your word stands before any source. Take it back: drawbridge clients forget ${fact}`,
      );
  });
}

export async function correct(fact: string, value: string, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'correct', async (rooms) => {
    const made = await rooms.clientBook.correctFact(rooms.org, rooms.owner, { factId: fact, value, channel });
    if (session.output.json) session.output.value({ fact: made });
    else
      session.output.line(
        `Corrected; what it said before stays as history. Take it back: drawbridge clients forget ${made}`,
      );
  });
}

export async function forget(fact: string, options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'forget', async (rooms) => {
    await rooms.clientBook.removeFact(rooms.org, rooms.owner, { factId: fact, channel });
    if (session.output.json) session.output.value({ fact, removed: true });
    else session.output.line('Taken away. What a source says anew will stand again.');
  });
}
