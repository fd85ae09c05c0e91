// ime://sources/{connection}: what memory holds of one account, newest first.
import { iso } from '../time.ts';
import { visible, visibleLine } from '../untrusted.ts';
import { asJson, type ResourceKind } from './define.ts';

export const sources: ResourceKind = {
  name: 'source',
  title: 'Source account',
  description: 'The newest records that memory holds of one account.',
  prefix: 'ime://sources/',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const connection = await rooms.connections.get(org, id);
    const newest = await rooms.memory.documents(org, { connectionId: id, limit: 50 });
    const text = asJson({
      account: connection.label,
      provider: connection.provider,
      newest: newest.map((d) => ({
        uri: `ime://documents/${d.id}`,
        kind: d.kind,
        title: visible(d.title),
        ...(d.writtenAt === undefined ? {} : { writtenAt: iso(d.writtenAt) }),
      })),
    });
    return { mimeType: 'application/json', text, trust: 'untrusted' };
  },
  async list({ org, rooms }) {
    return (await rooms.connections.list(org)).map((c) => ({
      id: c.id,
      name: visibleLine(`Records of ${c.label}`, 100),
      description: c.providerTitle,
    }));
  },
};
