import { expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import { provider } from '../../../src/providers/gmail/index.ts';
import { Shelf } from '../mailbox/context.ts';
import { openScene, type Scene } from './scene.ts';

const feed = provider.feeds.mail;
const gone = new Set(['SPAM', 'TRASH', 'DRAFT', 'CHAT']);

/** What memory should hold: every message that lies in no bin, byte for byte. */
function expected({ google }: Scene): Map<string, string> {
  const kept = google.mail.messages().filter(({ labels }) => ![...labels].some((label) => gone.has(label)));
  return new Map(kept.map(({ id, raw }) => [id, raw.toString('utf8')]));
}

const mail = (subject: string, from = 'bo@x.test') =>
  Buffer.from(
    `From: ${from}\r\nTo: maren@tidewell.example\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@x.test>\r\n\r\n${subject}\r\n`,
  );

/** An account of `count` messages. */
async function small(count: number, given: Parameters<typeof openScene>[1] = {}): Promise<Scene> {
  const scene = await openScene(provider, { empty: true, ...given });
  for (let n = 0; n < count; n += 1) scene.google.mail.add(mail(`m${n}`), ['INBOX'], 1000 + n);
  return scene;
}

test('the first run takes every mail of the account once, byte for byte, and no spam', async () => {
  const scene = await openScene(provider);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBeGreaterThan(100);
  expect(shelf.records).toEqual(expected(scene));
  expect(shelf.pages[0]?.records[0]).toMatchObject({
    kind: 'mail',
    mediaType: 'message/rfc822',
    url: expect.stringContaining('authuser=maren%40tidewell.example#all/'),
  });
});

test('the next run asks for the history alone, and brings what came', async () => {
  const scene = await small(30);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  scene.asked();
  scene.google.mail.add(mail('new'), ['INBOX'], 5000);
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
  expect(scene.asked()).toMatchSnapshot();
});

test('what is deleted, thrown away or marked as spam goes; what comes back is there again', async () => {
  const scene = await small(6);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const [one, two, three, four] = scene.google.mail.messages();
  if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error();
  scene.google.mail.remove(one.id);
  scene.google.mail.label(two, { add: ['TRASH'], remove: ['INBOX'] });
  scene.google.mail.label(three, { add: ['SPAM'] });
  scene.google.mail.label(four, { add: ['TRASH'] });
  scene.google.mail.label(four, { remove: ['TRASH'] });
  await shelf.run(feed, scene.context);
  expect([...shelf.records.keys()]).toContain(four.id);
  expect(shelf.records.size).toBe(3);
  scene.google.mail.label(two, { remove: ['TRASH'] });
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
});

test('a label that hides nothing costs no message again', async () => {
  const scene = await small(3);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  scene.asked();
  for (const message of scene.google.mail.messages()) {
    scene.google.mail.label(message, { add: ['STARRED'], remove: ['INBOX'] });
  }
  await shelf.run(feed, scene.context);
  expect(scene.asked().filter((line) => line.includes('/messages/'))).toEqual([]);
});

test('a draft is no record until it is sent', async () => {
  const scene = await small(1);
  const draft = scene.google.mail.add(mail('draft'), ['DRAFT'], 3000);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(1);
  scene.google.mail.label(draft, { add: ['SENT'], remove: ['DRAFT'] });
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
});

test.each([1, 2, 3, 4])(
  'a run cut off after page %i is taken up where it stood, and nothing is missing',
  async (pages) => {
    const scene = await small(90);
    const shelf = new Shelf();
    await shelf.run(feed, scene.context, pages);
    scene.google.mail.add(mail('meanwhile'), ['INBOX'], 9000);
    const taken = shelf.records.keys().next().value ?? '';
    scene.google.mail.remove(taken);
    await shelf.run(feed, scene.context);
    expect(shelf.records).toEqual(expected(scene));
  },
);

test('a first run says how many are about to come, down to none', async () => {
  const scene = await small(60);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(shelf.pages.map(({ remaining }) => remaining)).toEqual([35, 10, undefined, undefined]);
});

test('a long history is taken up inside, not from its beginning', async () => {
  const scene = await small(1);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  for (let n = 0; n < 250; n += 1) scene.google.mail.add(mail(`h${n}`), ['INBOX'], 5000 + n);
  await shelf.run(feed, scene.context, 1);
  const taken = shelf.records.size;
  expect(taken).toBe(101);
  scene.asked();
  await shelf.run(feed, scene.context);
  expect(scene.asked().filter((line) => line.includes('/messages/'))).toHaveLength(150);
  expect(shelf.records).toEqual(expected(scene));
});

test('a history that Gmail has forgotten is a full run, and what has gone meanwhile goes', async () => {
  const scene = await small(40);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const [first] = scene.google.mail.messages();
  scene.google.mail.remove(first?.id ?? '');
  scene.google.mail.add(mail('new'), ['INBOX'], 9000);
  scene.google.mail.forgetHistory();
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
  expect(shelf.pages.some(({ complete }) => complete !== undefined)).toBe(true);
});

test('a page token that Gmail no longer knows begins the list again', async () => {
  const scene = await small(60);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context, 1);
  shelf.cursor = { ...(shelf.cursor as object), pageToken: 'Zm9yZ290dGVu' };
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
});

test('page tokens that are refused again and again end the run, to be tried later', async () => {
  const scene = await small(60);
  scene.hosts.faults.failNext(
    { kind: 'refuse', ...asRefused(refusal(400, 'invalidArgument', 'x')) },
    'pageToken=',
    9,
  );
  const failure = { code: 'conflict', retry: 'later' };
  await expect(new Shelf().run(feed, scene.context)).rejects.toMatchObject(failure);
});

test('a cursor that cannot be read is none', async () => {
  const scene = await small(2);
  const shelf = new Shelf();
  shelf.cursor = { version: 99, somewhere: 'else' };
  await shelf.run(feed, scene.context);
  expect(shelf.records).toEqual(expected(scene));
});

test('a message that goes while it is fetched is no error', async () => {
  const scene = await small(3);
  scene.hosts.faults.failNext(
    { kind: 'refuse', ...asRefused(refusal(404, 'notFound', 'gone')) },
    '/messages/',
  );
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(2);
});

test('a message too large to take whole comes as its header and its text, and says so', async () => {
  const scene = await small(0);
  const large = Buffer.from(
    [
      'From: bo@x.test',
      'To: maren@tidewell.example',
      'Subject: Plans',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'The plans — as promised.',
      '--b',
      'Content-Type: application/pdf',
      'Content-Disposition: attachment; filename="plans.pdf"',
      '',
      'x'.repeat(28 * 1024 * 1024),
      '--b--',
      '',
    ].join('\r\n'),
  );
  scene.google.mail.add(large, ['INBOX'], 1000);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const [text = ''] = shelf.records.values();
  expect(text.length).toBeLessThan(2000);
  const { default: PostalMime } = await import('postal-mime');
  const read = await PostalMime.parse(text);
  expect(read.subject).toBe('Plans');
  expect(read.text).toContain('it has 28 MB');
  expect(read.text).toContain('The plans — as promised.');
});

const asRefused = ({ status, headers, body }: ReturnType<typeof refusal>) => ({
  status,
  text: body ?? '',
  headers: headers ?? {},
});
