// What enters the record: one entry for each move of an action, each move of a connection, and each change of
// keys and members, with who did it, by which road, and no personal value in the clear.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeys } from '../../src/auth/keys.ts';
import { createMembers } from '../../src/auth/members.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { agencyCatalog, agencyServer } from '../connections/agency.ts';
import { openOffice } from '../connections/office.ts';
import { addConnection, type World, worldOver } from '../queue/world.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { auditWith, pat } from './chain-of.ts';

const audit = auditWith();
const log = createLog({ level: 'silent' });

/** Oldest first. */
async function lines(org: OrgStore) {
  return (await audit.list(org, { limit: 500 })).reverse();
}

async function kinds(org: OrgStore, subject: string): Promise<string[]> {
  return (await lines(org)).filter((line) => line.subject === subject).map((line) => line.kind);
}

/** The hashed texts themselves. */
async function inTheClear(org: OrgStore): Promise<string> {
  const rows = await org.read((db) => db.selectFrom('audit_log').selectAll().execute());
  return JSON.stringify(rows);
}

describe.each(databases)('actions on $name', (database) => {
  let opened: OpenedDatabase;
  let world: World;

  beforeAll(async () => {
    opened = await database.open();
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    const org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
    await addConnection(org);
    world = worldOver(org, { audit });
  });

  test('an action that runs is proposed, approved, executing and completed, each by its own hand', async () => {
    const { org, queue } = world;
    const action = await world.approved({ to: 'bo@clients.example', text: 'The keys are at the desk' });
    await queue.runDue(org);
    const found = await lines(org);
    expect(found.map(({ kind, by, channel }) => [kind, by.kind, by.id, channel])).toEqual([
      ['action.proposed', 'agent', 'key_1', 'mcp'],
      ['action.approved', 'person', 'mem_1', 'terminal'],
      ['action.executing', 'executor', expect.any(String), 'executor'],
      ['action.completed', 'executor', expect.any(String), 'executor'],
    ]);
    for (const { subject, facts } of found) {
      expect(subject).toBe(action.id);
      expect(facts).toMatchObject({
        hash: action.payloadHash,
        provider: 'post',
        operation: 'send',
        effect: 'send',
        connection: 'con_1',
      });
    }
    expect(found[0]?.values).toMatchObject({ name: 'An assistant', summary: action.summary });
    expect(await inTheClear(org)).not.toMatch(/clients\.example|keys are at|Pat|An assistant/);
    expect(await audit.verify(org)).toMatchObject({ entries: 4, bad: undefined });
  });

  test('rejected, cancelled and unknown outcomes are recorded, with the words behind commitments', async () => {
    const { org, queue, person, agent, post } = world;
    const refused = await world.propose();
    await queue.decide(org, person, {
      actionId: refused.id,
      verdict: 'reject',
      hash: refused.payloadHash,
      reason: 'Bo has moved to Leeds',
      channel: 'page',
    });
    const taken = await world.propose();
    await queue.cancel(org, agent, taken.id, 'mcp');
    post.run = async (context) => {
      await context.aboutToSend();
      throw new Error('the line went dead');
    };
    const unclear = await world.approved();
    await queue.runDue(org);
    expect(await kinds(org, refused.id)).toEqual(['action.proposed', 'action.rejected']);
    expect(await kinds(org, taken.id)).toEqual(['action.proposed', 'action.cancelled']);
    expect((await kinds(org, unclear.id)).slice(0, 4)).toEqual([
      'action.proposed',
      'action.approved',
      'action.executing',
      'action.unknown',
    ]);
    const rejection = (await lines(org)).find((line) => line.kind === 'action.rejected');
    expect(rejection).toMatchObject({ by: { kind: 'person' }, channel: 'page' });
    expect(rejection?.values['detail']).toContain('Leeds');
    expect(await inTheClear(org)).not.toContain('Leeds');
  });

  test('every event of every action has exactly one entry', async () => {
    const { org, queue } = world;
    for (let n = 0; n < 5; n += 1) await world.approved();
    await world.propose();
    await Promise.all([queue.runDue(org), world.another().runDue(org)]);
    const events = await org.read((db) =>
      db.selectFrom('action_events').select(['action_id', 'to_status']).execute(),
    );
    const recorded = (await lines(org)).map(({ subject, facts }) => `${subject} ${facts['to']}`);
    expect(recorded.sort()).toEqual(events.map((row) => `${row.action_id} ${row.to_status}`).sort());
    expect(await audit.verify(org)).toMatchObject({ entries: events.length, bad: undefined });
  });

  test('a move that cannot be recorded is not made', async () => {
    const { org, person } = world;
    const action = await world.propose();
    const deaf = world.another({
      audit: {
        append: async () => {
          throw new Error('the record is full');
        },
      },
    });
    const decision = { actionId: action.id, verdict: 'approve', hash: action.payloadHash } as const;
    await expect(deaf.decide(org, person, { ...decision, channel: 'page' })).rejects.toThrow('is full');
    expect((await world.queue.get(org, action.id)).status).toBe('pending');
    expect(await kinds(org, action.id)).toEqual(['action.proposed']);
  });
});

describe('connections', () => {
  test('connecting, trouble and disconnecting are recorded with who did it, and no credential', async () => {
    const agency = await agencyServer();
    const { connections, org } = await openOffice(agencyCatalog, { options: { audit } });
    const given = { fields: { url: agency.url }, secrets: { token: 'token-one' } };
    const made = await connections.connect(org, 'agency', given, { by: pat, channel: 'terminal' });
    await connections.report(org, made.id, { error: new Error('broken') });
    await connections.disconnect(org, made.id, { by: pat, channel: 'page' });
    const found = await lines(org);
    expect(found.map(({ kind, by, channel }) => [kind, by.id, channel])).toEqual([
      ['connection.pending', 'mem_1', 'terminal'],
      ['connection.authorizing', 'mem_1', 'terminal'],
      ['connection.connected', 'mem_1', 'terminal'],
      ['connection.active', 'mem_1', 'terminal'],
      ['connection.error', 'drawbridge', 'provider'],
      ['connection.revoked', 'mem_1', 'page'],
      ['connection.deleted', 'mem_1', 'page'],
    ]);
    expect(found[3]).toMatchObject({
      subject: made.id,
      facts: { from: 'CONNECTED', to: 'ACTIVE', provider: 'agency' },
      values: { account: 'maria@example.com' },
    });
    expect(await inTheClear(org)).not.toMatch(/maria@|token-one/);
    expect(JSON.stringify(found)).not.toContain('token-one');
    expect((await audit.verify(org)).bad).toBeUndefined();
  });
});

describe.each(databases)('keys and members on $name', (database) => {
  test('each change is recorded with its maker, and a key no sooner opens than it is recorded', async () => {
    const opened = await database.open();
    try {
      const { store } = opened;
      const org = await store.forOrg(await store.createOrg('Brightwater Homes'));
      const record = { audit, by: pat, channel: 'terminal' };
      const keys = createKeys({ store, clock: systemClock, log });
      const { id, key } = await keys.create(org.orgId, 'Desk agent', ['read'], { record });
      await keys.revoke(org.orgId, id, record);
      const members = createMembers({ store, clock: systemClock, record });
      const ana = await members.add(org.orgId, { email: 'ana@home.example', name: 'Ana', role: 'member' });
      await members.unlink(org.orgId, 'ana@home.example');
      await members.remove(org.orgId, 'ana@home.example');
      const found = await lines(org);
      expect(found.map(({ kind, subject, by }) => [kind, subject, by.id])).toEqual([
        ['key.created', id, 'mem_1'],
        ['key.revoked', id, 'mem_1'],
        ['member.added', ana.id, 'mem_1'],
        ['member.unlinked', ana.id, 'mem_1'],
        ['member.removed', ana.id, 'mem_1'],
      ]);
      const text = await inTheClear(org);
      expect(text).not.toMatch(/Desk agent|ana@home/);
      expect(text + JSON.stringify(found)).not.toContain(key.reveal());

      const full = async () => {
        throw new Error('the record is full');
      };
      const unrecorded = keys.create(org.orgId, 'Quiet', ['read'], {
        record: { ...record, audit: { append: full } },
      });
      await expect(unrecorded).rejects.toThrow('is full');
      expect((await keys.list(org.orgId)).map((one) => one.name)).toEqual(['Desk agent']);
    } finally {
      await opened.close();
    }
  });
});
