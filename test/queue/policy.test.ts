// An org's rules are kept, judged and taken away by people of that org alone; each change is recorded.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit.ts';
import type { Agent, Person } from '../../src/auth/principal.ts';
import { createPolicy, type OrgPolicy } from '../../src/queue/policy/policy.ts';
import type { PolicySubject } from '../../src/queue/room.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenDatabase } from './databases.ts';

describe.each(databases)('policy on $name', (ground) => {
  let database: OpenDatabase;
  let org: OrgStore;
  let policy: OrgPolicy;
  let ann: Person;
  let ben: Person;
  const entries: AuditEntry[] = [];

  beforeAll(async () => {
    database = await ground.open();
    org = await database.org();
    policy = createPolicy({
      audit: {
        append: async (_tx, orgId, at, entry) => {
          expect([orgId, at > 0]).toEqual([org.orgId, true]);
          entries.push(entry);
        },
      },
    });
    ann = { kind: 'person', orgId: org.orgId, memberId: 'mbr_ann', name: 'Ann' };
    ben = { ...ann, memberId: 'mbr_ben', name: 'Ben' };
  });
  afterAll(() => database.close());

  const subject: PolicySubject = {
    provider: 'hubspot',
    operation: 'create-note',
    effect: 'create',
    connectionId: 'con_1',
    account: '42',
    told: true,
    recipients: [],
    amount: undefined,
    at: 0,
    principal: { kind: 'agent', id: 'stdio', name: 'local client' },
  };
  const add = (rule: unknown, mine = false, person = ann) =>
    policy.add(org, person, { rule, mine, channel: 'terminal' });
  const remove = (id: string, person = ann) => policy.remove(org, person, { id, channel: 'page' });

  test('a rule holds from when it is added until it is removed, and stays in the store', async () => {
    expect((await policy.judge(org, subject)).outcome).toBe('ask');
    const rule = { name: 'Notes are free', match: { effects: ['create'] }, outcome: 'auto' };
    const added = await add(rule);
    expect(added).toMatchObject({ rule, memberId: undefined, createdBy: 'Ann' });
    const verdict = await policy.judge(org, subject);
    expect(verdict).toMatchObject({ outcome: 'auto', rule: added.id });
    await remove(added.id);
    expect(await policy.list(org)).toEqual([]);
    const after = await policy.judge(org, subject);
    expect(after.outcome).toBe('ask');
    expect(after.version).not.toBe(verdict.version);
    const rows = await org.read((db) => db.selectFrom('policy_rules').select(['id', 'removed_at']).execute());
    expect(rows).toEqual([{ id: added.id, removed_at: expect.any(Number) }]);
    await expect(remove(added.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(entries.map(({ kind, subject: about, by, channel }) => [kind, about, by.id, channel])).toEqual([
      ['policy.added', added.id, 'mbr_ann', 'terminal'],
      ['policy.removed', added.id, 'mbr_ann', 'page'],
    ]);
  });

  test('what is stored and is no rule asks, and can be removed', async () => {
    await add({ name: 'free', match: {}, outcome: 'auto' });
    const { id } = await add({ name: 'will break', match: {}, outcome: 'auto' });
    await org.write((tx) =>
      tx
        .updateTable('policy_rules')
        .set({ rule: '{"outcome":"auto"' })
        .where('org_id', '=', org.orgId)
        .where('id', '=', id)
        .execute(),
    );
    expect(await policy.judge(org, subject)).toMatchObject({ outcome: 'ask', rule: id });
    expect((await policy.list(org)).at(-1)).toMatchObject({ id, rule: undefined });
    await remove(id);
    expect((await policy.judge(org, subject)).outcome).toBe('auto');
    for (const left of await policy.list(org)) await remove(left.id);
  });

  test('a person’s own rule is removed by that person alone', async () => {
    const { id, memberId } = await add({ name: 'mine', match: {}, outcome: 'deny' }, true);
    expect(memberId).toBe('mbr_ann');
    await expect(remove(id, ben)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await policy.judge(org, { ...subject, decidedBy: 'mbr_ann' })).toMatchObject({ outcome: 'deny' });
    expect(await policy.judge(org, { ...subject, decidedBy: 'mbr_ben' })).toMatchObject({ outcome: 'ask' });
    await remove(id);
  });

  test('a rule that is none is refused with the field at fault, and nothing is stored', async () => {
    await expect(add({ name: 'x', match: { effects: ['read'] }, outcome: 'deny' })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'match.effects.0',
    });
    await expect(add('deny everything')).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await policy.list(org)).toEqual([]);
  });

  test('attack: an agent that got hold of the policy changes nothing', async () => {
    const agent = {
      kind: 'agent',
      orgId: org.orgId,
      agentId: 'stdio',
      name: 'x',
      scopes: ['propose'],
    } as Agent;
    const posing = agent as unknown as Person;
    const refused = { code: 'permission_denied' };
    await expect(add({ name: 'x', match: {}, outcome: 'auto' }, false, posing)).rejects.toMatchObject(
      refused,
    );
    await expect(remove('pol_1', posing)).rejects.toMatchObject(refused);
    await expect(policy.setSignedEffects(org, posing, { effects: [], channel: 'mcp' })).rejects.toMatchObject(
      refused,
    );
  });

  test('attack: rules of one org neither bind nor show in another, and its people change none here', async () => {
    const other = await database.otherOrg();
    const { id } = await add({ name: 'ours', match: {}, outcome: 'deny' });
    expect(await policy.list(other)).toEqual([]);
    expect((await policy.judge(other, subject)).outcome).toBe('ask');
    const stranger: Person = { ...ann, orgId: other.orgId };
    await expect(remove(id, stranger)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(policy.remove(other, stranger, { id, channel: 'page' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await remove(id);
  });

  test('effects that a passkey signs are kept, and no rule approves them any more', async () => {
    expect(await policy.signedEffects(org)).toEqual([]);
    const { id } = await add({ name: 'free', match: {}, outcome: 'auto' });
    const set = (effects: string[]) => policy.setSignedEffects(org, ann, { effects, channel: 'page' });
    expect(await set(['money', 'create'])).toEqual(['create', 'money']);
    expect(await policy.signedEffects(org)).toEqual(['create', 'money']);
    expect((await policy.judge(org, subject)).outcome).toBe('ask');
    await expect(set(['everything'])).rejects.toMatchObject({ field: 'effects' });
    await set([]);
    expect((await policy.judge(org, subject)).outcome).toBe('auto');
    expect(entries.at(-1)).toMatchObject({
      kind: 'policy.presence-changed',
      facts: { before: 'create,money', after: '' },
    });
    await remove(id);
  });

  test('a setting of signed effects that cannot be read asks for a passkey at every effect', async () => {
    await policy.setSignedEffects(org, ann, { effects: ['money'], channel: 'page' });
    await org.write((tx) =>
      tx
        .updateTable('org_settings')
        .set({ value: '"none"' })
        .where('org_id', '=', org.orgId)
        .where('name', '=', 'presence_effects')
        .execute(),
    );
    expect(await policy.signedEffects(org)).toEqual(['create', 'update', 'delete', 'send', 'money']);
  });
});
