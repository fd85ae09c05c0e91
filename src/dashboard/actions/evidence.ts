// What an action's page is given beside the action: what is known of its recipients, how much it is about, and
// the text of the passages that the agent cites. Whatever is missing is left out, and nothing fails for it.
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageRooms } from '../environment.ts';
import { type Flags, flagsFor, recipientsIn } from '../payload/recipients.ts';

export interface Citation {
  uri: string;
  /** Undefined: it is no longer in memory. */
  found:
    | { title: string; source: string; kind: string; writtenAt: number | undefined; text: string }
    | undefined;
}

export interface Evidence {
  flags: Flags;
  amount: { value: number; currency: string } | undefined;
  citations: readonly Citation[];
  /** Members to whom it can be handed. */
  members: readonly { id: string; name: string }[];
}

/** Of a cited document, so many characters stand on the page. */
const shownText = 1_500;
const citationShape = /^ime:\/\/documents\/([A-Za-z0-9_]{1,64})(?:[/?#]|$)/;

/** Undefined where the room says that it is not there, or not for us. */
async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError) return undefined;
    throw thrown;
  }
}

async function cited(rooms: PageRooms, org: OrgStore, uri: string): Promise<Citation> {
  const id = citationShape.exec(uri)?.[1];
  const { memory } = rooms;
  if (id === undefined || memory === undefined) return { uri, found: undefined };
  const found = await ifThere(() => memory.document(org, id));
  if (found === undefined) return { uri, found: undefined };
  const { title, source, kind, writtenAt, text } = found;
  const shown = text.length > shownText ? `${text.slice(0, shownText)}…` : text;
  return { uri, found: { title, source, kind, writtenAt, text: shown } };
}

async function amountOf(rooms: PageRooms, org: OrgStore, action: Action): Promise<Evidence['amount']> {
  return ifThere(async () => {
    const connection = await rooms.connections.get(org, action.connectionId);
    const operation = await rooms.connections.write(org, connection, action.operation);
    const payload = operation.input.safeParse(action.payload);
    return payload.success ? operation.concerns?.(payload.data, action.before).amount : undefined;
  });
}

export async function gatherEvidence(rooms: PageRooms, org: OrgStore, action: Action): Promise<Evidence> {
  const waiting = action.status === 'pending';
  const [connections, amount, citations, members] = await Promise.all([
    rooms.connections.list(org),
    amountOf(rooms, org, action),
    Promise.all(action.citations.map((uri) => cited(rooms, org, uri))),
    waiting ? rooms.members(org.orgId) : [],
  ]);
  // Once it has left, its recipients are no longer new.
  const flags = waiting ? await flagsFor(org, recipientsIn(action.payload), connections) : new Map();
  return { flags, amount, citations, members };
}
