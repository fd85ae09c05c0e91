// What is taken back at Google: labels, drafts and changes of events, each by the write that the first one names.
import { expect, test } from 'vitest';
import { calendarCreate } from '../../../src/providers/capabilities.ts';
import { EffectRefused, type WriteOperation, type WriteOutcome } from '../../../src/providers/define.ts';
import { provider as gmail } from '../../../src/providers/gmail/index.ts';
import { provider as googleCalendar } from '../../../src/providers/google-calendar/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { mailTo } from '../mailbox/mail.ts';
import { openScene, type Scene } from './scene.ts';

/** Runs what the operation names as its undoing; undefined where it names none. */
async function takeBack(
  scene: Scene,
  operations: Readonly<Record<string, unknown>>,
  [name, payload, outcome]: [string, unknown, WriteOutcome],
): Promise<WriteOutcome | undefined> {
  const { compensation } = operations[name] as WriteOperation;
  const undoing = compensation?.payload(payload, outcome);
  if (compensation === undefined || undoing === undefined) return undefined;
  const back = operations[compensation.operation] as WriteOperation;
  const parsed = back.input.parse(undoing);
  back.validate?.(parsed);
  const before = await back.before?.(scene.context, parsed);
  if (before !== undefined) back.checkMeant?.(parsed, before);
  return back.run({ ...scene.context, before }, parsed);
}

const labelsOf = (scene: Scene, id: string) => [...(scene.google.mail.get(id)?.labels ?? [])].sort();

test.each([
  // UNREAD it had already, and SPAM it had not anyway: neither is touched by the undoing.
  ['label', { add: ['Label_1', 'UNREAD'], remove: ['INBOX', 'SPAM'] }],
  ['archive', {}],
  ['trash', {}],
] as const)(
  'the labels of a message are after the undoing of %s as they were before it',
  async (name, more) => {
    const scene = await openScene(gmail, { empty: true });
    scene.google.mail.userLabels.set('Label_1', 'Offers');
    const { id } = scene.google.mail.add(Buffer.from('Subject: x\r\n\r\nx'), ['INBOX', 'UNREAD'], 1000);
    const operation = gmail.operations[name];
    const payload = operation.input.parse({ id, subject: 'x', ...more }) as never;
    const outcome = await operation.run(scene.context, payload);
    expect(labelsOf(scene, id)).not.toEqual(['INBOX', 'UNREAD']);
    // What came to it since stays.
    scene.google.mail.label(scene.google.mail.get(id) ?? raise(), { add: ['STARRED'] });
    await takeBack(scene, gmail.operations, [name, payload, outcome]);
    expect(labelsOf(scene, id)).toEqual(['INBOX', 'STARRED', 'UNREAD']);
  },
);

function raise(): never {
  throw new Error('the message is gone');
}

test('a sorting that changed nothing has nothing to be taken back', async () => {
  const scene = await openScene(gmail, { empty: true });
  const { id } = scene.google.mail.add(Buffer.from('Subject: x\r\n\r\nx'), ['UNREAD'], 1000);
  const payload = { id, subject: 'x' };
  const outcome = await gmail.operations.archive.run(scene.context, payload);
  expect(await takeBack(scene, gmail.operations, ['archive', payload, outcome])).toBeUndefined();
});

test('a draft that was laid ready is deleted again, and is found to be gone', async () => {
  const scene = await openScene(gmail, { empty: true });
  const mail = mailTo('bob@example.org');
  const outcome = await gmail.operations['create-draft'].run(scene.context, mail);
  const deletion = gmail.operations['delete-draft'];
  const undoing = { draftId: outcome.reference, subject: mail.subject };
  expect(await deletion.before?.(scene.context, undoing)).toMatchObject({
    title: expect.stringContaining(mail.subject),
    fields: { to: expect.stringContaining('bob@example.org'), subject: mail.subject },
    after: {},
  });
  expect(await lookUp(deletion, scene.context, undoing)).toMatchObject({ found: false, conclusive: true });
  await takeBack(scene, gmail.operations, ['create-draft', mail, outcome]);
  expect((await gmail.operations.drafts.run(scene.context, {})).drafts).toEqual([]);
  expect(await lookUp(deletion, scene.context, undoing)).toMatchObject({
    found: true,
    outcome: { reference: outcome.reference, warning: expect.stringContaining('does not say') },
  });
});

test('a draft that a person went on writing since is not deleted under their hands, nor one of another subject', async () => {
  const scene = await openScene(gmail, { empty: true });
  const mail = mailTo('bob@example.org');
  const { reference } = await gmail.operations['create-draft'].run(scene.context, mail);
  const deletion = gmail.operations['delete-draft'];
  const undoing = { draftId: reference, subject: mail.subject };
  const before = await deletion.before?.(scene.context, undoing);
  await gmail.operations['update-draft'].run(scene.context, {
    ...mailTo('bob@example.org', { text: 'By hand' }),
    draftId: reference,
  });
  await expect(deletion.run({ ...scene.context, before }, undoing)).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(deletion.run(scene.context, { ...undoing, subject: 'Other' })).rejects.toMatchObject({
    code: 'invalid_request',
    field: 'subject',
  });
  expect((await gmail.operations.drafts.run(scene.context, {})).drafts).toHaveLength(1);
});

const viewing = calendarCreate.parse({
  attendees: [],
  reminders: [],
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
});

test('an event that was moved and renamed is changed back, place and all', async () => {
  const scene = await openScene(googleCalendar, { empty: true });
  const { create, update } = googleCalendar.operations;
  const { reference } = await create.run(scene.context, viewing);
  const [main] = scene.google.calendars;
  const first = main?.get(reference);
  const payload = update.input.parse({
    eventId: reference,
    title: 'Viewing',
    start: '2026-03-02T15:00:00+01:00',
    change: {
      title: 'Second viewing',
      location: 'Kai 4',
      start: '2026-03-29T09:00:00',
      end: '2026-03-29T10:00:00',
      timeZone: 'America/Chicago',
    },
  });
  const outcome = await update.run(scene.context, payload);
  expect(main?.get(reference)).toMatchObject({ summary: 'Second viewing', location: 'Kai 4' });
  await takeBack(scene, googleCalendar.operations, ['update', payload, outcome]);
  expect(main?.get(reference)).toMatchObject({
    summary: 'Viewing',
    location: '',
    start: first?.start,
    end: first?.end,
  });
});

test('a day-long event that was given an hour is not changed back: no change says a whole day', async () => {
  const scene = await openScene(googleCalendar, { empty: true });
  const { create, update } = googleCalendar.operations;
  const { reference } = await create.run(scene.context, viewing);
  const [main] = scene.google.calendars;
  const event = main?.get(reference) ?? raise();
  main?.put({ ...event, start: { date: '2026-03-02' }, end: { date: '2026-03-03' } });
  const payload = update.input.parse({
    eventId: reference,
    title: 'Viewing',
    start: '2026-03-02',
    change: { start: '2026-03-02T09:00:00', end: '2026-03-02T10:00:00', timeZone: 'Europe/Berlin' },
  });
  const outcome = await update.run(scene.context, payload);
  expect(await takeBack(scene, googleCalendar.operations, ['update', payload, outcome])).toBeUndefined();
});

test('a draft that is not there is refused before anything leaves', async () => {
  const scene = await openScene(gmail, { empty: true });
  const gone = gmail.operations['delete-draft'].run(scene.context, { draftId: 'r404', subject: 'x' });
  await expect(gone).rejects.toMatchObject({ code: 'not_found' });
  await expect(gone).rejects.not.toBeInstanceOf(EffectRefused);
  expect(scene.announced()).toBe(0);
});
