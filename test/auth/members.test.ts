// Who is who, on every database: an account is one member's, an address is compared without being bent, and a
// sign-in under way is spent once however many bring it.
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMembers } from '../../src/auth/members.ts';
import { keepSignIn, newBrowserValue, signInLivesMs, spendSignIn } from '../../src/auth/oidc/states.ts';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { newToken } from '../../src/ids.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { databases } from '../store/databases.ts';

const issuer = 'https://login.example';

describe.each(databases)('on $name', { timeout: 60_000 }, (database) => {
  async function open() {
    const clock = manualClock();
    const opened = await database.open({ clock });
    onTestFinished(() => opened.close());
    const { store } = opened;
    const orgId = await store.createOrg('Northgate');
    return { store, clock, orgId, members: createMembers({ store, clock }) };
  }
  const proved = (verifiedEmail: string | undefined, subject = 'u-1') => ({ issuer, subject, verifiedEmail });
  const add = { email: 'Kim@Northgate.example', name: 'Kim', role: 'member' } as const;

  test('an account is linked by its address once, by whichever of many sign-ins at once', async () => {
    const { members, orgId } = await open();
    await members.add(orgId, add);
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => members.admit(proved('KIM@northgate.example'))));
    expect(new Set(all.map(({ memberId }) => memberId)).size).toBe(1);
    expect(await members.list(orgId)).toMatchObject([{ name: 'Kim', issuers: [issuer] }]);
    // From now on the address does not matter.
    expect(await members.admit(proved(undefined))).toEqual(all[0]);
  });

  test('of two accounts with one address at once, one is linked and the other is refused', async () => {
    const { members, orgId } = await open();
    await members.add(orgId, add);
    const both = await Promise.allSettled(
      ['u-1', 'u-2'].map((subject) => members.admit(proved(add.email, subject))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('an address that only looks like, or folds onto, a member’s is a stranger’s', async () => {
    const { members, orgId } = await open();
    await members.add(orgId, add);
    for (const other of [
      // The Kelvin sign, which Unicode makes a k in lower case.
      '\u212Aim@northgate.example',
      'kim@northgate.example.evil.example',
      'kim+x@northgate.example',
      'k\u0131m@northgate.example',
      'kim%@northgate.example',
    ]) {
      await expect(members.admit(proved(other))).rejects.toMatchObject({ code: 'permission_denied' });
    }
  });

  test('an address that is a member’s in two orgs names nobody', async () => {
    const { members, orgId, store } = await open();
    await members.add(orgId, add);
    await members.add(await store.createOrg('Lakeside'), add);
    await expect(members.admit(proved(add.email))).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test('with a member go sessions and links to accounts; unlinking keeps the member', async () => {
    const { members, orgId, store, clock } = await open();
    await members.add(orgId, { ...add, email: 'owner@northgate.example', role: 'owner' });
    await members.add(orgId, add);
    const signIn = createSignIn({ store, clock });
    const person = await members.admit(proved(add.email));
    const session = async () => (await signIn.open(person, undefined)).token.reveal();
    const first = await session();
    expect(await signIn.session(first)).toMatchObject({ person, orgName: 'Northgate' });
    await members.unlink(orgId, add.email);
    expect(await signIn.session(first)).toBeUndefined();
    expect(await members.linked(issuer, 'u-1')).toBeUndefined();
    await members.admit(proved(add.email, 'u-2'));
    const second = await session();
    await members.remove(orgId, add.email);
    expect(await signIn.session(second)).toBeUndefined();
    expect(await members.linked(issuer, 'u-2')).toBeUndefined();
    await expect(signIn.open(person, undefined)).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(members.remove(orgId, 'owner@northgate.example')).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('a sign-in under way is spent once, and what was left is swept away', async () => {
    const { store, clock } = await open();
    const { control } = store;
    const browser = newBrowserValue();
    const request = { option: 'google', to: '/history', codeVerifier: 'v'.repeat(43), nonce: 'n' };
    const [state, left] = [newToken(32), newToken(32)];
    await keepSignIn(control, { state, browser, request, at: clock.now() });
    await keepSignIn(control, { state: left, browser, request, at: clock.now() });
    const spend = () => spendSignIn(control, { state, browser, at: clock.now() });
    const all = await Promise.allSettled([1, 2, 3, 4, 5].map(spend));
    expect(all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))).toEqual([request]);
    clock.advance(signInLivesMs);
    await keepSignIn(control, { state: newToken(32), browser, request, at: clock.now() });
    const rows = await control.read((db) => db.selectFrom('sign_in_states').select('state_hash').execute());
    expect(rows).toHaveLength(1);
  });
});
