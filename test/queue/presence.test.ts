// A passkey's signature proves one decision of one person on one hash, once; the executor and whoever comes
// later can judge it again.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/audit/audit.ts';
import { createPasskeys } from '../../src/auth/passkeys.ts';
import type { Person } from '../../src/auth/principal.ts';
import { createPresence } from '../../src/queue/decide/presence.ts';
import { challengeOf, readProof, verifyProof } from '../../src/queue/decide/presence-proof.ts';
import type { ActionRow } from '../../src/queue/envelope.ts';
import { createPolicy } from '../../src/queue/policy/policy.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { type Authenticator, type Bent, createAuthenticator } from '../auth/authenticator.ts';
import { databases, type OpenDatabase } from './databases.ts';

const origin = 'http://drawbridge.localhost:4321';
const hash = 'a'.repeat(64);
const refused = { code: 'permission_denied' };
const untouched = { code: 'conflict' };

describe.each(databases)('proof of presence on $name', (ground) => {
  let database: OpenDatabase;
  let org: OrgStore;
  let ann: Person;
  let ben: Person;
  let key: Authenticator;
  const entries: AuditEntry[] = [];
  const passkeys = createPasskeys({
    audit: { append: async (_tx, _org, _at, entry) => void entries.push(entry) },
  });
  const policy = createPolicy();
  const presence = createPresence({ pageUrl: (path) => `${origin}${path}` });

  beforeAll(async () => {
    database = await ground.open();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    org = await database.otherOrg();
    ann = { kind: 'person', orgId: org.orgId, memberId: 'mbr_ann', name: 'Ann' };
    ben = { ...ann, memberId: 'mbr_ben', name: 'Ben' };
    key = createAuthenticator(origin);
  });

  async function enrol(person = ann, authenticator = key, bent: Bent = {}, name = 'Laptop') {
    const { challenge } = await passkeys.begin(org, person, origin);
    return passkeys.finish(org, person, { origin, name, response: authenticator.create(challenge, bent) });
  }
  const sign = (effects: string[]) => policy.setSignedEffects(org, ann, { effects, channel: 'page' });
  const row = (more: Partial<ActionRow> = {}) =>
    ({
      id: 'act_1',
      effect: 'send',
      payload_hash: hash,
      proof: null,
      decided_by: JSON.stringify({ kind: 'person', id: 'mbr_ann', name: 'Ann' }),
      ...more,
    }) as ActionRow;
  const begin = (more: object = {}, person = ann) =>
    presence.begin(org, person, { actionId: 'act_1', verdict: 'approve', hash, origin, ...more });
  const check = (
    given: unknown,
    more: { verdict?: 'reject'; hash?: string; row?: ActionRow } = {},
    person = ann,
  ) =>
    presence.check(
      org,
      person,
      {
        actionId: (more.row ?? row()).id,
        verdict: more.verdict ?? 'approve',
        hash: more.hash ?? hash,
        presence: given,
      },
      more.row ?? row(),
    );
  async function signed(bent: Bent = {}, authenticator = key): Promise<unknown> {
    const { nonce, options } = await begin();
    return { nonce, origin, assertion: authenticator.get(options.challenge, bent) };
  }

  test('a passkey is enrolled with its name, listed for its person, and removed', async () => {
    const made = await enrol();
    expect(made).toMatchObject({ id: key.id, name: 'Laptop', lastUsedAt: undefined });
    expect(await passkeys.list(org, ann)).toEqual([made]);
    expect(await passkeys.list(org, ben)).toEqual([]);
    await expect(passkeys.remove(org, ben, key.id)).rejects.toMatchObject({ code: 'not_found' });
    await passkeys.remove(org, ann, key.id);
    expect(await passkeys.list(org, ann)).toEqual([]);
    expect(entries.slice(-2).map(({ kind, subject, by }) => [kind, subject, by.id])).toEqual([
      ['passkey.enrolled', key.id, 'mbr_ann'],
      ['passkey.removed', key.id, 'mbr_ann'],
    ]);
    expect(entries.at(-1)?.facts).toEqual({ member: 'mbr_ann', publicKey: expect.any(String) });
  });

  test.each<[string, Bent]>([
    ['made on another site', { origin: 'https://evil.example' }],
    ['bound to another name', { rpId: 'evil.example' }],
    ['whose person was not verified', { userVerified: false }],
    ['that signs instead of being made', { type: 'webauthn.get' }],
    ['made for another question', { challenge: 'A'.repeat(43) }],
  ])('a passkey %s is not enrolled', async (_what, bent) => {
    await expect(enrol(ann, key, bent)).rejects.toMatchObject(refused);
    expect(await passkeys.list(org, ann)).toEqual([]);
  });

  test('an enrolment is answered once, by the person who began it, from the page it was begun on', async () => {
    const { challenge } = await passkeys.begin(org, ann, origin);
    const given = { origin, name: 'x', response: key.create(challenge) };
    await expect(passkeys.finish(org, ben, given)).rejects.toMatchObject(refused);
    await expect(
      passkeys.finish(org, ann, { ...given, origin: 'http://localhost:4321' }),
    ).rejects.toMatchObject(refused);
    await passkeys.finish(org, ann, given);
    await expect(passkeys.finish(org, ann, given)).rejects.toMatchObject(refused);
    await expect(enrol()).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a page opened by a number enrols nothing, and says why', async () => {
    await expect(passkeys.begin(org, ann, 'http://127.0.0.1:4321')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('drawbridge open'),
    });
  });

  test('it is asked for where the effect is listed and a passkey was ever enrolled', async () => {
    const asked = (effect: string) =>
      presence.require(org, { id: 'act_1', effect, operation: 'send', provider: 'post' });
    await sign(['send']);
    expect(await asked('send')).toBe(false);
    await enrol();
    expect(await asked('send')).toBe(true);
    expect(await asked('create')).toBe(false);
    await passkeys.remove(org, ann, key.id);
    expect(await asked('send')).toBe(true);
  });

  test('a signed approval is proved by what is stored alone, and runs', async () => {
    await enrol();
    const text = await check(await signed());
    const proof = readProof(text);
    expect(proof).toMatchObject({
      credential: key.id,
      name: 'Laptop',
      member: 'mbr_ann',
      hash,
      action: 'act_1',
    });
    await presence.verify(org, row({ proof: text }));
    expect((await passkeys.list(org, ann))[0]?.lastUsedAt).toEqual(expect.any(Number));

    // By node:crypto alone, as anybody could.
    const cose = Buffer.from(proof.publicKey, 'base64url');
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: cose.subarray(10, 42).toString('base64url'),
      y: cose.subarray(45, 77).toString('base64url'),
    };
    const { clientDataJSON, authenticatorData, signature } = proof.assertion.response;
    const client = Buffer.from(clientDataJSON, 'base64url');
    expect(JSON.parse(client.toString())).toMatchObject({ challenge: challengeOf(proof), origin });
    const bytes = Buffer.concat([
      Buffer.from(authenticatorData, 'base64url'),
      createHash('sha256').update(client).digest(),
    ]);
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify('sha256', bytes, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  test('without a signature nothing is decided, and the page that takes one is named', async () => {
    await enrol();
    await expect(check(undefined)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`${origin}/actions/act_1`),
    });
    await expect(check({ nonce: 'x' })).rejects.toMatchObject(refused);
    await expect(check('yes')).rejects.toMatchObject(refused);
  });

  test('a person without a passkey is shown where to enrol one', async () => {
    await enrol(ben, createAuthenticator(origin));
    const where = { ...refused, message: expect.stringContaining(`${origin}/passkeys`) };
    await expect(begin()).rejects.toMatchObject(where);
    await expect(check(undefined)).rejects.toMatchObject(where);
  });

  test('attack: a signature is not taken twice', async () => {
    await enrol();
    const given = await signed();
    await check(given);
    await expect(check(given)).rejects.toMatchObject(refused);
    // Nor where the key does not count, as most do not.
    const quiet = createAuthenticator(origin);
    await enrol(ann, quiet, { counter: 0 });
    const again = await signed({ counter: 0 }, quiet);
    await check(again);
    await expect(check(again)).rejects.toMatchObject(refused);
    await check(await signed({ counter: 0 }, quiet));
  });

  test('attack: a signature for one decision decides no other', async () => {
    await enrol();
    await expect(check(await signed(), { row: row({ id: 'act_2' }) })).rejects.toMatchObject(refused);
    await expect(check(await signed(), { hash: 'b'.repeat(64) })).rejects.toMatchObject(refused);
    await expect(check(await signed(), { verdict: 'reject' })).rejects.toMatchObject(refused);
    const forRejecting = await begin({ verdict: 'reject' });
    const assertion = key.get(forRejecting.options.challenge);
    await expect(check({ nonce: forRejecting.nonce, origin, assertion })).rejects.toMatchObject(refused);
  });

  test.each<[string, Bent]>([
    ['of another site', { origin: 'https://evil.example' }],
    ['of another port of this machine', { origin: 'http://drawbridge.localhost:9999' }],
    ['for another name', { rpId: 'evil.example' }],
    ['without its person verified', { userVerified: false }],
    ['without its person present', { userPresent: false }],
    ['of an enrolment', { type: 'webauthn.create' }],
    ['over another challenge', { challenge: 'A'.repeat(43) }],
    ['by a copy, whose counter stands still', { counter: 1 }],
  ])('attack: a signature %s is refused', async (_what, bent) => {
    await enrol();
    await expect(check(await signed(bent))).rejects.toMatchObject(refused);
  });

  test('attack: a page elsewhere that had a decision signed cannot say that it was ours', async () => {
    await enrol();
    const { nonce, options } = await begin();
    const evil = 'https://drawbridge.localhost.evil.example';
    const assertion = key.get(options.challenge, { origin: evil, rpId: 'drawbridge.localhost.evil.example' });
    await expect(check({ nonce, origin: evil, assertion })).rejects.toMatchObject(refused);
  });

  test('attack: another key, another person’s key and a removed key sign nothing', async () => {
    await enrol();
    const other = createAuthenticator(origin);
    await expect(check(await signed({}, other))).rejects.toMatchObject(refused);
    await expect(check(await signed({ id: key.id }, other))).rejects.toMatchObject(refused);
    await enrol(ben, other);
    await expect(check(await signed({}, other))).rejects.toMatchObject(refused);
    await expect(check(await signed(), {}, ben)).rejects.toMatchObject(refused);
    const given = await signed();
    await passkeys.remove(org, ann, key.id);
    await expect(check(given)).rejects.toMatchObject(refused);
  });

  test('attack: a challenge that is older than five minutes is answered in vain', async () => {
    await enrol();
    const given = await signed();
    await org.write((tx) =>
      tx.updateTable('presence_challenges').set({ expires_at: 1 }).where('org_id', '=', org.orgId).execute(),
    );
    await expect(check(given)).rejects.toMatchObject(refused);
  });

  test('attack: an approval written into the database runs only with a signature of its own', async () => {
    await enrol();
    await sign(['send']);
    const text = await check(await signed());
    const proof = readProof(text);
    const bent = (more: object) => JSON.stringify({ ...proof, ...more });
    const runs = (more: Partial<ActionRow>) => presence.verify(org, row({ proof: text, ...more }));
    await runs({});
    await expect(runs({ proof: null })).rejects.toMatchObject(untouched);
    await expect(runs({ proof: 'null' })).rejects.toMatchObject(untouched);
    await expect(runs({ payload_hash: 'b'.repeat(64) })).rejects.toMatchObject(untouched);
    await expect(runs({ id: 'act_2' })).rejects.toMatchObject(untouched);
    await expect(runs({ decided_by: '{"kind":"person","id":"mbr_ben"}' })).rejects.toMatchObject(untouched);
    await expect(runs({ decided_by: '{"kind":"clock","id":"mbr_ann"}' })).rejects.toMatchObject(untouched);
    await expect(
      runs({ payload_hash: 'b'.repeat(64), proof: bent({ hash: 'b'.repeat(64) }) }),
    ).rejects.toMatchObject(untouched);
    await expect(runs({ id: 'act_2', proof: bent({ action: 'act_2' }) })).rejects.toMatchObject(untouched);
    await expect(runs({ proof: bent({ decision: 'reject' }) })).rejects.toMatchObject(untouched);
    await expect(runs({ proof: bent({ nonce: 'A'.repeat(43) }) })).rejects.toMatchObject(untouched);
    await expect(runs({ proof: bent({ origin: 'https://evil.example' }) })).rejects.toMatchObject(untouched);
    await passkeys.remove(org, ann, key.id);
    await expect(runs({})).rejects.toMatchObject(untouched);
  });

  test('attack: a key that was swapped in the proof proves nothing', async () => {
    await enrol();
    const evil = createAuthenticator(origin);
    await enrol(ben, evil);
    const proof = readProof(await check(await signed()));
    const forged = { ...proof, assertion: evil.get(challengeOf(proof), { id: key.id }) };
    await expect(verifyProof(forged as typeof proof, 0)).rejects.toMatchObject(refused);
    await expect(presence.verify(org, row({ proof: JSON.stringify(forged) }))).rejects.toMatchObject(
      untouched,
    );
  });

  test('attack: challenges and keys of one org serve in no other', async () => {
    await enrol();
    const given = await signed();
    const other = await database.otherOrg();
    const zoe: Person = { ...ann, orgId: other.orgId };
    await expect(
      presence.check(other, zoe, { actionId: 'act_1', verdict: 'approve', hash, presence: given }, row()),
    ).rejects.toMatchObject(refused);
    await expect(
      presence.begin(org, zoe, { actionId: 'act_1', verdict: 'approve', hash, origin }),
    ).rejects.toMatchObject(refused);
  });
});
