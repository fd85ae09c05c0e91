// connection://{id}: one authorised account: what it can do, its state, its last error. No credential.
import { iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { asJson, type ResourceKind } from './define.ts';

export const connectionResources: ResourceKind = {
  name: 'connection',
  title: 'Connected account',
  description: 'One connected account: provider, state, what it can do, last sync, last error.',
  prefix: 'connection://',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const c = await rooms.connections.get(org, id);
    const text = asJson({
      id: c.id,
      provider: c.provider,
      account: c.account,
      label: c.label,
      state: c.state,
      capabilities: c.capabilities,
      ...(c.lastSyncAt === undefined ? {} : { lastSyncAt: iso(c.lastSyncAt) }),
      ...(c.lastError === undefined ? {} : { lastError: { ...c.lastError, at: iso(c.lastError.at) } }),
    });
    return { mimeType: 'application/json', text, trust: 'trusted' };
  },
  async list({ org, rooms }) {
    return (await rooms.connections.list(org)).map((c) => ({
      id: c.id,
      name: visibleLine(c.label, 100),
      description: `${c.providerTitle}, ${c.state}`,
    }));
  },
};
