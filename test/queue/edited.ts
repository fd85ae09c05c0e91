// A person may approve something else than what was proposed: under a hash of its own, held against the same
// rules, with the proposal kept beside it. And what waits can be put off, or handed to another.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PolicyVerdict } from '../../src/queue/queue.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { hour, type Letter, type World, worldOver } from './world.ts';

export const editedPromises = ({ open }: Ground) =>
  describe('edited', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const approve = (action: { id: string; payloadHash: string }, edited: unknown, queue = world.queue) =>
      queue.decide(world.org, world.person, {
        actionId: action.id,
        verdict: 'approve',
        hash: action.payloadHash,
        reason: 'Bo has moved',
        channel: 'page',
        edited,
      });

    test('what was edited is what is sent; the proposal, the reason and both hashes are kept', async () => {
      const sent: Letter[] = [];
      const send = world.post.run;
      world.post.run = (context, payload) => {
        sent.push(payload);
        return send(context, payload);
      };
      const proposed = await world.propose({ to: 'bo' });
      const approved = await approve(proposed, { to: 'bo@new.example' });
      expect(approved).toMatchObject({
        status: 'approved',
        payload: { to: 'bo@new.example', text: '(no text)', copies: 1 },
        summary: 'Letter to bo@new.example from Ann',
        proposed: {
          payload: { to: 'bo', text: '(no text)', copies: 1 },
          payloadHash: proposed.payloadHash,
          reason: 'Bo has moved',
        },
      });
      expect(approved.payloadHash).not.toBe(proposed.payloadHash);
      expect((await world.queue.events(world.org, proposed.id))[1]?.detail).toMatchObject({
        hash: approved.payloadHash,
        shown: proposed.payloadHash,
      });
      await world.queue.runDue(world.org);
      expect((await world.queue.get(world.org, proposed.id)).status).toBe('completed');
      expect(sent.map(({ to }) => to)).toEqual(['bo@new.example']);
    });

    test('an edit is checked like a proposal, and against what was shown; otherwise nothing is decided', async () => {
      const action = await world.propose({ to: 'bo' });
      for (const [edited, field] of [
        [{ to: '' }, 'to'],
        [{ to: 'bo\nBcc: eve' }, 'to'],
        [{ to: 'bo', attachments: [{ name: 'a', size: 1, sha256: 'ab' }] }, 'attachments.0'],
      ] as const) {
        await expect(approve(action, edited)).rejects.toMatchObject({ code: 'invalid_request', field });
      }
      const stale = { ...action, payloadHash: action.payloadHash.replace(/^./, 'x') };
      await expect(approve(stale, { to: 'eve' })).rejects.toMatchObject({ code: 'conflict' });
      expect(await world.queue.get(world.org, action.id)).toMatchObject({
        status: 'pending',
        payload: { to: 'bo' },
        proposed: undefined,
      });
    });

    test('a client that carries decisions carries no edit', async () => {
      const action = await world.propose({ to: 'bo' });
      await expect(
        world.queue.decide(world.org, world.person, {
          actionId: action.id,
          verdict: 'approve',
          hash: action.payloadHash,
          channel: 'elicitation',
          client: 'An assistant',
          edited: { to: 'eve' },
        }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      expect((await world.queue.get(world.org, action.id)).status).toBe('pending');
    });

    test('an edit that policy denies is refused', async () => {
      const queue = world.another({
        policy: {
          async judge(_org, { recipients }): Promise<PolicyVerdict> {
            const outcome = recipients.includes('eve') ? 'deny' : 'ask';
            return { outcome, why: 'Nothing to Eve.', rule: undefined, version: 'v1' };
          },
        },
      });
      const action = await world.propose({ to: 'bo' });
      await expect(approve(action, { to: 'eve' }, queue)).rejects.toMatchObject({
        code: 'permission_denied',
        message: expect.stringContaining('Nothing to Eve.'),
      });
    });

    test('an edit can leave attachments out, and what it left out is neither shown nor sent', async () => {
      const files = ['plan', 'list'].map((name) => {
        const bytes = Buffer.from(name);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        return { bytes, named: { name, size: bytes.byteLength, sha256 } };
      });
      const action = await world.propose(
        { to: 'bo', attachments: files.map(({ named }) => named) },
        {
          attachments: files.map(({ bytes, named }) => ({
            name: named.name,
            mediaType: 'text/plain',
            bytes,
          })),
        },
      );
      expect(action.attachments).toHaveLength(2);
      const approved = await approve(action, { to: 'bo', attachments: [files[1]?.named] });
      expect(approved.attachments.map(({ name }) => name)).toEqual(['list']);
    });

    test('the agent that proposes the same again joins the action that was edited', async () => {
      const action = await world.propose({ to: 'bo' });
      await approve(action, { to: 'bo@new.example' });
      expect((await world.propose({ to: 'bo' })).id).toBe(action.id);
    });

    test('an edit that changes nothing is the approval of what was proposed', async () => {
      const action = await world.propose({ to: 'bo' });
      expect(await approve(action, { to: 'bo' })).toMatchObject({
        status: 'approved',
        payloadHash: action.payloadHash,
        proposed: undefined,
      });
    });

    test('where the record changed since it was shown, an edit decides nothing, and the page is brought up to date', async () => {
      const record = (text: string) => async (payload: Letter) => ({
        title: 'Letter 7',
        fields: { text },
        after: { text: payload.text },
      });
      world.post.before = record('old');
      const action = await world.propose({ to: 'bo', text: 'new' });
      world.post.before = record('changed by somebody');
      await expect(approve(action, { to: 'bo', text: 'newer' })).rejects.toMatchObject({ code: 'conflict' });
      const anew = await world.queue.get(world.org, action.id);
      expect(anew).toMatchObject({
        status: 'pending',
        payload: { text: 'new' },
        before: { fields: { text: 'changed by somebody' } },
      });
      expect(anew.payloadHash).not.toBe(action.payloadHash);
      expect(await approve(anew, { to: 'bo', text: 'newer' })).toMatchObject({
        status: 'approved',
        before: { after: { text: 'newer' } },
      });
    });

    test('what an edit would approve can be seen with its hash, and is decided by nobody for that', async () => {
      const action = await world.propose({ to: 'bo' });
      const given = { actionId: action.id, hash: action.payloadHash, channel: 'page' as const };
      const seen = await world.queue.previewEdit(world.org, world.person, { ...given, edited: { to: 'al' } });
      expect((await world.queue.get(world.org, action.id)).status).toBe('pending');
      expect((await approve(action, { to: 'al' })).payloadHash).toBe(seen.payloadHash);
    });

    test('where it is required, the signature is over what is approved, is kept, and is asked for again before it runs', async () => {
      const checked: unknown[] = [];
      let valid = true;
      const queue = world.another({
        presence: {
          require: async (_org, { effect }) => effect === 'send',
          async check(_org, _person, decision) {
            checked.push(decision);
            return JSON.stringify({ credential: 'cred_1', name: 'Key', at: 7, signature: 's' });
          },
          async verify() {
            if (!valid) throw new Error('the signature does not hold');
          },
        },
      });
      const action = await world.propose({ to: 'bo' });
      const approved = await approve(action, { to: 'al' }, queue);
      expect(checked).toMatchObject([{ verdict: 'approve', hash: approved.payloadHash }]);
      expect(approved.proof).toEqual({ credential: 'cred_1', name: 'Key', at: 7 });
      valid = false;
      await queue.runDue(world.org);
      expect(world.post.arrived).toEqual([]);
    });

    test('what is put off leaves the list until then, and expires when it would have', async () => {
      const action = await world.propose();
      const until = world.clock.now() + 2 * hour;
      const given = { actionId: action.id, channel: 'page' as const };
      for (const wrong of [world.clock.now(), action.expiresAt, 1.5]) {
        await expect(
          world.queue.snooze(world.org, world.person, { ...given, until: wrong }),
        ).rejects.toMatchObject({ code: 'invalid_request', field: 'until' });
      }
      expect(await world.queue.snooze(world.org, world.person, { ...given, until })).toMatchObject({
        status: 'pending',
        snoozedUntil: until,
        expiresAt: action.expiresAt,
      });
      expect(await world.queue.list(world.org)).toEqual([]);
      expect(await world.queue.list(world.org, { snoozed: true })).toHaveLength(1);
      world.clock.advance(2 * hour);
      expect(await world.queue.list(world.org)).toHaveLength(1);
      expect((await world.approve(action)).status).toBe('approved');
      await expect(
        world.queue.snooze(world.org, world.person, { ...given, until: until + hour }),
      ).rejects.toMatchObject({ code: 'conflict' });
    });

    test('it is handed to members alone, and whoever may decide still may', async () => {
      const queue = world.another({
        member: async (_orgId, id) => (id === 'mem_2' ? { name: 'Kim' } : undefined),
      });
      const action = await world.propose();
      const given = { actionId: action.id, channel: 'page' as const };
      await expect(queue.handOver(world.org, world.person, { ...given, to: 'mem_9' })).rejects.toMatchObject({
        code: 'not_found',
      });
      await queue.handOver(world.org, world.person, { ...given, to: 'mem_2' });
      expect(await queue.list(world.org, { assignedTo: 'mem_2' })).toMatchObject([{ id: action.id }]);
      expect(await queue.list(world.org, { assignedTo: 'mem_1' })).toEqual([]);
      expect((await world.queue.events(world.org, action.id))[1]).toMatchObject({
        from: 'pending',
        to: 'pending',
        by: { name: 'Pat' },
        detail: { assignedTo: 'mem_2' },
      });
      expect((await world.approve(action)).status).toBe('approved');
    });

    test('an agent neither edits, puts off nor hands over, whatever its type says', async () => {
      const action = await world.propose();
      const agent = world.agent as unknown as typeof world.person;
      const given = { actionId: action.id, channel: 'page' as const };
      const queue = world.another({ member: async () => ({ name: 'Kim' }) });
      const tries = [
        queue.snooze(world.org, agent, { ...given, until: world.clock.now() + hour }),
        queue.handOver(world.org, agent, { ...given, to: 'mem_2' }),
        queue.previewEdit(world.org, agent, { ...given, hash: action.payloadHash, edited: { to: 'eve' } }),
        queue.decide(world.org, agent, {
          ...given,
          verdict: 'approve',
          hash: action.payloadHash,
          edited: { to: 'eve' },
        }),
      ];
      for (const tried of tries) await expect(tried).rejects.toMatchObject({ code: 'permission_denied' });
      expect(await world.queue.events(world.org, action.id)).toHaveLength(1);
    });
  });
