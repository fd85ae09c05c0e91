// Only a person decides, on exactly what was shown, once; and only the moves of the table are ever made.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Person } from '../../src/auth/principal.ts';
import { allowedMoves, move } from '../../src/queue/moves.ts';
import type { ActionStatus, OrgTables } from '../../src/store/tables.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { hour, type World, worldOver } from './world.ts';

export const decidePromises = ({ open }: Ground) =>
  describe('decide', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const statuses = Object.keys(allowedMoves) as ActionStatus[];
    const force = (id: string, status: ActionStatus) =>
      world.org.write((tx) =>
        tx
          .updateTable('action_queue')
          .set({ status, lease_owner: null, lease_until: null })
          .where('org_id', '=', world.org.orgId)
          .where('id', '=', id)
          .execute(),
      );

    test('each allowed move leaves one event, and every other move is refused', async () => {
      for (const from of statuses) {
        for (const to of statuses) {
          const action = await world.propose();
          await force(action.id, from);
          const made = world.org.write((tx) =>
            move({}, tx, world.org.orgId, {
              actionId: action.id,
              from,
              to,
              at: 1,
              by: { kind: 'clock', id: 'clock', name: 'clock' },
              channel: 'clock',
            }),
          );
          if (allowedMoves[from].includes(to)) {
            expect((await made)?.status).toBe(to);
            expect(await world.queue.events(world.org, action.id)).toHaveLength(2);
          } else {
            await expect(made).rejects.toThrow(`from ${from} to ${to}`);
            expect((await world.queue.get(world.org, action.id)).status).toBe(from);
            expect(await world.queue.events(world.org, action.id)).toHaveLength(1);
          }
        }
      }
    });

    test('a move from a state that the action has left changes nothing and leaves no event', async () => {
      const action = await world.approved();
      const moved = await world.org.write((tx) =>
        move({}, tx, world.org.orgId, {
          actionId: action.id,
          from: 'pending',
          to: 'rejected',
          at: 1,
          by: { kind: 'clock', id: 'clock', name: 'clock' },
          channel: 'clock',
        }),
      );
      expect(moved).toBeUndefined();
      expect((await world.queue.get(world.org, action.id)).status).toBe('approved');
      expect(await world.queue.events(world.org, action.id)).toHaveLength(2);
    });

    test('a lease that was renewed, or under which sending began, since it was read is not taken back', async () => {
      for (const since of [{ lease_until: 9 }, { sending_at: 9 }, { fencing: 9 }]) {
        const action = await world.propose();
        const read = { fencing: 1, lease_until: 5, sending_at: null };
        const set = (values: Partial<OrgTables['action_queue']>) =>
          world.org.write((tx) =>
            tx
              .updateTable('action_queue')
              .set(values)
              .where('org_id', '=', world.org.orgId)
              .where('id', '=', action.id)
              .execute(),
          );
        await set({ status: 'executing', lease_owner: 'other', ...read });
        await set(since);
        const moved = await world.org.write((tx) =>
          move({}, tx, world.org.orgId, {
            actionId: action.id,
            from: 'executing',
            to: 'approved',
            at: 10,
            by: { kind: 'executor', id: 'x', name: 'executor' },
            channel: 'executor',
            unchanged: read,
          }),
        );
        expect(moved).toBeUndefined();
        expect((await world.queue.get(world.org, action.id)).status).toBe('executing');
      }
    });

    test('a person approves or rejects, and the record says who, where, why and on which hash', async () => {
      const action = await world.propose();
      const rejected = await world.queue.decide(world.org, world.person, {
        actionId: action.id,
        verdict: 'reject',
        hash: action.payloadHash,
        reason: 'wrong Bo',
        channel: 'page',
      });
      expect(rejected).toMatchObject({
        status: 'rejected',
        decidedBy: { name: 'Pat' },
        decisionChannel: 'page',
        decisionReason: 'wrong Bo',
        decidedAt: world.clock.now(),
        finishedAt: world.clock.now(),
      });
      expect((await world.queue.events(world.org, action.id)).at(-1)).toMatchObject({
        from: 'pending',
        to: 'rejected',
        by: { kind: 'person', name: 'Pat' },
        channel: 'page',
        detail: { hash: action.payloadHash, reason: 'wrong Bo' },
      });
      expect(await world.queue.runDue(world.org)).toBe(0);
      expect(world.post.runs).toBe(0);
    });

    test('an agent that poses as a person by type cannot decide or settle, nor can anyone through MCP', async () => {
      const action = await world.propose();
      const posing = world.agent as unknown as Person;
      await expect(
        world.queue.decide(world.org, world.person, {
          actionId: action.id,
          verdict: 'approve',
          hash: action.payloadHash,
          channel: 'mcp',
        }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        world.queue.decide(world.org, posing, {
          actionId: action.id,
          verdict: 'approve',
          hash: action.payloadHash,
          channel: 'page',
        }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        world.queue.settle(world.org, posing, {
          actionId: action.id,
          happened: true,
          reason: 'trust me',
          channel: 'page',
        }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        world.queue.decide(
          world.org,
          { ...world.person, orgId: 'org_2' },
          {
            actionId: action.id,
            verdict: 'approve',
            hash: action.payloadHash,
            channel: 'page',
          },
        ),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      expect((await world.queue.get(world.org, action.id)).status).toBe('pending');
    });

    test('another hash than the stored one decides nothing', async () => {
      const action = await world.propose();
      const other = await world.propose();
      await expect(world.approve({ ...action, payloadHash: other.payloadHash })).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('not what is stored'),
      });
      expect((await world.queue.get(world.org, action.id)).status).toBe('pending');
    });

    test('a payload changed in the database under its old hash cannot be approved', async () => {
      const action = await world.propose({ to: 'bo@b.example' });
      await world.org.write((tx) =>
        tx
          .updateTable('action_queue')
          .set({ payload: '{"copies":1,"text":"(no text)","to":"eve@e.example"}' })
          .where('org_id', '=', world.org.orgId)
          .where('id', '=', action.id)
          .execute(),
      );
      await expect(world.approve(action)).rejects.toMatchObject({ code: 'conflict' });
    });

    test('of two people who decide at once one succeeds, and the other reads what became of it', async () => {
      const action = await world.propose();
      const decide = (from: World, verdict: 'approve' | 'reject') =>
        from.queue.decide(from.org, from.person, {
          actionId: action.id,
          verdict,
          hash: action.payloadHash,
          channel: 'page',
        });
      const other = worldOver(await database.again());
      const results = await Promise.allSettled([decide(world, 'approve'), decide(other, 'reject')]);
      expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      const refused = results.find((one) => one.status === 'rejected');
      expect(refused?.reason).toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/was (approved|rejected) already/),
      });
      expect(await world.queue.events(world.org, action.id)).toHaveLength(2);
    });

    test('what nobody decided in time is expired by database time, in the sweep or when someone tries', async () => {
      const swept = await world.propose();
      const tried = await world.propose();
      world.clock.advance(24 * hour - 1);
      expect(await world.queue.runDue(world.org)).toBe(0);
      world.clock.advance(1);
      await expect(world.approve(tried)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('expired'),
      });
      expect((await world.queue.get(world.org, tried.id)).status).toBe('expired');
      expect(await world.queue.runDue(world.org)).toBe(1);
      expect(await world.queue.get(world.org, swept.id)).toMatchObject({
        status: 'expired',
        finishedAt: world.clock.now(),
      });
      await expect(world.approve(swept)).rejects.toMatchObject({ code: 'conflict' });
    });

    test('its proposer or a person takes back what has not begun, nobody else does', async () => {
      const pending = await world.propose();
      const stranger = { ...world.agent, agentId: 'key_2' };
      await expect(world.queue.cancel(world.org, stranger, pending.id, 'mcp')).rejects.toMatchObject({
        code: 'permission_denied',
      });
      expect(await world.queue.cancel(world.org, world.agent, pending.id, 'mcp')).toMatchObject({
        status: 'cancelled',
      });
      await expect(world.approve(pending)).rejects.toMatchObject({
        message: expect.stringContaining('taken back'),
      });
      const approved = await world.approved();
      expect(await world.queue.cancel(world.org, world.person, approved.id, 'page')).toMatchObject({
        status: 'cancelled',
      });
      const done = await world.approved();
      await world.queue.runDue(world.org);
      await expect(world.queue.cancel(world.org, world.person, done.id, 'page')).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('has been done'),
      });
      expect(world.post.runs).toBe(1);
    });

    test('listeners hear each move after it is stored, and one that throws disturbs nobody', async () => {
      const heard: string[] = [];
      world.queue.onMove(() => {
        throw new Error('deaf');
      });
      const leave = world.queue.onMove((orgId, action) =>
        heard.push(`${orgId === world.org.orgId} ${action.status}`),
      );
      await world.approved();
      await world.queue.runDue(world.org);
      expect(heard).toEqual(['true pending', 'true approved', 'true executing', 'true completed']);
      leave();
      await world.propose();
      expect(heard).toHaveLength(4);
    });
  });
