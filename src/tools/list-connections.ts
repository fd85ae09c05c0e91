// list-connections: which accounts there are, what each can do, how fresh it is, and what it needs.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { ageInWords, iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { pageOf } from './answers/pages.ts';
import { defineTool } from './define.ts';

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
      ...problemOf(c, rooms.pageUrl),
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
        ? 'No account is connected yet. connect-provider gives the page on which a person connects one (in a terminal: drawbridge connect).'
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

/** What is wrong with it, and where a person mends that. */
function problemOf(c: Connection, pageUrl: (path: string) => string): { problem?: string } {
  const said = c.lastError === undefined ? '' : visibleLine(c.lastError.message, 300);
  const waits = c.state === 'EXPIRED' || c.state === 'AUTHORIZING';
  const link = pageUrl(`/connect/${c.provider}${c.account === '' ? '' : `?account=${c.id}`}`);
  const mend = waits ? `A person connects it here: ${link}` : '';
  const problem = [said, mend].filter((part) => part !== '').join(' ');
  return problem === '' ? {} : { problem };
}
