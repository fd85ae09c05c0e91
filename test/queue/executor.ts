// The executor keeps going: woken by an approval, undisturbed by errors, and stopped only after what runs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Action, Queue } from '../../src/queue/queue.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { type World, worldOver } from './world.ts';

export const executorPromises = ({ open }: Ground) =>
  describe('executor', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const reached = (queue: Queue, id: string, status: Action['status']) =>
      new Promise<Action>((resolve) => {
        const leave = queue.onMove((_org, action) => {
          if (action.id !== id || action.status !== status) return;
          leave();
          resolve(action);
        });
      });

    test('an approval in this process runs at once, one in another process at the next look', async () => {
      const executor = world.queue.startExecutor(async () => [world.org]);
      const here = await world.propose();
      const done = reached(world.queue, here.id, 'completed');
      await world.approve(here);
      await done;

      const there = await world.propose();
      await world.another().decide(world.org, world.person, {
        actionId: there.id,
        verdict: 'approve',
        hash: there.payloadHash,
        channel: 'terminal',
      });
      const seen = reached(world.queue, there.id, 'completed');
      await world.clock.asleep((ms) => ms === 1_000);
      world.clock.advance(1_000);
      await seen;
      expect(world.post.arrived).toHaveLength(2);
      await executor.stop();
    });

    test('stop waits for the action that runs, and starts no other', async () => {
      const gate = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        begun.resolve();
        await gate.promise;
        return send(context, payload);
      };
      const action = await world.approved();
      const executor = world.queue.startExecutor(async () => [world.org]);
      await begun.promise;
      let stopped = false;
      const stopping = executor.stop().then(() => {
        stopped = true;
      });
      const later = await world.approved();
      await new Promise((resolve) => setImmediate(resolve));
      expect(stopped).toBe(false);
      gate.resolve();
      await stopping;
      expect((await world.queue.get(world.org, action.id)).status).toBe('completed');
      expect((await world.queue.get(world.org, later.id)).status).toBe('approved');
    });

    test('a database that fails, and a list of orgs that fails, end nothing', async () => {
      const action = await world.approved();
      let failures = 3;
      const org = {
        ...world.org,
        read: (async (work) => {
          failures -= 1;
          if (failures > 0) throw new Error('disk trouble');
          return world.org.read(work);
        }) as typeof world.org.read,
      };
      let calls = 0;
      const done = reached(world.queue, action.id, 'completed');
      const executor = world.queue.startExecutor(async () => {
        calls += 1;
        if (calls === 1) throw new Error('no list');
        return [org];
      });
      let over = false;
      const ticking = (async () => {
        // No further than the failures go: a lease runs out by this clock too.
        while (!over && failures > 0) {
          await Promise.race([done, world.clock.asleep((ms) => ms === 1_000)]);
          world.clock.advance(1_000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      await done;
      over = true;
      await ticking;
      await executor.stop();
      expect(calls).toBeGreaterThan(1);
    });

    test('an org whose provider is stuck holds up no other org', async () => {
      const neighbour = worldOver(await database.otherOrg());
      const stuck = Promise.withResolvers<void>();
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        if (payload.to === 'stuck') await stuck.promise;
        return send(context, payload);
      };
      const held = await world.approved({ to: 'stuck' });
      const proposal = { connectionId: 'con_1', operation: 'send', payload: { to: 'free' } };
      const { action } = await world.queue.propose(neighbour.org, neighbour.agent, proposal);
      const begun = reached(world.queue, held.id, 'executing');
      const done = reached(world.queue, action.id, 'completed');
      const executor = world.queue.startExecutor(async () => [world.org, neighbour.org]);
      await begun;
      await world.queue.decide(neighbour.org, neighbour.person, {
        actionId: action.id,
        verdict: 'approve',
        hash: action.payloadHash,
        channel: 'page',
      });
      await done;
      expect((await world.queue.get(world.org, held.id)).status).toBe('executing');
      stuck.resolve();
      await executor.stop();
      expect((await world.queue.get(world.org, held.id)).status).toBe('completed');
    });
  });
