// What the record promises, on every database: rows are only added, a changed byte is named, what is cut off
// or rebuilt disagrees with a checkpoint, and erased values leave the chain whole.
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RecordedEntry } from '../../src/audit/audit.ts';
import { canonicalJson } from '../../src/canonical-json.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { auditWith, entry, fill, pat } from './chain-of.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let org: OrgStore;
  const audit = auditWith();

  beforeAll(async () => {
    opened = await database.open();
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
  });

  const log = database.dialect === 'postgres' ? 'drawbridge.audit_log' : 'audit_log';
  const stored = database.dialect === 'postgres' ? 'drawbridge.audit_values' : 'audit_values';
  /** As an administrator, who can take the triggers away. */
  async function asAdmin(...statements: string[]): Promise<Record<string, unknown>[]> {
    if (database.dialect === 'sqlite') {
      for (const verb of ['update', 'delete', 'replace']) {
        await opened.admin(`drop trigger if exists audit_log_no_${verb}`, org.orgId);
      }
    }
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = await opened.admin(statement, org.orgId);
    return rows;
  }
  const mine = () => `org_id = '${org.orgId}'`;
  const bad = async () => (await audit.verify(org)).bad;

  test('an empty record holds, and one with entries says how many there are and where it ends', async () => {
    expect(await audit.verify(org)).toEqual({ entries: 0, bad: undefined, head: '0'.repeat(64), cut: 0 });
    await fill(audit, org, 3);
    const [last] = await asAdmin(`select hash from ${log} where ${mine()} and seq = 3`);
    expect(await audit.verify(org)).toEqual({ entries: 3, bad: undefined, head: last?.['hash'], cut: 0 });
  });

  test('a record longer than a page is walked to its end', async () => {
    await org.write(async (tx) => {
      for (let n = 1; n <= 1_203; n += 1) await audit.append(tx, org.orgId, n, entry(n));
    });
    expect(await audit.verify(org)).toMatchObject({ entries: 1_203, bad: undefined });
    await asAdmin(`delete from ${log} where ${mine()} and seq = 1001`);
    expect(await bad()).toEqual({ seq: 1_001, why: 'missing' });
  });

  test('each entry is SHA-256 over its canonical JSON, which holds no personal value', async () => {
    await fill(audit, org, 2);
    const rows = await asAdmin(`select entry, hash from ${log} where ${mine()} order by seq`);
    const entries = rows.map((row) => JSON.parse(String(row['entry'])) as RecordedEntry);
    for (const [i, row] of rows.entries()) {
      expect(row['hash']).toBe(createHash('sha256').update(canonicalJson(entries[i])).digest('hex'));
    }
    expect(entries[1]?.prev_hash).toBe(rows[0]?.['hash']);
    expect(entries[1]).toMatchObject({ org: org.orgId, seq: 2, by: { kind: 'person', id: 'mem_1' } });
    expect(JSON.stringify(rows)).not.toMatch(/Pat Example|b\.example/);
  });

  test('a commitment cannot be guessed: the same value never has the same one twice', async () => {
    await org.write(async (tx) => {
      for (let n = 1; n <= 3; n += 1) await audit.append(tx, org.orgId, n, entry(7));
    });
    const rows = await asAdmin(`select entry from ${log} where ${mine()}`);
    const commitments = rows.flatMap((row) =>
      Object.values((JSON.parse(String(row['entry'])) as RecordedEntry).commitments),
    );
    expect(new Set(commitments).size).toBe(6);
    const salts = await asAdmin(`select salt from ${stored} where ${mine()}`);
    for (const { salt } of salts) expect(salt).toMatch(/^[0-9a-f]{64}$/);
  });

  test('an entry is there if and only if what it records is', async () => {
    await fill(audit, org, 1);
    await expect(
      org.write(async (tx) => {
        await audit.append(tx, org.orgId, 5, entry(5));
        throw new Error('the change failed');
      }),
    ).rejects.toThrow('the change failed');
    await fill(audit, org, 1);
    expect(await audit.verify(org)).toMatchObject({ entries: 2, bad: undefined });
  });

  test('the application changes, removes and replaces no entry', async () => {
    await fill(audit, org, 2);
    const attempts = [
      sql`update audit_log set kind = 'x' where org_id = ${org.orgId}`,
      sql`delete from audit_log where org_id = ${org.orgId}`,
      sql`insert into audit_log select * from audit_log where seq = 1
        on conflict (org_id, seq) do update set kind = 'x'`,
      ...(database.dialect === 'sqlite'
        ? [
            sql`insert or replace into audit_log select * from audit_log where seq = 1`,
            sql`update or replace audit_log set seq = 1 where seq = 2`,
          ]
        : [
            sql`truncate audit_log`,
            sql`truncate audit_log cascade`,
            sql`alter table audit_log disable row level security`,
            sql`drop table audit_log`,
          ]),
    ];
    for (const attempt of attempts) {
      await expect(org.write((tx) => attempt.execute(tx))).rejects.toThrow(
        /only ever added|permission denied|must be owner/,
      );
    }
    expect(await audit.verify(org)).toMatchObject({ entries: 2, bad: undefined });
  });

  test.each([
    ['its text', `entry = replace(entry, 'hash 2', 'hash 3')`, /changed/],
    ['its hash', `hash = replace(hash, substr(hash, 1, 1), 'g')`, /changed/],
    ['its time', 'at = at + 1', /changed/],
    ['its kind', `kind = 'action.proposec'`, /changed/],
    ['its subject', `subject = 'act_3'`, /changed/],
    ['the hash before it', `prev_hash = '${'0'.repeat(64)}'`, /fork/],
    ['a space that means nothing', `entry = entry || ' '`, /changed/],
  ])('one change to %s turns the record red and names the entry', async (_what, change, why) => {
    await fill(audit, org, 4);
    await asAdmin(`update ${log} set ${change} where ${mine()} and seq = 2`);
    const found = await bad();
    expect(found?.seq).toBe(2);
    expect(found?.why).toMatch(why);
  });

  test('an entry that was rewritten with a hash that fits turns the next one red', async () => {
    await fill(audit, org, 4);
    await rewrite(2, (text) => text.replace('hash 2', 'hash 9'));
    expect(await bad()).toEqual({ seq: 3, why: expect.stringMatching(/^fork/) });
  });

  test('an entry that is missing, put first, or moved is named', async () => {
    await fill(audit, org, 4);
    await asAdmin(`update ${log} set seq = 9 where ${mine()} and seq = 2`);
    expect(await bad()).toEqual({ seq: 2, why: 'missing' });
    await asAdmin(`update ${log} set seq = 0 where ${mine()} and seq = 9`);
    expect((await bad())?.why).toMatch(/^out of order/);
    await asAdmin(
      `update ${log} set seq = 2 where ${mine()} and seq = 3`,
      `update ${log} set seq = 3 where ${mine()} and seq = 0`,
    );
    expect(await bad()).toEqual({ seq: 2, why: 'out of order: it was written as entry 3' });
  });

  test('a value that was changed, swapped or added is named', async () => {
    await fill(audit, org, 2);
    await asAdmin(
      `update ${stored} set value = 'Letter to eve' where ${mine()} and seq = 2 and name = 'summary'`,
    );
    expect(await bad()).toEqual({ seq: 2, why: 'changed: its value "summary" is another' });
    await asAdmin(
      `update ${stored} set name = 'constructor' where ${mine()} and seq = 2 and name = 'summary'`,
    );
    expect(await bad()).toEqual({ seq: 2, why: 'changed: its value "constructor" is another' });
  });

  test('erased values are gone, are listed as erased, and the chain still verifies', async () => {
    await fill(audit, org, 3);
    const before = await audit.checkpoint(org);
    expect(await audit.erase(org, 'act_2', pat, 'terminal')).toBe(2);
    const [erasure, , second] = await audit.list(org);
    expect(erasure).toMatchObject({ kind: 'audit.erased', subject: 'act_2', facts: { values: 2 } });
    expect(second).toMatchObject({ subject: 'act_2', values: {}, erased: ['name', 'summary'] });
    expect(await asAdmin(`select * from ${stored} where ${mine()} and seq = 2`)).toEqual([]);
    expect(await audit.verify(org, before)).toMatchObject({ entries: 4, bad: undefined });
  });

  test('erasing who did something takes the name out of everything they did, and leaves the rest', async () => {
    await fill(audit, org, 2);
    await org.write((tx) =>
      audit.append(tx, org.orgId, 9, entry(3, { by: { kind: 'agent', id: 'key_1', name: 'A desk agent' } })),
    );
    expect(await audit.erase(org, 'mem_1', { kind: 'person', id: 'mem_2', name: 'Sam' }, 'terminal')).toBe(2);
    expect((await audit.list(org)).map((line) => line.values)).toEqual([
      { name: 'Sam' },
      { name: 'A desk agent', summary: 'Letter to bo3@b.example' },
      { summary: 'Letter to bo2@b.example' },
      { summary: 'Letter to bo1@b.example' },
    ]);
    expect(await bad()).toBeUndefined();
  });

  test('text that no database holds is recorded as it can be held, and verifies', async () => {
    await org.write((tx) =>
      audit.append(
        tx,
        org.orgId,
        1,
        entry(1, {
          by: { kind: 'agent', id: 'a\0b', name: 'half \ud83d\0' },
          facts: { reason: 'x\ud83d\0' },
          values: { note: '\0 half \udc00' },
        }),
      ),
    );
    expect(await bad()).toBeUndefined();
    expect((await audit.list(org))[0]?.values).toEqual({
      name: 'half \ufffd\ufffd',
      note: '\ufffd half \ufffd',
    });
  });

  describe('against a checkpoint that was kept elsewhere', () => {
    test('a record that went on holds', async () => {
      await fill(audit, org, 3);
      const kept = await audit.checkpoint(org);
      expect(kept).toMatchObject({ org: org.orgId, entries: 3 });
      await fill(audit, org, 2);
      expect(await audit.verify(org, kept)).toMatchObject({ entries: 5, bad: undefined });
    });

    test('dropping the last entries is caught, and is not without one', async () => {
      await fill(audit, org, 5);
      const kept = await audit.checkpoint(org);
      await asAdmin(
        `delete from ${log} where ${mine()} and seq > 3`,
        `delete from ${stored} where ${mine()} and seq > 3`,
      );
      expect(await bad()).toBeUndefined();
      expect((await audit.verify(org, kept)).bad).toEqual({
        seq: 4,
        why: 'missing: the checkpoint has 5 entries, here are 3',
      });
      await asAdmin(`delete from ${log} where ${mine()}`, `delete from ${stored} where ${mine()}`);
      expect((await audit.verify(org, kept)).bad?.seq).toBe(1);
    });

    test('entries that were cut off while their values stayed are noticed without one', async () => {
      await fill(audit, org, 3);
      await asAdmin(`delete from ${log} where ${mine()} and seq = 3`);
      expect(await bad()).toEqual({ seq: 3, why: 'missing: only its values are there' });
    });

    test('a record that was rebuilt from some entry on, every hash right, is caught', async () => {
      await fill(audit, org, 4);
      const kept = await audit.checkpoint(org);
      await asAdmin(`delete from ${stored} where ${mine()}`);
      let head = '';
      for (let seq = 2; seq <= 4; seq += 1) {
        head = await rewrite(
          seq,
          (text) =>
            head === ''
              ? text.replace('hash 2', 'hash 9')
              : text.replace(/"prev_hash":"[0-9a-f]+"/, `"prev_hash":"${head}"`),
          head,
        );
      }
      expect(await bad()).toBeUndefined();
      expect((await audit.verify(org, kept)).bad).toEqual({ seq: 4, why: expect.stringMatching(/^rebuilt/) });
    });

    test('a checkpoint that was altered, is of another org, or is signed by a stranger says so', async () => {
      await fill(audit, org, 2);
      const kept = await audit.checkpoint(org);
      const why = async (against: typeof kept) => (await audit.verify(org, against)).bad?.why;
      expect(await why({ ...kept, entries: 1 })).toMatch(/altered/);
      expect(await why({ ...kept, at: kept.at + 1 })).toMatch(/altered/);
      expect(await why({ ...kept, org: 'org_other' })).toMatch(/another org/);
      const stranger = await auditWith('a stranger').checkpoint(org);
      expect(await why(stranger)).toMatch(/not this installation/);
      expect(await why({ ...kept, publicKey: stranger.publicKey })).toMatch(/altered/);
    });

    test('one signed under a former master key is believed while that key is known, or the person names it', async () => {
      await fill(audit, org, 2);
      const kept = await audit.checkpoint(org);
      expect((await auditWith('new', ['master']).verify(org, kept)).bad).toBeUndefined();
      expect((await auditWith('new').verify(org, kept)).bad?.why).toContain(kept.publicKey);
      expect((await auditWith('new').verify(org, kept, [kept.publicKey])).bad).toBeUndefined();
    });

    test('what does not hold is not signed', async () => {
      await fill(audit, org, 2);
      await asAdmin(`update ${log} set at = 1 where ${mine()} and seq = 1`);
      await expect(audit.checkpoint(org)).rejects.toMatchObject({ code: 'conflict' });
    });
  });

  /** As an administrator who can count: the text of an entry, with a hash that fits; returns the hash. */
  async function rewrite(seq: number, change: (text: string) => string, before = ''): Promise<string> {
    const [row] = await asAdmin(`select entry from ${log} where ${mine()} and seq = ${seq}`);
    const text = change(String(row?.['entry']));
    const hash = createHash('sha256').update(text).digest('hex');
    const link = before === '' ? '' : `, prev_hash = '${before}'`;
    await asAdmin(
      `update ${log} set entry = '${text.replaceAll("'", "''")}', hash = '${hash}'${link} where ${mine()} and seq = ${seq}`,
    );
    return hash;
  }
});
