// What is unknown is looked up, never sent again, and settled by proof or by a person.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ground, OpenDatabase } from './databases.ts';
import { DrawbridgeError, hour, type World, worldOver } from './world.ts';

export const reconcilePromises = ({ open }: Ground) =>
  describe('reconcile', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const run = () => world.queue.runDue(world.org);
    const look = (action: { id: string }) => world.queue.get(world.org, action.id);

    async function unclear(arrives: boolean) {
      world.post.run = async (context) => {
        await context.aboutToSend();
        if (arrives) world.post.arrived.push(context.effectKey);
        throw new DrawbridgeError('network', 'The line went dead.');
      };
      const action = await world.approved();
      await run();
      expect((await look(action)).status).toBe('unknown');
      return action;
    }

    test('an effect that the look-up finds is completed, and says that it was found so', async () => {
      const action = await unclear(true);
      expect(await run()).toBe(0);
      world.clock.advance(5_000);
      expect(await run()).toBe(1);
      expect(await look(action)).toMatchObject({
        status: 'completed',
        outcome: { kind: 'completed', found: 'by look-up', reference: `found-${world.post.arrived[0]}` },
      });
      expect(world.post.runs).toBe(1);
    });

    test('absence that proves nothing leaves it unknown; it is looked up ever more rarely, then a person is asked', async () => {
      const action = await unclear(false);
      const looked: number[] = [];
      for (let minute = 0; minute < 40 * 60; minute += 60) {
        const before = world.post.lookUps;
        await run();
        if (world.post.lookUps > before) looked.push(minute);
        world.clock.advance(60 * 60_000);
      }
      expect(world.post.lookUps).toBe(7);
      expect(looked).toEqual([60, 120, 180, 240, 300, 660, 2100]);
      const { status, outcome } = await look(action);
      expect(status).toBe('unknown');
      expect(outcome?.kind === 'unknown' ? outcome.evidence : []).toHaveLength(8);
      expect(world.post.runs).toBe(1);
    });

    test('absence that proves it is failed, but not before a late request would have arrived', async () => {
      world.post.lookUp = async () => ({
        found: false,
        conclusive: true,
        evidence: 'There is no such letter.',
      });
      const action = await unclear(false);
      world.clock.advance(5_000);
      await run();
      expect((await look(action)).status).toBe('unknown');
      world.clock.advance(30_000);
      await run();
      expect(await look(action)).toMatchObject({
        status: 'failed',
        outcome: { code: 'not_found', message: expect.stringContaining('did not happen') },
      });
      expect(world.post.runs).toBe(1);
    });

    test('a look-up that fails or never ends is evidence, and is made again', async () => {
      const action = await unclear(true);
      const real = world.post.lookUp;
      world.post.lookUp = async () => {
        throw new DrawbridgeError('provider_unavailable', 'The post office is closed.');
      };
      world.clock.advance(5_000);
      await run();
      expect(await look(action)).toMatchObject({
        status: 'unknown',
        outcome: { evidence: expect.arrayContaining([expect.stringContaining('closed')]) },
      });
      world.post.lookUp = () => new Promise(() => undefined);
      world.clock.advance(30_000);
      const running = run();
      await world.clock.asleep((ms) => ms === 60_000);
      world.clock.advance(60_000);
      await running;
      expect((await look(action)).status).toBe('unknown');
      world.post.lookUp = real;
      world.clock.advance(2 * 60_000);
      await run();
      expect((await look(action)).status).toBe('completed');
    });

    test('a look-up cannot send', async () => {
      const action = await unclear(true);
      world.post.lookUp = async (context) => {
        await context.aboutToSend();
        world.post.arrived.push('again');
        return { found: false, conclusive: true, evidence: '' };
      };
      world.clock.advance(hour);
      await run();
      expect(world.post.arrived).toHaveLength(1);
      expect((await look(action)).status).toBe('unknown');
    });

    test('what cannot be looked up waits for a person at once', async () => {
      world.post.idempotency = 'none';
      const action = await unclear(true);
      world.clock.advance(5_000);
      await run();
      world.clock.advance(100 * hour);
      await run();
      const { status, outcome } = await look(action);
      expect(status).toBe('unknown');
      expect(outcome?.kind === 'unknown' ? outcome.evidence : []).toHaveLength(2);
    });

    test('a person says what became of it, with a reason, once', async () => {
      for (const happened of [true, false]) {
        const action = await unclear(happened);
        const settle = (reason: string) =>
          world.queue.settle(world.org, world.person, {
            actionId: action.id,
            happened,
            reason,
            channel: 'terminal',
          });
        await expect(settle(' ')).rejects.toMatchObject({ code: 'invalid_request', field: 'reason' });
        const settled = await settle('Bo called.');
        expect(settled.status).toBe(happened ? 'completed' : 'failed');
        expect(JSON.stringify(settled.outcome)).toContain('Bo called.');
        await expect(settle('Bo called.')).rejects.toMatchObject({ code: 'conflict' });
      }
      const pending = await world.propose();
      await expect(
        world.queue.settle(world.org, world.person, {
          actionId: pending.id,
          happened: true,
          reason: 'x',
          channel: 'terminal',
        }),
      ).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('approve or reject') });
    });

    test('of two processes that look up at once, one asks the provider', async () => {
      const action = await unclear(true);
      world.clock.advance(5_000);
      const second = await database.again();
      const other = { ...second, now: async () => world.clock.now() };
      await Promise.all([run(), world.another().runDue(other)]);
      expect(world.post.lookUps).toBe(1);
      expect((await look(action)).status).toBe('completed');
    });
  });
