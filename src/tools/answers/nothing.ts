// What to say when nothing is found because nothing is there yet.
import type { ToolContext } from '../define.ts';

/** The sentence that names the commands, or undefined where memory holds anything. */
export async function nothingYet({ rooms, org }: ToolContext): Promise<string | undefined> {
  const [any] = await rooms.memory.documents(org, { limit: 1 });
  if (any !== undefined) return undefined;
  const connections = await rooms.connections.list(org);
  return connections.some((c) => c.hasFeeds)
    ? 'Memory is empty: nothing has been synced or imported yet. A person brings it in a terminal: drawbridge sync, or drawbridge import PATH'
    : 'Memory is empty: nothing is connected or imported yet. connect-provider gives the page on which a person connects an account; in a terminal: drawbridge connect, or drawbridge import PATH';
}
