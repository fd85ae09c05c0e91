// What of Mailchimp comes into memory: whoever changed, also those who left; what is gone; campaigns with their words,
// and numbers that make no new record.
import { describe, expect, test } from 'vitest';
import { hash } from '../../../sandbox/mailchimp/contacts.ts';
import { provider } from '../../../src/providers/mailchimp/index.ts';
import { bodyOf, news, openScene, read, type Scene } from './scene.ts';

const clients = 'f6e5d4c3b2';
const audienceOf = ({ mailchimp }: Scene, id = news) => {
  const found = mailchimp.contacts.audiences.get(id);
  if (found === undefined) throw new Error('no audience');
  return found;
};
const idOf = (email: string, list = news) => `${list}/${hash(email)}`;
const hour = 3_600_000;

describe('mailchimp: contacts', () => {
  test('a record says who they are, where, how they stand and with what', async () => {
    const scene = await openScene();
    scene.mailchimp.contacts.add(audienceOf(scene), 'Ann@Example.org', {
      mergeFields: { FNAME: 'Ann', LNAME: 'Lee', PHONE: '+1 541 555 0100' },
      tags: new Map([['Buyer', 1]]),
      status: 'unsubscribed',
      reason: 'Too many mails',
    });
    const { records } = await read(scene, 'contacts');
    const record = records.get(idOf('ann@example.org'));
    expect(record).toMatchObject({
      kind: 'contact',
      people: [{ role: 'contact', address: 'ann@example.org', name: 'Ann Lee' }],
      url: expect.stringContaining('https://us14.admin.mailchimp.com/lists/members/view?id='),
    });
    expect(bodyOf(record)).toMatchObject({
      title: 'Ann Lee',
      notes: 'Has unsubscribed from the newsletter audience News: Too many mails',
      facts: {
        audience: 'News',
        status: 'unsubscribed',
        tags: ['Buyer'],
        PHONE: '+1 541 555 0100',
      },
    });
    // What Mailchimp reckons by itself is no part of it.
    expect(JSON.stringify(bodyOf(record))).not.toMatch(/rating|open_rate/);
  });

  test('the next run asks for what changed since, some minutes back, and brings that alone', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const [first] = ['a@x.test', 'b@x.test', 'c@x.test'].map((email) =>
      contacts.add(audienceOf(scene), email),
    );
    const run = await read(scene, 'contacts');
    expect(run.records.size).toBe(3);
    const newest = scene.clock.now();
    scene.clock.advance(hour);
    scene.asked();
    if (first !== undefined) contacts.change(first, { status: 'cleaned' });
    const next = await read(scene, 'contacts', run.cursor);
    const since = scene.asked().flatMap((line) => /since_last_changed=([^&]*)/.exec(line)?.[1] ?? []);
    expect(Date.parse(decodeURIComponent(since[0] ?? ''))).toBe(
      Math.floor(newest / 1000) * 1000 - 5 * 60_000 - 1000,
    );
    expect(bodyOf(next.records.get(idOf('a@x.test')))).toMatchObject({ facts: { status: 'cleaned' } });
    scene.clock.advance(hour);
    const again = await read(scene, 'contacts', next.cursor);
    expect([...again.records.keys()]).toEqual([idOf('a@x.test')]);
  });

  test('an audience that is as it was is looked at, not read', async () => {
    const scene = await openScene();
    for (const n of [1, 2, 3]) scene.mailchimp.contacts.add(audienceOf(scene), `n${n}@x.test`);
    scene.clock.advance(hour);
    const { cursor } = await read(scene, 'contacts');
    scene.clock.advance(hour);
    scene.asked();
    const quiet = await read(scene, 'contacts', cursor);
    expect(quiet).toMatchObject({ pages: 0, cursor });
    const asked = scene.asked();
    expect(asked.filter((line) => !line.includes('sort_field=last_changed&sort_dir=DESC'))).toHaveLength(1);
    expect(asked).toHaveLength(1 + 2 + 2);
  });

  test('what comes to light late, behind newer changes, is found by the look', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const changed = scene.clock.now();
    const old = changed - 9 * hour;
    contacts.add(audienceOf(scene), 'old@x.test', { changed: old });
    contacts.add(audienceOf(scene), 'a@x.test', { changed });
    scene.clock.advance(hour);
    const { cursor } = await read(scene, 'contacts');
    audienceOf(scene).contacts.delete(hash('old@x.test'));
    contacts.add(audienceOf(scene), 'b@x.test', { changed: changed - 60_000 });
    const next = await read(scene, 'contacts', cursor);
    expect([...next.records.keys()]).toContain(idOf('b@x.test'));
  });

  test('what comes to light late while a run was cut off is read by the run after the next', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const one = contacts.add(audienceOf(scene), 'a@x.test');
    scene.clock.advance(hour);
    const first = await read(scene, 'contacts');
    contacts.change(one, { mergeFields: { FNAME: 'Ann' } });
    const late = scene.clock.now() - 60_000;
    scene.clock.advance(hour);
    const cut = await read(scene, 'contacts', first.cursor, 1);
    contacts.add(audienceOf(scene), 'b@x.test', { changed: late });
    const rest = await read(scene, 'contacts', cut.cursor);
    expect(rest.records.has(idOf('b@x.test'))).toBe(false);
    const next = await read(scene, 'contacts', rest.cursor);
    expect([...next.records.keys()]).toContain(idOf('b@x.test'));
  });

  test('more changes in one second than a look shows: nothing is taken for granted', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const audience = audienceOf(scene);
    for (let n = 0; n < 1_100; n += 1) contacts.add(audience, `n${n}@x.test`);
    const changed = scene.clock.now();
    scene.clock.advance(hour);
    const { cursor } = await read(scene, 'contacts');
    audience.contacts.delete(hash('n1050@x.test'));
    contacts.add(audience, 'late@x.test', { changed });
    const next = await read(scene, 'contacts', cursor);
    expect([...next.records.keys()]).toContain(idOf('late@x.test'));
  });

  test('a second change in the second of the look is read by the next run', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const one = contacts.add(audienceOf(scene), 'a@x.test');
    const { cursor } = await read(scene, 'contacts');
    contacts.change(one, { mergeFields: { FNAME: 'Ann' } });
    scene.clock.advance(hour);
    const next = await read(scene, 'contacts', cursor);
    expect(bodyOf(next.records.get(idOf('a@x.test')))).toMatchObject({ title: 'Ann' });
  });

  test.each(['subscribed', 'archived'] as const)(
    'one that is deleted for good while all else stays is found: %s',
    async (status) => {
      const scene = await openScene();
      const audience = audienceOf(scene);
      for (const n of [1, 2, 3]) {
        scene.mailchimp.contacts.add(audience, `n${n}@x.test`, {
          status,
          changed: scene.clock.now() + n * hour,
        });
      }
      scene.clock.advance(9 * hour);
      const { cursor } = await read(scene, 'contacts');
      audience.contacts.delete(hash('n1@x.test'));
      const next = await read(scene, 'contacts', cursor);
      expect(next.complete).toEqual([{ ids: [idOf('n2@x.test'), idOf('n3@x.test')], prefix: `${news}/` }]);
    },
  );

  test('what a run could not count is counted by the next', async () => {
    const scene = await openScene();
    const audience = audienceOf(scene);
    for (const n of [1, 2, 3]) scene.mailchimp.contacts.add(audience, `n${n}@x.test`);
    scene.clock.advance(hour);
    const { cursor } = await read(scene, 'contacts');
    audience.contacts.delete(hash('n1@x.test'));
    scene.hosts.faults.failNext(
      { kind: 'garble', body: '{"members": [], "total_items": 9}' },
      'members.id%2Ctotal',
    );
    const failed = await read(scene, 'contacts', cursor);
    expect(failed.complete).toEqual([]);
    const next = await read(scene, 'contacts', failed.cursor);
    expect(next.complete.map(({ ids }) => ids.length)).toEqual([2]);
  });

  test('a large audience that has become smaller is counted at once', async () => {
    const scene = await openScene();
    const audience = audienceOf(scene);
    for (let n = 0; n < 5_002; n += 1) scene.mailchimp.contacts.add(audience, `n${n}@x.test`);
    const first = await read(scene, 'contacts');
    audience.contacts.delete(hash('n7@x.test'));
    const next = await read(scene, 'contacts', first.cursor);
    expect(next.complete.map(({ ids }) => ids.length)).toContain(5_001);
  });

  test('whoever was archived is kept as archived; whoever was deleted for good is not among all ids', async () => {
    const scene = await openScene();
    const { contacts } = scene.mailchimp;
    const [kept, gone] = ['a@x.test', 'b@x.test'].map((email) => contacts.add(audienceOf(scene), email));
    const first = await read(scene, 'contacts');
    scene.clock.advance(hour);
    if (kept !== undefined) contacts.change(kept, { status: 'archived' });
    audienceOf(scene).contacts.delete(hash(gone?.email ?? ''));
    const next = await read(scene, 'contacts', first.cursor);
    expect(bodyOf(next.records.get(idOf('a@x.test')))).toMatchObject({ facts: { status: 'archived' } });
    expect(next.complete.find(({ prefix }) => prefix === `${news}/`)?.ids).toEqual([idOf('a@x.test')]);
  });

  test('an audience that is gone takes its contacts with it', async () => {
    const scene = await openScene();
    scene.mailchimp.contacts.add(audienceOf(scene, clients), 'a@x.test');
    const first = await read(scene, 'contacts');
    scene.mailchimp.contacts.audiences.delete(clients);
    const next = await read(scene, 'contacts', first.cursor);
    expect(next.complete).toContainEqual({ ids: [], prefix: `${clients}/` });
    expect(JSON.stringify(next.cursor)).not.toContain(clients);
  });

  test('more than a page that changed in one second are all read, and go on after a kill', async () => {
    const scene = await openScene();
    const emails = Array.from({ length: 1_130 }, (_, n) => `n${n}@x.test`);
    for (const email of emails) scene.mailchimp.contacts.add(audienceOf(scene), email);
    const whole = await read(scene, 'contacts');
    expect(whole.records.size).toBe(1_130);
    const killed = await read(scene, 'contacts', undefined, 2);
    const rest = await read(scene, 'contacts', killed.cursor);
    expect(new Set([...killed.records.keys(), ...rest.records.keys()]).size).toBe(1_130);
    expect(rest.records.size).toBeLessThan(1_130);
  });

  test('nobody is taken for gone when the list shrinks while its ids are counted', async () => {
    const scene = await openScene();
    const audience = audienceOf(scene);
    const emails = Array.from({ length: 1_500 }, (_, n) => `n${n}@x.test`);
    for (const email of emails) scene.mailchimp.contacts.add(audience, email);
    const { handle } = scene.mailchimp;
    let most = 30;
    scene.mailchimp.handle = (call) => {
      const answer = handle(call);
      // Some of the first page go between it and the next: more than pages overlap.
      if (call.query.get('fields') === 'members.id,total_items' && call.query.get('offset') === '0') {
        for (const email of emails.slice(0, most)) audience.contacts.delete(hash(email));
      }
      return answer;
    };
    const run = await read(scene, 'contacts');
    expect(run.complete.filter(({ prefix }) => prefix === `${news}/`)).toEqual([]);
    // Few of them do no harm, as the pages overlap.
    emails.splice(0, 30);
    most = 10;
    const next = await read(scene, 'contacts', run.cursor);
    const told = next.complete.find(({ prefix }) => prefix === `${news}/`);
    const left = emails.slice(10).map((email) => idOf(email));
    expect(left.filter((id) => told?.ids.includes(id) !== true)).toEqual([]);
  });

  test('a large audience is counted over once a day', async () => {
    const scene = await openScene();
    const audience = audienceOf(scene);
    for (let n = 0; n < 5_001; n += 1) scene.mailchimp.contacts.add(audience, `n${n}@x.test`);
    const counted = ({ complete }: Awaited<ReturnType<typeof read>>) =>
      complete.some(({ prefix }) => prefix === `${news}/`);
    const first = await read(scene, 'contacts');
    expect(counted(first)).toBe(true);
    scene.clock.advance(hour);
    const second = await read(scene, 'contacts', first.cursor);
    expect(counted(second)).toBe(false);
    scene.clock.advance(24 * hour);
    expect(counted(await read(scene, 'contacts', second.cursor))).toBe(true);
  });

  test('one contact is read again by its id; one that is gone is undefined', async () => {
    const scene = await openScene();
    scene.mailchimp.contacts.add(audienceOf(scene), 'a@x.test');
    const { record } = provider.feeds.contacts;
    const whole = await read(scene, 'contacts');
    expect(await record?.read(scene.context, idOf('a@x.test'))).toEqual(whole.records.get(idOf('a@x.test')));
    expect(await record?.read(scene.context, idOf('b@x.test'))).toBeUndefined();
    expect(record?.owns(idOf('a@x.test'))).toBe(true);
    expect(record?.owns('../lists/x')).toBe(false);
  });

  test('a cursor that is none begins anew', async () => {
    const scene = await openScene();
    scene.mailchimp.contacts.add(audienceOf(scene), 'a@x.test');
    expect((await read(scene, 'contacts', { version: 9 })).records.size).toBe(1);
  });
});

describe('mailchimp: campaigns', () => {
  const sentBefore = (scene: Scene, days: number, subject: string) =>
    scene.mailchimp.campaigns.add(
      news,
      { subject_line: subject, title: subject, from_name: 'Tidewell' },
      {
        status: 'sent',
        sent: scene.clock.now() - days * 24 * hour,
        text: `Words of ${subject}`,
        numbers: { emails: 10, opens: 5, uniqueOpens: 4, clicks: 3, clickers: 2 },
      },
    );

  test('a record has the words, who sent it to whom, and numbers that make no new record', async () => {
    const scene = await openScene();
    const { id } = sentBefore(scene, 30, 'Spring');
    const record = (await read(scene, 'campaigns')).records.get(id);
    expect(bodyOf(record)).toMatchObject({
      title: 'Spring',
      text: 'Words of Spring',
      facts: {
        audience: 'News',
        from: 'Tidewell',
        status: 'sent',
        numbers: { emailsSent: 10, opens: 5, clickers: 2 },
      },
    });
    expect(record?.volatile).toEqual([
      'facts.numbers.emailsSent',
      'facts.numbers.opens',
      'facts.numbers.uniqueOpens',
      'facts.numbers.clicks',
      'facts.numbers.clickers',
    ]);
    expect(bodyOf(record)['text']).not.toMatch(/\d/);
  });

  test('what was sent long ago is read once; a draft each time; what is gone is told', async () => {
    const scene = await openScene();
    const old = sentBefore(scene, 30, 'Old');
    const fresh = sentBefore(scene, 1, 'Fresh');
    const draft = scene.mailchimp.campaigns.add(news, { subject_line: 'Draft' }, { text: 'First words' });
    const first = await read(scene, 'campaigns');
    expect([...first.records.keys()]).toEqual([old.id, fresh.id, draft.id]);
    draft.text = 'Other words';
    const second = await read(scene, 'campaigns', first.cursor);
    expect([...second.records.keys()]).toEqual([draft.id]);
    expect(bodyOf(second.records.get(draft.id))).toMatchObject({
      text: 'Other words',
      facts: { status: 'draft' },
    });
    scene.mailchimp.campaigns.all.delete(old.id);
    const third = await read(scene, 'campaigns', second.cursor);
    expect(third.complete).toEqual([{ ids: [fresh.id, draft.id] }]);
  });

  test('what was sent of late is read again where the list tells of it otherwise', async () => {
    const scene = await openScene();
    const [a, b] = [sentBefore(scene, 2, 'A'), sentBefore(scene, 1, 'B')];
    const first = await read(scene, 'campaigns');
    a.numbers = { ...a.numbers, opens: 9 };
    b.numbers = { ...b.numbers, emails: 11 };
    const second = await read(scene, 'campaigns', first.cursor);
    expect([...second.records.keys()]).toEqual([b.id]);
    expect((await read(scene, 'campaigns', second.cursor)).records.size).toBe(0);
  });

  test('what is sent after it was read as a draft is read again', async () => {
    const scene = await openScene();
    const draft = scene.mailchimp.campaigns.add(news, { subject_line: 'Draft' }, { text: 'Words' });
    const first = await read(scene, 'campaigns');
    Object.assign(draft, { status: 'sent', sent: scene.clock.now(), text: 'Last words' });
    const second = await read(scene, 'campaigns', first.cursor);
    expect(bodyOf(second.records.get(draft.id))).toMatchObject({ text: 'Last words' });
  });

  test('a campaign of a page alone is kept as the page', async () => {
    const scene = await openScene();
    const { id } = scene.mailchimp.campaigns.add(news, {}, { html: '<p>Only a page</p>' });
    const body = bodyOf((await read(scene, 'campaigns')).records.get(id));
    expect(body).toMatchObject({ title: 'Campaign without a subject', html: '<p>Only a page</p>' });
  });

  test('one that goes between the list and its words is told as gone, and stops nothing', async () => {
    const scene = await openScene();
    const [gone, stays] = [sentBefore(scene, 30, 'Goes'), sentBefore(scene, 20, 'Stays')];
    scene.hosts.faults.failNext({ kind: 'refuse', status: 404, text: '{}' }, `${gone.id}/content`);
    const deleted: string[] = [];
    const found: string[] = [];
    for await (const page of provider.feeds.campaigns.pages(scene.context, undefined)) {
      deleted.push(...page.deleted);
      found.push(...page.records.map(({ externalId }) => externalId));
    }
    expect([deleted, found]).toEqual([[gone.id], [stays.id]]);
  });

  test('one whose words were not to be had is read by the next run', async () => {
    const scene = await openScene();
    const { id } = sentBefore(scene, 1, 'Comes back');
    scene.hosts.faults.failNext({ kind: 'refuse', status: 404, text: '{}' }, `${id}/content`);
    const first = await read(scene, 'campaigns');
    expect(first.records.size).toBe(0);
    expect([...(await read(scene, 'campaigns', first.cursor)).records.keys()]).toEqual([id]);
  });
});
