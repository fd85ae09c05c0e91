// How long an inbox of 10,000 actions takes to open, over HTTP from the request to the last byte, and how soon
// 100 open pages hear of a move. Usage: npm run bench:inbox [-- --actions 10000 --rounds 40 --pages 100]
import { get, type IncomingMessage } from 'node:http';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { newId } from '../src/ids.ts';
import { pulse } from '../src/queue/find.ts';
import { mail, openHouse } from '../test/http/house.ts';
import { percentile } from './figures.ts';

const { values } = parseArgs({
  options: {
    actions: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '40' },
    pages: { type: 'string', default: '100' },
  },
});
const count = Number(values.actions);
const house = await openHouse({ clock: systemClock });
const { orgId } = house.org;

// One that was really proposed, written again under other ids: of each eight, five wait.
const first = await house.propose('send', { ...mail, text: 'Hello Maya, '.repeat(120) });
const row = await house.org.read((db) =>
  db
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', first.id)
    .executeTakeFirstOrThrow(),
);
const states = [
  'pending',
  'pending',
  'pending',
  'pending',
  'pending',
  'completed',
  'rejected',
  'expired',
] as const;
for (let made = 0; made < count; made += 250) {
  await house.org.write(async (tx) => {
    for (let i = made; i < Math.min(made + 250, count); i += 1) {
      const id = newId('act', Date.now() + i);
      const status = states[i % states.length] ?? 'pending';
      const summary = `Send "Viewing ${i}" to maya.ortiz@lakeside.example`;
      await tx
        .insertInto('action_queue')
        .values({ ...row, id, status, summary, effect_key: id, arguments_hash: id, idempotency_key: null })
        .execute();
      await tx
        .insertInto('action_events')
        .values({
          org_id: orgId,
          action_id: id,
          seq: 1,
          from_status: null,
          to_status: status,
          at: i,
          by: row.proposed_by,
          channel: 'mcp',
          detail: '{}',
        })
        .execute();
    }
  });
}

const browser = await house.browser();
for (const [what, path, goal = 'none'] of [
  ['the inbox', '/', 'p50 ≤ 200 ms'],
  ['its next page', `/?before=${first.id.slice(0, 8)}zzzzzzzzzzzzzzzzzzzzzz`],
  ['what is done', '/?show=done'],
  ['a search', '/?q=viewing+4711'],
  ['the history', '/history'],
  ['an action', `/actions/${first.id}`],
] as const) {
  const times: number[] = [];
  // Round 0 warms up.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const began = performance.now();
    const { status } = await browser.get(path);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    if (round > 0) times.push(performance.now() - began);
  }
  console.log(
    `${what.padEnd(14)} of ${count.toLocaleString('en')}: p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms (goal: ${goal})`,
  );
}

const seen = await pulse(house.org, Date.now());
const { port } = house.listening;
const headers = { cookie: browser.cookie, host: `drawbridge.localhost:${port}` };
const open: IncomingMessage[] = [];
const heard = Array.from(
  { length: Number(values.pages) },
  () =>
    new Promise<number>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: `/events?seen=${seen}`, headers, agent: false }, (stream) => {
        open.push(stream);
        stream.on('data', (chunk: Buffer) => {
          if (chunk.includes('event: changed')) resolve(performance.now());
        });
      }).on('error', reject);
    }),
);
while (open.length < heard.length) await systemClock.sleep(20);
await systemClock.sleep(2_500);
const cpu = process.cpuUsage();
await systemClock.sleep(5_000);
const idle = process.cpuUsage(cpu);
const began = performance.now();
await house.queue.decide(house.org, house.owner, {
  actionId: first.id,
  verdict: 'reject',
  hash: first.payloadHash,
  channel: 'terminal',
});
const late = (await Promise.all(heard)).map((at) => at - began);
console.log(
  `${heard.length} open pages: all told within ${Math.max(...late).toFixed(0)} ms of a move (p50 ${percentile(late, 0.5).toFixed(0)} ms); open and idle they cost ${(((idle.user + idle.system) / 5_000_000) * 100).toFixed(1)} % of one core`,
);
await house.close();
