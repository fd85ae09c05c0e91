// `open`: the pages in a browser, signed in by a link that lives a minute and works once. It starts no
// server, and prints the link only when asked to, as whoever reads it is signed in.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../auth/ancestry.ts';
import { createSignIn, linkLivesMs, signInUrl } from '../auth/sign-in.ts';
import { DrawbridgeError } from '../errors.ts';
import { liveProcesses } from '../jobs/presence.ts';
import { openSession, withRooms } from './command.ts';
import { openBrowser } from './terminal/browser.ts';

async function open(options: { print?: boolean; json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, config, clock } = session;
  await withRooms(session, async ({ store, owner }) => {
    const live = await liveProcesses(store);
    await refuseBelowAgent(
      'open',
      live.filter(({ kind }) => kind === 'stdio').map(({ pid }) => pid),
    );
    const server = live.find(({ url }) => url !== undefined);
    if (server?.url === undefined) {
      throw new DrawbridgeError(
        'provider_unavailable',
        'No Drawbridge server is running here. Start one: drawbridge serve',
      );
    }
    const base = config.publicUrl ?? server.url;
    const link = signInUrl(base, await createSignIn({ store, clock }).createLink(owner));
    if (options.print === true) {
      if (output.json) output.value({ url: link, expiresInSeconds: linkLivesMs / 1000 });
      else output.line(link);
      return;
    }
    await openBrowser(link, 'drawbridge open --print');
    if (output.json) output.value({ opened: base });
    else output.line(`Opened ${base} in your browser.`);
  });
}

export function declare(command: Command): void {
  command
    .option('--print', 'print the link (60 seconds, works once) and open nothing')
    .option('--json', 'answer as JSON')
    .action(open);
}
