// Rules and passkeys on the pages: a person's to change, in their own session; and an approval that has to be
// signed is decided by a passkey's signature and by nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Action } from '../../src/queue/queue.ts';
import { type Authenticator, createAuthenticator } from '../auth/authenticator.ts';
import { type Browser, type House, mail, openHouse } from '../http/house.ts';

let house: House;
let browser: Browser;
let key: Authenticator;
let count = 0;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
  key = createAuthenticator(house.origin);
});
afterAll(() => house.close());

const post = (path: string, fields: Record<string, string> = {}) =>
  browser.post(path, { csrf: browser.csrf, ...fields });
const rules = async () => (await house.policy.list(house.org)).map(({ rule }) => rule);

function propose(): Promise<Action> {
  count += 1;
  return house.propose('send', { ...mail, subject: `Signed ${count}` });
}

test('without rules the page says that a person is asked', async () => {
  const { body, status } = await browser.get('/policy');
  expect(status).toBe(200);
  expect(body).toContain('A person is asked about every write');
  expect(body).toContain('aria-current="page"');
});

test('a rule is added, shown in words, and removed', async () => {
  const added = await post('/policy', {
    name: 'No <b>money</b>',
    outcome: 'deny',
    'effect-money': 'yes',
    providers: 'quickbooks, hubspot',
    domains: '*.example.com',
    above: '1000 eur',
    between: '22:00-06:00',
    'day-mon': 'yes',
    timeZone: 'Europe/Berlin',
    by: 'agent, person:mbr_1',
  });
  expect(added.status).toBe(303);
  expect(await rules()).toEqual([
    {
      name: 'No <b>money</b>',
      outcome: 'deny',
      match: {
        providers: ['quickbooks', 'hubspot'],
        effects: ['money'],
        recipientDomains: ['*.example.com'],
        amountAbove: { value: 1000, currency: 'EUR' },
        hours: { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin', days: ['mon'] },
        principals: [{ kind: 'agent' }, { kind: 'person', id: 'mbr_1' }],
      },
    },
  ]);
  const { body } = await browser.get('/policy');
  expect(body).toContain('above 1,000 EUR');
  expect(body).toContain('No &lt;b&gt;money&lt;/b&gt;');
  expect(body).not.toContain('<b>money');
  const id = added.headers.location?.split('#')[1] ?? '';
  expect((await post(`/policy/${id}/remove`)).status).toBe(303);
  expect(await rules()).toEqual([]);
});

test('a rule that is none is refused with the fault, and what was filled in stays', async () => {
  for (const wrong of [
    { above: 'a lot' },
    { between: 'at night' },
    { name: ' ' },
    { outcome: 'allow' },
    { domains: 'a@b.example' },
  ]) {
    const answer = await post('/policy', { name: 'Kept name', outcome: 'auto', ...wrong });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('role="alert"');
    expect(answer.body).toContain(Object.values(wrong)[0] === ' ' ? 'name' : 'Kept name');
  }
  expect(await rules()).toEqual([]);
});

test('attack: without the session’s token, or without a session, no rule and no passkey changes', async () => {
  for (const path of [
    '/policy',
    '/policy/presence',
    '/policy/pol_1/remove',
    '/passkeys/begin',
    '/passkeys',
    '/passkeys/remove',
    '/passkeys/sign/enrol',
    '/actions/act_1/presence',
  ]) {
    const fields = { name: 'x', outcome: 'auto', 'signed-send': 'yes' };
    expect((await browser.post(path, { csrf: 'forged', ...fields })).status).toBe(403);
    const bare = await house.ask(path, {
      method: 'POST',
      headers: { origin: house.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
    expect(bare.status).toBe(401);
    expect(
      (await browser.post(path, { csrf: browser.csrf, ...fields }, { origin: 'https://evil.example' }))
        .status,
    ).toBe(403);
  }
  expect(await rules()).toEqual([]);
  expect(await house.policy.signedEffects(house.org)).toEqual([]);
});

test('a proposal that a rule refuses is not queued, and the rule is named', async () => {
  await post('/policy', { name: 'No mail', outcome: 'deny', 'effect-send': 'yes' });
  await expect(propose()).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringContaining('No mail'),
  });
  expect(await house.queue.list(house.org)).toEqual([]);
  const [{ id = '' } = {}] = await house.policy.list(house.org);
  await post(`/policy/${id}/remove`);
});

test('what a rule approves is approved by it and by nobody; a send by an agent waits for a person all the same', async () => {
  await post('/policy', { name: 'All free', outcome: 'auto' });
  const changed = await house.propose('update', { id: 1 });
  expect(changed).toMatchObject({ status: 'approved', decisionChannel: 'policy' });
  expect(await propose()).toMatchObject({ status: 'pending', policy: { outcome: 'ask' } });
  const [{ id = '' } = {}] = await house.policy.list(house.org);
  await post(`/policy/${id}/remove`);
});

async function signedBy(authenticator: Authenticator, action: Action, more: Record<string, string> = {}) {
  const hash = action.payloadHash;
  const begun = await post(`/actions/${action.id}/presence`, { hash, verdict: 'approve', ...more });
  const { nonce, options } = JSON.parse(begun.body);
  const answer = authenticator.get(options.challenge);
  return JSON.stringify({ nonce, origin: house.origin, answer });
}
/** Confirms a change of passkeys, or of what they sign. */
async function confirm(kind: string, authenticator: Authenticator, fields: Record<string, string> = {}) {
  const { nonce, options } = JSON.parse((await post(`/passkeys/sign/${kind}`, fields)).body);
  const answer = authenticator.get(options.challenge);
  return JSON.stringify({ nonce, origin: house.origin, answer });
}
const approve = (action: Action, presence?: string) =>
  post(`/actions/${action.id}/decision`, {
    hash: action.payloadHash,
    verdict: 'approve',
    ...(presence === undefined ? {} : { presence }),
  });

test('a passkey is enrolled on the page; then a listed effect is approved by its signature and by nothing else', async () => {
  await post('/policy/presence', { 'signed-send': 'yes' });
  const before = await propose();
  // Until a passkey is enrolled, the signed-in session decides.
  expect((await approve(before)).status).toBe(303);

  const { options } = JSON.parse((await post('/passkeys/begin')).body);
  expect(options).toMatchObject({ rp: { id: 'drawbridge.localhost' }, attestation: 'none' });
  const response = JSON.stringify({ answer: key.create(options.challenge) });
  expect((await post('/passkeys', { name: 'My <laptop>', response })).status).toBe(303);
  const page = await browser.get('/passkeys');
  expect(page.body).toContain('My &lt;laptop&gt;');

  const action = await propose();
  expect((await browser.get(`/actions/${action.id}`)).body).toContain(
    `data-begin="/actions/${action.id}/presence"`,
  );
  for (const presence of [
    undefined,
    '',
    'yes',
    '{}',
    JSON.stringify({ nonce: 'A'.repeat(43), origin: house.origin }),
  ]) {
    expect((await approve(action, presence)).status).toBe(403);
  }
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
  const another = await propose();
  expect((await approve(action, await signedBy(key, another))).status).toBe(403);
  expect((await approve(action, await signedBy(createAuthenticator(house.origin), action))).status).toBe(403);

  expect((await approve(action, await signedBy(key, action))).status).toBe(303);
  expect(await house.queue.get(house.org, action.id)).toMatchObject({
    status: 'approved',
    proof: { credential: key.id, name: 'My <laptop>' },
  });
  // A rejection needs no signature.
  const no = await post(`/actions/${another.id}/decision`, { hash: another.payloadHash, verdict: 'reject' });
  expect(no.status).toBe(303);
});

test('attack: who has the session alone enrols no second passkey, removes none, and takes no effect off the list', async () => {
  const own = createAuthenticator(house.origin);
  const { options } = JSON.parse((await post('/passkeys/begin')).body);
  const response = JSON.stringify({ answer: own.create(options.challenge) });
  expect((await post('/passkeys', { name: 'Mine', response })).status).toBe(403);
  expect((await post('/passkeys/remove', { id: key.id })).status).toBe(403);
  expect((await post('/policy/presence', { 'signed-money': 'yes' })).status).toBe(403);
  // Nor with a signature that was given for an approval, or by a key that is not enrolled.
  const action = await propose();
  const approval = await signedBy(key, action);
  expect((await post('/passkeys', { name: 'Mine', response, presence: approval })).status).toBe(403);
  const forged = await confirm('enrol', own);
  expect((await post('/passkeys', { name: 'Mine', response, presence: forged })).status).toBe(403);
  // Nor with a confirmation of another change.
  const enrolling = await confirm('enrol', key);
  expect((await post('/policy/presence', { presence: enrolling })).status).toBe(403);
  expect(await house.passkeys.list(house.org, house.owner)).toHaveLength(1);
  expect(await house.policy.signedEffects(house.org)).toEqual(['send']);

  // With the passkey that is there, all of it is possible; to ask for more needs none.
  const begun = JSON.parse((await post('/passkeys/begin')).body);
  const second = JSON.stringify({ answer: own.create(begun.options.challenge) });
  const presence = await confirm('enrol', key);
  expect((await post('/passkeys', { name: 'Phone', response: second, presence })).status).toBe(303);
  const removal = await confirm('remove', own, { id: own.id });
  expect((await post('/passkeys/remove', { id: own.id, presence: removal })).status).toBe(303);
  expect((await post('/policy/presence', { 'signed-send': 'yes', 'signed-money': 'yes' })).status).toBe(303);
  const less = { 'signed-send': 'yes', presence: await confirm('effects', key, { 'signed-send': 'yes' }) };
  expect((await post('/policy/presence', less)).status).toBe(303);
  expect(await house.policy.signedEffects(house.org)).toEqual(['send']);
});

test('the terminal cannot sign, and is sent to the page', async () => {
  const action = await propose();
  await expect(
    house.queue.decide(house.org, house.owner, {
      actionId: action.id,
      verdict: 'approve',
      hash: action.payloadHash,
      channel: 'terminal',
    }),
  ).rejects.toMatchObject({
    code: 'permission_denied',
    message: expect.stringContaining(`${house.origin}/actions/${action.id}`),
  });
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

test('attack: what was signed and then changed in the database does not run', async () => {
  const runs = async (change: (action: Action) => Promise<unknown>) => {
    const action = await propose();
    expect((await approve(action, await signedBy(key, action))).status).toBe(303);
    await change(action);
    await house.queue.runDue(house.org);
    return (await house.queue.get(house.org, action.id)).status;
  };
  const set = (values: object) => (action: Action) =>
    house.org.write((tx) =>
      tx
        .updateTable('action_queue')
        .set(values)
        .where('org_id', '=', house.org.orgId)
        .where('id', '=', action.id)
        .execute(),
    );
  expect(await runs(async () => undefined)).toBe('completed');
  expect(await runs(set({ proof: null }))).toBe('failed');
  expect(await runs(set({ proof: null, effect: 'create' }))).toBe('failed');
  expect(await runs(set({ decided_by: '{"kind":"person","id":"mbr_x","name":"X"}' }))).toBe('failed');
});

test('a removed passkey signs nothing, and what it signed before does not run', async () => {
  const signed = await propose();
  expect((await approve(signed, await signedBy(key, signed))).status).toBe(303);
  const waiting = await propose();
  const presence = await signedBy(key, waiting);
  const id = key.id;
  const confirmed = await confirm('remove', key, { id });
  // A confirmation is of one key and of one kind.
  expect((await post('/passkeys/remove', { id: 'another', presence: confirmed })).status).toBe(403);
  const other = await confirm('enrol', key, { id });
  expect((await post('/passkeys/remove', { id, presence: other })).status).toBe(403);
  const presenceOfRemoval = await confirm('remove', key, { id });
  expect((await post('/passkeys/remove', { id, presence: presenceOfRemoval })).status).toBe(303);
  expect((await approve(waiting, presence)).status).toBe(403);
  const refused = await approve(waiting);
  expect(refused.status).toBe(403);
  expect(refused.body).toContain('/passkeys');
  await house.queue.runDue(house.org);
  expect((await house.queue.get(house.org, signed.id)).status).toBe('failed');
});

test('attack: another org’s rules and passkeys are neither shown nor changed', async () => {
  await post('/policy', { name: 'Ours alone', outcome: 'ask' });
  const [{ id = '' } = {}] = await house.policy.list(house.org);
  const stranger = await house.stranger();
  const theirs = await house.browser(stranger.person);
  expect((await theirs.get('/policy')).body).not.toContain('Ours alone');
  expect((await theirs.get('/passkeys')).body).not.toContain('laptop');
  expect((await theirs.post(`/policy/${id}/remove`, { csrf: theirs.csrf })).status).toBe(404);
  const action = await propose();
  const fields = { csrf: theirs.csrf, hash: action.payloadHash, verdict: 'approve' };
  expect((await theirs.post(`/actions/${action.id}/presence`, fields)).status).toBe(404);
  expect(await rules()).toHaveLength(1);
});

test('a person’s own refusal holds for what that person approves, and stops nobody else’s proposal', async () => {
  for (const { id } of await house.policy.list(house.org)) await post(`/policy/${id}/remove`);
  await post('/policy', { name: 'Not by me', outcome: 'deny', mine: 'yes', 'effect-update': 'yes' });
  const action = await house.propose('update', { id: 7 });
  expect(action).toMatchObject({ status: 'pending', policy: { outcome: 'ask' } });
  await approve(action);
  await house.queue.runDue(house.org);
  const ended = await house.queue.get(house.org, action.id);
  expect(ended.status).not.toBe('completed');
  expect(JSON.stringify(ended.outcome ?? ended)).toContain('Not by me');
});
