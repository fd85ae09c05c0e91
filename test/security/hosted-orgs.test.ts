// Attack: somebody who signed in at the issuer, in earnest, reaches for what another org of the same installation
// has. The issuer proves who they are and not where they belong: their own org is all there is for them.
import { expect, test } from 'vitest';
import { createMembers } from '../../src/auth/members.ts';
import { mail } from '../http/house.ts';
import { ana, ben, openScene, publicUrl, type VisitingBrowser } from '../http/issuer-scene.ts';

/** Ana's house, and beside it an org of Ben's; each with an action of its own, both sign in at one issuer. */
async function openTwo() {
  const scene = await openScene();
  const { house, clock } = scene;
  const neighbours = await house.stranger();
  await createMembers({ store: house.store, clock }).add(neighbours.org.orgId, {
    email: ben.email,
    name: 'Ben',
    role: 'owner',
  });
  const hers = await house.propose('send', { ...mail, subject: 'Hers' });
  const [anas, bens] = [scene.browser(), scene.browser()];
  expect((await anas.signIn(ana)).status).toBe(200);
  expect((await bens.signIn(ben)).status).toBe(200);
  return { ...scene, neighbours, hers, his: neighbours.action, anas, bens };
}

const neverWas = (id: string) => `${id.slice(0, -4)}0000`;

async function csrfOf(browser: VisitingBrowser): Promise<string> {
  return /name="csrf" value="([^"]+)"/.exec((await browser.get('/')).body)?.[1] ?? '';
}

test('of two people of two orgs who sign in at one issuer, each sees their own action and nothing of the other’s', async () => {
  const { anas, bens, hers, his } = await openTwo();
  for (const [browser, own, other] of [
    [anas, hers.id, his.id],
    [bens, his.id, hers.id],
  ] as const) {
    expect((await browser.get(`/actions/${own}`)).status).toBe(200);
    for (const rest of ['', '/edit', '/erase', '/day', '/formatted']) {
      const real = await browser.get(`/actions/${other}${rest}`);
      const never = await browser.get(`/actions/${neverWas(other)}${rest}`);
      expect(real.status).toBe(404);
      expect(real.body.replaceAll(other, '')).toBe(never.body.replaceAll(neverWas(other), ''));
    }
    for (const list of ['/', '/history', '/history.csv']) {
      expect((await browser.get(list)).body, list).not.toContain(other);
    }
  }
});

test('a form of one, with the token of the own session, changes nothing in the other’s org', async () => {
  const { bens, hers, house } = await openTwo();
  const csrf = await csrfOf(bens);
  expect(csrf).not.toBe('');
  for (const [rest, fields] of [
    ['decision', { verdict: 'approve', hash: hers.payloadHash }],
    ['decision', { verdict: 'reject', hash: hers.payloadHash }],
    ['cancel', {}],
    ['snooze', { for: 'hour' }],
    ['erase', { sure: 'yes', reason: 'x' }],
  ] as const) {
    const answer = await bens.ask(`/actions/${hers.id}/${rest}`, {
      method: 'POST',
      headers: { origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...fields, csrf }).toString(),
    });
    expect([rest, answer.status]).toEqual([rest, 404]);
  }
  expect(await house.queue.get(house.org, hers.id)).toMatchObject({
    status: 'pending',
    payload: hers.payload,
  });
});

test('a sign-in that was begun for a neighbour’s page lands on one that is not there', async () => {
  const { browser, his } = await openTwo();
  const visitor = browser();
  const landed = await visitor.agree(await visitor.press({ to: `/actions/${his.id}` }));
  expect((await visitor.get(landed)).status).toBe(200);
  const real = await visitor.get(`/actions/${his.id}`);
  expect(real.status).toBe(404);
  const never = neverWas(his.id);
  expect(real.body.replaceAll(his.id, '')).toBe(
    (await visitor.get(`/actions/${never}`)).body.replaceAll(never, ''),
  );
});
