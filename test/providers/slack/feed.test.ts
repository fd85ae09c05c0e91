// Slack in memory: conversations with their replies and files, who may read them, and what a later run sees.
import { describe, expect, test } from 'vitest';
import { people, places } from '../../../sandbox/slack/story.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { provider } from '../../../src/providers/slack/index.ts';
import { bodyOf, openScene, readFeed, type Scene } from './scene.ts';

const { general, offers, priya: direct } = places;
const day = 86_400_000;
const minute = 60_000;

const say = ({ slack }: Scene, text: string, more: object = {}, at?: number) =>
  slack.state.post(general, { user: people.priya, text, ...more }, at).ts;
const idOf = (ts: string, channel: string = general) => `${channel}/${ts}`;

describe('conversations', () => {
  test('a message with its replies is one record, in plain words, with who wrote and where it stands', async () => {
    const scene = await openScene();
    const { records } = await readFeed(scene, 'messages');
    const record = [...records.values()].find(({ raw }) => Buffer.from(raw).includes('Bellwether'));
    const ts = record?.externalId.split('/')[1] ?? '';
    expect(record).toMatchObject({ externalId: `${general}/${ts}`, kind: 'chat', labels: ['#general'] });
    expect(bodyOf(record)).toEqual({
      title: '#general: Who has the keys to 14 Bellwether?',
      thread: `${general}/${ts}`,
      url: `https://tidewell.slack.com/archives/${general}/p${ts.replace('.', '')}`,
      at: expect.any(Number),
      facts: { channel: '#general' },
      people: [
        { name: 'Tobias Reyes', role: 'from', address: 'tobias@tidewell.example' },
        { name: 'Priya Nair', role: 'speaker', address: 'office@tidewell.example' },
      ],
      turns: [
        { speaker: 'Tobias Reyes', at: expect.any(Number), text: 'Who has the keys to 14 Bellwether?' },
        { speaker: 'Priya Nair', at: expect.any(Number), text: 'Lockbox, code is with the front desk.' },
        {
          speaker: 'Tobias Reyes',
          at: expect.any(Number),
          text: 'Thanks @Priya Nair & see the list (https://example.com/keys)',
        },
      ],
    });
  });

  test('who came and who went is no record; a reply that is shown in the channel, too, belongs to its thread', async () => {
    const scene = await openScene({ empty: true });
    const root = say(scene, 'One');
    say(scene, 'Two', { thread_ts: root, broadcast: true });
    say(scene, 'joined', { subtype: 'channel_join' });
    const { records } = await readFeed(scene, 'messages');
    expect([...records.keys()]).toEqual([idOf(root)]);
    expect(bodyOf(records.get(idOf(root)))['turns']).toHaveLength(2);
  });

  test('private channels and direct messages may be read by their members alone, an open channel by everybody', async () => {
    const { records } = await readFeed(await openScene(), 'messages');
    const readersIn = (channel: string) => [
      ...new Set(
        [...records.values()]
          .filter(({ externalId }) => externalId.startsWith(`${channel}/`))
          .map(({ readers }) => readers?.join(' ')),
      ),
    ];
    expect(readersIn(general)).toEqual([undefined]);
    expect(readersIn(offers)).toEqual(['maren@tidewell.example slack:u0drawbridge tobias@tidewell.example']);
    expect(readersIn(direct)).toEqual(['maren@tidewell.example office@tidewell.example']);
  });

  test('who comes into a private channel or leaves it is seen in every record of it, the old ones, too', async () => {
    const scene = await openScene({ empty: true });
    const ago = scene.clock.now() - 60 * day;
    for (const n of [0, 59]) {
      scene.slack.state.post(offers, { user: people.maren, text: `Day ${n}` }, ago + n * day);
    }
    const first = await readFeed(scene, 'messages');
    scene.clock.advance(30 * day);
    const channel = scene.slack.state.channels.find(({ id }) => id === offers);
    channel?.members.splice(channel.members.indexOf(people.tobias), 1, people.priya);
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.deleted).toEqual([]);
    const old = [...first.records.keys()].filter((id) => id.startsWith(offers));
    expect(old).toHaveLength(2);
    for (const id of old) {
      expect(second.records.get(id)?.readers).toContain('office@tidewell.example');
      expect(second.records.get(id)?.readers).not.toContain('tobias@tidewell.example');
    }
  });

  test('a channel that the account has left is gone with all that was in it', async () => {
    const scene = await openScene();
    const first = await readFeed(scene, 'messages');
    const channel = scene.slack.state.channels.find(({ id }) => id === offers);
    channel?.members.splice(channel.members.indexOf(people.maren), 1);
    scene.clock.advance(minute);
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.complete).toEqual([{ ids: [], prefix: `${offers}/` }]);
  });
});

describe('a later run', () => {
  test('brings what is new, edited and deleted in the last days, in threads, too, and nothing older again', async () => {
    const scene = await openScene({ empty: true });
    const now = scene.clock.now();
    const old = say(scene, 'Old', {}, now - 20 * day);
    const root = say(scene, 'Root', {}, now - day);
    const reply = say(scene, 'Reply', { thread_ts: root }, now - day + minute);
    const edited = say(scene, 'Befor', {}, now - day + 2 * minute);
    const gone = say(scene, 'Gone', {}, now - day + 3 * minute);
    const first = await readFeed(scene, 'messages');
    expect(first.records.size).toBe(4);
    scene.clock.advance(day);
    const { state } = scene.slack;
    state.edit(general, reply, 'Reply, edited');
    state.edit(general, edited, 'Before');
    state.delete(general, gone);
    say(scene, 'Another', { thread_ts: root });
    const fresh = say(scene, 'Fresh');
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.records.has(idOf(old))).toBe(false);
    expect(second.deleted).toEqual([idOf(gone)]);
    expect(bodyOf(second.records.get(idOf(edited)))['turns']).toMatchObject([{ text: 'Before' }]);
    expect(bodyOf(second.records.get(idOf(root)))['turns']).toMatchObject([
      { text: 'Root' },
      { text: 'Reply, edited' },
      { text: 'Another' },
    ]);
    expect(second.records.has(idOf(fresh))).toBe(true);
  });

  test('a new reply to an older conversation that lately went on is seen', async () => {
    const scene = await openScene({ empty: true });
    const now = scene.clock.now();
    const root = say(scene, 'Root', {}, now - 10 * day);
    say(scene, 'Reply', { thread_ts: root }, now - 9 * day);
    const first = await readFeed(scene, 'messages');
    scene.clock.advance(day);
    say(scene, 'Late', { thread_ts: root });
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(bodyOf(second.records.get(idOf(root)))['turns']).toHaveLength(3);
    // And where it was taken away meanwhile, it is gone.
    scene.clock.advance(day);
    for (const one of scene.slack.state.replies(general, root)) scene.slack.state.delete(general, one.ts);
    scene.slack.state.delete(general, root);
    const third = await readFeed(scene, 'messages', second.cursor);
    expect(third.deleted).toContain(idOf(root));
  });

  test('a first message that is deleted leaves its replies', async () => {
    const scene = await openScene({ empty: true });
    const root = say(scene, 'Root');
    say(scene, 'Reply', { thread_ts: root });
    const first = await readFeed(scene, 'messages');
    scene.slack.state.delete(general, root);
    scene.clock.advance(minute);
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.deleted).toEqual([]);
    expect(bodyOf(second.records.get(idOf(root)))['turns']).toMatchObject([{ text: 'Reply' }]);
  });

  test('a conversation longer than a page of it comes whole, and each message once', async () => {
    const scene = await openScene({ empty: true });
    const root = say(scene, 'Root');
    for (let n = 1; n <= 60; n += 1) say(scene, `Reply ${n}`, { thread_ts: root });
    const { records } = await readFeed(scene, 'messages');
    const turns = bodyOf(records.get(idOf(root)))['turns'] as { text: string }[];
    expect(turns.map(({ text }) => text)).toEqual([
      'Root',
      ...Array.from({ length: 60 }, (_, n) => `Reply ${n + 1}`),
    ]);
  });

  test('a place in the list that Slack knows no more begins the channel again, and loses nothing', async () => {
    const scene = await openScene({ empty: true });
    const ids = Array.from({ length: 60 }, (_, n) => idOf(say(scene, `Number ${n}`)));
    const seen = new Set<string>();
    let cursor: unknown;
    for await (const page of provider.feeds.messages.pages(scene.context, undefined)) {
      for (const { externalId } of page.records) seen.add(externalId);
      cursor = page.cursor;
      if (page.records.length > 0) break;
    }
    const broken = JSON.parse(JSON.stringify(cursor).replace(/"page":"[^"]+"/, '"page":"bm9uZQ=="'));
    expect(broken).not.toEqual(cursor);
    const { records } = await readFeed(scene, 'messages', broken);
    expect(ids.filter((id) => !seen.has(id) && !records.has(id))).toEqual([]);
    expect(records.size).toBe(60);
  });

  test('a place in a conversation that Slack knows no more begins that conversation again', async () => {
    const scene = await openScene({ empty: true });
    const root = say(scene, 'Root');
    for (let n = 1; n <= 60; n += 1) say(scene, `Reply ${n}`, { thread_ts: root });
    let cursor: unknown;
    for await (const page of provider.feeds.messages.pages(scene.context, undefined)) {
      cursor = page.cursor;
      if (JSON.stringify(cursor).includes('"part"')) break;
    }
    const broken = JSON.parse(JSON.stringify(cursor).replace(/"page":"[^"]+"/, '"page":"bm9uZQ=="'));
    const { records, error } = await readFeed(scene, 'messages', broken);
    expect(error).toBeUndefined();
    expect(bodyOf(records.get(idOf(root)))['turns']).toHaveLength(61);
  });

  test('of years of messages a cursor keeps those of the last days alone', async () => {
    const scene = await openScene({ empty: true });
    const now = scene.clock.now();
    for (let n = 300; n > 0; n -= 1) {
      const root = say(scene, `Number ${n}`, {}, now - n * day);
      if (n % 10 === 0) say(scene, `Reply ${n}`, { thread_ts: root }, now - n * day + minute);
    }
    const sizes: number[] = [];
    let records = 0;
    for await (const page of provider.feeds.messages.pages(scene.context, undefined)) {
      records += page.records.length;
      sizes.push(JSON.stringify(page.cursor).length);
    }
    expect(records).toBe(300);
    expect(Math.max(...sizes)).toBeLessThan(1_500);
  });

  test('conversations that rest for two weeks are asked for replies no more', async () => {
    const scene = await openScene({ empty: true });
    const now = scene.clock.now();
    for (const n of [40, 30, 20, 10, 5]) {
      const root = say(scene, `Number ${n}`, {}, now - n * day);
      say(scene, 'Reply', { thread_ts: root }, now - n * day + minute);
    }
    const { cursor } = await readFeed(scene, 'messages');
    scene.asked();
    await readFeed(scene, 'messages', cursor);
    expect(scene.asked().filter((name) => name === 'conversations.replies')).toHaveLength(2);
  });

  test('a cursor that is none begins from the beginning', async () => {
    const scene = await openScene();
    const whole = await readFeed(scene, 'messages');
    const { records } = await readFeed(scene, 'messages', { version: 0, something: true });
    expect([...records.keys()].sort()).toEqual([...whole.records.keys()].sort());
  });
});

describe('files', () => {
  const put = (scene: Scene, name: string, mimetype: string, bytes = Buffer.from('%PDF-1.4 …')) => {
    const file = scene.slack.state.addFile({ name, mimetype, bytes, user: people.priya });
    return { file, ts: say(scene, 'Here', { files: [file] }) };
  };

  test('text and what memory reads are handed over as bytes, with the bearer, and once', async () => {
    const scene = await openScene({ empty: true });
    const { file, ts } = put(scene, 'offer.pdf', 'application/pdf');
    const note = put(scene, 'note.txt', 'text/plain', Buffer.from('Key under the mat.'));
    const first = await readFeed(scene, 'messages');
    const pdf = first.records.get(`${idOf(ts)}/${file.id}`);
    expect(pdf).toMatchObject({
      kind: 'file',
      mediaType: 'application/pdf',
      title: 'offer.pdf',
      url: file.permalink,
    });
    expect(Buffer.from(pdf?.raw ?? []).toString()).toBe('%PDF-1.4 …');
    expect(first.records.get(`${idOf(note.ts)}/${note.file.id}`)).toMatchObject({ mediaType: 'text/plain' });
    const loads = scene.hosts.calls().filter(({ host }) => host === 'files.slack.com');
    expect(loads).toHaveLength(2);
    for (const { headers } of loads) expect(headers['authorization']).toMatch(/^Bearer /);
    scene.clock.advance(minute);
    const second = await readFeed(scene, 'messages', first.cursor);
    expect([...second.records.keys()].sort()).toEqual([idOf(ts), idOf(note.ts)].sort());
    scene.slack.state.delete(general, ts);
    scene.clock.advance(minute);
    const third = await readFeed(scene, 'messages', second.cursor);
    expect(third.deleted.sort()).toEqual([idOf(ts), `${idOf(ts)}/${file.id}`].sort());
  });

  test('of a picture, a file that is kept elsewhere and one too large the facts are told, and nothing is loaded', async () => {
    const scene = await openScene({ empty: true });
    const picture = put(scene, 'a.png', 'image/png');
    const large = put(scene, 'big.pdf', 'application/pdf');
    large.file.size = 11 * 1024 * 1024;
    const outside = put(scene, 'doc', 'text/plain');
    outside.file.is_external = true;
    const { records } = await readFeed(scene, 'messages');
    for (const { ts, file } of [picture, large, outside]) {
      const record = records.get(`${idOf(ts)}/${file.id}`);
      expect(record?.mediaType).toBe('application/json');
      expect(bodyOf(record)).toMatchObject({ title: file.name, facts: { mediaType: file.mimetype } });
    }
    expect(scene.hosts.calls().filter(({ host }) => host === 'files.slack.com')).toEqual([]);
  });

  test('the bearer goes to Slack’s host of files alone, whatever a file names as its address', async () => {
    const scene = await openScene({ empty: true });
    for (const address of [
      'https://evil.example/files-pri/x',
      'http://files.slack.com/files-pri/x',
      'https://files.slack.com.evil.example/x',
      'https://files.slack.com@evil.example/x',
      'https://files.slack.com:8443/x',
    ]) {
      put(scene, 'x.txt', 'text/plain').file.url_private = address;
    }
    const { records, error } = await readFeed(scene, 'messages');
    expect(error).toBeUndefined();
    expect([...records.values()].filter(({ kind }) => kind === 'file')).toHaveLength(5);
    expect(new Set(scene.hosts.calls().map(({ host }) => host))).toEqual(new Set(['slack.com']));
  });

  test('a page of sign-in in place of the file is not taken for its text', async () => {
    const scene = await openScene({ empty: true });
    const { ts, file } = put(scene, 'page.html', 'text/html', Buffer.from('<p>Hello</p>'));
    const redirect = { status: 302, headers: { location: 'https://tidewell.slack.com/?redir=x' } };
    const note = put(scene, 'note.txt', 'text/plain');
    scene.hosts.faults.failNext({ kind: 'refuse', ...redirect }, '/files.slack.com/', 3);
    const { records } = await readFeed(scene, 'messages');
    expect(records.get(`${idOf(ts)}/${file.id}`)).toMatchObject({ mediaType: 'application/json' });
    const read = provider.operations['file-text'].run(scene.context, { id: note.file.id });
    await expect(read).rejects.toMatchObject({ code: 'permission_denied' });
  });
});

describe('an app whose history is limited', () => {
  test('makes one call of history a run, says when to come back, and loses nothing', async () => {
    const scene = await openScene({ distributed: true, empty: true });
    const ids = Array.from({ length: 40 }, (_, n) => idOf(say(scene, `Number ${n}`)));
    const root = say(scene, 'Root');
    for (let n = 1; n <= 20; n += 1) say(scene, `Reply ${n}`, { thread_ts: root });
    const seen = new Map<string, unknown>();
    let cursor: unknown;
    let runs = 0;
    for (; runs < 40; runs += 1) {
      const before = scene.clock.now();
      scene.asked();
      const read = await readFeed(scene, 'messages', cursor);
      const asked = scene.asked().filter((name) => /history|replies/.test(name));
      expect(asked.length).toBeLessThanOrEqual(1);
      // It did not wait.
      expect(scene.clock.now()).toBe(before);
      for (const [id, record] of read.records) seen.set(id, record);
      cursor = read.cursor;
      if (read.error === undefined) break;
      expect(read.error).toMatchObject({ code: 'rate_limited', retry: 'later', retryAfterMs: 60_000 });
      scene.clock.advance(60_000);
    }
    expect([...ids, idOf(root)].filter((id) => !seen.has(id))).toEqual([]);
    expect(bodyOf(seen.get(idOf(root)) as { raw: Uint8Array })['turns']).toHaveLength(21);
    // 41 messages by fifteens, 20 replies by fifteens, and the two channels that are empty.
    expect(runs + 1).toBe(3 + 2 + 2);
    const limits = scene.hosts.calls().filter(({ path }) => /history|replies/.test(path));
    for (const { query } of limits) expect(query.get('limit')).toBe('15');
  });

  test('asked too early it asks nothing at all, and says how long is left', async () => {
    const scene = await openScene({ distributed: true });
    const first = await readFeed(scene, 'messages');
    scene.clock.advance(20_000);
    scene.asked();
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.error).toMatchObject({ code: 'rate_limited', retryAfterMs: 40_000 });
    expect(scene.asked()).toEqual([]);
  });

  test('where Slack limits what was declared unlimited, the run ends with its place kept', async () => {
    const scene = await openScene({ empty: true });
    for (let n = 0; n < 60; n += 1) say(scene, `Number ${n}`);
    const refused = { status: 429, headers: { 'retry-after': '60', 'content-type': 'application/json' } };
    scene.hosts.faults.failNext(
      { kind: 'refuse', ...refused, text: '{"ok":false,"error":"ratelimited"}' },
      'conversations.history',
      1,
      1,
    );
    const first = await readFeed(scene, 'messages');
    expect(first.error).toBeInstanceOf(DrawbridgeError);
    expect(first.error).toMatchObject({ code: 'rate_limited', retryAfterMs: 60_000 });
    expect(first.records.size).toBe(25);
    scene.clock.advance(60_000);
    const second = await readFeed(scene, 'messages', first.cursor);
    expect(second.error).toBeUndefined();
    expect(first.records.size + second.records.size).toBe(60);
  });
});

describe('people', () => {
  test('come with their addresses; who left is gone, and robots are none', async () => {
    const scene = await openScene();
    const first = await readFeed(scene, 'users');
    expect([...first.records.keys()].sort()).toEqual(
      [people.maren, people.priya, people.tobias].map((id) => `users/${id}`).sort(),
    );
    expect(bodyOf(first.records.get(`users/${people.priya}`))).toMatchObject({
      title: 'Priya Nair',
      people: [{ name: 'Priya Nair', role: 'contact', address: 'office@tidewell.example' }],
      facts: { name: 'Priya Nair', email: 'office@tidewell.example' },
    });
    const tobias = scene.slack.state.users.find(({ id }) => id === people.tobias);
    if (tobias !== undefined) tobias.deleted = true;
    const second = await readFeed(scene, 'users', first.cursor);
    expect(second.complete).toEqual([{ ids: [`users/${people.maren}`, `users/${people.priya}`] }]);
  });
});

describe('one conversation', () => {
  test('is read again by its id, with whoever may read it; one that is gone is told', async () => {
    const scene = await openScene();
    const { record } = provider.feeds.messages;
    if (record === undefined) throw new Error('there is a way to one record');
    const { records } = await readFeed(scene, 'messages');
    for (const id of [...records.keys()].filter((one) => record.owns(one))) {
      expect(await record.read(scene.context, id)).toEqual(records.get(id));
    }
    expect(record.owns(`${general}/1.000000/F0FILE0001`)).toBe(false);
    expect(record.owns('users/U0MAREN')).toBe(false);
    expect(await record.read(scene.context, `${general}/1767434400.999999`)).toBeUndefined();
    expect(await record.read(scene.context, 'C0NOWHERE/1767434400.999999')).toBeUndefined();
  });
});
