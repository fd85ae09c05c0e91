// What people set of recall counts for the next answer, is entered in the record, and is theirs alone to set.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import { readTimeZone } from '../../src/memory/question/time-zone.ts';
import { changeRecall } from '../../src/recall/settings.ts';
import { allowedAge, readFreshness } from '../../src/recall/thresholds.ts';
import { type Ground, ground } from '../memory/ground.ts';

let g: Ground;
beforeEach(async () => {
  g = await ground();
});
afterEach(() => g.close());

const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
const owner = (orgId: string) => ({ kind: 'person' as const, orgId, memberId: 'mem_1', name: 'Ana' });
const entries = () =>
  g.org.read((db) =>
    db.selectFrom('audit_log').select('entry').where('kind', '=', 'settings.changed').execute(),
  );

test('an age of a kind, and of one provider, counts for the next answer, until it is taken back', async () => {
  const set = (freshness: { kind: string; provider?: string; ageMs: number | null }) =>
    changeRecall({ audit }, g.org, owner(g.org.orgId), { freshness, channel: 'test' });
  const age = async (provider: string) =>
    allowedAge('mail', { maxAgeMs: undefined, freshness: await readFreshness(g.org) }, { provider });
  await set({ kind: 'mail', ageMs: 60_000 });
  await set({ kind: 'mail', provider: 'gmail', ageMs: 0 });
  expect([await age('mailbox'), await age('gmail')]).toEqual([60_000, 0]);
  await set({ kind: 'mail', ageMs: null });
  expect([await age('mailbox'), await age('gmail')]).toEqual([15 * 60_000, 0]);
  expect((await entries()).map(({ entry }) => entry).join()).toContain('gmail mail: 0 ms');
});

test('a time zone counts for the next question; one that is none is named, and nothing is stored', async () => {
  const set = (timeZone: string | null) =>
    changeRecall({ audit }, g.org, owner(g.org.orgId), { timeZone, channel: 'test' });
  await set('Pacific/Auckland');
  expect(await readTimeZone(g.org)).toBe('Pacific/Auckland');
  await expect(set('Mars/North')).rejects.toMatchObject({ code: 'invalid_request', field: 'time zone' });
  expect(await readTimeZone(g.org)).toBe('Pacific/Auckland');
  expect(await entries()).toHaveLength(1);
});

test('attack: neither an agent nor a person of another org changes them', async () => {
  const change = { timeZone: 'Asia/Tokyo', channel: 'test' };
  for (const who of [owner('org_other'), { ...owner(g.org.orgId), kind: 'agent' as unknown as 'person' }])
    await expect(changeRecall({ audit }, g.org, who, change)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  expect(await entries()).toEqual([]);
});
