// What is asked of Mailchimp by hand, what comes of its refusals, and whose data centre is believed.
import { describe, expect, test } from 'vitest';
import { hash } from '../../../sandbox/mailchimp/contacts.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { provider } from '../../../src/providers/mailchimp/index.ts';
import { Secret } from '../../../src/secret.ts';
import { contextOver } from '../context.ts';
import { news, openScene } from './scene.ts';

const { operations } = provider;
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('mailchimp: reading', () => {
  test('a contact is asked for by the hash of its address, however that is written', async () => {
    const scene = await openScene({ story: true });
    const [known] = scene.mailchimp.contacts.audiences.get(news)?.contacts.values() ?? [];
    const email = known?.email.toUpperCase() ?? '';
    const found = await operations['get-contact'].run(scene.context, { audience: news, email });
    expect(scene.asked()).toEqual([`GET /3.0/lists/${news}/members/${hash(known?.email ?? '')}`]);
    expect(found).toMatchObject({ email: known?.email, status: 'unsubscribed', audience: news });
  });

  test('a search over all audiences shows each contact once', async () => {
    const scene = await openScene({ story: true });
    const [known] = scene.mailchimp.contacts.audiences.get(news)?.contacts.values() ?? [];
    const { contacts } = await operations['search-contacts'].run(scene.context, {
      query: known?.email ?? '',
    });
    expect(contacts.map(({ email }) => email)).toEqual([known?.email]);
  });

  test('a list says where it goes on, and at its end that it ends', async () => {
    const scene = await openScene({ story: true });
    const list = operations['list-contacts'];
    const first = await list.run(scene.context, { audience: news, limit: 3, offset: 0 });
    expect(first.nextOffset).toBe(3);
    const rest = await list.run(scene.context, { audience: news, limit: 100, offset: 3 });
    expect(rest.nextOffset).toBeUndefined();
    const emails = [...first.contacts, ...rest.contacts].map(({ email }) => email);
    expect(new Set(emails).size).toBe(first.total);
  });

  test('a campaign comes with its words, and its report with numbers', async () => {
    const scene = await openScene({ story: true });
    const [sent] = scene.mailchimp.campaigns.all.values();
    const id = sent?.id ?? '';
    expect(await operations['get-campaign'].run(scene.context, { id })).toMatchObject({
      subject: 'Open houses this weekend',
      status: 'sent',
      audienceName: 'Port Ansel news',
      text: expect.stringContaining('Heron Court'),
    });
    expect(await operations['get-report'].run(scene.context, { id })).toMatchObject({
      emailsSent: 214,
      uniqueOpens: 98,
      clickers: 22,
      hardBounces: 1,
    });
  });

  test.each([
    [
      429,
      '{"title":"Too Many Requests","detail":"You have exceeded the limit of 10 simultaneous connections."}',
      'rate_limited',
      /10 simultaneous/,
    ],
    [
      401,
      '{"title":"API Key Invalid","detail":"Your API key may be invalid."}',
      'auth_expired',
      /Connect the account again/,
    ],
    [
      400,
      '{"title":"Invalid Resource","detail":"Not valid.","errors":[{"field":"FNAME","message":"is blank"}]}',
      'invalid_request',
      /Not valid\. FNAME is blank/,
    ],
    [404, '{"title":"Resource Not Found","detail":"Could not be found."}', 'not_found', /Could not be found/],
    [503, 'down for maintenance', 'provider_unavailable', /503/],
  ])('a refusal of %i is one of ours, in Mailchimp’s words', async (status, body, code, words) => {
    const answer = () =>
      new Response(body, { status, headers: { 'content-type': 'application/problem+json' } });
    const { context } = contextOver(answer, { fields: { dc: 'us14' } });
    const thrown = await failure(operations['list-audiences'].run(context, { limit: 1, offset: 0 }));
    expect(thrown).toBeInstanceOf(DrawbridgeError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(words) });
  });
});

describe('mailchimp: the data centre', () => {
  const asked = (dc: unknown) =>
    contextOver(() => ({ dc, api_endpoint: 'https://evil.example' }), {
      token: async () => new Secret('the-token-of-the-test'),
      // Nobody pasted a key.
      secret(name) {
        throw new DrawbridgeError('auth_expired', `no ${name} stored`);
      },
    });

  test('is what the metadata call names, asked with the token in its own word', async () => {
    const { context, asked: calls } = asked('us6');
    expect(await provider.probe?.(context)).toEqual({ dc: 'us6' });
    expect(calls).toMatchObject([
      {
        url: 'https://login.mailchimp.com/oauth2/metadata',
        headers: { authorization: 'OAuth the-token-of-the-test' },
      },
    ]);
  });

  test.each(['evil.example/', 'us6.evil.example#', '', 'us', 'US6', '6', 'us0', 'us1234'])(
    'of another form never becomes part of an address: %j',
    async (dc) => {
      const { context } = asked(dc);
      expect(await failure(provider.probe?.(context) ?? Promise.resolve())).toMatchObject({
        code: 'permission_denied',
      });
    },
  );
});
