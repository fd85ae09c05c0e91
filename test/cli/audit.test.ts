// The record at a terminal: green, red at one changed byte, against a checkpoint, and what an agent's shell
// may not do.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import { ensureLocalOrg } from '../../src/auth/local.ts';
import { recordKeys } from '../../src/auth/record-key.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import { entry } from '../audit/chain-of.ts';
import { newProgram, type Program } from './program.ts';

interface Verdict {
  holds: boolean;
  entries: number;
  bad: { seq: number; why: string } | null;
}

/** A home whose record has three entries: two keys made, one revoked. */
async function open(): Promise<{ program: Program; id: string; asAdmin(sql: string): Promise<void> }> {
  const program = await newProgram();
  onTestFinished(() => program.remove());
  const { id } = await program.json<{ id: string }>(['keys', 'create', '--name', 'Desk agent']);
  await program.json(['keys', 'create', '--name', 'Second']);
  await program.json(['keys', 'revoke', id]);
  return {
    program,
    id,
    async asAdmin(sql) {
      const control = new DatabaseSync(join(program.home, 'control.db'));
      const org = control.prepare('select id from orgs').get();
      control.close();
      const db = new DatabaseSync(join(program.home, 'orgs', `${String(org?.['id'])}.db`));
      for (const verb of ['update', 'delete']) db.exec(`drop trigger if exists audit_log_no_${verb}`);
      db.exec(sql);
      db.close();
    },
  };
}

test('verify is green, turns red at one changed byte, names the entry, and ends in 1', async () => {
  const { program, asAdmin } = await open();
  expect(await program.json<Verdict>(['audit', 'verify'])).toMatchObject({
    holds: true,
    entries: 3,
    bad: null,
  });
  const green = await program.run(['audit', 'verify']);
  expect([green.code, green.stdout]).toEqual([0, expect.stringContaining('The record holds: 3 entries')]);
  await asAdmin(`update audit_log set entry = replace(entry, 'propose', 'proposf') where seq = 2`);
  expect(await program.json<Verdict>(['audit', 'verify'], { code: 1 })).toMatchObject({
    holds: false,
    bad: { seq: 2, why: expect.stringMatching(/^changed/) },
  });
  const red = await program.run(['audit', 'verify']);
  expect([red.code, red.stdout]).toEqual([1, expect.stringContaining('Entry 2 does not hold: changed')]);
});

test('a checkpoint is signed, kept in a file, never overwritten, and catches what was cut off since', async () => {
  const { program, asAdmin } = await open();
  const file = join(program.home, '..', 'checkpoint.json');
  expect((await program.run(['audit', 'checkpoint', '--out', file])).code).toBe(0);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ entries: 3 });
  expect((await program.run(['audit', 'checkpoint', '--out', file])).code).toBe(1);
  const against = ['audit', 'verify', '--checkpoint', file];
  expect(await program.json<Verdict>(against)).toMatchObject({ holds: true });
  await asAdmin('delete from audit_values where seq = 3; delete from audit_log where seq = 3');
  expect(await program.json<Verdict>(['audit', 'verify'])).toMatchObject({ holds: true, entries: 2 });
  expect(await program.json<Verdict>(against, { code: 1 })).toMatchObject({
    bad: { seq: 3, why: expect.stringMatching(/^missing/) },
  });
});

test('a checkpoint from before the master key was renewed counts when its key is named', async () => {
  const { program } = await open();
  const file = join(program.home, '..', 'checkpoint.json');
  const { publicKey } = await program.json<{ publicKey: string }>(['audit', 'checkpoint', '--out', file]);
  expect((await program.run(['vault', 'rotate', '--master'])).code).toBe(0);
  const against = ['audit', 'verify', '--checkpoint', file];
  expect((await program.json<Verdict>(against, { code: 1 })).bad?.why).toContain(publicKey);
  expect(await program.json<Verdict>([...against, '--key', publicKey])).toMatchObject({ entries: 4 });
});

test('a file that is no checkpoint, or is not there, is refused in words', async () => {
  const { program } = await open();
  const file = join(program.home, '..', 'no-checkpoint.json');
  await writeFile(file, '{"entries":1}');
  for (const path of [file, `${file}.gone`]) {
    const { code, stderr } = await program.run(['audit', 'verify', '--checkpoint', path]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/checkpoint/)]);
  }
  expect((await program.run(['audit', 'verify', '--key', 'x'])).code).toBe(2);
  expect((await program.run(['audit', '--help'])).stdout).toContain('Exit codes');
});

test('entries are listed, of one subject too, and what a person erases is gone while the record holds', async () => {
  const { program, id } = await open();
  const listed = await program.json<{ kind: string; values: object }[]>(['audit', 'list', '--subject', id]);
  expect(listed).toMatchObject([
    { kind: 'key.revoked', values: { name: 'Owner' } },
    { kind: 'key.created', values: { name: 'Owner', key: 'Desk agent' } },
  ]);
  const unasked = await program.run(['audit', 'erase', id]);
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
  const declined = await program.onTerminal(['audit', 'erase', id], [['Type yes to go on', 'no']]);
  expect(declined.screen).toContain('Nothing was erased');
  expect(await program.json(['audit', 'erase', id, '--yes'])).toEqual({ subject: id, erased: 3 });
  const after = await program.run(['audit', 'list']);
  expect(after.stdout).not.toContain('Desk agent');
  expect(after.stdout).toMatch(/key\.created .*\(erased\) \(person, terminal\)/);
  expect(await program.json<Verdict>(['audit', 'verify'])).toMatchObject({ holds: true, entries: 4 });
});

test('an archive of what was let go is verified by itself, and turns red at one changed byte', async () => {
  const program = await newProgram();
  onTestFinished(() => program.remove());
  const config = loadConfig({ DRAWBRIDGE_HOME: program.home });
  const store = await openStore({ config, clock: systemClock, log: createLog({ level: 'silent' }) });
  const audit = createAudit(recordKeys(config));
  const folder = join(program.home, '..', 'archive');
  const { orgId } = await ensureLocalOrg(store, systemClock);
  const org = await store.forOrg(orgId);
  for (const n of [1, 2]) await org.write((tx) => audit.append(tx, orgId, 1_000 + n, entry(n)));
  expect(await audit.cut(org, { keptMs: 1_000, folder })).toBe(2);
  await store.close();

  expect(await program.json<Verdict>(['audit', 'verify'])).toMatchObject({ holds: true, entries: 3, cut: 2 });
  const file = join(folder, `${orgId}-1-2.jsonl`);
  const green = await program.run(['audit', 'verify', '--archive', file]);
  expect([green.code, green.stdout]).toEqual([0, expect.stringContaining('entries 1 to 2')]);
  await writeFile(file, (await readFile(file, 'utf8')).replace('hash 2', 'hash 3'));
  const red = await program.run(['audit', 'verify', '--archive', file]);
  expect([red.code, red.stdout]).toEqual([1, expect.stringContaining('Entry 2 of the archive')]);
  expect((await program.run(['audit', 'verify', '--archive', join(folder, 'none')])).code).toBe(1);
});

test('nobody is told by mail at first, and an account that is not there tells nobody', async () => {
  const { program } = await open();
  expect(await program.json(['notify'])).toBeNull();
  expect((await program.run(['notify', '--mail', 'nobody@mail.example'])).code).toBe(1);
  expect((await program.run(['notify', '--stop'])).code).toBe(1);
  expect((await program.run(['notify', '--stop', '--mail', 'x'])).code).toBe(2);
  expect((await program.run(['notify'])).stdout).toContain('Nobody is told by mail');
});
