// Bars and colours: on a terminal, and nowhere else. What is read by a program, or by a person who asked for no
// colours, holds no escape sequence.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateMbox } from '../../bench/mbox-generator.ts';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { newProgram, type Program } from './program.ts';

const bar = /[█░]{24} +\d+ % /;
const esc = '\x1b';
let sandbox: Sandbox;
let program: Program;
let folder: string;
let connect: string[];

beforeAll(async () => {
  sandbox = await startSandbox();
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
  folder = dirname(program.home);
  const { mail, imap, smtp } = sandbox;
  connect = ['connect', 'mailbox', '--email', mail.address, '--password-stdin'];
  connect.push('--imap', `${imap.host}:${imap.port}`, '--smtp', `${smtp.host}:${smtp.port}`);
  const connected = await program.run([...connect, '--no-sync'], { input: `${mail.password}\n` });
  if (connected.code !== 0) throw new Error(connected.stderr);
  for (const [seed, name] of ['piped', 'plain', 'coloured'].entries()) {
    await generateMbox(join(folder, `${name}.mbox`), 300, seed + 1);
    const note = JSON.stringify({ id: name, kind: 'note', text: `A lease, ${name}.` });
    await writeFile(join(folder, `${name}.jsonl`), `${note}\nno JSON\n`);
  }
});
afterAll(async () => {
  await program?.remove();
  await sandbox?.close();
});

/** Whatever says much, draws or colours: long work, lists, trouble, and mistakes. */
const said = (name: string): string[][] => [
  ['import', join(folder, `${name}.mbox`), join(folder, `${name}.jsonl`)],
  ['sync'],
  ['search', 'lease'],
  ['connections'],
  ['actions', 'list'],
  ['keys', 'list'],
  ['doctor'],
  ['import', join(folder, 'nothing.mbox')],
  ['serch'],
  ['--help'],
];

test('no escape sequence and no bar reaches a pipe, whatever the terminal that started it can do', async () => {
  const environment = { TERM: 'xterm-256color', COLORTERM: 'truecolor' };
  for (const args of said('piped')) {
    const { stdout, stderr } = await program.run(args, { environment });
    expect(stdout + stderr, args.join(' ')).not.toBe('');
    for (const text of [stdout, stderr]) {
      expect(text, args.join(' ')).not.toContain(esc);
      expect(text, args.join(' ')).not.toContain('\r');
      expect(text, args.join(' ')).not.toMatch(/[█░]/);
    }
  }
});

test('with NO_COLOR a terminal shows the same words and the bar, without an escape sequence', async () => {
  const screens: string[] = [];
  for (const args of said('plain')) {
    const { screen } = await program.onTerminal(args, [], { NO_COLOR: '1' });
    expect(screen, args.join(' ')).not.toContain(esc);
    screens.push(screen);
  }
  expect(screens[0]).toMatch(bar);
  expect(screens[0]).toContain('301 new');
});

describe('on a terminal', () => {
  test('an import draws its bar with what it read so far, and clears it before it tells the result', async () => {
    const args = said('coloured')[0] ?? [];
    const { screen } = await program.onTerminal(args, []);
    expect(screen).toMatch(/[█░]{24} +\d+ % [\d.]+ k?M?B of [\d.]+ MB, \d+ records/);
    expect(screen).toMatch(/\r {79}\r\d+ records.*: 301 new/);
    // What could not be read is told in colour.
    expect(screen).toContain(`${esc}[33m1 could not be read`);
  });

  test('a sync draws how far it is', async () => {
    const fresh = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
    await fresh.run([...connect, '--no-sync'], { input: `${sandbox.mail.password}\n` });
    const { screen, code } = await fresh.onTerminal(['sync'], []);
    await fresh.remove();
    expect(code).toBe(0);
    expect(screen).toMatch(/\d+ records of \S+/);
  });

  test('an account stands there in colour', async () => {
    const { screen } = await program.onTerminal(['connections'], []);
    expect(screen).toContain(`${esc}[1m`);
    expect(screen).toContain(`${esc}[32mACTIVE`);
  });
});
