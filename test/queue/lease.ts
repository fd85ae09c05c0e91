// One executor at a time runs an action: the lease says which, and a former holder can do nothing more.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ground, OpenDatabase } from './databases.ts';
import { type World, worldOver } from './world.ts';

export const leasePromises = ({ open }: Ground) =>
  describe('lease', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const run = () => world.queue.runDue(world.org);
    const look = (action: { id: string }) => world.queue.get(world.org, action.id);
    const moves = async (action: { id: string }) =>
      (await world.queue.events(world.org, action.id)).map((event) => event.to);

    test('of executors in three processes that run at once, one runs the action', async () => {
      const actions = [];
      for (let i = 0; i < 6; i += 1) actions.push(await world.approved());
      const second = await database.again();
      const third = await database.again();
      const at = (org: typeof second) => ({ ...org, now: async () => world.clock.now() });
      await Promise.all([run(), world.another().runDue(at(second)), world.another().runDue(at(third))]);
      expect(world.post.runs).toBe(6);
      expect(new Set(world.post.arrived).size).toBe(6);
      for (const action of actions) {
        expect(await moves(action)).toEqual(['pending', 'approved', 'executing', 'completed']);
      }
    });

    test('a run that lost its lease before sending may not send, and its write is refused', async () => {
      const action = await world.approved();
      const second = world.another();
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        if (world.post.runs === 1) {
          // The process stands still (its timers too) while database time goes on past its lease; another one
          // takes the action and does it.
          world.clock.jump(31_000);
          await second.runDue(world.org);
        }
        return send(context, payload);
      };
      await run();
      expect(world.post.runs).toBe(2);
      expect(world.post.arrived).toHaveLength(1);
      expect((await look(action)).status).toBe('completed');
      expect(await moves(action)).toEqual([
        'pending',
        'approved',
        'executing',
        'approved',
        'executing',
        'completed',
      ]);
    });

    test('a run whose lease another one holds and uses may not send, and ends nothing', async () => {
      const action = await world.approved();
      const second = world.another();
      const secondBegan = Promise.withResolvers<void>();
      const firstEnded = Promise.withResolvers<void>();
      const send = world.post.run;
      let secondRun: Promise<number> | undefined;
      world.post.run = async (context, payload) => {
        if (world.post.runs === 1) {
          world.clock.jump(31_000);
          secondRun = second.runDue(world.org);
          await secondBegan.promise;
        } else {
          secondBegan.resolve();
          await firstEnded.promise;
        }
        return send(context, payload);
      };
      await run();
      expect(world.post.arrived).toEqual([]);
      expect((await look(action)).status).toBe('executing');
      firstEnded.resolve();
      await secondRun;
      expect(world.post.arrived).toHaveLength(1);
      expect((await look(action)).status).toBe('completed');
    });

    test('a run that lost its lease while sending cannot write its end; what it learnt is kept as evidence', async () => {
      world.post.idempotency = 'none';
      const action = await world.approved();
      const second = world.another();
      world.post.run = async (context) => {
        await context.aboutToSend();
        world.post.arrived.push('sent');
        world.clock.jump(31_000);
        await second.runDue(world.org);
        expect((await look(action)).status).toBe('unknown');
        return { reference: 'late-1', details: {} };
      };
      await run();
      expect(await look(action)).toMatchObject({
        status: 'unknown',
        outcome: { evidence: expect.arrayContaining([expect.stringContaining('late-1')]) },
      });
      expect(world.post.arrived).toHaveLength(1);
    });

    test('while it runs its lease is renewed, so nobody else takes it', async () => {
      const action = await world.approved();
      const second = world.another();
      world.post.run = async (context) => {
        await context.aboutToSend();
        for (let i = 0; i < 4; i += 1) {
          await world.clock.asleep((ms) => ms === 10_000);
          const before = await leaseOf(action.id);
          world.clock.advance(10_000);
          while ((await leaseOf(action.id)) === before) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          await second.runDue(world.org);
        }
        return { reference: 'slow', details: {} };
      };
      await run();
      expect(await look(action)).toMatchObject({ status: 'completed', outcome: { reference: 'slow' } });
      expect(world.post.runs).toBe(1);
    });

    const leaseOf = async (id: string) =>
      (
        await world.org.read((db) =>
          db.selectFrom('action_queue').select('lease_until').where('id', '=', id).executeTakeFirst(),
        )
      )?.lease_until;

    test('an operation that never ends is given up: unknown, and its signal is aborted', async () => {
      const action = await world.approved();
      const stopped = Promise.withResolvers<void>();
      world.post.run = async (context) => {
        await context.aboutToSend();
        context.signal?.addEventListener('abort', () => stopped.resolve());
        return new Promise(() => undefined);
      };
      const running = run();
      await world.clock.asleep((ms) => ms === 15 * 60_000);
      while (world.post.runs === 0 || (await sendingAt(action.id)) === null) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      world.clock.advance(15 * 60_000);
      await stopped.promise;
      await running;
      expect((await look(action)).status).toBe('unknown');
    });

    const sendingAt = async (id: string) =>
      (
        await world.org.read((db) =>
          db.selectFrom('action_queue').select('sending_at').where('id', '=', id).executeTakeFirst(),
        )
      )?.sending_at;
  });
