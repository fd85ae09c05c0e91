// What is written to Mailchimp: exactly what was approved, nobody subscribed against their will, and each thing
// taken back where it can be.
import { describe, expect, test } from 'vitest';
import { hash } from '../../../sandbox/mailchimp/contacts.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { carriedOut, news, openScene, type Scene, takenBack, write } from './scene.ts';

const ann = 'Ann@Example.org';
const contactOf = ({ mailchimp }: Scene, email = ann) =>
  mailchimp.contacts.audiences.get(news)?.contacts.get(hash(email));
const there = (scene: Scene, given: Parameters<Scene['mailchimp']['contacts']['add']>[2] = {}) => {
  const audience = scene.mailchimp.contacts.audiences.get(news);
  if (audience === undefined) throw new Error('no audience');
  return scene.mailchimp.contacts.add(audience, ann, given);
};
const at = { audience: news, email: ann };
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('mailchimp: adding a contact', () => {
  test('is one PUT at the hash of the lower-cased address, with the approved fields', async () => {
    const scene = await openScene();
    const { before, outcome } = await carriedOut(scene, 'put-contact', {
      ...at,
      mergeFields: { FNAME: 'Ann' },
    });
    expect(before).toEqual({
      title: `${ann}, new in the audience News`,
      fields: { status: 'not there' },
      after: { status: 'pending', FNAME: 'Ann' },
    });
    expect(scene.asked().slice(2)).toEqual([
      `PUT /3.0/lists/${news}/members/${hash('ann@example.org')} {"email_address":"${ann}","status_if_new":"pending","merge_fields":{"FNAME":"Ann"}}`,
    ]);
    expect(scene.announced()).toBe(1);
    expect(outcome).toMatchObject({
      reference: `${news}/${hash(ann)}`,
      url: expect.stringContaining('https://us14.admin.mailchimp.com/lists/members/view?id='),
      details: { email: ann, status: 'pending', isNew: true },
    });
  });

  test('leaves whoever has unsubscribed as they are, and the page says so', async () => {
    const scene = await openScene();
    there(scene, { status: 'unsubscribed' });
    const { before } = await carriedOut(scene, 'put-contact', {
      ...at,
      ifNew: 'subscribed',
      mergeFields: { FNAME: 'Anna' },
    });
    expect(before).toMatchObject({
      title: expect.stringContaining('is unsubscribed and stays so'),
      fields: { status: 'unsubscribed', FNAME: '' },
      after: { status: 'unsubscribed', FNAME: 'Anna' },
    });
    expect(contactOf(scene)).toMatchObject({ status: 'unsubscribed', mergeFields: { FNAME: 'Anna' } });
  });

  test('is taken back by archiving where they were new, and by nothing where they were there', async () => {
    const scene = await openScene();
    const made = await carriedOut(scene, 'put-contact', at);
    await takenBack(scene, 'put-contact', made);
    expect(contactOf(scene)?.status).toBe('archived');
    const other = await openScene();
    there(other);
    expect(await takenBack(other, 'put-contact', await carriedOut(other, 'put-contact', at))).toBeUndefined();
  });

  test('is found again by its fields; somebody absent proves that nothing happened', async () => {
    const scene = await openScene();
    const { lookUp } = write('put-contact') as Extract<ReturnType<typeof write>, { lookUp: unknown }>;
    const payload = { ...at, mergeFields: { FNAME: 'Ann' }, ifNew: 'pending' };
    expect(await lookUp(scene.context, payload)).toMatchObject({ found: false, conclusive: true });
    there(scene, { mergeFields: { FNAME: 'Anna' } });
    expect(await lookUp(scene.context, payload)).toMatchObject({ found: false, conclusive: false });
    await carriedOut(scene, 'put-contact', payload);
    expect(await lookUp(scene.context, payload)).toMatchObject({ found: true });
  });

  test('that the answer of got lost is made again by the door, and is there once', async () => {
    const scene = await openScene();
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'PUT');
    const running = carriedOut(scene, 'put-contact', { ...at, mergeFields: { FNAME: 'Ann' } });
    scene.clock.advance(await scene.clock.asleep((ms) => ms < 10_000));
    expect((await running).outcome.details).toMatchObject({ status: 'pending' });
    expect(scene.mailchimp.contacts.audiences.get(news)?.contacts.size).toBe(1);
  });

  test.each([
    [{ ...at, email: 'ann' }, 'email'],
    [{ ...at, audience: '../lists' }, 'audience'],
    [{ ...at, mergeFields: { 'first name': 'Ann' } }, 'mergeFields'],
    [{ ...at, ifNew: 'cleaned' }, 'ifNew'],
  ])('names the field at fault, and nothing leaves: %j', async (given, field) => {
    const parsed = write('put-contact').input.safeParse(given);
    expect(parsed.error?.issues[0]?.path[0]).toBe(field);
  });
});

describe('mailchimp: subscribing', () => {
  test('somebody who has left is refused until the payload says that they agreed', async () => {
    const scene = await openScene();
    there(scene, { status: 'unsubscribed', reason: 'Too many mails' });
    const thrown = await failure(carriedOut(scene, 'set-contact-status', { ...at, status: 'pending' }));
    expect(thrown).toMatchObject({ code: 'invalid_request', field: 'again' });
    expect(scene.asked().filter((line) => !line.startsWith('GET '))).toEqual([]);
    const { before } = await carriedOut(scene, 'set-contact-status', {
      ...at,
      status: 'pending',
      again: true,
    });
    expect(before).toMatchObject({
      title: `${ann}, left: Too many mails (audience News)`,
      fields: { status: 'unsubscribed' },
      after: { status: 'pending' },
    });
    expect(scene.asked().at(-1)).toBe(`PATCH /3.0/lists/${news}/members/${hash(ann)} {"status":"pending"}`);
    const { summary } = write('set-contact-status');
    const payload = { ...at, status: 'subscribed', again: true };
    expect(summary(payload, 'Tidewell')).toContain('had left and has agreed to come back');
  });

  test('what Mailchimp itself does not allow is a refusal that says what can be done', async () => {
    const scene = await openScene();
    there(scene, { status: 'unsubscribed' });
    const thrown = await failure(
      carriedOut(scene, 'set-contact-status', { ...at, status: 'subscribed', again: true }),
    );
    expect(thrown).toBeInstanceOf(EffectRefused);
    expect(thrown).toMatchObject({
      message: expect.stringContaining('Set the status to pending to ask them'),
      cause: { code: 'permission_denied', retry: 'ask' },
    });
    expect(contactOf(scene)?.status).toBe('unsubscribed');
  });

  test('an unsubscribing is taken back by nothing: only they can; a coming back is', async () => {
    const scene = await openScene();
    there(scene);
    const left = await carriedOut(scene, 'set-contact-status', { ...at, status: 'unsubscribed' });
    expect(await takenBack(scene, 'set-contact-status', left)).toBeUndefined();
    const back = await carriedOut(scene, 'set-contact-status', { ...at, status: 'pending', again: true });
    await takenBack(scene, 'set-contact-status', back);
    expect(contactOf(scene)?.status).toBe('unsubscribed');
  });

  test('whoever was asked and has agreed meanwhile counts as done', async () => {
    const scene = await openScene();
    there(scene, { status: 'subscribed' });
    const { lookUp } = write('set-contact-status') as Extract<ReturnType<typeof write>, { lookUp: unknown }>;
    expect(await lookUp(scene.context, { ...at, status: 'pending' })).toMatchObject({ found: true });
    expect(await lookUp(scene.context, { ...at, status: 'unsubscribed' })).toMatchObject({
      found: false,
      conclusive: true,
    });
  });
});

describe('mailchimp: tags and archive', () => {
  test('tags go on and off in one request that starts no automation, and back as they were', async () => {
    const scene = await openScene();
    there(scene, {
      tags: new Map([
        ['Buyer', 1],
        ['Old', 1],
      ]),
    });
    const done = await carriedOut(scene, 'tag-contact', {
      ...at,
      add: ['Buyer', 'VIP'],
      remove: ['Old', 'Never'],
    });
    expect(done.before).toMatchObject({
      fields: { tags: ['Buyer', 'Old'] },
      after: { tags: ['Buyer', 'VIP'] },
    });
    expect(scene.asked().at(-1)).toBe(
      `POST /3.0/lists/${news}/members/${hash(ann)}/tags {"tags":[{"name":"Buyer","status":"active"},{"name":"VIP","status":"active"},{"name":"Old","status":"inactive"},{"name":"Never","status":"inactive"}],"is_syncing":true}`,
    );
    await takenBack(scene, 'tag-contact', done);
    expect([...(contactOf(scene)?.tags.keys() ?? [])].sort()).toEqual(['Buyer', 'Old']);
  });

  test('a tag both on and off is refused with its field', () => {
    const operation = write('tag-contact');
    const payload = operation.input.parse({ ...at, add: ['A'], remove: ['A'] });
    expect(() => operation.validate?.(payload)).toThrow(expect.objectContaining({ field: 'remove' }));
  });

  test('an archived contact is taken out of the archive as they were, and once archived is found to be', async () => {
    const scene = await openScene();
    there(scene, { status: 'subscribed' });
    const done = await carriedOut(scene, 'archive-contact', at);
    expect(scene.asked().at(-1)).toBe(`DELETE /3.0/lists/${news}/members/${hash(ann)}`);
    const { lookUp } = write('archive-contact') as Extract<ReturnType<typeof write>, { lookUp: unknown }>;
    expect(await lookUp(scene.context, at)).toMatchObject({ found: true });
    const again = await failure(carriedOut(scene, 'archive-contact', at));
    expect(again).toMatchObject({ code: 'invalid_request', field: 'email' });
    await takenBack(scene, 'archive-contact', done);
    expect(contactOf(scene)?.status).toBe('subscribed');
  });

  test('somebody who is not there cannot be tagged: not found, with the field', async () => {
    const scene = await openScene();
    const thrown = await failure(carriedOut(scene, 'tag-contact', { ...at, add: ['A'] }));
    expect(thrown).toBeInstanceOf(DrawbridgeError);
    expect(thrown).toMatchObject({ code: 'not_found', field: 'email' });
  });
});

const letter = {
  audience: news,
  subject: 'Open houses',
  preview: 'Three of them',
  fromName: 'Tidewell Homes',
  replyTo: 'office@tidewell.example',
  text: 'Come on Sunday.',
  html: '<p>Come on Sunday.</p>',
};

describe('mailchimp: drafting a campaign', () => {
  test('is a campaign and its content, as approved, and is never sent', async () => {
    const scene = await openScene();
    const { before, outcome } = await carriedOut(scene, 'draft-campaign', letter);
    expect(before?.title).toBe('Audience News');
    const [made] = scene.mailchimp.campaigns.all.values();
    expect(scene.asked().slice(1)).toEqual([
      `POST /3.0/campaigns {"type":"regular","recipients":{"list_id":"${news}"},"settings":{"subject_line":"Open houses","preview_text":"Three of them","title":"Open houses","from_name":"Tidewell Homes","reply_to":"office@tidewell.example"}}`,
      `PUT /3.0/campaigns/${made?.id}/content {"plain_text":"Come on Sunday.","html":"<p>Come on Sunday.</p>"}`,
    ]);
    expect(made).toMatchObject({ status: 'save', html: letter.html, text: letter.text });
    expect(outcome).toMatchObject({ reference: made?.id, details: { status: 'draft' } });
    expect(write('draft-campaign').summary(letter, 'Tidewell')).toMatch(/it is not sent$/);
  });

  test('whose content is refused stands, and says what is missing', async () => {
    const scene = await openScene();
    scene.hosts.faults.failNext(
      { kind: 'refuse', status: 400, text: '{"title":"Invalid Resource"}' },
      '/content',
    );
    const { outcome } = await carriedOut(scene, 'draft-campaign', letter);
    expect(outcome.warning).toContain('without its text');
    expect(scene.mailchimp.campaigns.all.size).toBe(1);
  });

  test('is found again by all that it says; another text is no proof', async () => {
    const scene = await openScene();
    const { lookUp } = write('draft-campaign') as Extract<ReturnType<typeof write>, { lookUp: unknown }>;
    expect(await lookUp(scene.context, letter)).toMatchObject({ found: false, conclusive: false });
    const { outcome } = await carriedOut(scene, 'draft-campaign', letter);
    expect(await lookUp(scene.context, letter)).toMatchObject({
      found: true,
      outcome: { reference: outcome.reference },
    });
    expect(await lookUp(scene.context, { ...letter, text: 'Another text.' })).toMatchObject({
      found: false,
      conclusive: false,
      evidence: expect.stringContaining('another text'),
    });
  });

  test('is taken back by deleting the draft; one that was sent meanwhile stays', async () => {
    const scene = await openScene();
    const done = await carriedOut(scene, 'draft-campaign', letter);
    const [made] = scene.mailchimp.campaigns.all.values();
    if (made === undefined) throw new Error('no campaign');
    made.status = 'sent';
    expect(await failure(takenBack(scene, 'draft-campaign', done))).toMatchObject({ code: 'conflict' });
    made.status = 'save';
    await takenBack(scene, 'draft-campaign', done);
    expect(scene.mailchimp.campaigns.all.size).toBe(0);
  });

  test('a draft under another subject than the one that was meant is not deleted', async () => {
    const scene = await openScene();
    const { outcome } = await carriedOut(scene, 'draft-campaign', letter);
    const given = { id: outcome.reference, subject: 'Something else' };
    expect(await failure(carriedOut(scene, 'delete-campaign-draft', given))).toMatchObject({
      field: 'subject',
    });
    expect(scene.mailchimp.campaigns.all.size).toBe(1);
  });

  test('a subject that turns the direction of its letters is refused', () => {
    const parsed = write('draft-campaign').input.safeParse({ ...letter, subject: 'Sale \u202eelas' });
    expect(parsed.error?.issues[0]?.path).toEqual(['subject']);
  });
});
