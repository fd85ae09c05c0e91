// The client that a question means, as tools answer it.
import { z } from 'zod';
import type { Client } from '../../memory/memory.ts';
import { iso } from '../../time.ts';
import { visibleLine } from '../../untrusted.ts';

/** Declared as far as a caller needs it to go on; the rest is carried and told by its names. */
export const clientShape = z.looseObject({ uri: z.string(), name: z.string(), emails: z.array(z.string()) });

export function clientOf(client: Client): z.input<typeof clientShape> {
  return {
    uri: `ime://clients/${client.id}`,
    kind: client.kind,
    name: visibleLine(client.name, 120),
    emails: client.emails.slice(0, 10),
    ...(client.phones.length > 0 ? { phones: client.phones.slice(0, 5) } : {}),
    ...(client.company === undefined ? {} : { company: visibleLine(client.company, 120) }),
    ...(client.firstContactAt === undefined ? {} : { firstContactAt: iso(client.firstContactAt) }),
    ...(client.lastContactAt === undefined ? {} : { lastContactAt: iso(client.lastContactAt) }),
    documents: client.documentCount,
  };
}

const plainAddress = /^[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{1,80}$/u;

/**
 * Said when a name could mean several clients: which they are, and how to name one. It stands outside of the
 * frame around what others wrote, so it holds no name.
 */
export function candidatesLine(candidates: readonly Client[]): string {
  if (candidates.length < 2) return '';
  const some = candidates.slice(0, 6).map(({ id, emails }) => {
    const [email = ''] = emails;
    return `ime://clients/${id}${plainAddress.test(email) ? ` <${email}>` : ''}`;
  });
  return `Several clients could be meant: ${some.join('; ')}. Name one by address to narrow it down.`;
}
