// Between the approval and the effect: a send is held and can be stopped, and nothing runs that differs from what
// was approved. What was done can be taken back by an action of its own.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Action, PolicyVerdict } from '../../src/queue/queue.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { DrawbridgeError, EffectRefused, type World, worldOver } from './world.ts';

export const heldPromises = ({ open }: Ground) =>
  describe('held', () => {
    let database: OpenDatabase;
    let world: World;

    const begin = async (options: Parameters<typeof worldOver>[1]) => {
      world = worldOver(await database.org(), options);
    };
    beforeEach(async () => {
      database = await open();
      await begin({ holdMs: 10_000 });
    });
    afterEach(() => database.close());

    const look = (action: Action) => world.queue.get(world.org, action.id);

    test('a send does not leave before its hold ends, in any process', async () => {
      const action = await world.approved();
      expect(action.holdUntil).toBe(world.clock.now() + 10_000);
      world.clock.advance(9_999);
      await world.queue.runDue(world.org);
      await world.another({ holdMs: 0 }).runDue(world.org);
      expect((await look(action)).status).toBe('approved');
      expect(world.post.runs).toBe(0);
      world.clock.advance(1);
      await world.queue.runDue(world.org);
      expect((await look(action)).status).toBe('completed');
    });

    test('until it leaves it can be stopped, by the agent as by a person', async () => {
      for (const who of [world.agent, world.person]) {
        const action = await world.approved();
        world.clock.advance(5_000);
        await world.queue.cancel(world.org, who, action.id, 'mcp');
        world.clock.advance(10_000);
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('cancelled');
      }
      expect(world.post.runs).toBe(0);
    });

    test('what sends nothing is not held', async () => {
      world.post.effect = 'update';
      const action = await world.approved();
      expect(action.holdUntil).toBeUndefined();
      await world.queue.runDue(world.org);
      expect((await look(action)).status).toBe('completed');
    });

    test('the executor runs it when the hold ends, not at the look after that', async () => {
      await begin({ holdMs: 400 });
      const executor = world.queue.startExecutor(async () => [world.org]);
      const action = await world.propose();
      const done = new Promise<void>((resolve) => {
        world.queue.onMove((_org, { status }) => {
          if (status === 'completed') resolve();
        });
      });
      await world.approve(action);
      await world.clock.asleep((ms) => ms === 400);
      world.clock.advance(400);
      await done;
      expect(world.post.arrived).toHaveLength(1);
      await executor.stop();
    });

    test('a clock that goes back a day does not hold a send for a day', async () => {
      const action = await world.approved();
      world.clock.jump(-24 * 3_600_000);
      await world.queue.runDue(world.org);
      expect((await look(action)).status).toBe('completed');
    });

    describe('the record that it changes', () => {
      let text: string;
      beforeEach(() => {
        text = 'old';
        world.post.effect = 'update';
        world.post.before = async (payload) => ({
          title: 'Letter 7',
          fields: { text },
          after: { text: payload.text },
        });
      });

      test('changed since the approval: nothing is sent, and a person is asked again with the new one', async () => {
        const action = await world.approved({ to: 'bo', text: 'new' });
        text = 'changed by somebody';
        await world.queue.runDue(world.org);
        const back = await look(action);
        expect(back).toMatchObject({
          status: 'pending',
          before: { fields: { text: 'changed by somebody' } },
          decidedBy: undefined,
          decidedAt: undefined,
        });
        expect(back.payloadHash).not.toBe(action.payloadHash);
        expect((await world.queue.events(world.org, action.id)).at(-1)).toMatchObject({
          from: 'executing',
          to: 'pending',
          detail: { reason: 'the live record changed', changed: ['text'], was: action.payloadHash },
        });
        expect(world.post.runs).toBe(0);
        // The hash of the first approval opens nothing any more.
        await expect(world.approve(action)).rejects.toMatchObject({ code: 'conflict' });
        await world.approve(back);
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
        expect(world.post.runs).toBe(1);
      });

      test('the write and its look-up get the record as it was approved last, whatever was proposed', async () => {
        const given: unknown[] = [];
        world.post.run = async (context) => {
          given.push(context.before?.fields);
          await context.aboutToSend();
          throw new Error('the line broke');
        };
        world.post.lookUp = async (context) => {
          given.push(context.before?.fields);
          return { found: true, outcome: { reference: 'ref', details: {} } };
        };
        const action = await world.approved({ to: 'bo', text: 'new' });
        text = 'changed by somebody';
        await world.queue.runDue(world.org);
        await world.approve(await look(action));
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('unknown');
        world.clock.advance(60_000);
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
        expect(given).toEqual([{ text: 'changed by somebody' }, { text: 'changed by somebody' }]);
      });

      test('changed in the very moment of the write, which the provider refused: a person is asked again', async () => {
        const why = new DrawbridgeError('conflict', 'Precondition failed.');
        const { run } = world.post;
        world.post.run = async (context, payload) => {
          await context.aboutToSend();
          if (context.before?.fields['text'] === text) return run(context, payload);
          throw new EffectRefused(why.message, { cause: why });
        };
        const action = await world.approved({ to: 'bo', text: 'new' });
        const queue = world.another({
          checkpoint: (step) => {
            if (step === 'before-sending-mark') text = 'changed by somebody';
          },
        });
        await queue.runDue(world.org);
        const back = await look(action);
        expect(back).toMatchObject({
          status: 'pending',
          before: { fields: { text: 'changed by somebody' } },
        });
        await world.approve(back);
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
        expect(world.post.arrived).toHaveLength(1);
      });

      test('refused by the provider although nothing changed: it failed, and nobody is asked for ever', async () => {
        const why = new DrawbridgeError('conflict', 'Precondition failed.');
        world.post.run = async (context) => {
          await context.aboutToSend();
          throw new EffectRefused(why.message, { cause: why });
        };
        const action = await world.approved({ to: 'bo', text: 'new' });
        await world.queue.runDue(world.org);
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'refused' } });
      });

      test('another than the payload names is not proposed; another by the time of the run is shown', async () => {
        world.post.checkMeant = (_payload, { fields }) => {
          if (fields['text'] !== 'old') throw new DrawbridgeError('conflict', 'It is another letter.');
        };
        const action = await world.approved({ to: 'bo', text: 'new' });
        text = 'changed by somebody';
        await expect(world.propose({ to: 'eve' })).rejects.toMatchObject({ code: 'conflict' });
        await world.queue.runDue(world.org);
        await world.approve(await look(action));
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
      });

      test('approved anew it is judged as it stands by then: what policy denies of that does not run', async () => {
        const seen: (readonly string[])[] = [];
        const queue = world.another({
          policy: {
            judge: async (_org, { recipients }) => {
              seen.push(recipients);
              const outcome = recipients.includes('eve') ? 'deny' : 'ask';
              return { outcome, why: 'Rule 1.', rule: 'rul_1', version: 'v1' };
            },
          },
        });
        const action = await world.approved({ to: 'bo', text: 'new' });
        world.post.before = async () => ({ title: 'Letter 7', fields: { cc: 'eve' }, after: {} });
        await queue.runDue(world.org);
        await world.approve(await look(action));
        await queue.runDue(world.org);
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'conflict' } });
        expect(seen).toEqual([['bo'], ['bo', 'eve']]);
        expect(world.post.runs).toBe(0);
      });

      test('unchanged: it runs', async () => {
        const action = await world.approved({ to: 'bo', text: 'new' });
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
      });

      test('not readable right now: nothing is sent, and it is tried again', async () => {
        const action = await world.approved({ to: 'bo', text: 'new' });
        const before = world.post.before;
        world.post.before = async () => {
          throw new Error('no line');
        };
        await world.queue.runDue(world.org);
        expect(world.post.runs).toBe(0);
        expect((await look(action)).status).toBe('approved');
        world.post.before = before;
        world.clock.advance(60_000);
        await world.queue.runDue(world.org);
        expect((await look(action)).status).toBe('completed');
      });
    });

    describe('the rules', () => {
      const ruled = (outcome: () => PolicyVerdict['outcome']) =>
        world.another({
          policy: {
            judge: async () => ({ outcome: outcome(), why: 'Rule 1.', rule: 'rul_1', version: outcome() }),
          },
        });

      test('that deny it by now stop what a person approved', async () => {
        let outcome: PolicyVerdict['outcome'] = 'ask';
        world.post.effect = 'update';
        const queue = ruled(() => outcome);
        const action = await world.approved();
        outcome = 'deny';
        await queue.runDue(world.org);
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'conflict' } });
        expect(world.post.runs).toBe(0);
      });

      test('that alone approved it, and are gone: a person is asked', async () => {
        let outcome: PolicyVerdict['outcome'] = 'auto';
        world.post.effect = 'update';
        const queue = ruled(() => outcome);
        const { action } = await queue.propose(world.org, world.agent, {
          connectionId: 'con_1',
          operation: 'send',
          payload: { to: 'bo' },
        });
        expect(action.status).toBe('approved');
        outcome = 'ask';
        await queue.runDue(world.org);
        expect(await look(action)).toMatchObject({ status: 'pending', policy: { outcome: 'ask' } });
        expect(world.post.runs).toBe(0);
      });
    });

    describe('undo', () => {
      beforeEach(() => begin({}));

      test('what was done is taken back by a second action, which a person decides on', async () => {
        world.post.recall = true;
        const action = await world.approved({ to: 'bo' });
        await expect(world.queue.undo(world.org, world.agent, action.id)).rejects.toMatchObject({
          code: 'conflict',
        });
        await world.queue.runDue(world.org);
        const done = await look(action);
        expect(done.undo).toEqual({ title: 'Recall the letter' });
        const { action: undoing, attached } = await world.queue.undo(world.org, world.agent, action.id);
        expect(attached).toBe(false);
        expect(undoing).toMatchObject({
          status: 'pending',
          undoOf: action.id,
          payload: { to: 'bo', text: `Recall of ${(done.outcome as { reference: string }).reference}` },
        });
        expect(await world.queue.undo(world.org, world.person, action.id)).toMatchObject({
          attached: true,
          action: { id: undoing.id },
        });
        expect((await look(action)).undo).toBeUndefined();
        await world.approve(undoing);
        await world.queue.runDue(world.org);
        expect((await look(undoing)).status).toBe('completed');
        expect(world.post.arrived).toHaveLength(2);
      });

      test('an undo that was rejected can be proposed again', async () => {
        world.post.recall = true;
        const action = await world.approved({ to: 'bo' });
        await world.queue.runDue(world.org);
        const { action: first } = await world.queue.undo(world.org, world.agent, action.id);
        await world.queue.cancel(world.org, world.person, first.id, 'page');
        const { action: second } = await world.queue.undo(world.org, world.agent, action.id);
        expect(second).toMatchObject({ status: 'pending', undoOf: action.id });
        expect(second.id).not.toBe(first.id);
      });

      test('what has no compensation, and what only a person says was done, offers none', async () => {
        const plain = await world.approved({ to: 'bo' });
        await world.queue.runDue(world.org);
        expect((await look(plain)).undo).toBeUndefined();
        await expect(world.queue.undo(world.org, world.person, plain.id)).rejects.toMatchObject({
          code: 'conflict',
        });
        world.post.recall = true;
        world.post.run = async (context) => {
          await context.aboutToSend();
          throw new Error('the line went dead');
        };
        const unclear = await world.approved({ to: 'al' });
        await world.queue.runDue(world.org);
        await world.queue.settle(world.org, world.person, {
          actionId: unclear.id,
          happened: true,
          reason: 'Al has it',
          channel: 'page',
        });
        expect((await look(unclear)).undo).toBeUndefined();
      });

      test('what could be taken back in general, and not in this case, offers none', async () => {
        world.post.recall = true;
        world.post.run = async (context) => {
          await context.aboutToSend();
          return { reference: 'never to be recalled', details: {} };
        };
        const action = await world.approved({ to: 'bo' });
        await world.queue.runDue(world.org);
        expect((await look(action)).undo).toBeUndefined();
        const asked = world.queue.undo(world.org, world.person, action.id);
        await expect(asked).rejects.toMatchObject({ code: 'conflict' });
      });

      test('an account that is gone takes nothing back, and the action is still shown', async () => {
        world.post.recall = true;
        const action = await world.approved({ to: 'bo' });
        await world.queue.runDue(world.org);
        world.connections.length = 0;
        expect(await look(action)).toMatchObject({ status: 'completed', undo: undefined });
      });
    });
  });
