// ime://clients/{id}: a person or company that the org works with: what is known of them, each line with its source,
// its place there and its age; in 600 tokens at most.
import { fittingLines } from '../memory/clients/profile-lines.ts';
import { iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import type { ResourceKind } from './define.ts';

export const clients: ResourceKind = {
  name: 'client',
  title: 'Client',
  description:
    'What is known of a person or company: contact, deals, invoices, wishes, each with its source.',
  prefix: 'ime://clients/',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const profile = await rooms.memory.profile(org, id);
    const { client } = profile;
    const head = {
      id: client.id,
      kind: client.kind,
      name: visibleLine(client.name, 80),
      emails: client.emails.slice(0, 3),
      ...(client.phones.length === 0 ? {} : { phones: client.phones.slice(0, 2) }),
      ...(client.company === undefined ? {} : { company: visibleLine(client.company, 60) }),
      ...(client.firstContactAt === undefined ? {} : { firstContactAt: iso(client.firstContactAt) }),
      ...(client.lastContactAt === undefined ? {} : { lastContactAt: iso(client.lastContactAt) }),
      documents: client.documentCount,
    };
    const around = JSON.stringify({ ...head, lines: [], more: profile.lines.length }).length;
    const shown = fittingLines(profile, rooms.clock.now(), around);
    const left = profile.lines.length - shown.length;
    const text = JSON.stringify({
      ...head,
      lines: shown.map(({ told }) => told),
      ...(left === 0 ? {} : { more: left }),
    });
    return { mimeType: 'application/json', text, trust: 'untrusted' };
  },
  async list({ org, rooms }, limit) {
    const found = await rooms.memory.clients(org, { limit });
    return found.map((c) => ({
      id: c.id,
      name: visibleLine(c.name, 100),
      ...(c.emails[0] === undefined ? {} : { description: c.emails[0] }),
    }));
  },
};
