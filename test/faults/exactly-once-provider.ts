// A provider in a process of its own that causes effects and is hard to understand: it delays, drops the line
// and answers 503, before or after it has done what was asked. It protects itself from nothing: what is asked
// twice is done twice, and counted. Started with one JSON argument, ProviderTask; tells its port to its parent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/clock.ts';
import { seeded } from './seeded.ts';

export interface ProviderTask {
  seed: number;
  /** Longest delay, real milliseconds. */
  delayMs: number;
}

export interface ProviderCounts {
  /** How often each effect was caused, by its key. */
  effects: Record<string, number>;
  /** How often it behaved in each way. */
  moods: Record<string, number>;
}

/** Of a hundred requests. */
const moods = {
  plain: 50,
  'slow before': 12,
  'slow after': 8,
  'drop before': 6,
  'drop after': 9,
  '503 before': 6,
  '503 after': 9,
};
type Mood = keyof typeof moods;

/** One effect in thirty is of a kind that this provider never tells of. */
export function isSilent(key: string): boolean {
  return [...key].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 30 === 0;
}

function serve({ seed, delayMs }: ProviderTask): void {
  const chance = seeded(seed);
  const counts: ProviderCounts = { effects: {}, moods: {} };

  function mood(): Mood {
    let left = chance() * 100;
    for (const [name, share] of Object.entries(moods)) {
      left -= share;
      if (left < 0) return name as Mood;
    }
    return 'plain';
  }

  async function cause(key: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const now = mood();
    counts.moods[now] = (counts.moods[now] ?? 0) + 1;
    if (now === 'drop before') return void req.socket.destroy();
    if (now === '503 before') return void res.writeHead(503).end();
    if (now === 'slow before') await systemClock.sleep(chance() * delayMs);
    // Whoever asked may be dead by now: what has arrived is done all the same.
    counts.effects[key] = (counts.effects[key] ?? 0) + 1;
    if (now === 'drop after') return void req.socket.destroy();
    if (now === 'slow after') await systemClock.sleep(chance() * delayMs);
    res.writeHead(now === '503 after' ? 503 : 201).end();
  }

  function tell(key: string, res: ServerResponse): void {
    if (isSilent(key) || chance() < 0.1) res.writeHead(503).end();
    else res.writeHead(key in counts.effects ? 200 : 404).end();
  }

  const server = createServer((req, res) => {
    const key = (req.url ?? '/').slice(1);
    // The one who asks may be killed at any moment.
    res.on('error', () => undefined);
    req.on('error', () => undefined);
    req.resume().on('end', () => {
      if (key === 'counts') res.end(JSON.stringify(counts));
      else if (req.method === 'POST') void cause(key, req, res);
      else tell(key, res);
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('disconnect', () => process.exit());
}

if (process.argv[1] === import.meta.filename) serve(JSON.parse(process.argv[2] ?? '{}') as ProviderTask);
