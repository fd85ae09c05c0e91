// Answers that know their age: asked again where they are too old, marked where that failed.
import { expect, test } from 'vitest';
import { verdictOf } from '../../src/recall/verdict.ts';
import { down, openCrm } from './crm.ts';

const minute = 60_000;
const told = ({ answer, judge }: Awaited<ReturnType<Awaited<ReturnType<typeof openCrm>>['ask']>>) =>
  answer.passages.map((p) => ({ text: p.text, freshness: verdictOf(p, judge).freshness }));

test('what is young enough is answered without asking anybody', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street, stage offer');
  await crm.sync();
  crm.asked.length = 0;
  crm.office.clock.advance(14 * minute);
  expect(told(await crm.ask('Elm Street'))).toEqual([
    { text: 'Elm Street, stage offer', freshness: 'fresh' },
  ]);
  expect(crm.asked).toEqual([]);
});

test('a deal that is too old is read by its id, answered as it stands now, and kept', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street, stage offer');
  await crm.sync();
  crm.asked.length = 0;
  crm.office.clock.advance(16 * minute);
  crm.put('1', 'Elm Street, stage signed');
  expect(told(await crm.ask('Elm Street'))).toEqual([
    { text: 'Elm Street, stage signed', freshness: 'live' },
  ]);
  expect(crm.asked).toContain('1');
  expect(crm.asked.length).toBeLessThanOrEqual(2);
  crm.asked.length = 0;
  crm.office.clock.advance(minute);
  expect(told(await crm.ask('Elm Street'))).toEqual([
    { text: 'Elm Street, stage signed', freshness: 'fresh' },
  ]);
  expect(crm.asked).toEqual([]);
});

test('a question without hits asks an account of which something may be missing: coverage, not hits', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street');
  await crm.sync();
  crm.asked.length = 0;
  crm.office.clock.advance(16 * minute);
  crm.put('2', 'Birch Lane, new');
  expect(told(await crm.ask('Birch Lane')).map(({ text }) => text)).toContain('Birch Lane, new');
  expect(crm.asked).toContain('sync');
});

test('a record that the live read finds deleted is out of the answer at once', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street, stage offer');
  await crm.sync();
  crm.office.clock.advance(16 * minute);
  crm.deals.delete('1');
  expect(told(await crm.ask('Elm Street'))).toEqual([]);
});

test('maxAge 0 is asked live, however young memory is', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street');
  await crm.sync();
  crm.asked.length = 0;
  crm.put('1', 'Elm Street, changed');
  crm.office.clock.advance(1);
  expect(told(await crm.ask('Elm Street', { maxAgeMs: 0 }))).toEqual([
    { text: 'Elm Street, changed', freshness: 'live' },
  ]);
  expect(crm.asked.length).toBe(2);
});

test('a provider that fails: what memory holds, marked stale, with the reason', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street');
  await crm.sync();
  crm.office.clock.advance(16 * minute);
  crm.before.answer = async () => {
    throw down();
  };
  const recalled = await crm.ask('Elm Street');
  expect(told(recalled)).toEqual([{ text: 'Elm Street', freshness: 'stale' }]);
  expect(recalled.notes.join('\n')).toMatch(/CRM is down for maintenance/);
});

test('a provider that does not answer costs three seconds in all, and what it brings is there for the next', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street');
  await crm.sync();
  const { clock } = crm.office;
  clock.advance(16 * minute);
  crm.put('1', 'Elm Street, at last');
  const { promise: hanging, resolve: answer } = Promise.withResolvers<void>();
  crm.before.answer = () => hanging;
  const slept: number[] = [];
  const rooms = {
    ...crm.rooms,
    clock: { ...clock, sleep: async (ms: number) => void slept.push(ms) },
  };
  const { recall } = await import('../../src/recall/recall.ts');
  const recalled = await recall(
    rooms,
    crm.office.org,
    { question: 'Elm Street', limit: 5 },
    { maxAgeMs: undefined },
  );
  expect(told(recalled)).toEqual([{ text: 'Elm Street', freshness: 'stale' }]);
  expect(recalled.notes.join('\n')).toMatch(/still being asked/);
  expect(slept).toEqual([3_000]);
  crm.before.answer = async () => undefined;
  answer();
  await crm.sync();
  expect(told(await crm.ask('Elm Street'))[0]?.text).toBe('Elm Street, at last');
});

test('twenty who ask at once are one read', async () => {
  const crm = await openCrm();
  crm.put('1', 'Elm Street');
  await crm.sync();
  crm.asked.length = 0;
  crm.office.clock.advance(16 * minute);
  const { promise: hanging, resolve: answer } = Promise.withResolvers<void>();
  crm.before.answer = () => hanging;
  const all = Array.from({ length: 20 }, () => crm.ask('Elm Street'));
  while (crm.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answer();
  for (const recalled of await Promise.all(all)) expect(told(recalled)[0]?.freshness).toBe('live');
  expect(crm.asked.sort()).toEqual(['1', 'sync']);
});

test('the threshold is what the org set, else what the feed declares, else the kind’s', async () => {
  const crm = await openCrm({ freshMs: 2 * minute });
  const { org, clock } = crm.office;
  crm.put('1', 'Elm Street');
  await crm.sync();
  clock.advance(3 * minute);
  crm.before.answer = async () => {
    throw down();
  };
  expect(told(await crm.ask('Elm Street'))[0]?.freshness).toBe('stale');
  const set = (value: object) =>
    org.write((tx) =>
      tx
        .insertInto('org_settings')
        .values({ org_id: org.orgId, name: 'freshness', value: JSON.stringify(value), updated_at: 1 })
        .onConflict((known) =>
          known.columns(['org_id', 'name']).doUpdateSet({ value: JSON.stringify(value) }),
        )
        .execute(),
    );
  await set({ kinds: { deal: 10 * minute } });
  expect(told(await crm.ask('Elm Street'))[0]?.freshness).toBe('fresh');
  await set({ kinds: { deal: 10 * minute }, providers: { crm: { deal: minute } } });
  expect(told(await crm.ask('Elm Street'))[0]?.freshness).toBe('stale');
});

test('what is hidden from agents is not asked for them either', async () => {
  const crm = await openCrm();
  const { org } = crm.office;
  crm.put('1', 'Elm Street');
  await crm.sync();
  crm.asked.length = 0;
  const { recall } = await import('../../src/recall/recall.ts');
  const viewer = {
    readerNames: undefined,
    hidden: { kinds: [], connections: [crm.connection.id], labels: [] },
  };
  const recalled = await recall(
    crm.rooms,
    { ...org, viewer },
    { question: 'Elm Street', limit: 5 },
    { maxAgeMs: 0 },
  );
  expect(recalled.answer.passages).toEqual([]);
  expect(crm.asked).toEqual([]);
});

test.each([
  ['its records can be read by id', true],
  ['it can only be synced', false],
])(
  'a day at a provider that changes one record in twenty an hour, where %s: nothing old is given unmarked',
  async (_, direct) => {
    const crm = await openCrm({ direct });
    const { clock } = crm.office;
    const count = 60;
    const name = (n: number) => `record${n}`;
    for (let n = 0; n < count; n += 1) crm.put(`${n}`, `${name(n)} state 0`);
    await crm.sync();
    /** Texts by record, with the time since when each stood at the provider. */
    const threshold = 15 * minute;
    const history = new Map(
      [...crm.deals].map(([id, { text }]) => [id, [{ text, until: Number.POSITIVE_INFINITY }]]),
    );
    const marks = { fresh: 0, live: 0, stale: 0 };
    let turn = 0;
    let broken = false;
    crm.before.answer = async () => {
      if (broken) throw down();
    };
    // 5 % of sixty an hour: one in twenty minutes; asked every seven. A third of the time the provider is down.
    for (let at = 0; at < 24 * 60; at += 1) {
      clock.advance(minute);
      broken = at % 180 >= 120;
      if (at % 20 === 0) {
        turn += 1;
        const id = `${(turn * 17) % count}`;
        const versions = history.get(id) ?? [];
        const last = versions.at(-1);
        if (last !== undefined) last.until = clock.now();
        const text = `${name(Number(id))} state ${turn}`;
        versions.push({ text, until: Number.POSITIVE_INFINITY });
        crm.put(id, text);
      }
      if (at % 7 !== 0) continue;
      const asked = (at * 13) % count;
      const recalled = await crm.ask(name(asked), { limit: 3 });
      for (const passage of recalled.answer.passages) {
        const { freshness } = verdictOf(passage, recalled.judge);
        marks[freshness] += 1;
        const id = passage.externalId.slice('deals/'.length);
        const version = history.get(id)?.find(({ text }) => text === passage.text);
        expect(version).toBeDefined();
        const outOfDateFor = clock.now() - (version?.until ?? 0);
        if (freshness === 'live') expect(outOfDateFor).toBeLessThanOrEqual(0);
        if (freshness === 'fresh') expect(outOfDateFor).toBeLessThanOrEqual(threshold);
      }
    }
    // The soak has seen all three: else it has shown nothing.
    for (const mark of Object.values(marks)) expect(mark).toBeGreaterThan(10);
  },
);
