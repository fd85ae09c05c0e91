// list-connections: which accounts there are, what each can do, how fresh it is, and what it needs.
import { z } from 'zod';
import { ageInWords, iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { defineTool } from './define.ts';
import { pageOf } from './pages.ts';

export const listConnections = defineTool({
  name: 'list-connections',
  title: 'List connected accounts',
  description:
    'The connected accounts: id, label, provider, state, what each can do, and when it was last synced. Use a label as account in other tools.',
  kind: 'read',
  live: false,
  input: z.object({ cursor: z.string().optional() }),
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
    nextCursor: z.string().optional(),
  }),
  async run({ rooms, org }, input) {
    const now = rooms.clock.now();
    const connections = await rooms.connections.list(org);
    const all = connections.map((c) => ({
      id: c.id,
      label: visibleLine(c.label, 120),
      provider: c.provider,
      state: c.state,
      can: [...c.capabilities, ...c.feedKinds.map((kind) => `read ${kind}`)],
      ...(c.lastSyncAt === undefined ? {} : { lastSyncAt: iso(c.lastSyncAt) }),
      ...(c.lastError === undefined ? {} : { problem: visibleLine(c.lastError.message, 300) }),
    }));
    const { shown, nextCursor } = pageOf({ connections: all }, input.cursor);
    const byId = new Map(connections.map((c) => [c.id, c]));
    const lines = shown.connections.map((row) => {
      const c = byId.get(row.id);
      const synced =
        c?.lastSyncAt === undefined ? 'never synced' : `synced ${ageInWords(now - c.lastSyncAt)} ago`;
      const problem = row.problem === undefined ? '' : ` Problem: ${row.problem}`;
      return `${row.label} (${row.id}): ${c?.providerTitle ?? row.provider}, ${row.state}, ${synced}; ${row.can.join(', ') || 'memory only'}.${problem}`;
    });
    const text =
      connections.length === 0
        ? 'No account is connected yet. A person connects one in a terminal: drawbridge connect mailbox --email you@example.com'
        : [
            ...lines,
            ...(nextCursor === undefined ? [] : [`${connections.length} in all. More: cursor ${nextCursor}`]),
          ].join('\n');
    return {
      data: { connections: shown.connections, ...(nextCursor === undefined ? {} : { nextCursor }) },
      text,
    };
  },
});
