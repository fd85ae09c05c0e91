// Retention: what is older than it has to be kept is exported, signed for and taken off the front of the record,
// which verifies from there; and nothing else can be taken off, by whatever road.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditCheckpoint } from '../../src/audit/audit.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { auditWith, entry, fill, pat } from './chain-of.ts';

const day = 24 * 3_600_000;
const year = 365.25 * day;
const keptMs = 7 * year;

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let org: OrgStore;
  let folder: string;
  const audit = auditWith();

  beforeAll(async () => {
    opened = await database.open();
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
    folder = await mkdtemp(join(tmpdir(), 'drawbridge-archive-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** `count` entries that are `age` milliseconds old. */
  async function written(count: number, age: number, first = 1): Promise<void> {
    const now = await org.now();
    await org.write(async (tx) => {
      for (let n = 0; n < count; n += 1) await audit.append(tx, org.orgId, now - age + n, entry(first + n));
    });
  }
  const cut = (more: { keptMs?: number } = {}) => audit.cut(org, { keptMs, folder, ...more });
  const linesOf = async (name: string) => (await readFile(join(folder, name), 'utf8')).split('\n');
  const log = database.dialect === 'postgres' ? 'drawbridge.audit_log' : 'audit_log';

  test('what is old enough goes to an archive, what is not stays, and both verify', async () => {
    await written(3, 8 * year);
    await written(2, 6 * year, 4);
    const kept = await audit.checkpoint(org);
    expect(await cut()).toBe(3);
    const left = await audit.list(org);
    expect(left.map(({ seq, kind }) => [seq, kind])).toEqual([
      [6, 'audit.cut'],
      [5, 'action.proposed'],
      [4, 'action.proposed'],
    ]);
    expect(await audit.verify(org)).toMatchObject({ entries: 6, bad: undefined, cut: 3 });
    expect(await audit.verify(org, kept)).toMatchObject({ bad: undefined });
    const [name = ''] = await readdir(folder);
    expect(name).toBe(`${org.orgId}-1-3.jsonl`);
    expect(await audit.verifyArchive(org, await linesOf(name))).toMatchObject({
      from: 1,
      to: 3,
      bad: undefined,
    });
    // The entry that says so names the very file.
    const bytes = await readFile(join(folder, name));
    expect(left[0]?.facts).toMatchObject({
      upto: 3,
      archive: name,
      archiveHash: createHash('sha256').update(bytes).digest('hex'),
    });
    expect(bytes.toString()).not.toMatch(/Pat Example|b\.example/);
    expect(await cut()).toBe(0);
  });

  test('the record goes on after a cut, and a later cut follows the first', async () => {
    await written(2, 9 * year);
    expect(await cut()).toBe(2);
    await fill(audit, org, 2);
    expect(await audit.verify(org)).toMatchObject({ entries: 5, bad: undefined, cut: 2 });
    expect(await audit.checkpoint(org)).toMatchObject({ entries: 5 });
  });

  test('a record that does not hold lets nothing go', async () => {
    await written(3, 8 * year);
    if (database.dialect === 'sqlite') await opened.admin('drop trigger audit_log_no_update', org.orgId);
    await opened.admin(`update ${log} set kind = 'x' where org_id = '${org.orgId}' and seq = 2`, org.orgId);
    await expect(cut()).rejects.toMatchObject({ code: 'conflict' });
    expect(await audit.list(org)).toHaveLength(3);
    expect(await readdir(folder)).toEqual([]);
  });

  test('attack: the application takes nothing away without a cut, nothing younger than a year with one', async () => {
    await written(2, 8 * year);
    await written(2, 100 * day, 3);
    const remove = (seq: number) =>
      org.write((tx) =>
        database.dialect === 'postgres'
          ? sql`select cut_audit(${seq}::bigint)`.execute(tx)
          : sql`delete from audit_log where seq <= ${seq}`.execute(tx),
      );
    await expect(remove(1)).rejects.toThrow(/only ever added/);
    const forged = { checkpoint: '{}', archive: 'x', archive_hash: 'x', at: 0, org_id: org.orgId };
    await org.write((tx) =>
      tx
        .insertInto('audit_cuts')
        .values({ ...forged, seq: 4 })
        .execute(),
    );
    await expect(remove(4)).rejects.toThrow(/only ever added/);
    await expect(cut({ keptMs: 50 * day })).rejects.toThrow();
    expect(await audit.list(org)).toHaveLength(4);
    for (const attempt of [
      sql`update audit_cuts set seq = 1`,
      sql`delete from audit_cuts`,
      ...(database.dialect === 'postgres' ? [sql`truncate audit_cuts`, sql`delete from audit_log`] : []),
    ]) {
      await expect(org.write((tx) => attempt.execute(tx))).rejects.toThrow(/only ever added|permission/);
    }
  });

  describe('attack: an administrator takes the front away', () => {
    async function without(seq: number, checkpoint: AuditCheckpoint | string): Promise<string | undefined> {
      const values = database.dialect === 'postgres' ? 'drawbridge.audit_values' : 'audit_values';
      const cuts = database.dialect === 'postgres' ? 'drawbridge.audit_cuts' : 'audit_cuts';
      const mine = `org_id = '${org.orgId}'`;
      if (database.dialect === 'sqlite') await opened.admin('drop trigger audit_log_no_delete', org.orgId);
      await opened.admin(`delete from ${log} where ${mine} and seq <= ${seq}`, org.orgId);
      await opened.admin(`delete from ${values} where ${mine} and seq <= ${seq}`, org.orgId);
      const text = typeof checkpoint === 'string' ? checkpoint : JSON.stringify(checkpoint);
      await opened.admin(
        `insert into ${cuts} (org_id, seq, at, checkpoint, archive, archive_hash)
         values ('${org.orgId}', ${seq}, 1, '${text}', 'x', 'x')`,
        org.orgId,
      );
      return (await audit.verify(org)).bad?.why;
    }

    test('with a cut that nobody signed', async () => {
      await fill(audit, org, 3);
      expect(await without(2, '{}')).toMatch(/signature/);
    });

    test('with a checkpoint of ours in the place of a cut', async () => {
      await fill(audit, org, 2);
      const kept = await audit.checkpoint(org);
      await fill(audit, org, 1);
      expect(await without(2, kept)).toMatch(/signature/);
    });

    test('with a cut that a stranger signed, or that was signed of another record', async () => {
      await written(2, 8 * year);
      const other = await opened.store.forOrg(await opened.store.createOrg('Another'));
      const stranger = auditWith('a stranger');
      await org.write((tx) => stranger.append(tx, org.orgId, 1, entry(3)));
      await stranger.cut(org, { keptMs, folder });
      expect((await audit.verify(org)).bad?.why).toMatch(/not this installation/);
      const theirs = (await linesOf(`${org.orgId}-1-3.jsonl`)).at(-2) ?? '';
      await other.write((tx) => audit.append(tx, other.orgId, 1, entry(1)));
      org = other;
      expect(await without(1, theirs)).toMatch(/something else|not this installation/);
    });

    test('and the entry that says so', async () => {
      await written(2, 8 * year);
      await fill(audit, org, 1);
      await cut();
      const found = await audit.verify(org);
      expect(found.bad).toBeUndefined();
      if (database.dialect === 'sqlite') await opened.admin('drop trigger audit_log_no_delete', org.orgId);
      const values = database.dialect === 'postgres' ? 'drawbridge.audit_values' : 'audit_values';
      for (const table of [log, values]) {
        const where = `org_id = '${org.orgId}' and seq = ${found.entries}`;
        await opened.admin(`delete from ${table} where ${where}`, org.orgId);
      }
      expect((await audit.verify(org)).bad?.why).toMatch(/no entry records/);
    });
  });

  test('a checkpoint from before a cut leads to the archive, and says so', async () => {
    await written(2, 8 * year);
    const early = await audit.checkpoint(org);
    await written(2, 8 * year, 3);
    await cut();
    expect((await audit.verify(org, early)).bad).toEqual({
      seq: 2,
      why: expect.stringMatching(/^cut: entries up to 4 went to archives/),
    });
  });

  test('an archive with one changed byte, a line less, another’s or a forged end does not hold', async () => {
    await written(3, 8 * year);
    await cut();
    const lines = await linesOf(`${org.orgId}-1-3.jsonl`);
    const bad = async (changed: string[]) => (await audit.verifyArchive(org, changed)).bad;
    const at = (index: number, change: (text: string) => string) =>
      lines.map((text, i) => (i === index ? change(text) : text));
    expect(await bad(lines)).toBeUndefined();
    expect(await bad(at(2, (text) => text.replace('hash 2', 'hash 9')))).toMatchObject({ seq: 2 });
    expect(await bad(lines.filter((_, i) => i !== 2))).toMatchObject({ seq: 2 });
    expect(await bad(lines.filter((_, i) => i !== 3))).toMatchObject({
      why: expect.stringMatching(/^missing/),
    });
    expect(await bad(at(4, (text) => text.replace(/"at":\d/, '"at":9')))).toMatchObject({
      why: expect.stringContaining('altered'),
    });
    const elsewhere = await opened.store.forOrg(await opened.store.createOrg('Another'));
    expect((await audit.verifyArchive(elsewhere, lines)).bad?.why).toMatch(/another org/);
    expect((await auditWith('a stranger').verifyArchive(org, lines)).bad?.why).toMatch(
      /not this installation/,
    );
    await expect(audit.verifyArchive(org, ['{}'])).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('erasing goes on working on both sides of a cut', async () => {
    await written(2, 8 * year);
    await fill(audit, org, 3);
    await cut();
    expect(await audit.erase(org, 'act_3', pat, 'terminal')).toBe(2);
    expect((await audit.verify(org)).bad).toBeUndefined();
  });

  test('an export that cannot be written lets nothing go', async () => {
    await written(2, 8 * year);
    const file = join(folder, 'a file');
    await writeFile(file, '');
    await expect(audit.cut(org, { keptMs, folder: join(file, 'below') })).rejects.toThrow();
    expect(await audit.list(org)).toHaveLength(2);
    expect(await cut()).toBe(2);
  });
});
