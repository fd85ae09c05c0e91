// A process of bench/serving.ts whose event loop is watched: one that serves as `drawbridge serve` does and
// imports where it is told to, or one that only waits.
import { createKeys } from '../src/auth/keys.ts';
import { loadConfig } from '../src/config.ts';
import { importPaths } from '../src/jobs/import/import-paths.ts';
import { runServe } from '../src/server.ts';
import type { Serving } from '../src/serving.ts';
import { generateRecords } from './corpus.ts';
import { type StandStill, watchStandStill } from './stand-still.ts';

export interface ServingTask {
  home: string;
  /** False: it only waits. */
  serves: boolean;
  /** What memory holds at the start. */
  chunks: number;
}
/** What it is told, one at a time; it answers each. */
export type Order = { do: 'watch' } | { do: 'import'; path: string } | { do: 'end' };
export type Reply = { ready: { port: string; key: string } } | { done: true } | { standStill: StandStill };

const task = JSON.parse(process.argv[2] ?? '{}') as ServingTask;
const say = (reply: Reply) => process.send?.(reply);

async function start(): Promise<Serving> {
  const serving = await runServe(
    loadConfig({ DRAWBRIDGE_HOME: task.home, DRAWBRIDGE_PORT: '0', DRAWBRIDGE_LOG_LEVEL: 'error' }),
  );
  const { org, memory, connections, store, clock, log } = serving.rooms;
  const files = await connections.own(org, 'files');
  const records = [...generateRecords(42, task.chunks)];
  const source = { connectionId: files.id, provider: 'files' };
  for (let i = 0; i < records.length; i += 50)
    await memory.ingest(org, source, { records: records.slice(i, i + 50) });
  const { key } = await createKeys({ store, clock, log }).create(org.orgId, 'bench', ['read', 'propose']);
  say({ ready: { port: new URL(serving.web()?.url ?? '').port, key: key.reveal() } });
  return serving;
}

const serving = task.serves ? await start() : undefined;
if (serving === undefined) say({ ready: { port: '', key: '' } });
let step = 'serve';
let watch: ReturnType<typeof watchStandStill> | undefined;

process.on('message', async (order: Order) => {
  if (order.do === 'watch') {
    watch = watchStandStill(() => step);
    say({ done: true });
  } else if (order.do === 'import' && serving !== undefined) {
    const { org, memory, connections, clock, log } = serving.rooms;
    step = 'serve and import';
    await importPaths({ org, paths: [order.path], memory, connections, clock, log });
    step = 'serve';
    say({ done: true });
  } else {
    if (watch !== undefined) say({ standStill: watch.end() });
    await serving?.close();
    process.disconnect();
  }
});
