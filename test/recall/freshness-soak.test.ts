// Two days at a provider that changes a twentieth of its records an hour, synced every six hours: whatever memory
// answers with is what the provider has, or was so within its time, or is marked.
import { expect, test } from 'vitest';
import { syncConnection } from '../../src/jobs/sync.ts';
import { allowedAge } from '../../src/recall/thresholds.ts';
import { verdictOf } from '../../src/recall/verdict.ts';
import { log } from '../connections/office.ts';
import { note, notesScene } from '../jobs/notes-provider.ts';

const hour = 3_600_000;
const records = 100;

test('no answer that is older than its time is given without its mark', async () => {
  const history: { id: string; version: number }[] = [];
  const now = new Map<string, { version: number; since: number }>();
  const all = await notesScene(
    {
      async *notes(cursor) {
        const changed = new Set(history.slice(Number(cursor ?? 0)).map(({ id }) => id));
        const records_ = [...changed].map((id) => ({
          ...note(id, `harbour record ${id} version${now.get(id)?.version}`),
          kind: 'deal' as const,
        }));
        yield { records: records_, deleted: [], cursor: history.length };
      },
    },
    { kinds: { notes: ['deal'] } },
  );
  const { org, clock, connections, connection, memory } = all;
  const change = (n: number) => {
    const id = `n${n % records}`;
    const version = (now.get(id)?.version ?? 0) + 1;
    now.set(id, { version, since: clock.now() });
    history.push({ id, version });
  };
  for (let n = 0; n < records; n += 1) change(n);
  await syncConnection({ ...all, log });
  let stale = 0;
  let outdated = 0;
  for (let quarter = 1; quarter <= 48 * 4; quarter += 1) {
    clock.advance(hour / 4);
    if (quarter % 4 === 0) for (let n = 0; n < records / 20; n += 1) change(quarter * 7 + n * 13);
    if (quarter % 24 === 0) await syncConnection({ ...all, log });
    if (quarter % 3 !== 0 && quarter % 24 > 1) continue;
    const judged = new Map([[connection.id, await connections.get(org, connection.id)]]);
    const { passages } = await memory.search(org, { question: 'harbour record', limit: records });
    expect(passages.length).toBeGreaterThan(20);
    for (const passage of passages) {
      const { freshness } = verdictOf(passage, {
        connections: judged,
        now: clock.now(),
        maxAgeMs: undefined,
      });
      const there = now.get(passage.title);
      const isCurrent = passage.text.includes(`version${there?.version}`);
      if (freshness === 'stale') stale += 1;
      if (isCurrent) continue;
      outdated += 1;
      const wrongFor = clock.now() - (there?.since ?? 0);
      const allowed = allowedAge('deal', { maxAgeMs: undefined }, judged.get(connection.id));
      expect(
        freshness === 'stale' || wrongFor <= allowed,
        `${passage.title}: ${wrongFor / 60_000} minutes`,
      ).toBe(true);
    }
  }
  // Both were met, or this would show nothing.
  expect(stale).toBeGreaterThan(100);
  expect(outdated).toBeGreaterThan(20);
});
