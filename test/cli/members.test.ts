// People are let in at the terminal, by a person, and by nobody else.
import { expect, onTestFinished, test } from 'vitest';
import { createOidcIssuer } from '../../sandbox/oidc-issuer.ts';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { systemClock } from '../../src/clock.ts';
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

test('doctor says whether the issuer answers, gives keys, and anybody may come in', async () => {
  const client = {
    id: 'client-1',
    secret: undefined,
    redirectUri: 'https://bridge.example.com/sign-in/callback',
  };
  const hosts = await startProviderHosts([
    createOidcIssuer({ host: 'login.example', client, people: [] }, systemClock),
  ]);
  onTestFinished(() => hosts.close());
  const program = await newProgram({
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
    DRAWBRIDGE_PUBLIC_URL: 'https://bridge.example.com',
    DRAWBRIDGE_OIDC_ISSUER: 'https://login.example',
    DRAWBRIDGE_OIDC_CLIENT_ID: client.id,
  });
  onTestFinished(() => program.remove());
  const signIn = async (code: number) => {
    const { checks } = await program.json<{ checks: { part: string; state: string; message: string }[] }>(
      ['doctor', '--json'],
      { code },
    );
    return checks.find(({ part }) => part === 'sign-in');
  };
  expect(await signIn(0)).toMatchObject({ state: 'warning', message: expect.stringContaining('no member') });
  await program.json(['members', 'add', '--email', 'ana@northgate.example', '--owner', '--json']);
  expect(await signIn(0)).toMatchObject({ state: 'ok' });
  hosts.faults.failNext({ kind: 'garble', body: '{"keys":[]}' }, '/keys');
  expect(await signIn(1)).toMatchObject({ state: 'broken', message: expect.stringContaining('no key') });
});
