// Clocks jump. Nothing runs twice for it, nothing is given up for it at once, and nothing hangs for it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ground, OpenDatabase } from './databases.ts';
import { hour, type World, worldOver } from './world.ts';

export const clockPromises = ({ open }: Ground) =>
  describe('clock', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const run = () => world.queue.runDue(world.org);
    const look = (action: { id: string }) => world.queue.get(world.org, action.id);

    test('a clock that jumps two days ahead and back expires nothing', async () => {
      const action = await world.propose();
      await run();
      world.clock.jump(48 * hour);
      await run();
      world.clock.advance(60_000);
      await run();
      await expect(world.approve(action)).rejects.toMatchObject({ code: 'conflict' });
      expect((await look(action)).status).toBe('pending');
      world.clock.jump(-48 * hour);
      await run();
      expect((await world.approve(action)).status).toBe('approved');
    });

    test('a clock that stays ahead is believed after five minutes', async () => {
      const action = await world.propose();
      await run();
      world.clock.jump(48 * hour);
      await run();
      world.clock.advance(5 * 60_000);
      await run();
      expect((await look(action)).status).toBe('expired');
    });

    test('a jump ahead while an action runs takes it from nobody that still renews its lease', async () => {
      const second = world.another();
      await second.runDue(world.org);
      const action = await world.approved();
      world.post.run = async (context) => {
        await context.aboutToSend();
        world.clock.jump(hour);
        await second.runDue(world.org);
        expect((await look(action)).status).toBe('executing');
        world.post.arrived.push(context.effectKey);
        return { reference: 'once', details: {} };
      };
      await run();
      expect(await look(action)).toMatchObject({ status: 'completed', outcome: { reference: 'once' } });
      expect(world.post.runs).toBe(1);
    });

    test('a jump ahead before sending costs a try, never a second effect', async () => {
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        if (world.post.runs === 1) world.clock.jump(hour);
        return send(context, payload);
      };
      const action = await world.approved();
      await run();
      expect(world.post.arrived).toEqual([]);
      world.clock.advance(5_000);
      await run();
      expect(world.post.arrived).toHaveLength(1);
      expect((await look(action)).status).toBe('completed');
    });

    test('a clock set back a year leaves no lease of a dead process, no rest and no look-up hanging', async () => {
      const dead = world.another({
        checkpoint: (step) => {
          // As far as the database can tell, the process ended here.
          if (step === 'after-claim') throw new Error('killed');
        },
      });
      const action = await world.approved();
      await dead.runDue(world.org);
      expect((await look(action)).status).toBe('executing');
      world.clock.jump(-365 * 24 * hour);
      await run();
      expect((await look(action)).status).toBe('executing');
      world.clock.advance(30_000);
      await run();
      expect((await look(action)).status).toBe('completed');
      expect(world.post.arrived).toHaveLength(1);

      world.post.run = async (context) => {
        await context.aboutToSend();
        world.post.arrived.push(context.effectKey);
        throw new Error('the line went dead');
      };
      const unclear = await world.approved();
      await run();
      world.clock.jump(-365 * 24 * hour);
      await run();
      expect((await look(unclear)).status).toBe('completed');
      expect(world.post.arrived).toHaveLength(2);
    });
  });
