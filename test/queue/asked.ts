// What a proposal may ask for: under a key of its own, so many a minute, within what policy admits, and on a
// live record that a person is shown.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PolicyVerdict, Proposal } from '../../src/queue/queue.ts';
import type { PolicySubject } from '../../src/queue/room.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { DrawbridgeError, hour, type World, worldOver } from './world.ts';

export const askedPromises = ({ open }: Ground) =>
  describe('asked', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const propose = (payload: unknown, more: Partial<Proposal> = {}) =>
      world.queue.propose(world.org, world.agent, {
        connectionId: 'con_1',
        operation: 'send',
        payload,
        ...more,
      });

    test('a key finds its action however it ended, and is refused with other arguments', async () => {
      const idempotencyKey = 'order-7';
      const first = await propose({ to: 'bo' }, { idempotencyKey });
      expect(await propose({ to: 'bo', copies: 1 }, { idempotencyKey })).toMatchObject({
        attached: true,
        action: { id: first.action.id },
      });
      await expect(propose({ to: 'eve' }, { idempotencyKey })).rejects.toMatchObject({
        code: 'conflict',
        field: 'idempotencyKey',
        message: expect.stringContaining('order-7'),
      });
      await world.approve(first.action);
      await world.queue.runDue(world.org);
      world.clock.advance(2 * hour);
      expect(await propose({ to: 'bo' }, { idempotencyKey })).toMatchObject({
        attached: true,
        action: { id: first.action.id, status: 'completed' },
      });
      expect((await propose({ to: 'bo' }, { idempotencyKey: 'order-8' })).attached).toBe(false);
      expect(world.post.arrived).toHaveLength(1);
      expect(await world.queue.list(world.org)).toHaveLength(2);
    });

    test('a key belongs to whoever used it: another may choose the same', async () => {
      const idempotencyKey = 'order-7';
      const first = await propose({ to: 'bo' }, { idempotencyKey });
      const other = await world.queue.propose(
        world.org,
        { ...world.agent, agentId: 'key_2' },
        { connectionId: 'con_1', operation: 'send', payload: { to: 'eve' }, idempotencyKey },
      );
      expect(other.attached).toBe(false);
      expect(other.action.id).not.toBe(first.action.id);
    });

    test('two processes with one key at the same moment make one action', async () => {
      const other = worldOver(await database.again());
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          (i % 2 === 0 ? world : other).propose({ to: 'bo' }, { idempotencyKey: 'order-7' }),
        ),
      );
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    });

    test('the sixty-first proposal within a minute is refused with the time to wait; another principal is not', async () => {
      const queue = world.another({ proposalsPerMinute: 60 });
      const ask = (n: number, agentId = 'key_1', name = 'An assistant') =>
        queue.propose(
          world.org,
          { ...world.agent, agentId, name },
          { connectionId: 'con_1', operation: 'send', payload: { to: `bo${n}` } },
        );
      for (let n = 0; n < 60; n += 1) {
        await ask(n);
        world.clock.advance(100);
      }
      await expect(ask(60)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 54_000 });
      // A client that calls itself something else is the same client.
      await expect(ask(60, 'key_1', 'Somebody else')).rejects.toMatchObject({ code: 'rate_limited' });
      expect((await ask(0)).attached).toBe(true);
      expect((await ask(60, 'key_2')).attached).toBe(false);
      world.clock.advance(54_000);
      expect((await ask(60)).attached).toBe(true);
      expect((await ask(61)).attached).toBe(false);
    });

    test('an action from before arguments had a hash of their own is found by its payload', async () => {
      const action = await world.propose({ to: 'bo' });
      await world.org.write((tx) =>
        tx.updateTable('action_queue').set({ arguments_hash: null }).where('id', '=', action.id).execute(),
      );
      expect(await propose({ to: 'bo' })).toMatchObject({ attached: true, action: { id: action.id } });
    });

    test('what it rests on is kept, and must be documents', async () => {
      const citations = ['ime://documents/doc_1', 'ime://documents/doc_2'];
      const { action } = await propose({ to: 'bo' }, { citations, conversation: 'The weekly letters' });
      expect(action).toMatchObject({ citations, conversation: 'The weekly letters' });
      await expect(propose({ to: 'eve' }, { citations: ['file:///etc/passwd'] })).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'citations',
      });
    });

    describe('policy', () => {
      const subjects: PolicySubject[] = [];
      const ruled = (outcome: PolicyVerdict['outcome'], version = 'v1') =>
        world.another({
          policy: {
            async judge(_org, subject) {
              subjects.push(subject);
              return { outcome, why: 'Rule 1 says so.', rule: 'rul_1', version };
            },
          },
        });
      const ask = (queue = world.queue) =>
        queue.propose(world.org, world.agent, {
          connectionId: 'con_1',
          operation: 'send',
          payload: { to: 'bo@b.example' },
        });

      test('policy is told of account, recipients and principal; what it denies is not queued', async () => {
        subjects.length = 0;
        await expect(ask(ruled('deny'))).rejects.toMatchObject({
          code: 'permission_denied',
          message: expect.stringContaining('Rule 1 says so.'),
        });
        expect(await world.queue.list(world.org)).toEqual([]);
        expect(subjects).toMatchObject([
          {
            provider: 'post',
            operation: 'send',
            effect: 'send',
            account: 'ann@post.example',
            recipients: ['bo@b.example'],
            principal: { kind: 'agent', id: 'key_1' },
          },
        ]);
      });

      test('the version of the rules is part of the hash, and the verdict is kept', async () => {
        const { action } = await ask(ruled('ask', 'v1'));
        expect(action).toMatchObject({ status: 'pending', policy: { outcome: 'ask', version: 'v1' } });
        await world.queue.cancel(world.org, world.agent, action.id, 'mcp');
        const later = (await ask(ruled('ask', 'v2'))).action;
        expect(later.payloadHash).not.toBe(action.payloadHash);
      });

      test('what an agent proposes to send, pay or delete is never automatic, whatever a rule says', async () => {
        for (const effect of ['send', 'money', 'delete'] as const) {
          world.post.effect = effect;
          const { action } = await ask(ruled('auto'));
          expect(action).toMatchObject({ status: 'pending', policy: { outcome: 'ask' } });
          await world.queue.cancel(world.org, world.agent, action.id, 'mcp');
        }
      });

      test('what a rule approves runs, and the record names the rule and no person', async () => {
        world.post.effect = 'update';
        const queue = ruled('auto');
        const { action } = await ask(queue);
        expect(action).toMatchObject({ status: 'approved', decisionChannel: 'policy' });
        await queue.runDue(world.org);
        expect(await world.queue.get(world.org, action.id)).toMatchObject({ status: 'completed' });
        expect((await world.queue.events(world.org, action.id))[1]).toMatchObject({
          to: 'approved',
          by: { kind: 'policy' },
          channel: 'policy',
        });
      });

      test('where a decision must be signed, no rule takes its place', async () => {
        world.post.effect = 'update';
        const queue = world.another({
          policy: { judge: async () => ({ outcome: 'auto', why: '', rule: undefined, version: 'v1' }) },
          presence: {
            require: async () => true,
            check: async () => '{}',
            verify: async () => undefined,
          },
        });
        expect((await ask(queue)).action.status).toBe('pending');
      });
    });

    describe('the live record', () => {
      const record = (text: string) => async () => ({
        title: 'Letter 7',
        fields: { text },
        after: { text: 'new' },
      });

      test('is shown with what it will become, and is part of the hash', async () => {
        const plain = await world.propose({ to: 'bo' });
        await world.queue.cancel(world.org, world.agent, plain.id, 'mcp');
        world.post.before = record('old');
        const one = await world.propose({ to: 'bo' });
        expect(one.before).toEqual({ title: 'Letter 7', fields: { text: 'old' }, after: { text: 'new' } });
        await world.queue.cancel(world.org, world.agent, one.id, 'mcp');
        world.post.before = record('older');
        const other = await world.propose({ to: 'bo' });
        expect(new Set([plain, one, other].map(({ payloadHash }) => payloadHash)).size).toBe(3);
      });

      test('that cannot be read lets nothing be proposed', async () => {
        world.post.before = async () => {
          throw new DrawbridgeError('not_found', 'There is no letter 7.');
        };
        await expect(propose({ to: 'bo' })).rejects.toMatchObject({ code: 'not_found' });
        world.post.before = async () => {
          throw new TypeError('no such thing');
        };
        await expect(propose({ to: 'bo' })).rejects.toMatchObject({ code: 'provider_unavailable' });
        const never = Promise.withResolvers<never>();
        world.post.before = () => never.promise;
        const asked = propose({ to: 'bo' });
        await world.clock.asleep((ms) => ms === 15_000);
        world.clock.advance(15_000);
        await expect(asked).rejects.toMatchObject({ code: 'timeout' });
        expect(await world.queue.list(world.org)).toEqual([]);
      });

      test('that changed after the effect makes no second action of the same proposal', async () => {
        world.post.before = record('old');
        const first = await world.approved({ to: 'bo' });
        await world.queue.runDue(world.org);
        world.post.before = record('new');
        expect(await propose({ to: 'bo' })).toMatchObject({ attached: true, action: { id: first.id } });
      });

      test('that someone alters in the database is not what was shown: nothing is decided', async () => {
        world.post.before = record('old');
        const action = await world.propose({ to: 'bo' });
        await world.org.write((tx) =>
          tx
            .updateTable('action_queue')
            .set({ before_record: JSON.stringify({ ...action.before, fields: { text: 'forged' } }) })
            .where('org_id', '=', world.org.orgId)
            .where('id', '=', action.id)
            .execute(),
        );
        await expect(world.approve(action)).rejects.toMatchObject({ code: 'conflict' });
      });
    });
  });
