// ime://clients/{id}: a person or company that the org works with, and their newest records.
import { iso } from '../time.ts';
import { visible, visibleLine } from '../untrusted.ts';
import { asJson, type ResourceKind } from './define.ts';

export const clients: ResourceKind = {
  name: 'client',
  title: 'Client',
  description: 'A person or company: addresses, first and last contact, newest records.',
  prefix: 'ime://clients/',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const client = await rooms.memory.client(org, id);
    const text = asJson({
      ...client,
      firstContactAt: client.firstContactAt === undefined ? undefined : iso(client.firstContactAt),
      lastContactAt: client.lastContactAt === undefined ? undefined : iso(client.lastContactAt),
      recent: client.recent.map((d) => ({
        uri: `ime://documents/${d.id}`,
        kind: d.kind,
        title: visible(d.title),
        ...(d.writtenAt === undefined ? {} : { writtenAt: iso(d.writtenAt) }),
      })),
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
