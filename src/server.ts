// The composition root: how a server process is put together. The tools' schemas are here at once; the
// store, the providers and the pages come after the first answer.
import { Writable } from 'node:stream';
import type { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Agent } from './auth/principal.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { createLog } from './log.ts';
import { createMcpServer, type Opened, onResourceChange } from './mcp-server.ts';
import type { Serving } from './serving.ts';

const scopes: Agent['scopes'] = ['read', 'propose'];
// The lists are answered before anything heavy is loaded; who has asked nothing by then gets a warm house.
const warmUpAfter = 1_000;

/**
 * Serves MCP on standard input and output until input ends. Resolves when everything is closed; standard
 * output carries JSON-RPC alone, whatever a library prints.
 */
export async function runStdio(config: Config): Promise<void> {
  const log = createLog({ level: config.logLevel });
  const output = takeStdout();
  let opening: Promise<Serving> | undefined;
  const stopUpdates: (() => void)[] = [];

  function house(): Promise<Serving> {
    opening ??= import('./serving.ts').then((module) => module.startServing(config, 'stdio'));
    // A failed opening (a full disk, say) may succeed at the next call.
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  }

  async function open(): Promise<Opened> {
    const serving = await house();
    const { org, owner } = serving.rooms;
    return serving.openFor({
      kind: 'agent',
      orgId: org.orgId,
      agentId: 'stdio',
      name: 'local client',
      memberId: owner.memberId,
      scopes,
    });
  }

  function tellChanges(server: McpServer, wants: (uri: string) => boolean): void {
    house().then(
      ({ rooms }) => {
        const stop = onResourceChange(rooms, rooms.org.orgId, (uri) => {
          if (wants(uri))
            server.server
              .sendResourceUpdated({ uri })
              .catch((err: unknown) => log.debug({ err }, 'update not delivered'));
        });
        stopUpdates.push(stop);
      },
      (err: unknown) => log.error({ err }, 'could not open'),
    );
  }

  const ended = new Promise<void>((resolve) => {
    const transport = new StdioConnection(process.stdin, output);
    const handle = serveStdio(
      ({ era }) => {
        const { server, subscriptions } = createMcpServer(scopes, open, era);
        // 2026 wires: the SDK filters by each listen stream. Older ones: by what was subscribed.
        systemClock.sleep(warmUpAfter, { unref: true }).then(
          () => tellChanges(server, (uri) => era === 'modern' || subscriptions.has(uri)),
          (err: unknown) => log.debug({ err }, 'warm-up skipped'),
        );
        return server;
      },
      { transport, onerror: (err) => log.debug({ err }, 'stdio') },
    );
    const stop = () => {
      handle.close().then(resolve, resolve);
    };
    // A message beyond the limit closes the connection from our side: input then never ends by itself.
    transport.onclosed = stop;
    process.stdin.once('end', stop);
    process.stdin.once('close', stop);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  });
  await ended;
  for (const stop of stopUpdates) stop();
  if (opening !== undefined) await (await opening).close();
}

class StdioConnection extends StdioServerTransport {
  onclosed: (() => void) | undefined;

  override async close(): Promise<void> {
    await super.close();
    this.onclosed?.();
  }
}

/** Standard output for JSON-RPC; what anything else writes there goes to standard error from now on. */
function takeStdout(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      write(chunk, (error) => done(error));
    },
  });
}

/**
 * Serves the pages and MCP over HTTP. Resolves once it listens; `close` ends it.
 * @throws DrawbridgeError when the port is taken
 */
export async function runServe(config: Config, given: { port?: number } = {}): Promise<Serving> {
  const { startServing } = await import('./serving.ts');
  return startServing(config, 'http', given);
}
