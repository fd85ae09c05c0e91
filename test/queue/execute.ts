// An approved action runs at most once, exactly as approved, and only when its record can be written.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OrgTables } from '../../src/store/tables.ts';
import type { Ground, OpenDatabase } from './databases.ts';
import { DrawbridgeError, EffectRefused, fakeConnection, hour, type World, worldOver } from './world.ts';

export const executePromises = ({ open, name }: Ground) =>
  describe('execute', () => {
    let database: OpenDatabase;
    let world: World;

    beforeEach(async () => {
      database = await open();
      world = worldOver(await database.org());
    });
    afterEach(() => database.close());

    const run = () => world.queue.runDue(world.org);
    const look = (action: { id: string }) => world.queue.get(world.org, action.id);
    const tamper = (id: string, set: Partial<OrgTables['action_queue']>) =>
      world.org.write((tx) =>
        tx
          .updateTable('action_queue')
          .set(set)
          .where('org_id', '=', world.org.orgId)
          .where('id', '=', id)
          .execute(),
      );
    const moves = async (action: { id: string }) =>
      (await world.queue.events(world.org, action.id)).map((event) => event.to);

    test('nothing runs before it is approved; then it runs once, with its own key, and says what it came to', async () => {
      const action = await world.propose({ to: 'bo' });
      expect(await run()).toBe(0);
      expect(world.post.runs).toBe(0);
      await world.approve(action);
      expect(await run()).toBe(1);
      expect(await run()).toBe(0);
      expect(world.post.runs).toBe(1);
      expect(world.post.arrived[0]).toMatch(/^dbx[a-z2-7]{26}$/);
      expect(await look(action)).toMatchObject({
        status: 'completed',
        outcome: { kind: 'completed', reference: `ref-${world.post.arrived[0]}`, details: { taken: true } },
      });
      expect(await moves(action)).toEqual(['pending', 'approved', 'executing', 'completed']);
    });

    test('what the operation gets is the approved payload with its defaults, and the attached bytes', async () => {
      const bytes = Buffer.from('a plan');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const seen: unknown[] = [];
      world.post.run = async (context, payload) => {
        seen.push(payload, Buffer.from(await context.attachment(sha256)).toString());
        await context.aboutToSend();
        return { reference: 'r', details: {} };
      };
      const payload = { to: 'bo', attachments: [{ name: 'p', size: bytes.byteLength, sha256 }] };
      const action = await world.propose(payload, {
        attachments: [{ name: 'p', mediaType: 'text/plain', bytes }],
      });
      await world.approve(action);
      await run();
      expect(seen).toEqual([{ ...payload, copies: 1, text: '(no text)' }, 'a plan']);
    });

    test('attached bytes changed in the database are never sent', async () => {
      const bytes = Buffer.from('a plan');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      world.post.run = async (context) => {
        await context.attachment(sha256);
        await context.aboutToSend();
        world.post.arrived.push('sent');
        return { reference: 'r', details: {} };
      };
      const action = await world.propose(
        { to: 'bo', attachments: [{ name: 'p', size: bytes.byteLength, sha256 }] },
        { attachments: [{ name: 'p', mediaType: 'text/plain', bytes }] },
      );
      await world.approve(action);
      await world.org.write((tx) =>
        tx
          .updateTable('action_attachments')
          .set({ bytes: Buffer.from('a trap') })
          .where('org_id', '=', world.org.orgId)
          .execute(),
      );
      await run();
      expect(world.post.arrived).toEqual([]);
      expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'conflict' } });
    });

    test('a row changed after its approval is never run, whichever column was changed', async () => {
      const trap = '{"copies":1,"text":"(no text)","to":"eve@e.example"}';
      const changes: Partial<OrgTables['action_queue']>[] = [
        { payload: trap },
        { payload: 'not json' },
        { operation: 'burn' },
        { account: 'eve@post.example' },
        { operation_version: 2 },
        { payload_hash: 'f'.repeat(64) },
      ];
      for (const change of changes) {
        const action = await world.approved();
        await tamper(action.id, change);
        await run();
        expect(await look(action), JSON.stringify(change)).toMatchObject({
          status: 'failed',
          outcome: { code: 'conflict', message: expect.stringContaining('nothing was sent') },
        });
      }
      expect(world.post.runs).toBe(0);
    });

    test('a payload changed together with its hash is not what the approval was recorded for', async () => {
      const decoy = await world.propose({ to: 'eve@e.example' });
      const action = await world.approved({ to: 'bo' });
      await tamper(action.id, {
        payload: '{"copies":1,"text":"(no text)","to":"eve@e.example"}',
        payload_hash: decoy.payloadHash,
      });
      await run();
      expect(world.post.runs).toBe(0);
      expect((await look(action)).status).toBe('failed');
    });

    test('an approval does not outlive the account, the operation or the hour it was given for', async () => {
      const expect1 = async (action: { id: string }, code: string) => {
        await run();
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code } });
      };
      const moved = await world.approved();
      world.connections[0] = { ...fakeConnection(), account: 'someone-else@post.example' };
      await expect1(moved, 'conflict');
      world.connections[0] = { ...fakeConnection(), state: 'REVOKED' };
      world.connections[0] = fakeConnection();
      const revoked = await world.approved();
      world.connections[0] = { ...fakeConnection(), state: 'REVOKED' };
      await expect1(revoked, 'auth_expired');
      world.connections[0] = fakeConnection();
      const older = await world.approved();
      world.post.version = 2;
      await expect1(older, 'conflict');
      world.post.version = 1;
      const late = await world.approved();
      world.clock.advance(25 * hour);
      await expect1(late, 'conflict');
      expect(world.post.runs).toBe(0);
    });

    test('trouble before sending is tried again after a rest, and asks no person', async () => {
      let fail = 2;
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        fail -= 1;
        if (fail >= 0) throw new DrawbridgeError('rate_limited', 'Slow down.', { retryAfterMs: 20_000 });
        return send(context, payload);
      };
      const action = await world.approved();
      await run();
      expect((await look(action)).status).toBe('approved');
      world.clock.advance(19_999);
      expect(await run()).toBe(0);
      world.clock.advance(1);
      await run();
      world.clock.advance(20_000);
      await run();
      expect((await look(action)).status).toBe('completed');
      expect(world.post.arrived).toHaveLength(1);
    });

    test('trouble before sending that does not pass ends in failed, after eight tries', async () => {
      world.post.run = async () => {
        throw new DrawbridgeError('network', 'No road to the post office.');
      };
      const action = await world.approved();
      for (let i = 0; i < 12; i += 1) {
        await run();
        world.clock.advance(16 * 60_000);
      }
      expect(world.post.runs).toBe(8);
      expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'network' } });
    });

    test('a refusal is failed at once, before sending or after; a refused credential is told to the connection', async () => {
      const cases: [() => Promise<never>, boolean, string][] = [
        [
          async () => {
            throw new EffectRefused('550 no such user');
          },
          true,
          'refused',
        ],
        [
          async () => {
            throw new EffectRefused('550 no such user');
          },
          false,
          'refused',
        ],
        [
          async () => {
            throw new DrawbridgeError('auth_expired', 'Sign in again.');
          },
          false,
          'auth_expired',
        ],
        [
          async () => {
            throw new TypeError('a bug');
          },
          false,
          'internal',
        ],
      ];
      for (const [end, sends, code] of cases) {
        world.post.run = async (context) => {
          if (sends) await context.aboutToSend();
          return end();
        };
        const action = await world.approved();
        await run();
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code } });
      }
      expect(world.reports).toHaveLength(1);
    });

    describe('a provider that says it did nothing, after the sending began', () => {
      /** Refuses the first calls for such a cause. */
      const refusing = (times: number, why: () => DrawbridgeError) => {
        const send = world.post.run;
        let left = times;
        world.post.run = async (context, payload) => {
          if (left <= 0) return send(context, payload);
          left -= 1;
          await context.aboutToSend();
          const refusal = why();
          throw new EffectRefused(refusal.message, { cause: refusal });
        };
      };
      const tooMany = () => new DrawbridgeError('rate_limited', 'Slow down.', { retryAfterMs: 20_000 });

      test('because of too many calls, is asked again when its wait is over, and acts once', async () => {
        refusing(2, tooMany);
        const action = await world.approved();
        await run();
        expect(await look(action)).toMatchObject({ status: 'approved' });
        world.clock.advance(19_999);
        expect(await run()).toBe(0);
        world.clock.advance(1);
        await run();
        world.clock.advance(20_000);
        await run();
        expect((await look(action)).status).toBe('completed');
        expect(world.post.arrived).toHaveLength(1);
        expect(world.reports).toEqual([]);
      });

      test('because of too many calls, is not asked for ever: after eight tries it failed, for that reason', async () => {
        refusing(20, tooMany);
        const action = await world.approved();
        for (let i = 0; i < 12; i += 1) {
          await run();
          world.clock.advance(16 * 60_000);
        }
        expect(world.post.runs).toBe(8);
        expect(await look(action)).toMatchObject({ status: 'failed', outcome: { code: 'rate_limited' } });
        expect(world.post.arrived).toEqual([]);
      });

      test('because of the credential, is told to the connection, and the action failed until it is connected again', async () => {
        refusing(1, () => new DrawbridgeError('auth_expired', 'Sign in again.'));
        const action = await world.approved();
        await run();
        expect(await look(action)).toMatchObject({
          status: 'failed',
          outcome: { code: 'auth_expired', message: 'Sign in again.' },
        });
        expect(world.reports).toEqual([{ error: expect.objectContaining({ code: 'auth_expired' }) }]);
        expect(world.post.runs).toBe(1);
      });

      test('a process that dies before it could write that down leaves it unclear, and it is not sent again', async () => {
        refusing(1, tooMany);
        const action = await world.approved();
        const dying = world.another({
          checkpoint: (step) => {
            if (step === 'before-outcome') throw new Error('killed');
          },
        });
        await dying.runDue(world.org);
        for (let i = 0; i < 4; i += 1) {
          world.clock.advance(10 * 60_000);
          await run();
        }
        expect((await look(action)).status).toBe('unknown');
        expect(world.post.runs).toBe(1);
      });
    });

    test('an error after sending began is unknown, with its evidence, whatever its class, and never sent again', async () => {
      const ends = [
        new DrawbridgeError('network', 'The line went dead.'),
        new DrawbridgeError('invalid_request', 'Odd.'),
        new DrawbridgeError('rate_limited', 'Slow down.'),
        new TypeError('a bug'),
      ];
      for (const end of ends) {
        const before = world.post.runs;
        world.post.run = async (context) => {
          await context.aboutToSend();
          throw end;
        };
        const action = await world.approved();
        await run();
        expect(await look(action)).toMatchObject({
          status: 'unknown',
          outcome: { kind: 'unknown', evidence: [expect.stringContaining(end.message)] },
        });
        for (let i = 0; i < 8; i += 1) {
          world.clock.advance(9 * hour);
          await run();
        }
        expect((await look(action)).status).toBe('unknown');
        expect(world.post.runs).toBe(before + 1);
      }
    });

    test('when the mark of sending cannot be written, nothing is sent, and it is tried again', async () => {
      const action = await world.approved();
      const healthy = world.org.write;
      let broken = false;
      const org = {
        ...world.org,
        write: (async (work) => {
          if (broken) {
            broken = false;
            throw new DrawbridgeError('internal', 'The disk is full.', { retry: 'later' });
          }
          return healthy(work);
        }) as typeof healthy,
      };
      const send = world.post.run;
      world.post.run = async (context, payload) => {
        broken = world.post.runs === 1;
        return send(context, payload);
      };
      await world.queue.runDue(org);
      expect(world.post.arrived).toEqual([]);
      expect((await look(action)).status).toBe('approved');
      world.clock.advance(5_000);
      await world.queue.runDue(org);
      expect(world.post.arrived).toHaveLength(1);
      expect((await look(action)).status).toBe('completed');
    });

    test.runIf(name === 'SQLite')(
      'on a full disk (SQLITE_FULL at that very write) nothing is sent',
      async () => {
        const action = await world.approved();
        await world.org.write(async (tx) => {
          await sql`create table ballast (bytes blob)`.execute(tx);
          await sql`create trigger heavy after update of sending_at on action_queue when new.sending_at is not null
        begin insert into ballast values (zeroblob(20000000)); end`.execute(tx);
        });
        await world.org.write((tx) => sql`pragma max_page_count = 600`.execute(tx));
        await run();
        expect(world.post.runs).toBe(1);
        expect(world.post.arrived).toEqual([]);
        expect((await look(action)).status).toBe('approved');
        expect((await world.queue.events(world.org, action.id)).at(-1)?.detail['reason']).toContain(
          'disk is full',
        );
        await world.org.write((tx) => sql`drop trigger heavy`.execute(tx));
        world.clock.advance(5_000);
        await run();
        expect(world.post.arrived).toHaveLength(1);
        expect((await look(action)).status).toBe('completed');
      },
    );

    test('an operation that goes on although it was told not to is unknown, not done', async () => {
      const action = await world.approved();
      world.post.run = async (context) => {
        await tamper(action.id, { fencing: 99 });
        await context.aboutToSend().catch(() => undefined);
        await tamper(action.id, { fencing: 1 });
        return { reference: 'r', details: {} };
      };
      await run();
      expect(await look(action)).toMatchObject({
        status: 'unknown',
        outcome: { message: expect.stringContaining('told not to send') },
      });
    });

    test('whatever a provider returns is bounded and storable', async () => {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      const given: Record<string, unknown>[] = [
        { text: 'x'.repeat(100_000) },
        { nul: 'a\u0000b' },
        circular,
        { big: 1n },
      ];
      for (const details of given) {
        world.post.run = async (context) => {
          await context.aboutToSend();
          return { reference: `r${'y'.repeat(5_000)}\u0000`, details, warning: 'z'.repeat(5_000) };
        };
        const action = await world.approved();
        await run();
        const { status, outcome } = await look(action);
        expect(status).toBe('completed');
        expect(JSON.stringify(outcome).length).toBeLessThan(12_000);
        expect(JSON.stringify(outcome)).not.toContain('\\u0000');
      }
    });

    test('one connection that is stuck leaves room for another', async () => {
      world.connections.push({ ...fakeConnection(), id: 'con_2' });
      await world.org.write(async (tx) => {
        const row = await tx.selectFrom('connected_sources').selectAll().executeTakeFirstOrThrow();
        await tx
          .insertInto('connected_sources')
          .values({ ...row, id: 'con_2', account: 'second' })
          .execute();
      });
      const stuck = Promise.withResolvers<void>();
      const send = world.post.run;
      const through = Promise.withResolvers<void>();
      world.post.run = async (context, payload) => {
        if (context.connectionId === 'con_1') await stuck.promise;
        else through.resolve();
        return send(context, payload);
      };
      for (let i = 0; i < 5; i += 1) await world.approved();
      await world.approve(await world.propose({ to: 'other' }, { connectionId: 'con_2' }));
      const running = run();
      await through.promise;
      while (world.post.runs < 3) await new Promise((resolve) => setImmediate(resolve));
      await world.clock.asleep((ms) => ms === 10_000);
      expect(world.post.runs).toBe(3);
      stuck.resolve();
      await running;
      expect(world.post.arrived).toHaveLength(6);
    });
  });
