// People are let in at the terminal, by a person, and by nobody else.
import { expect, onTestFinished, test } from 'vitest';
import { newProgram } from './program.ts';

interface Listed {
  email: string | null;
  name: string;
  role: string;
  issuers: string[];
}

async function open() {
  const program = await newProgram();
  onTestFinished(() => program.remove());
  const list = async () =>
    (await program.json<Listed[]>(['members', 'list', '--json'])).map(({ email, name, role }) => [
      email,
      name,
      role,
    ]);
  return { program, list };
}

test('an address is entered, listed and removed; the first owner is given one, and the last is not removed', async () => {
  const { program, list } = await open();
  expect(await list()).toEqual([[null, 'Owner', 'owner']]);
  await program.json(['members', 'add', '--email', 'Ana@Northgate.example', '--owner', '--json']);
  await program.json(['members', 'add', '--email', 'ben@northgate.example', '--name', 'Ben', '--json']);
  expect(await list()).toEqual([
    ['ana@northgate.example', 'Owner', 'owner'],
    ['ben@northgate.example', 'Ben', 'member'],
  ]);
  const again = await program.run(['members', 'add', '--email', 'BEN@northgate.example']);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('has this address already')]);
  const last = await program.run(['members', 'remove', 'ana@northgate.example']);
  expect([last.code, last.stderr]).toEqual([1, expect.stringContaining('last owner')]);
  expect((await program.run(['members', 'remove', 'ben@northgate.example'])).code).toBe(0);
  expect(await list()).toEqual([['ana@northgate.example', 'Owner', 'owner']]);
  expect((await program.run(['members', 'remove', 'ben@northgate.example'])).code).toBe(1);
});
