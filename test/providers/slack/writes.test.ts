// What is written to Slack is what was approved, under the name that was shown, once; and it can be taken back.
import { describe, expect, test } from 'vitest';
import { people, places } from '../../../sandbox/slack/story.ts';
import { EffectRefused, type LiveRecord, type WriteOperation } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/slack/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { openScene, reading, type Scene } from './scene.ts';

const { general, offers } = places;
const post = provider.operations['post-message'];
const update = provider.operations['update-message'];
const remove = provider.operations['delete-message'];
const to = { channel: { id: general, name: '#general' } };
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

/** As the queue does it: the live record is read, judged, and read again by the write. */
async function approved<Payload>(
  scene: Scene,
  operation: WriteOperation<Payload>,
  given: Payload,
): Promise<{ payload: Payload; live: LiveRecord | undefined; run(): ReturnType<typeof operation.run> }> {
  const payload = operation.input.parse(given);
  operation.validate?.(payload);
  const live = await operation.before?.(scene.context, payload);
  if (live !== undefined) operation.checkMeant?.(payload, live);
  scene.context.before = live;
  return { payload, live, run: () => operation.run(scene.context, payload) };
}
const lastCall = ({ hosts }: Scene) => hosts.calls().at(-1);
const mine = (scene: Scene, text: string, more: object = {}) =>
  scene.slack.state.post(general, { user: people.maren, text, ...more }).ts;
const textOf = ({ slack }: Scene, ts: string) => slack.state.message(general, ts)?.text;

describe('posting', () => {
  test('sends what was approved, byte for byte, with our mark and without previews', async () => {
    const scene = await openScene();
    const text = 'Keys are *here*: https://example.com/a?b=1&c=2 <@U0PRIYA>';
    const { run } = await approved(scene, post, { ...to, text });
    const outcome = await run();
    expect(scene.announced()).toBe(1);
    const call = lastCall(scene);
    expect([call?.method, call?.host, call?.path]).toEqual(['POST', 'slack.com', '/api/chat.postMessage']);
    expect(JSON.parse(call?.body ?? '')).toEqual({
      channel: general,
      text,
      unfurl_links: false,
      unfurl_media: false,
      metadata: { event_type: 'drawbridge_effect', event_payload: { key: 'eff_01test' } },
    });
    const ts = String(outcome.details['ts']);
    expect(outcome).toEqual({
      reference: `${general}/${ts}`,
      url: `https://tidewell.slack.com/archives/${general}/p${ts.replace('.', '')}`,
      details: { channel: general, ts },
    });
    expect(scene.slack.state.message(general, ts)?.user).toBe(people.maren);
  });

  test('as the app it bears the app’s name', async () => {
    const scene = await openScene({ as: 'bot' });
    const { run } = await approved(scene, post, { ...to, text: 'Hello' });
    const { details } = await run();
    expect(scene.slack.state.message(general, String(details['ts']))).toMatchObject({
      user: people.bot,
      bot_profile: { name: 'Drawbridge' },
    });
  });

  test('an answer in a thread goes there', async () => {
    const scene = await openScene({ empty: true });
    const root = mine(scene, 'Root');
    const { run } = await approved(scene, post, { ...to, text: 'Answer', thread: root });
    await run();
    expect(scene.slack.state.replies(general, root)).toMatchObject([{ text: 'Answer' }]);
  });

  test('the summary says as whom, to where, what, and who else is called', () => {
    const account = 'maren (Slack, Tidewell Homes)';
    expect(post.summary({ ...to, text: 'Keys &lt;here&gt;' }, account)).toBe(
      'Post as maren (Slack, Tidewell Homes) to #general: “Keys <here>”',
    );
    expect(post.summary({ ...to, text: '<!channel> now <!here|here>', thread: '1.000000' }, account)).toBe(
      'Post as maren (Slack, Tidewell Homes) in a thread of #general: “@channel now here” (notifies @channel, @here)',
    );
    expect(post.summary({ ...to, text: 'x'.repeat(500) }, account).length).toBeLessThan(220);
  });

  test('policy sees the addresses of those who read a private channel', async () => {
    const scene = await openScene();
    const payload = { channel: { id: offers, name: '#offers' }, text: 'Hello' };
    const { live } = await approved(scene, post, payload);
    expect(live?.fields).toMatchObject({ channel: '#offers', archived: false });
    expect(post.concerns?.(payload, live)).toEqual({
      recipients: ['Drawbridge', 'maren@tidewell.example', 'tobias@tidewell.example'],
    });
    const open = await approved(scene, post, { ...to, text: 'Hello' });
    expect(open.live?.fields['readers']).toBe('everybody in the workspace');
  });

  test('whom a text calls is shown by name', async () => {
    const scene = await openScene();
    const text = 'For <@U0PRIYA> and <@U0NOBODY|Maren Okafor>';
    expect((await approved(scene, post, { ...to, text })).live?.fields['notifies']).toEqual([
      'Priya Nair',
      'nobody known (U0NOBODY)',
    ]);
    const ts = mine(scene, 'Before');
    expect((await approved(scene, update, { ...to, ts, text })).live?.fields['notifies']).toHaveLength(2);
  });

  test('attack: a summary holds no letters that a person does not see', () => {
    const text = `Pay\u200b \u202e100\n\n<https://x.example|y\u2066>`;
    expect(post.summary({ ...to, text }, 'a')).toBe('Post as a to #general: “Pay 100 y (https://x.example)”');
  });

  test('a channel that is called otherwise than the person reads is refused before anything is queued', async () => {
    const scene = await openScene();
    const wrong = { channel: { id: offers, name: '#general' }, text: 'Hello' };
    expect(await failure(approved(scene, post, wrong))).toMatchObject({
      code: 'invalid_request',
      field: 'channel.name',
      message: expect.stringContaining('#offers'),
    });
  });

  test.each([
    [{ ...to, text: '' }, 'text'],
    [{ ...to, text: 'x'.repeat(4_001) }, 'text'],
    [{ channel: { id: '#general', name: '#general' }, text: 'x' }, 'channel.id'],
    [{ ...to, text: 'x', thread: 'yesterday' }, 'thread'],
  ])('bad input %# names its field', (input, field) => {
    const { error } = post.input.safeParse(input);
    expect(error?.issues[0]?.path.join('.')).toBe(field);
  });

  test('a text of nothing but white space is refused with its field', () => {
    expect(() => post.validate?.({ ...to, text: ' \n' })).toThrow(expect.objectContaining({ field: 'text' }));
  });

  test('a refusal of Slack means that nothing happened; what is unclear stays unclear', async () => {
    const scene = await openScene();
    const { run } = await approved(scene, post, { ...to, text: 'Hello' });
    const answer = (error: string) =>
      ({ kind: 'garble', body: JSON.stringify({ ok: false, error }) }) as const;
    for (const error of ['is_archived', 'msg_too_long', 'not_in_channel', 'restricted_action']) {
      scene.hosts.faults.failNext(answer(error), 'chat.postMessage');
      expect(await failure(run()), error).toBeInstanceOf(EffectRefused);
    }
    for (const error of ['internal_error', 'fatal_error', 'service_unavailable']) {
      scene.hosts.faults.failNext(answer(error), 'chat.postMessage');
      const thrown = await failure(run());
      expect(thrown, error).not.toBeInstanceOf(EffectRefused);
      expect(thrown).toMatchObject({ code: 'provider_unavailable' });
    }
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'chat.postMessage');
    expect(await failure(run())).not.toBeInstanceOf(EffectRefused);
  });

  test('what was posted though its answer was lost is found by its mark, in a channel and in a thread', async () => {
    for (const thread of [false, true]) {
      const scene = await openScene();
      const root = mine(scene, 'Root');
      for (let n = 0; n < 30 && thread; n += 1) mine(scene, `Reply ${n}`, { thread_ts: root });
      const given = { ...to, text: 'Once', ...(thread ? { thread: root } : {}) };
      const { payload, run } = await approved(scene, post, given);
      expect(await lookUp(post, scene.context, payload)).toMatchObject({ found: false, conclusive: false });
      scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'chat.postMessage');
      await failure(run());
      const found = await lookUp(post, scene.context, payload);
      expect(found).toMatchObject({ found: true, outcome: { details: { channel: general } } });
      // Another effect with the same words is not it.
      const other = { ...scene.context, effectKey: 'eff_other' };
      expect(await lookUp(post, other, payload)).toMatchObject({ found: false });
      expect(scene.announced()).toBe(1);
    }
  });

  test('is taken back by deleting it', async () => {
    const scene = await openScene();
    const { payload, run } = await approved(scene, post, { ...to, text: 'See https://example.com' });
    const outcome = await run();
    const back = post.compensation?.payload(payload, outcome);
    expect(post.compensation?.operation).toBe('delete-message');
    const { run: undo } = await approved(scene, remove, remove.input.parse(back));
    await undo();
    expect(scene.slack.state.message(general, String(outcome.details['ts']))).toBeUndefined();
  });
});

describe('changing a message', () => {
  test('shows what it says now and will say, sends the new text, and can put the old one back', async () => {
    const scene = await openScene();
    const ts = mine(scene, 'See <https://example.com|the list> &amp; wait');
    const { payload, live, run } = await approved(scene, update, { ...to, ts, text: 'Done' });
    expect(live).toMatchObject({
      title: 'Message in #general',
      fields: { channel: '#general', text: 'See <https://example.com|the list> &amp; wait' },
      after: { channel: '#general', text: 'Done' },
    });
    expect(update.summary(payload, 'maren (Slack, T)')).toBe(
      'Change as maren (Slack, T) a message in #general to “Done”',
    );
    const outcome = await run();
    expect(JSON.parse(lastCall(scene)?.body ?? '')).toEqual({ channel: general, ts, text: 'Done' });
    expect(textOf(scene, ts)).toBe('Done');
    const back = update.input.parse(update.compensation?.payload(payload, outcome));
    const { run: undo } = await approved(scene, update, back);
    await undo();
    expect(textOf(scene, ts)).toBe('See <https://example.com|the list> &amp; wait');
  });

  test('a reply is changed by naming the message that it answers', async () => {
    const scene = await openScene({ empty: true });
    const root = mine(scene, 'Root');
    for (let n = 0; n < 40; n += 1) mine(scene, `Reply ${n}`, { thread_ts: root });
    const ts = scene.slack.state.replies(general, root).at(30)?.ts ?? '';
    const { run } = await approved(scene, update, { ...to, ts, thread: root, text: 'Other' });
    await run();
    expect(textOf(scene, ts)).toBe('Other');
    const without = await failure(approved(scene, update, { ...to, ts, text: 'Other' }));
    expect(without).toMatchObject({ code: 'not_found', field: 'ts' });
  });

  test('what somebody else wrote, and what has a layout of its own, is refused when it is proposed', async () => {
    const scene = await openScene();
    const theirs = scene.slack.state.post(general, { user: people.priya, text: 'Mine' }).ts;
    expect(await failure(approved(scene, update, { ...to, ts: theirs, text: 'Yours' }))).toMatchObject({
      code: 'permission_denied',
    });
    const laid = mine(scene, 'Poll', { blocks: [{ type: 'actions' }] });
    expect(await failure(approved(scene, update, { ...to, ts: laid, text: 'x' }))).toMatchObject({
      code: 'invalid_request',
      field: 'ts',
    });
    const plain = mine(scene, 'Typed', { blocks: [{ type: 'rich_text' }] });
    await approved(scene, update, { ...to, ts: plain, text: 'x' });
  });

  test('one that was changed since it was approved is left as it is', async () => {
    const scene = await openScene();
    const ts = mine(scene, 'Before');
    const { run } = await approved(scene, update, { ...to, ts, text: 'After' });
    scene.slack.state.edit(general, ts, 'Meanwhile');
    expect(await failure(run())).toMatchObject({ code: 'conflict', retry: 'ask' });
    expect([textOf(scene, ts), scene.announced()]).toEqual(['Meanwhile', 0]);
  });

  test('a lost answer is cleared up by what the message says, also where Slack writes it in its own way', async () => {
    const scene = await openScene();
    const ts = mine(scene, 'Before');
    const { payload, run } = await approved(scene, update, { ...to, ts, text: 'See https://example.com' });
    expect(await lookUp(update, scene.context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'chat.update');
    await failure(run());
    expect(textOf(scene, ts)).toBe('See <https://example.com>');
    expect(await lookUp(update, scene.context, payload)).toMatchObject({
      found: true,
      outcome: { details: { ts, was: 'Before' } },
    });
    scene.slack.state.edit(general, ts, 'Something else');
    expect(await lookUp(update, scene.context, payload)).toMatchObject({ found: false, conclusive: false });
  });
});

describe('deleting a message', () => {
  test('takes away the one that says what was approved, and tells whether it is gone', async () => {
    const scene = await openScene();
    const ts = mine(scene, 'Wrong channel');
    const { payload, live, run } = await approved(scene, remove, { ...to, ts, text: 'Wrong channel' });
    expect(live?.fields['text']).toBe('Wrong channel');
    expect(remove.summary(payload, 'a')).toBe(
      'Delete as a a message in #general: “Wrong channel” (cannot be undone)',
    );
    expect(await lookUp(remove, scene.context, payload)).toMatchObject({ found: false, conclusive: true });
    await run();
    const call = lastCall(scene);
    expect([call?.method, call?.path, call?.query.toString()]).toEqual([
      'POST',
      '/api/chat.delete',
      `channel=${general}&ts=${ts}`,
    ]);
    expect(await lookUp(remove, scene.context, payload)).toMatchObject({ found: true });
  });

  test('a message that says something else, or of somebody else, stays', async () => {
    const scene = await openScene();
    const ts = mine(scene, 'Right');
    expect(await failure(approved(scene, remove, { ...to, ts, text: 'Wrong' }))).toMatchObject({
      code: 'conflict',
      field: 'text',
    });
    const theirs = scene.slack.state.post(general, { user: people.priya, text: 'Mine' }).ts;
    expect(await failure(approved(scene, remove, { ...to, ts: theirs, text: 'Mine' }))).toMatchObject({
      code: 'permission_denied',
    });
  });
});

test('an account that was connected to read cannot write: Slack’s refusal says to connect it again', async () => {
  const scene = await openScene({ scopes: reading });
  const { run } = await approved(scene, post, { ...to, text: 'Hello' });
  const refused = await failure(run());
  expect(refused).toBeInstanceOf(EffectRefused);
  expect(refused).toMatchObject({ cause: { code: 'permission_denied', retry: 'reconnect' } });
});
