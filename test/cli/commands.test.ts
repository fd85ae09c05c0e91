// The command line as people and scripts meet it: help, mistakes, and what needs no account.
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergeConfiguration } from '../../src/commands/client-configuration.ts';
import { version } from '../../src/version.ts';
import { newProgram, type Program } from './program.ts';

let program: Program;
beforeAll(async () => {
  program = await newProgram();
});
afterAll(() => program.remove());

const commands = [
  'stdio',
  'serve',
  'search',
  'connect',
  'connections',
  'disconnect',
  'sync',
  'import',
  'actions',
  'open',
  'keys',
  'members',
  'doctor',
  'install',
];

test('every command is listed and explains itself', async () => {
  const help = await program.run(['--help']);
  expect(help.code).toBe(0);
  for (const command of commands) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  for (const command of ['search', 'actions', 'stdio']) {
    const own = await program.run([command, '--help']);
    expect(own).toMatchObject({ code: 0, stderr: '' });
    expect(own.stdout).toContain(`Usage: drawbridge ${command}`);
  }
  expect(await program.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test('a mistake exits with 2, names what is wrong, and leaves standard output empty', async () => {
  for (const [args, words] of [
    [['serch', 'x'], 'Did you mean search?'],
    [['search'], "missing required argument 'question'"],
    [['search', ' '], 'the question is empty'],
    [['explain', ''], 'the question is empty'],
    [['search', 'x', '--client', 'Nobody Noname'], '--client: no client is called "Nobody Noname"'],
    [['search', 'x', '--kinds', 'poem'], '--kinds: "poem"'],
    [['search', 'x', '--since', 'soon'], '--since'],
    [['search', 'x', '--limit', '0'], '--limit'],
    [['connect', 'mailbox', '--emial', 'x'], '--email'],
    [['actions', 'approve', 'act_x'], '--hash'],
    [['install', 'notepad'], 'claude-desktop'],
  ] as const) {
    const { code, stdout, stderr } = await program.run([...args]);
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
    expect(stderr).toContain(words);
  }
});

test('with --json a failure is JSON on standard output too', async () => {
  const answer = await program.json<{ error: { code: string } }>(['actions', 'show', 'act_none'], {
    code: 1,
  });
  expect(answer.error.code).toBe('not_found');
  await expect(program.json(['serch'], { code: 2 })).resolves.toMatchObject({
    error: { code: 'invalid_request' },
  });
});

test('a malformed environment variable is named', async () => {
  const { code, stderr } = await program.run(['connections'], { environment: { DRAWBRIDGE_PORT: 'many' } });
  expect(code).toBe(1);
  expect(stderr).toContain('DRAWBRIDGE_PORT="many": must be a port');
  const key = await program.run(['connections'], { environment: { DRAWBRIDGE_KEY: 'nearly-a-key' } });
  expect(key.code).toBe(1);
  expect(key.stderr).toContain('DRAWBRIDGE_KEY: must be');
  expect(key.stderr).not.toContain('nearly-a-key');
});

test('after a mistake the hint names the very command', async () => {
  for (const [args, hint] of [
    [['actions', 'approve'], 'See drawbridge actions approve --help'],
    [['connect', 'mailbox', '--email', 'a', '--password-stdin'], 'See drawbridge connect mailbox --help'],
    [['keys', 'make'], 'See drawbridge keys --help'],
    [['serch'], 'See drawbridge --help'],
  ] as const) {
    expect((await program.run([...args], { input: 'x\n' })).stderr.trimEnd().split('\n').at(-1)).toBe(hint);
  }
});

test('connect says what is wrong with an address or an empty standard input, before anything else', async () => {
  const address = await program.run(['connect', 'mailbox', '--email', 'a', '--password-stdin'], {
    input: 'x\n',
  });
  expect(address).toMatchObject({ code: 2, stdout: '' });
  expect(address.stderr).toMatch(/--email: .*address/);
  expect(address.stderr).not.toContain('--imap');
  const empty = await program.run(['connect', 'mailbox', '--email', 'a@b.test', '--password-stdin']);
  expect(empty).toMatchObject({ code: 2, stdout: '' });
  expect(empty.stderr).toContain('--password-stdin: standard input is empty');
});

test('a home where no folder can be made is said in a sentence, without a line of log', async () => {
  const folder = dirname(program.home);
  const file = join(folder, 'no-folder');
  await writeFile(file, '');
  const nowhere = join(folder, 'leads-nowhere');
  await symlink(join(folder, 'nowhere'), nowhere);
  const ring = join(folder, 'ring');
  await symlink(ring, ring);
  const homes = [
    [file, 'ENOTDIR'],
    [join(file, 'home'), 'ENOTDIR'],
    [nowhere, 'EEXIST'],
    [ring, 'ELOOP'],
    [join(folder, 'x'.repeat(300)), 'ENAMETOOLONG'],
    // Below it Node's own recursive mkdir never returns.
    ...(process.platform === 'linux' ? [['/proc/drawbridge/home', 'ENOENT']] : []),
  ] as const;
  for (const [home, code] of homes) {
    const ended = await program.run(['connections'], { environment: { DRAWBRIDGE_HOME: home } });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(`drawbridge: ${home} cannot be written (${code}). `);
    expect(ended.stderr).toMatch(/^[^\n]*in DRAWBRIDGE_HOME\.\n$/);
  }
});

test('doctor says of a home that cannot be what is wrong with it', async () => {
  const home = join(dirname(program.home), 'x'.repeat(300));
  const { code, stdout } = await program.run(['doctor'], { environment: { DRAWBRIDGE_HOME: home } });
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ home folder: .*\(ENAMETOOLONG\)/);
  expect(stdout).toContain('DRAWBRIDGE_HOME');
});

test('an empty memory says so, and how to fill it', async () => {
  const other = await newProgram();
  try {
    const { code, stdout } = await other.run(['search', 'boiler']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /nothing is connected or imported yet.*drawbridge connect mailbox.*drawbridge import PATH/,
    );
  } finally {
    await other.remove();
  }
});

test('an import of which nothing could be read fails, and says so of an empty mail folder too', async () => {
  const folder = join(dirname(program.home), 'empty');
  await mkdir(folder);
  await writeFile(join(folder, 'none.mbox'), '');
  await writeFile(join(folder, 'none.txt'), '');
  const { code, stderr } = await program.run(['import', folder]);
  expect(code).toBe(1);
  expect(stderr).toContain('none.mbox: empty');
  expect(stderr).toContain('none.txt: empty');
  const one = await program.run(['import', join(folder, 'none.mbox')]);
  expect(one.stderr).toContain('1 could not be read:');
});

test('what is imported is found, importing it again changes nothing, and what is bad is listed', async () => {
  const folder = join(dirname(program.home), 'papers');
  await mkdir(join(folder, 'deep'), { recursive: true });
  await writeFile(
    join(folder, 'notes.jsonl'),
    '{"title":"Elm Street","text":"The boiler at Elm Street leaks."}\n{oops\n',
  );
  await writeFile(join(folder, 'deep', 'plan.md'), '# Sale of the loft\n\nAsk for two offers.\n');
  await writeFile(join(folder, '.hidden.md'), '# Hidden\n');
  await writeFile(join(folder, 'photo.heic'), 'x');
  await symlink('/etc', join(folder, 'elsewhere'));
  const first = await program.run(['import', folder]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain('2 new');
  expect(first.stderr).toContain('notes.jsonl: line 2');
  expect(first.stderr).toContain('photo.heic');
  expect(first.stderr).toContain('elsewhere: a link that leads out of the folder');
  await expect(program.json(['import', folder])).resolves.toMatchObject({
    seen: 3,
    inserted: 0,
    unchanged: 2,
    rejectedTotal: 1,
  });

  const { hits } = await program.json<{ hits: { title: string; account: string }[] }>([
    'search',
    'leaking',
    'boiler',
  ]);
  expect(hits[0]).toMatchObject({ title: 'Elm Street', account: 'Imported files' });
  const human = await program.run(['search', 'which boiler leaks?']);
  expect(human.stdout).toContain('Elm Street');
  expect(human.stdout).not.toContain('\x1b');
  const missing = await program.run(['import', join(folder, 'nothing.mbox')]);
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(missing.stderr).toContain('nothing.mbox');
});

test('what others wrote cannot drive the terminal', async () => {
  const file = join(dirname(program.home), 'evil.jsonl');
  await writeFile(
    file,
    `${JSON.stringify({ title: 'Zebra\u001b[2J\u202Eevil', text: 'zebra \u001b]0;owned\u0007 crossing' })}\n`,
  );
  await program.run(['import', file]);
  const { stdout } = await program.run(['search', 'zebra']);
  expect(stdout).toContain('Zebra');
  for (const sign of ['\u001b', '\u0007', '\u202E']) expect(stdout).not.toContain(sign);
});

test('doctor finds a new home healthy, and names a key file that others can read', async () => {
  const healthy = await program.json<{ healthy: boolean; checks: { part: string; state: string }[] }>([
    'doctor',
  ]);
  expect(healthy.checks.filter(({ state }) => state !== 'ok' && state !== 'warning')).toEqual([]);
  expect(healthy.healthy).toBe(true);
  const other = await newProgram();
  try {
    await mkdir(other.home, { recursive: true, mode: 0o700 });
    await writeFile(join(other.home, 'key'), `${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o644 });
    const { checks } = await other.json<typeof healthy>(['doctor'], { code: 1 });
    expect(checks).toContainEqual(
      expect.objectContaining({
        part: 'master key',
        state: 'broken',
        mend: expect.stringContaining('chmod 600'),
      }),
    );
    await writeFile(join(other.home, 'key'), 'garbage\n');
    await chmod(join(other.home, 'key'), 0o600);
    expect((await other.json<typeof healthy>(['doctor'], { code: 1 })).checks).toContainEqual(
      expect.objectContaining({
        part: 'master key',
        state: 'broken',
        message: expect.stringContaining('does not hold a key'),
      }),
    );
  } finally {
    await other.remove();
  }
});

test('a key is shown once, listed without itself, and revoked', async () => {
  const made = await program.run(['keys', 'create', '--name', 'Cursor']);
  const key = made.stdout.trim();
  expect(key).toMatch(/^dbk_/);
  const [listed] = await program.json<{ id: string; scopes: string[]; revokedAt: string | null }[]>([
    'keys',
    'list',
  ]);
  expect(listed).toMatchObject({ name: 'Cursor', scopes: ['read', 'propose'], revokedAt: null });
  expect(JSON.stringify(listed)).not.toContain(key);
  await program.json(['keys', 'revoke', listed?.id ?? '']);
  const [after] = await program.json<(typeof listed)[]>(['keys', 'list']);
  expect(after?.revokedAt).not.toBeNull();
});

test('a key acts for a member, as the list says, or is refused where there is no such', async () => {
  const own = await newProgram();
  try {
    await own.json(['members', 'add', '--email', 'ben@northgate.example', '--name', 'Ben']);
    const make = ['keys', 'create', '--name', 'Desk', '--scopes', 'read', '--member'];
    const made = await own.run([...make, 'ben@northgate.example']);
    expect([made.code, made.stderr]).toEqual([
      0,
      expect.stringContaining('Desk may read for Ben, ben@northgate.example; id key_'),
    ]);
    const stranger = await own.run([...make, 'eve@northgate.example']);
    expect([stranger.code, stranger.stderr]).toEqual([
      1,
      expect.stringContaining('No member has this address'),
    ]);
    expect((await own.run(['keys', 'list'])).stdout).toMatch(
      /Desk {2}read {2}for Ben, ben@northgate\.example {2}never used\n$/,
    );
    const carried = await own.run(['keys', 'list', '--json']);
    const [{ id, member }] = JSON.parse(carried.stdout);
    expect(member).toMatchObject({ name: 'Ben', email: 'ben@northgate.example' });
    const allowed = await own.run(['actions', 'elicitation', 'allow', id]);
    expect([allowed.code, allowed.stderr]).toEqual([1, expect.stringContaining('acts for another member')]);
    await own.run(['members', 'remove', 'ben@northgate.example']);
    expect((await own.run(['keys', 'list'])).stdout).toMatch(/for a member who was removed {2}revoked\n$/);
  } finally {
    await own.remove();
  }
});

test('install keeps what stands in a client’s configuration, and what was there lies beside it', async () => {
  const file = join(dirname(program.home), '.claude.json');
  const before = JSON.stringify({ theme: 'dark', mcpServers: { other: { command: 'x' } } });
  await writeFile(file, before, { mode: 0o600 });
  const { backup } = await program.json<{ backup: string }>(['install', 'claude-code']);
  const after = JSON.parse(await readFile(file, 'utf8'));
  expect(after).toMatchObject({ theme: 'dark', mcpServers: { other: { command: 'x' } } });
  const { command, args, env } = after.mcpServers.drawbridge;
  expect(command).toBe(process.execPath);
  expect(args).toEqual([expect.stringMatching(/^\/.*cli\.ts$/), 'stdio']);
  expect(env).toEqual({ DRAWBRIDGE_HOME: program.home });
  expect(await readFile(backup, 'utf8')).toBe(before);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  // However soon it is done again: what stood there first is still there.
  const entry = { command: 'x', args: [], env: {} };
  const [first, second] = [
    await mergeConfiguration(file, entry, 0),
    await mergeConfiguration(file, entry, 0),
  ];
  expect(second.backup).not.toBe(first.backup);
  expect(JSON.parse(await readFile(first.backup ?? '', 'utf8'))).toEqual(after);
  expect((await readdir(dirname(file))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('install leaves a configuration alone that it does not understand, and --print writes nothing', async () => {
  const file = join(dirname(program.home), '.claude.json');
  for (const text of ['{"mcpServers": {', '[]', '{"mcpServers": 3}']) {
    await writeFile(file, text);
    const { code, stderr } = await program.run(['install', 'claude-code']);
    expect(code).toBe(1);
    expect(stderr).toContain('left as it is');
    expect(await readFile(file, 'utf8')).toBe(text);
  }
  const { stdout, code } = await program.run(['install', 'claude-code', '--print']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).mcpServers.drawbridge.args[1]).toBe('stdio');
});

test('open says how to start a server when none runs', async () => {
  const { code, stderr } = await program.run(['open', '--print']);
  expect(code).toBe(1);
  expect(stderr).toContain('drawbridge serve');
});
