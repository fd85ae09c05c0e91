// A proposal is stored whole or not at all, under a hash of exactly what will happen, and made once.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/canonical-json.ts';
import { hashEnvelope } from '../../src/queue/envelope.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { fakeConnection, hour, type World, worldOver } from './world.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const proposePromises = ({ open }: Ground) =>
  describe('propose', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    test('the payload is stored with its defaults, canonical, and hashed with org, account, operation and version', async () => {
      const action = await world.propose({ to: 'bo@b.example', text: 'Grüße' });
      expect(action.payload).toEqual({ to: 'bo@b.example', text: 'Grüße', copies: 1 });
      expect(action.payloadHash).toBe(
        createHash('sha256')
          .update(
            canonicalJson({
              v: 1,
              org: world.org.orgId,
              account: { connection: 'con_1', id: 'ann@post.example' },
              provider: 'post',
              operation: 'send',
              version: 1,
              payload: { to: 'bo@b.example', text: 'Grüße', copies: 1 },
            }),
          )
          .digest('hex'),
      );
      expect(action.summary).toBe('Letter to bo@b.example from Ann');
      expect(action.status).toBe('pending');
      expect(action.expiresAt).toBe(world.clock.now() + 24 * hour);
      expect(await world.queue.events(world.org, action.id)).toMatchObject([
        { seq: 1, from: undefined, to: 'pending', by: { kind: 'agent', name: 'An assistant' } },
      ]);
    });

    test('every part of the envelope changes the hash, the order of keys does not', () => {
      const envelope = {
        org: 'o',
        account: { connection: 'c', id: 'a' },
        provider: 'p',
        operation: 'send',
        version: 1,
        payload: { a: 1, b: [2] },
      };
      const hash = hashEnvelope(envelope);
      expect(hashEnvelope({ ...envelope, payload: { b: [2], a: 1 } })).toBe(hash);
      const others = [
        { ...envelope, org: 'x' },
        { ...envelope, account: { connection: 'x', id: 'a' } },
        { ...envelope, account: { connection: 'c', id: 'x' } },
        { ...envelope, provider: 'x' },
        { ...envelope, operation: 'x' },
        { ...envelope, version: 2 },
        { ...envelope, payload: { a: 1, b: [3] } },
      ].map(hashEnvelope);
      expect(new Set([hash, ...others]).size).toBe(8);
    });

    test('what is wrong is named by its field, and nothing is queued', async () => {
      const refused: [unknown, string][] = [
        [{ to: '' }, 'to'],
        [{ to: 'bo', copies: 'two' }, 'copies'],
        [{ to: 'bo\nBcc: eve' }, 'to'],
        [{ to: 'bo', attachments: [{ name: 'a', size: '1', sha256: 'x' }] }, 'attachments.0.size'],
        ['a letter', 'payload'],
        [{ to: 'bo', text: '\ud800' }, 'payload'],
        [{ to: 'bo', text: 'x'.repeat(1024 * 1024) }, 'payload'],
      ];
      for (const [payload, field] of refused) {
        await expect(world.propose(payload)).rejects.toMatchObject({ code: 'invalid_request', field });
      }
      expect(await world.queue.list(world.org)).toEqual([]);
    });

    test('attachments are named in the payload, true to size, and within the limit', async () => {
      const bytes = Buffer.from('a plan');
      const named = { name: 'plan.txt', size: bytes.byteLength, sha256: sha256(bytes) };
      const attachments = [{ name: 'plan.txt', mediaType: 'text/plain', bytes }];
      const action = await world.propose({ to: 'bo', attachments: [named] }, { attachments });
      expect(action.attachments).toEqual([{ ...named, mediaType: 'text/plain' }]);

      const wrong: [unknown, typeof attachments, string][] = [
        [{ to: 'bo' }, attachments, 'attachments'],
        [{ to: 'bo', attachments: [named] }, [], 'attachments.0'],
        [{ to: 'bo', attachments: [{ ...named, size: 1 }] }, attachments, 'attachments.0'],
        [
          { to: 'bo' },
          [{ name: 'big', mediaType: 'text/plain', bytes: Buffer.alloc(10 * 1024 * 1024 + 1) }],
          'attachments',
        ],
      ];
      for (const [payload, given, field] of wrong) {
        await expect(world.propose(payload, { attachments: given })).rejects.toMatchObject({
          code: 'invalid_request',
          field,
        });
      }
      expect(await world.queue.list(world.org)).toHaveLength(1);
    });

    test('the same proposal joins an action that is not final, and one that ended within ten minutes', async () => {
      const first = await world.propose({ to: 'bo' });
      const again = () =>
        world.queue.propose(world.org, world.agent, {
          connectionId: 'con_1',
          operation: 'send',
          payload: { copies: 1, to: 'bo' },
        });
      expect(await again()).toMatchObject({ attached: true, action: { id: first.id, status: 'pending' } });
      await world.approve(first);
      expect(await again()).toMatchObject({ attached: true, action: { id: first.id, status: 'approved' } });
      await world.queue.runDue(world.org);
      world.clock.advance(10 * 60_000 - 1);
      expect(await again()).toMatchObject({
        attached: true,
        action: { id: first.id, status: 'completed', outcome: { kind: 'completed' } },
      });
      world.clock.advance(1);
      const later = await again();
      expect(later.attached).toBe(false);
      expect(later.action.id).not.toBe(first.id);
      expect(world.post.arrived).toHaveLength(1);
    });

    test('while it is unknown whether it happened, the same proposal makes no second action', async () => {
      world.post.run = async (context) => {
        await context.aboutToSend();
        throw new Error('the line went dead');
      };
      const first = await world.approved({ to: 'bo' });
      await world.queue.runDue(world.org);
      world.clock.advance(3 * hour);
      const again = await world.propose({ to: 'bo' });
      expect(again).toMatchObject({ id: first.id, status: 'unknown' });
    });

    test('what was taken back or has expired is a new action when it is proposed again', async () => {
      const first = await world.propose({ to: 'bo' });
      await world.queue.cancel(world.org, world.agent, first.id, 'mcp');
      const second = await world.propose({ to: 'bo' });
      expect(second.id).not.toBe(first.id);
      world.clock.advance(25 * hour);
      const third = await world.propose({ to: 'bo' });
      expect(third.id).not.toBe(second.id);
      expect(third.status).toBe('pending');
    });

    test('twelve identical proposals at the same moment, from two processes, make one action', async () => {
      const other = worldOver(await database.again());
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? world : other).propose({ to: 'bo' })),
      );
      expect(new Set(all.map((action) => action.id)).size).toBe(1);
      expect(await world.queue.list(world.org)).toHaveLength(1);
      expect(await world.queue.events(world.org, all[0]?.id ?? '')).toHaveLength(1);
    });

    test('a key that may only read, another org, and an account that must be connected again are refused', async () => {
      const proposal = { connectionId: 'con_1', operation: 'send', payload: { to: 'bo' } };
      await expect(
        world.queue.propose(world.org, { ...world.agent, scopes: ['read'] }, proposal),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        world.queue.propose(world.org, { ...world.agent, orgId: 'org_2' }, proposal),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      await expect(
        world.queue.propose(world.org, world.agent, { ...proposal, connectionId: 'con_9' }),
      ).rejects.toMatchObject({ code: 'not_found' });
      await expect(
        world.queue.propose(world.org, world.agent, { ...proposal, operation: 'burn' }),
      ).rejects.toMatchObject({ code: 'not_found' });
      world.connections[0] = { ...fakeConnection(), state: 'EXPIRED' };
      await expect(world.queue.propose(world.org, world.agent, proposal)).rejects.toMatchObject({
        code: 'auth_expired',
        message: expect.stringContaining('drawbridge connect post'),
      });
      expect(await world.queue.list(world.org)).toEqual([]);
    });

    test('the list is newest first, in pages, by status', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i += 1) {
        ids.push((await world.propose({ to: `bo${i}` })).id);
        world.clock.advance(1);
      }
      const newest = [...ids].reverse();
      const page = await world.queue.list(world.org, { limit: 2 });
      expect(page.map((action) => action.id)).toEqual(newest.slice(0, 2));
      const rest = await world.queue.list(world.org, { limit: 9, before: page[1]?.id ?? '' });
      expect(rest.map((action) => action.id)).toEqual(newest.slice(2));
      expect(await world.queue.list(world.org, { statuses: ['approved'] })).toEqual([]);
      await expect(world.queue.get(world.org, 'act_none')).rejects.toMatchObject({ code: 'not_found' });
    });
  });
