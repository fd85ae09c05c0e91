// What a final action said can be taken out of everything that kept it, and what it was committed to stays:
// whoever has the text elsewhere can still hold it against the hash.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashEnvelope } from '../../src/queue/envelope.ts';
import type { Action } from '../../src/queue/queue.ts';
import { auditWith, pat } from '../audit/chain-of.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { type World, worldOver } from './world.ts';

const secretWord = 'zinnia';

export const erasePromises = ({ open }: Ground) =>
  describe('erase', () => {
    const audit = auditWith();
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org(), { audit });
    });
    afterEach(() => database.close());

    const erase = (action: Pick<Action, 'id'>, reason = 'Bo asked for it') =>
      world.queue.erase(world.org, world.person, { actionId: action.id, reason, channel: 'terminal' });

    /** Every text that the org's tables hold of its actions. */
    async function held(): Promise<string> {
      return world.org.read(async (db) => {
        const rows = await Promise.all([
          db.selectFrom('action_queue').selectAll().execute(),
          db.selectFrom('action_events').selectAll().execute(),
          db.selectFrom('action_attachments').selectAll().execute(),
          db.selectFrom('audit_log').selectAll().execute(),
          db.selectFrom('audit_values').selectAll().execute(),
        ]);
        return JSON.stringify(rows, (_key, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
        );
      });
    }

    /** An edited, annotated send with an attachment, done; its words are everywhere. */
    async function done(to = `bo@${secretWord}.example`): Promise<Action> {
      const bytes = Buffer.from(`A plan for ${secretWord}`);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const attached = { name: `${secretWord}.txt`, size: bytes.length, sha256 };
      world.post.run = async (context) => {
        await context.aboutToSend();
        return { reference: `ref ${secretWord}`, details: { to: secretWord } };
      };
      const proposed = await world.propose(
        { to, text: `Dear ${secretWord}`, attachments: [attached] },
        {
          attachments: [{ name: attached.name, mediaType: 'text/plain', bytes }],
          note: `because of ${secretWord}`,
          conversation: `about ${secretWord}`,
          warnings: [`${secretWord} is new`],
        },
      );
      await world.queue.decide(world.org, world.person, {
        actionId: proposed.id,
        verdict: 'approve',
        hash: proposed.payloadHash,
        reason: `since ${secretWord} moved`,
        channel: 'page',
        edited: { to, text: `Hello ${secretWord}`, attachments: [attached] },
      });
      await world.queue.runDue(world.org);
      return world.queue.get(world.org, proposed.id);
    }

    test('after an erasure no table holds a word of it, and the hashes, states and times are as before', async () => {
      const before = await done();
      expect(before.status).toBe('completed');
      const events = await world.queue.events(world.org, before.id);
      expect((await held()).split(secretWord).length).toBeGreaterThan(10);
      const erased = await erase(before);
      expect(await held()).not.toContain(secretWord);
      expect(erased).toMatchObject({
        status: 'completed',
        payload: {},
        payloadHash: before.payloadHash,
        summary: '(erased)',
        attachments: [],
        warnings: [],
        erasedAt: world.clock.now(),
        decidedAt: before.decidedAt,
        finishedAt: before.finishedAt,
      });
      const after = await world.queue.events(world.org, before.id);
      expect(after.map(({ from, to, at }) => ({ from, to, at }))).toEqual(
        events.map(({ from, to, at }) => ({ from, to, at })),
      );
      expect(after[1]?.detail).toMatchObject({ hash: before.payloadHash });
    });

    test('the record still verifies, also against a checkpoint from before, and says who erased it and why', async () => {
      const action = await done();
      const kept = await audit.checkpoint(world.org);
      await erase(action, 'Bo asked for it');
      expect((await audit.verify(world.org, kept)).bad).toBeUndefined();
      const [entry, ...others] = await audit.list(world.org, { subject: action.id });
      expect(entry).toMatchObject({
        kind: 'action.erased',
        by: { kind: 'person', id: 'mem_1' },
        facts: { hash: action.payloadHash, attachments: 1 },
        values: { name: 'Pat', reason: 'Bo asked for it' },
      });
      for (const other of others) expect(other.values).toEqual({});
      expect(others.flatMap(({ erased }) => erased)).toContain('summary');
    });

    test('whoever has the text elsewhere can still prove that it is what was approved', async () => {
      const action = await done();
      const { payload, payloadHash } = action;
      await erase(action);
      const {
        operation_version: version,
        before_record,
        policy,
      } = await world.org.read((db) =>
        db.selectFrom('action_queue').selectAll().where('id', '=', action.id).executeTakeFirstOrThrow(),
      );
      expect([before_record, policy]).toEqual([null, null]);
      const account = { connection: 'con_1', id: 'ann@post.example' };
      const envelope = { org: world.org.orgId, account, provider: 'post', operation: 'send', version };
      expect(hashEnvelope({ ...envelope, payload })).toBe(payloadHash);
    });

    test('an action that may still run is not erased, and the reason is named', async () => {
      const pending = await world.propose();
      await expect(erase(pending)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('reject it first'),
      });
      const approved = await world.approved();
      await expect(erase(approved)).rejects.toMatchObject({ message: expect.stringContaining('cancel it') });
      world.post.run = async (context) => {
        await context.aboutToSend();
        throw new Error('the line went dead');
      };
      await world.queue.runDue(world.org);
      expect((await world.queue.get(world.org, approved.id)).status).toBe('unknown');
      await expect(erase(approved)).rejects.toMatchObject({ message: expect.stringContaining('settle it') });
      expect((await world.queue.get(world.org, pending.id)).payload).toEqual(pending.payload);
      expect((await world.queue.get(world.org, approved.id)).payload).toEqual(approved.payload);
    });

    test('attack: an agent that poses as a person erases nothing, and nobody without a reason', async () => {
      const action = await done();
      for (const who of [world.agent, { ...world.agent, memberId: 'mem_1' }]) {
        const posing = who as unknown as World['person'];
        await expect(
          world.queue.erase(world.org, posing, { actionId: action.id, reason: 'x', channel: 'mcp' }),
        ).rejects.toMatchObject({ code: 'permission_denied' });
        await expect(
          world.queue.erasePerson(world.org, posing, { address: 'a@b.example', reason: 'x', channel: 'mcp' }),
        ).rejects.toMatchObject({ code: 'permission_denied' });
      }
      await expect(erase(action, ' ')).rejects.toMatchObject({ code: 'invalid_request', field: 'reason' });
      expect((await world.queue.get(world.org, action.id)).erasedAt).toBeUndefined();
    });

    test('what was erased is erased once: the second time changes and records nothing', async () => {
      const action = await done();
      const first = await erase(action);
      world.clock.advance(1_000);
      expect(await erase(action)).toEqual(first);
      const entries = await audit.list(world.org, { subject: action.id });
      expect(entries.filter(({ kind }) => kind === 'action.erased')).toHaveLength(1);
    });

    test('what was erased cannot be taken back by an undo, and is not sent again by the same proposal', async () => {
      world.post.recall = true;
      const action = await done();
      expect((await world.queue.get(world.org, action.id)).undo).toEqual({ title: 'Recall the letter' });
      await erase(action);
      expect((await world.queue.get(world.org, action.id)).undo).toBeUndefined();
      await expect(world.queue.undo(world.org, world.person, action.id)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('erased'),
      });
    });

    test('a person’s address is erased wherever it is named, and from nothing that only looks like it', async () => {
      const named = await world.approved({ to: 'Bo@B.example' });
      const inText = await world.approved({ to: 'cy@b.example', text: 'Ask\nbo@b.example.' });
      const others = await Promise.all([
        world.approved({ to: 'jumbo@b.example' }),
        world.approved({ to: 'bo@b.example.org' }),
        world.approved({ to: 'bo+x@b.example' }),
      ]);
      await world.queue.runDue(world.org);
      const waiting = await world.propose({ to: 'bo@b.example', text: 'not yet' });
      await world.org.write((tx) =>
        audit.append(tx, world.org.orgId, world.clock.now(), {
          kind: 'member.added',
          subject: 'mem_2',
          by: pat,
          channel: 'terminal',
          facts: {},
          values: { email: 'bo@b.example', note: 'jumbo@b.example' },
        }),
      );
      const found = await world.queue.erasePerson(world.org, world.person, {
        address: 'bo@b.example',
        reason: 'asked for it',
        channel: 'terminal',
      });
      expect(found).toEqual({
        actions: [named.id, inText.id].sort(),
        live: [{ id: waiting.id, status: 'pending' }],
        values: 1,
      });
      expect((await world.queue.get(world.org, named.id)).summary).toBe('(erased)');
      for (const other of others) {
        expect((await world.queue.get(world.org, other.id)).payload).toEqual(other.payload);
      }
      expect((await world.queue.get(world.org, waiting.id)).payload).toEqual(waiting.payload);
      expect((await audit.list(world.org, { subject: 'mem_2' }))[0]?.values).toMatchObject({
        note: 'jumbo@b.example',
      });
      const [entry] = await audit.list(world.org, { limit: 1 });
      expect(entry).toMatchObject({ kind: 'person.erased', facts: { actions: 2, live: 1, values: 1 } });
      expect(JSON.stringify(entry)).not.toContain('bo@b.example');
      expect((await audit.verify(world.org)).bad).toBeUndefined();
    });

    test('attack: another org’s action is not there to erase', async () => {
      const action = await done();
      const other = await database.otherOrg();
      const theirs = { ...world.person, orgId: other.orgId };
      await expect(
        world.queue.erase(other, theirs, { actionId: action.id, reason: 'x', channel: 'page' }),
      ).rejects.toMatchObject({ code: 'not_found' });
      await expect(
        world.queue.erase(world.org, theirs, { actionId: action.id, reason: 'x', channel: 'page' }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
      expect((await world.queue.get(world.org, action.id)).erasedAt).toBeUndefined();
    });
  });
