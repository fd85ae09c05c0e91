// list-connections: which accounts there are, what each can do, how fresh it is, and what it needs.
import { z } from 'zod';
import { ageInWords, iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { defineTool } from './define.ts';

export const listConnections = defineTool({
  name: 'list-connections',
  title: 'List connected accounts',
  description:
    'The connected accounts: id, label, provider, state, what each can do, and when it was last synced. Use a label as account in other tools.',
  kind: 'read',
  live: false,
  input: z.object({}),
  output: z.object({
    connections: z.array(
      z.object({
        id: z.string(),
        label: z.string(),
        provider: z.string(),
        state: z.string(),
        can: z.array(z.string()),
        lastSyncAt: z.string().optional(),
        problem: z.string().optional(),
      }),
    ),
  }),
  async run({ rooms, org }) {
    const now = rooms.clock.now();
    const connections = await rooms.connections.list(org);
    const rows = connections.map((c) => ({
      id: c.id,
      label: visibleLine(c.label, 120),
      provider: c.provider,
      state: c.state,
      can: [...c.capabilities, ...c.feedKinds.map((kind) => `read ${kind}`)],
      ...(c.lastSyncAt === undefined ? {} : { lastSyncAt: iso(c.lastSyncAt) }),
      ...(c.lastError === undefined ? {} : { problem: visibleLine(c.lastError.message, 300) }),
    }));
    const text =
      connections.length === 0
        ? 'No account is connected yet. A person connects one in a terminal: drawbridge connect mailbox --email you@example.com'
        : connections
            .map((c, i) => {
              const synced =
                c.lastSyncAt === undefined ? 'never synced' : `synced ${ageInWords(now - c.lastSyncAt)} ago`;
              const problem = rows[i]?.problem === undefined ? '' : ` Problem: ${rows[i].problem}`;
              return `${rows[i]?.label} (${c.id}): ${c.providerTitle}, ${c.state}, ${synced}; ${rows[i]?.can.join(', ') || 'memory only'}.${problem}`;
            })
            .join('\n');
    return { data: { connections: rows }, text };
  },
});
