import { describe, expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/gmail/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { mailTo } from '../mailbox/mail.ts';
import { openScene, type Scene, scopesOf } from './scene.ts';

const operations = provider.operations;

/** An account with three mails: a talk of two, and one in the bin. */
async function office(given: Parameters<typeof openScene>[1] = {}): Promise<Scene> {
  const scene = await openScene(provider, { empty: true, ...given });
  const { mail } = scene.google;
  const write = (id: string, subject: string, more: string[], body: string[]) =>
    Buffer.from(
      [
        'From: "Bo Lind" <bo@x.test>',
        'To: maren@tidewell.example',
        `Subject: ${subject}`,
        `Message-ID: <${id}@x.test>`,
        ...more,
        '',
        ...body,
      ].join('\r\n'),
    );
  const html = ['MIME-Version: 1.0', 'Content-Type: text/html; charset=utf-8'];
  mail.add(write('a', 'Roof', [], ['The roof leaks.']), ['INBOX', 'UNREAD'], 1000);
  mail.add(
    write('b', 'Re: Roof', ['In-Reply-To: <a@x.test>', ...html], ['<p>Still <b>leaks</b>.</p>']),
    ['INBOX'],
    2000,
  );
  mail.add(write('c', 'Old', [], ['Gone.']), ['TRASH'], 500);
  return scene;
}

const idOf = (scene: Scene, subject: string): string => {
  const found = scene.google.mail
    .messages()
    .find((one) => scene.google.mail.headerOf(one, 'subject') === subject);
  if (found === undefined) throw new Error(`no mail ${subject}`);
  return found.id;
};
const labelsOf = (scene: Scene, id: string) => [...(scene.google.mail.get(id)?.labels ?? [])].sort();

describe('reading', () => {
  test('lists a label, newest first, with what a person sees of each', async () => {
    const scene = await office();
    const { messages } = await operations.list.run(scene.context, operations.list.input.parse({}) as never);
    expect(messages).toMatchObject([
      { subject: 'Re: Roof', from: '"Bo Lind" <bo@x.test>', at: 2000, snippet: 'Still leaks .' },
      { subject: 'Roof', labels: ['INBOX', 'UNREAD'], messageId: '<a@x.test>' },
    ]);
    expect(scene.asked().sort()).toMatchSnapshot();
  });

  test('searches in Gmail’s own words, a page at a time to the end', async () => {
    const scene = await office();
    const { search } = operations;
    const first = await search.run(
      scene.context,
      search.input.parse({ query: 'subject:roof', limit: 1 }) as never,
    );
    expect(first.messages.map(({ subject }) => subject)).toEqual(['Re: Roof']);
    const rest = await search.run(
      scene.context,
      search.input.parse({ query: 'subject:roof', limit: 1, pageToken: first.nextPage }) as never,
    );
    expect(rest.messages.map(({ subject }) => subject)).toEqual(['Roof']);
    expect(rest.nextPage).toBeUndefined();
    expect(scene.asked()).toMatchSnapshot();
  });

  test('what lies in the bin is found only when it is asked for', async () => {
    const scene = await office();
    const { search } = operations;
    const find = async (includeSpamTrash: boolean) =>
      (
        await search.run(
          scene.context,
          search.input.parse({ query: 'subject:old', includeSpamTrash }) as never,
        )
      ).messages;
    expect(await find(false)).toEqual([]);
    expect(await find(true)).toHaveLength(1);
  });

  test('reads a message with its text, also where it has HTML alone', async () => {
    const scene = await office();
    expect(await operations.get.run(scene.context, { id: idOf(scene, 'Roof') })).toMatchObject({
      subject: 'Roof',
      text: 'The roof leaks.',
      attachments: [],
    });
    scene.asked();
    expect(await operations.get.run(scene.context, { id: idOf(scene, 'Re: Roof') })).toMatchObject({
      text: 'Still leaks.',
    });
    expect(scene.asked().sort()).toMatchSnapshot();
  });

  test('finds conversations and reads one', async () => {
    const scene = await office();
    const found = await operations.threads.run(
      scene.context,
      operations.threads.input.parse({ query: 'leaks' }) as never,
    );
    expect(found.threads).toHaveLength(1);
    const thread = await operations.thread.run(scene.context, { id: found.threads[0]?.id ?? '' });
    expect(thread.messages.map(({ subject }) => subject)).toEqual(['Roof', 'Re: Roof']);
    expect(scene.asked()).toMatchSnapshot();
  });

  test('lists labels with their ids', async () => {
    const scene = await openScene(provider);
    const { labels } = await operations.labels.run(scene.context, {});
    expect(labels).toContainEqual({ id: 'Label_1', name: 'Offers', own: true });
    expect(labels).toContainEqual({ id: 'INBOX', name: 'INBOX', own: false });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('says whose account it is', async () => {
    const scene = await openScene(provider, { fields: {} });
    expect(await provider.identity(scene.context)).toEqual({
      id: 'maren@tidewell.example',
      label: 'maren@tidewell.example',
    });
    expect(await provider.probe?.(scene.context)).toEqual({ email: 'maren@tidewell.example' });
    expect(scene.asked()).toMatchSnapshot();
  });

  test.each(['../drafts', 'a/b', 'a?format=full', '', 'a b', 'ä'])(
    'the id %j is refused before anyone is asked',
    async (id) => {
      for (const name of ['get', 'thread', 'label', 'archive', 'trash', 'untrash'] as const) {
        expect(operations[name].input.safeParse({ id, subject: 'x' }).success, name).toBe(false);
      }
    },
  );
});

describe('sorting', () => {
  test.each([
    ['label', { add: ['Label_1', 'STARRED'], remove: ['UNREAD'] }, ['INBOX', 'Label_1', 'STARRED']],
    ['archive', {}, ['UNREAD']],
    ['trash', {}, ['TRASH', 'UNREAD']],
  ] as const)('%s does what it says, and is found to have been done', async (name, more, after) => {
    const scene = await openScene(provider, { empty: true });
    scene.google.mail.userLabels.set('Label_1', 'Offers');
    const { id } = scene.google.mail.add(Buffer.from('Subject: x\r\n\r\nx'), ['INBOX', 'UNREAD'], 1000);
    const operation = operations[name];
    const payload = operation.input.parse({ id, subject: 'x', ...more }) as never;
    expect(await lookUp(operation, scene.context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    const outcome = await operation.run(scene.context, payload);
    expect(outcome.reference).toBe(id);
    expect(labelsOf(scene, id)).toEqual(after);
    const { reference } = outcome;
    expect(await lookUp(operation, scene.context, payload)).toMatchObject({
      found: true,
      outcome: { reference },
    });
    expect(scene.asked()).toMatchSnapshot();
    // Twice is as once.
    await operation.run(scene.context, payload);
    expect(labelsOf(scene, id)).toEqual(after);
    expect(operation.summary(payload, 'maren@tidewell.example')).toMatchSnapshot();
  });

  test('what lies in the bin is taken out again', async () => {
    const scene = await office();
    const id = idOf(scene, 'Old');
    await operations.untrash.run(scene.context, { id, subject: 'Old' });
    expect(labelsOf(scene, id)).toEqual([]);
  });

  test('a message that is another than the person was told is not touched', async () => {
    const scene = await office();
    const id = idOf(scene, 'Roof');
    const told = { id, subject: 'Newsletter', add: [], remove: ['INBOX'] };
    for (const name of ['label', 'archive', 'trash', 'untrash'] as const) {
      const failure = operations[name].run(scene.context, told);
      await expect(failure, name).rejects.toMatchObject({ code: 'invalid_request', field: 'subject' });
    }
    expect(labelsOf(scene, id)).toEqual(['INBOX', 'UNREAD']);
    expect(scene.announced()).toBe(0);
  });

  test('a label that is not there is a refusal', async () => {
    const scene = await office();
    const payload = { id: idOf(scene, 'Roof'), subject: 'Roof', add: ['Label_404'], remove: [] };
    await expect(operations.label.run(scene.context, payload)).rejects.toBeInstanceOf(EffectRefused);
  });
});

describe('drafts', () => {
  test('one is laid ready as it was approved, listed, and found again', async () => {
    const scene = await office();
    const mail = mailTo('bob@example.org', { bcc: [{ email: 'hidden@example.org' }] });
    const operation = operations['create-draft'];
    expect(await lookUp(operation, scene.context, mail)).toMatchObject({ found: false, conclusive: false });
    scene.asked();
    const outcome = await operation.run(scene.context, mail);
    const [line = ''] = scene.asked();
    const raw = Buffer.from(JSON.parse(line.split('\n')[1] ?? '').message.raw, 'base64url').toString();
    expect([line.split('\n')[0], raw]).toMatchSnapshot();
    expect((await operations.drafts.run(scene.context, {})).drafts.map(({ id }) => id)).toEqual([
      outcome.reference,
    ]);
    expect(await lookUp(operation, scene.context, mail)).toMatchObject({
      found: true,
      outcome: { reference: outcome.reference },
    });
    expect(scene.google.delivered()).toEqual([]);
    expect(operation.summary(mail, 'Ann')).toBe(
      'Draft in Ann to bob@example.org, hidden@example.org (1 hidden): “Viewing on Friday”',
    );
  });

  test('one is rewritten, in the thread of the mail that it answers', async () => {
    const scene = await office();
    const { reference } = await operations['create-draft'].run(scene.context, mailTo('bob@example.org'));
    const context = { ...scene.context, effectKey: 'eff_02other' };
    const payload = {
      draftId: reference,
      ...mailTo('bo@x.test', { text: 'New words', inReplyTo: '<a@x.test>' }),
    };
    const operation = operations['update-draft'];
    expect(await lookUp(operation, context, payload)).toMatchObject({ found: false });
    await operation.run(context, payload);
    const draft = scene.google.mail.get(scene.google.mail.drafts.get(reference) ?? '');
    expect(draft?.raw.toString()).toContain('New words');
    expect(draft?.threadId).toBe(scene.google.mail.get(idOf(scene, 'Roof'))?.threadId);
    expect(await lookUp(operation, context, payload)).toMatchObject({ found: true, outcome: { reference } });
    await expect(operation.run(context, { ...payload, draftId: 'r404' })).rejects.toBeInstanceOf(
      EffectRefused,
    );
  });
});

describe('refusals', () => {
  const ask = (scene: Scene) => operations.labels.run(scene.context, {});
  test.each([
    [401, 'authError', { code: 'auth_expired', retry: 'reconnect' }],
    [403, 'rateLimitExceeded', { code: 'rate_limited', retry: 'later' }],
    [403, 'userRateLimitExceeded', { code: 'rate_limited', retry: 'later' }],
    [403, 'dailyLimitExceeded', { code: 'quota_exhausted', retry: 'later' }],
    [403, 'quotaExceeded', { code: 'quota_exhausted', retry: 'later' }],
    [403, 'insufficientPermissions', { code: 'permission_denied' }],
    [403, 'accessNotConfigured', { code: 'permission_denied' }],
    [403, 'forbidden', { code: 'permission_denied' }],
    [404, 'notFound', { code: 'not_found' }],
    [409, 'duplicate', { code: 'conflict' }],
    [400, 'invalidArgument', { code: 'invalid_request' }],
  ])('%i %s', async (status, reason, expected) => {
    const scene = await office();
    const { body = '', headers = {} } = refusal(status, reason, 'In Google’s words.');
    // Once more for a bearer that is renewed.
    scene.hosts.faults.failNext({ kind: 'refuse', status, text: body, headers }, '', 2);
    const failure = await ask(scene).catch((error: unknown) => error);
    expect(failure).toMatchObject(expected);
    expect(failure).toMatchObject({
      message: `gmail.googleapis.com refused the request (${status}). It says: In Google’s words.`,
    });
    expect(failure).not.toHaveProperty('cause.config');
  });

  test.each([
    ['429', 429, 'rate_limited'],
    ['503', 503, 'provider_unavailable'],
    ['500', 500, 'provider_unavailable'],
  ])('%s that lasts, without a body', async (_what, status, code) => {
    const scene = await office();
    scene.hosts.faults.failNext({ kind: 'refuse', status }, '', 9);
    await expect(ask(scene)).rejects.toMatchObject({ code });
  });

  test('the client itself tries nothing again: what the door repeats is the door’s', async () => {
    const scene = await office();
    scene.hosts.faults.failNext({ kind: 'refuse', status: 500 }, '', 9);
    await expect(ask(scene)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(scene.asked()).toHaveLength(1);
  });

  test.each([
    ['no JSON', '<html>sorry</html>', 'text/html'],
    ['a list', '[]', 'application/json'],
    ['half a body', '{"labels":[{"id":', 'application/json'],
    ['labels without ids', '{"labels":[{"name":"x"}]}', 'application/json'],
  ])('an answer that is %s is malformed, or empty, and never a crash', async (_what, body, contentType) => {
    const scene = await office();
    scene.hosts.faults.failNext({ kind: 'garble', body, contentType });
    const result = await ask(scene).catch((error: unknown) => error);
    if (result instanceof Error) expect(result).toMatchObject({ code: 'malformed_response' });
    else expect(result).toEqual({ labels: [] });
  });

  test('a bearer that has ended is renewed, for a write as for a read', async () => {
    const scene = await office();
    scene.google.authorization.expireAccess();
    await ask(scene);
    scene.google.authorization.expireAccess();
    const id = idOf(scene, 'Roof');
    await operations.archive.run(scene.context, { id, subject: 'Roof' });
    expect(labelsOf(scene, id)).toEqual(['UNREAD']);
    expect(scene.asked().map((line) => line.split(' ', 1)[0])).toEqual(['GET', 'GET', 'GET', 'GET', 'POST']);
  });

  test('a call that is called off ends so, and not as something malformed', async () => {
    const controller = new AbortController();
    const scene = await office({ signal: controller.signal });
    scene.hosts.faults.failNext({ kind: 'hold', until: new Promise(() => undefined) });
    const asked = ask(scene);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });

  test('with the scopes of reading alone, every write is refused as such', async () => {
    const scopes = ['https://www.googleapis.com/auth/gmail.readonly'];
    const scene = await office({ scopes });
    const id = idOf(scene, 'Roof');
    const refused = { cause: { code: 'permission_denied' } };
    await expect(operations.archive.run(scene.context, { id, subject: 'Roof' })).rejects.toMatchObject(
      refused,
    );
    await expect(operations.trash.run(scene.context, { id, subject: 'Roof' })).rejects.toMatchObject(refused);
    const draft = operations['create-draft'].run(scene.context, mailTo('bob@example.org'));
    await expect(draft).rejects.toMatchObject(refused);
    expect(labelsOf(scene, id)).toEqual(['INBOX', 'UNREAD']);
  });
});

test('reading asks for reading alone; each write names the scope that it needs', () => {
  const short = (scopes: readonly string[] = []) => scopes.map((one) => one.split('/').at(-1));
  expect(short(provider.auth.kind === 'oauth2' ? provider.auth.scopes : [])).toEqual(['gmail.readonly']);
  const writes = Object.entries(operations).filter(([, { effect }]) => effect !== 'read');
  expect(Object.fromEntries(writes.map(([name, { scopes }]) => [name, short(scopes)]))).toEqual({
    send: ['gmail.send'],
    'create-draft': ['gmail.compose'],
    'update-draft': ['gmail.compose'],
    'delete-draft': ['gmail.compose'],
    label: ['gmail.modify'],
    archive: ['gmail.modify'],
    trash: ['gmail.modify'],
    untrash: ['gmail.modify'],
  });
  expect(short(scopesOf(provider)).sort()).toEqual([
    'gmail.compose',
    'gmail.modify',
    'gmail.readonly',
    'gmail.send',
  ]);
});
