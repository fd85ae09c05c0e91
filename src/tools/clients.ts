// The client that a question means, as tools answer it.
import { z } from 'zod';
import type { Client } from '../memory/memory.ts';
import { iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';

export const clientShape = z.object({
  uri: z.string(),
  kind: z.enum(['person', 'company']),
  name: z.string(),
  emails: z.array(z.string()),
  phones: z.array(z.string()).optional(),
  company: z.string().optional(),
  firstContactAt: z.string().optional(),
  lastContactAt: z.string().optional(),
  documents: z.number().int(),
});

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

/** Said when a name could mean several clients: which they are, and how to name one. */
export function candidatesLine(candidates: Client[]): string {
  if (candidates.length < 2) return '';
  const names = candidates.slice(0, 6).map((c) => `${visibleLine(c.name, 80)} <${c.emails[0] ?? c.id}>`);
  return `Several clients could be meant: ${names.join('; ')}. Name one by address to narrow it down.`;
}
