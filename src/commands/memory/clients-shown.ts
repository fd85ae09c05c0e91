// Clients, their facts and what is decided about them, as `clients` prints them.
import { DrawbridgeError } from '../../errors.ts';
import type { ClientMerge } from '../../memory/clients/book.ts';
import type { ClientFact } from '../../memory/clients/facts.ts';
import type { ProfileLine } from '../../memory/clients/profile.ts';
import type { Client } from '../../memory/memory.ts';
import type { Rooms } from '../../rooms.ts';
import { ageInWords, iso } from '../../time.ts';
import { shownLine } from '../terminal/shown.ts';

export function clientJson(client: Client): object {
  const { firstContactAt, lastContactAt, ...rest } = client;
  return {
    ...rest,
    ...(firstContactAt === undefined ? {} : { firstContactAt: iso(firstContactAt) }),
    ...(lastContactAt === undefined ? {} : { lastContactAt: iso(lastContactAt) }),
  };
}

export function factJson(fact: ClientFact): object {
  const { validFrom, validUntil, verifiedAt, document, ...rest } = fact;
  return {
    ...rest,
    ...(document === undefined
      ? {}
      : { uri: `ime://documents/${document.id}`, title: document.title, source: document.source }),
    validFrom: iso(validFrom),
    ...(validUntil === undefined ? {} : { validUntil: iso(validUntil) }),
    verifiedAt: iso(verifiedAt),
  };
}

export function mergeJson({ client, other, at, ...rest }: ClientMerge): object {
  return { ...rest, at: iso(at), client: clientJson(client), other: clientJson(other) };
}

/** `name <address>`, the id behind it. */
export const named = (client: Client) =>
  `${shownLine(client.name)}${client.emails[0] === undefined ? '' : ` <${shownLine(client.emails[0])}>`}`;

/** The one client that the words mean. @throws DrawbridgeError `not_found`, `conflict` naming those it could be */
export async function theOne({ memory, org }: Rooms, words: string): Promise<Client> {
  const found = await memory.clientsCalled(org, words);
  const [one] = found;
  if (one === undefined)
    throw new DrawbridgeError('not_found', `Nobody is called "${words}". List them: drawbridge clients`);
  if (found.length > 1) {
    const some = found.slice(0, 8).map((client) => `${named(client)} (${client.id})`);
    throw new DrawbridgeError(
      'conflict',
      `"${words}" could be ${some.join(', ')}. Name one by address or id.`,
    );
  }
  return one;
}

export function lineText({ text, documentId, span, source, verifiedAt }: ProfileLine, now: number): string {
  const place = span === undefined ? '' : `:${span.start}-${span.end}`;
  const from = documentId === undefined ? source : `ime://documents/${documentId}${place}`;
  return `  ${shownLine(text)}  [${from}, ${ageInWords(Math.max(0, now - verifiedAt))}]`;
}

export function mergeLine({ id, kind, state, client, other, evidence, by }: ClientMerge): string {
  const why = evidence.map(
    ({ text, documentId }) =>
      `${shownLine(text)}${documentId === undefined ? '' : `, in ime://documents/${documentId}`}`,
  );
  return `${id}  ${kind} ${state}${by === undefined ? '' : ` by ${shownLine(by)}`}: ${named(client)} (${client.id}) and ${named(other)} (${other.id}): ${why.join('; ')}`;
}
