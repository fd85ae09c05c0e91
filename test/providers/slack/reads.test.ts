// What is asked of Slack and what comes of it; what it refuses, and in whose words.
import { describe, expect, test } from 'vitest';
import { people, places } from '../../../sandbox/slack/story.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { refusalOf } from '../../../src/providers/request.ts';
import { http } from '../../../src/providers/slack/http.ts';
import { provider } from '../../../src/providers/slack/index.ts';
import { callsIn, plain, sameWords } from '../../../src/providers/slack/words.ts';
import { contextOver } from '../context.ts';
import { openScene } from './scene.ts';

const { history, thread } = provider.operations;
const listChannels = provider.operations['list-channels'];
const getChannel = provider.operations['get-channel'];
const getUser = provider.operations['get-user'];
const listUsers = provider.operations['list-users'];
const fileText = provider.operations['file-text'];
const { general, offers, priya: direct } = places;
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('reading', () => {
  test('channels come with the names that people read, and with their kinds', async () => {
    const { context } = await openScene();
    const { channels } = await listChannels.run(context, {});
    expect(channels.map(({ id, name, kind }) => [id, name, kind])).toEqual([
      [general, '#general', 'public'],
      [offers, '#offers', 'private'],
      [direct, '@Priya Nair', 'direct'],
    ]);
    expect(await getChannel.run(context, { channel: general })).toMatchObject({
      topic: 'The office',
      members: 4,
    });
  });

  test('as the app only the channels that it was invited to', async () => {
    const { context } = await openScene({ as: 'bot' });
    const { channels } = await listChannels.run(context, {});
    expect(channels.map(({ id }) => id)).toEqual([general, offers]);
    const refused = await failure(history.run(context, history.input.parse({ channel: direct })));
    expect(refused).toMatchObject({ code: 'not_found' });
  });

  test('a channel is read page by page, newest first, to its beginning', async () => {
    const scene = await openScene({ empty: true });
    for (let n = 1; n <= 25; n += 1)
      scene.slack.state.post(general, { user: people.priya, text: `Number ${n}` });
    const texts: string[] = [];
    for (let before: string | undefined; ; ) {
      const page = await history.run(
        scene.context,
        history.input.parse({ channel: general, limit: 10, before }),
      );
      texts.push(...page.messages.map(({ text }) => text));
      before = page.before;
      if (before === undefined) break;
    }
    expect(texts).toEqual(Array.from({ length: 25 }, (_, n) => `Number ${25 - n}`));
  });

  test('of an app whose history is limited no more is asked than Slack gives', async () => {
    const scene = await openScene({ distributed: true });
    await history.run(scene.context, history.input.parse({ channel: general, limit: 100 }));
    expect(scene.hosts.calls()[0]?.query.get('limit')).toBe('15');
    const again = await failure(history.run(scene.context, history.input.parse({ channel: general })));
    expect(again).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
  });

  test('a thread says who wrote what; one that is not there names its field', async () => {
    const scene = await openScene();
    const root = scene.slack.state.shown(general).find(({ text }) => text.includes('Bellwether'))?.ts ?? '';
    const { messages } = await thread.run(scene.context, { channel: general, ts: root });
    expect(messages.map(({ author, thread: at }) => [author, at])).toEqual([
      ['Tobias Reyes', undefined],
      ['Priya Nair', root],
      ['Tobias Reyes', root],
    ]);
    expect(messages[2]?.text).toBe('Thanks @Priya Nair & see the list (https://example.com/keys)');
    const gone = await failure(thread.run(scene.context, { channel: general, ts: '1.000000' }));
    expect(gone).toMatchObject({ code: 'not_found', field: 'ts' });
  });

  test('people are found by id and by address, and listed without robots', async () => {
    const { context } = await openScene();
    const priya = { id: people.priya, name: 'Priya Nair', email: 'office@tidewell.example' };
    expect(await getUser.run(context, { id: people.priya })).toMatchObject(priya);
    expect(await getUser.run(context, { email: 'office@tidewell.example' })).toMatchObject(priya);
    expect(await failure(getUser.run(context, {}))).toMatchObject({ code: 'invalid_request', field: 'id' });
    expect(await failure(getUser.run(context, { id: 'U0NOBODY' }))).toMatchObject({ code: 'not_found' });
    const { users } = await listUsers.run(context, {});
    expect(users.map(({ id }) => id).sort()).toEqual([people.maren, people.priya, people.tobias].sort());
  });

  test('the text of a file is read; of a PDF what it is', async () => {
    const scene = await openScene();
    const [id = ''] = scene.slack.state.files.keys();
    expect(await fileText.run(scene.context, { id })).toMatchObject({
      name: 'sign-order.txt',
      text: 'Order 2291: six sign riders, navy on white, due Friday.',
    });
    const pdf = scene.slack.state.addFile({
      name: 'a.pdf',
      mimetype: 'application/pdf',
      bytes: Buffer.from('%PDF'),
      user: people.priya,
    });
    const told = await fileText.run(scene.context, { id: pdf.id });
    expect(told).toMatchObject({ name: 'a.pdf', mediaType: 'application/pdf', size: 4 });
    expect(told.text).toBeUndefined();
  });

  test.each([
    [history, { channel: 'general' }, 'channel'],
    [history, { channel: general, before: '../x' }, 'before'],
    [history, { channel: general, limit: 1_000 }, 'limit'],
    [thread, { channel: general, ts: '1767434400' }, 'ts'],
    [fileText, { id: 'https://evil.example' }, 'id'],
    [getUser, { email: 'nobody' }, 'email'],
  ])('bad input %# names its field', (operation, input, field) => {
    expect(operation.input.safeParse(input).error?.issues[0]?.path.join('.')).toBe(field);
  });

  test('attack: what a person writes into a field stays one value of the query', async () => {
    const { context, asked } = contextOver(() => ({ ok: false, error: 'users_not_found' }));
    await failure(getUser.run(context, { email: 'a&user=U1@example.com' }));
    expect(asked[0]?.url).toBe('https://slack.com/api/users.lookupByEmail?email=a%26user%3DU1%40example.com');
  });
});

describe('a refusal', () => {
  const of = (error: string, more: object = {}, status = 200, headers: Record<string, string> = {}) =>
    refusalOf(
      http,
      { status, headers: new Headers(headers), body: { ok: false, error, ...more } },
      'slack.com',
      0,
    );

  test.each([
    ['invalid_auth', 'auth_expired', 'reconnect'],
    ['not_authed', 'auth_expired', 'reconnect'],
    ['token_expired', 'auth_expired', 'reconnect'],
    ['token_revoked', 'auth_revoked', 'reconnect'],
    ['account_inactive', 'auth_revoked', 'reconnect'],
    ['no_permission', 'permission_denied', 'never'],
    ['not_in_channel', 'permission_denied', 'ask'],
    ['restricted_action_read_only_channel', 'permission_denied', 'never'],
    ['cant_update_message', 'permission_denied', 'never'],
    ['channel_not_found', 'not_found', 'never'],
    ['is_archived', 'conflict', 'never'],
    ['ratelimited', 'rate_limited', 'later'],
    ['message_limit_exceeded', 'quota_exhausted', 'later'],
    ['internal_error', 'provider_unavailable', 'later'],
    ['msg_too_long', 'invalid_request', 'never'],
    ['something_new', 'invalid_request', 'never'],
    ['constructor', 'invalid_request', 'never'],
  ])('%s with status 200 is %s, and its word is told', (error, code, retry) => {
    expect(of(error)).toMatchObject({ code, retry, message: expect.stringContaining(error) });
  });

  test('for a missing scope says which, and to connect again', () => {
    expect(of('missing_scope', { needed: 'groups:history', provided: 'x' })).toMatchObject({
      code: 'permission_denied',
      retry: 'reconnect',
      message: expect.stringContaining('groups:history'),
    });
  });

  test('for too many calls says when to come back', () => {
    expect(of('ratelimited', {}, 429, { 'retry-after': '30' })).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 30_000,
    });
  });

  test('of anything that is no refusal there is none', () => {
    const answer = { status: 200, headers: new Headers(), body: { ok: true, error: 'invalid_auth' } };
    expect(refusalOf(http, answer, 'slack.com')).toBeUndefined();
    expect(http.bearerEnded(answer.body)).toBe(false);
    expect(http.bearerEnded({ ok: false, error: 'token_expired' })).toBe(true);
    expect(http.bearerEnded({ ok: false, error: 'token_revoked' })).toBe(false);
  });
});

test('an answer of another workspace than Slack’s is not believed', async () => {
  const whose = { ok: true, team: 'T', team_id: 'T1', user: 'u', user_id: 'U1' };
  const probe = (url: string, more: object = {}) =>
    provider.probe?.(contextOver(() => ({ ...whose, url, ...more }), { fields: { as: 'user' } }).context);
  expect(await probe('https://tidewell.slack.com/')).toEqual({ workspace: 'tidewell.slack.com', me: 'U1' });
  for (const url of [
    'https://evil.example/',
    'http://tidewell.slack.com/',
    'https://slack.com.evil.example/',
    'x',
  ]) {
    await expect(probe(url)).rejects.toMatchObject({ code: 'malformed_response' });
  }
  // A token of the app where one of a person was asked for: what is posted would bear another name.
  await expect(probe('https://tidewell.slack.com/', { bot_id: 'B1' })).rejects.toBeInstanceOf(
    DrawbridgeError,
  );
});

describe('Slack’s markup', () => {
  test.each([
    ['<@U1> in <#C1|offers> and <#C2>', '@Priya in #offers and #C2'],
    [
      '<https://a.example|words> <https://a.example> <mailto:a@b.example|a@b.example>',
      'words (https://a.example) https://a.example a@b.example',
    ],
    ['<!channel> <!subteam^S1|@agents> <!date^1^{date}|Monday>', '@channel @agents Monday'],
    ['1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;', '1 < 2 && 3 > 2 &lt;'],
  ])('%s is read as %s', (markup, words) => {
    expect(plain(markup, (id) => (id === 'U1' ? 'Priya' : undefined))).toBe(words);
  });

  test('the same words are known in Slack’s own writing, other words are not', () => {
    expect(sameWords('a  https://x.example/?a=1&b', 'a <https://x.example/?a=1&amp;b>')).toBe(true);
    expect(sameWords('pay 100', 'pay 1000')).toBe(false);
    expect(callsIn('<!everyone> <!subteam^S1|@a> <!date^1^x|y>')).toEqual(['@everyone', '@group']);
  });
});
