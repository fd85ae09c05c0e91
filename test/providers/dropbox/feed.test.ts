// Dropbox's files in memory: everything once, then what came, changed, moved and went, with whom may read it.
import { describe, expect, test } from 'vitest';
import { attachedTo } from '../../../src/memory/documents/attached.ts';
import { normalise } from '../../../src/memory/normalise/normalise.ts';
import { provider } from '../../../src/providers/dropbox/index.ts';
import type { SourceRecord } from '../../../src/providers/record.ts';
import { pdf } from '../../memory/pdf-files.ts';
import { Shelf } from '../mailbox/context.ts';
import { all, failure, openScene, refusing, type Scene } from './scene.ts';

const feed = provider.feeds.files;
const own = 'maren@tidewell.example';

/** Five files of several kinds, one in a shared folder. */
async function office(): Promise<Scene> {
  const scene = await openScene();
  const { files } = scene.dropbox;
  files.put('/Offers/Offer.md', '# Offer\n\n**525,000** USD');
  files.put('/Offers/Old/Draft.txt', 'First draft');
  files.put('/plan.pdf', Buffer.from(pdf({ pages: [['Cellar under the stairs']] })));
  files.put('/photo.jpg', 'not read');
  files.put('/Team/Week.paper', '', { exports: { html: '<h1>W</h1>', markdown: '# Week' } });
  files.share('/Team', [{ email: 'Bo@Agency.test' }, { email: 'cy@agency.test' }]);
  scene.asked();
  return scene;
}

async function run(scene: Scene, shelf: Shelf, stopAfter?: number): Promise<SourceRecord[]> {
  await shelf.run(feed, scene.context, stopAfter);
  return shelf.pages.flatMap(({ records }) => records);
}
const kept = (shelf: Shelf) => [...shelf.records.keys()].sort();
const readersOf = (records: readonly SourceRecord[]) =>
  Object.fromEntries(records.map(({ externalId, readers }) => [externalId, readers]));

describe('the first run', () => {
  test('takes every file once: words where it has them, facts where it has none', async () => {
    const scene = await office();
    const records = await run(scene, new Shelf());
    const read = await Promise.all(records.map(normalise));
    const deep = records.find(({ title }) => title === 'Draft.txt');
    expect(deep?.labels).toEqual(['/offers', '/offers/old']);
    const told = Object.fromEntries(read.map(({ title, text }) => [title, text]));
    expect(Object.keys(told).sort()).toEqual([
      'Draft.txt',
      'Offer.md',
      'Week.paper',
      'photo.jpg',
      'plan.pdf',
    ]);
    expect(told['Offer.md']).toContain('525,000');
    expect(told['Week.paper']).toContain('Week');
    expect(told['plan.pdf']).toContain('Cellar under the stairs');
    expect(told['photo.jpg']).not.toContain('not read');
    expect(records.find(({ title }) => title === 'Offer.md')).toMatchObject({
      externalId: '/offers/offer.md',
      kind: 'file',
      writtenAt: expect.any(Number),
      url: 'https://www.dropbox.com/home/Offers?preview=Offer.md',
      volatile: ['writtenAt'],
      labels: ['/offers'],
    });
  });

  test('takes the whole story', async () => {
    const scene = await openScene({ story: true });
    const shelf = new Shelf();
    await run(scene, shelf);
    const files = scene.dropbox.files.entries().filter(({ file }) => file !== undefined);
    expect(files.length).toBeGreaterThan(10);
    expect(kept(shelf)).toEqual(files.map(({ path }) => path.toLowerCase()).sort());
  });

  test.each([1, 2, 3])(
    'cut off after page %i it is taken up where it stood, and nothing is missing',
    async (pages) => {
      const scene = await openScene();
      const { files } = scene.dropbox;
      for (let n = 0; n < 250; n += 1) files.put(`/all/f${n}.txt`, `f${n}`);
      const shelf = new Shelf();
      await run(scene, shelf, pages);
      files.put('/meanwhile.txt', 'meanwhile');
      files.remove(kept(shelf)[0] ?? '');
      await run(scene, shelf);
      await run(scene, shelf);
      const there = files.entries().filter(({ file }) => file !== undefined);
      expect(kept(shelf)).toEqual(there.map(({ path }) => path.toLowerCase()).sort());
    },
  );

  test('a file that is too large, or may not be taken, is a record of its facts, and says why', async () => {
    const scene = await openScene();
    const { files } = scene.dropbox;
    files.put('/large.txt', Buffer.alloc(5 * 1024 * 1024, 'x'));
    files.put('/secret.md', 'secret words', { restricted: true });
    const records = await run(scene, new Shelf());
    const read = await Promise.all(records.map(normalise));
    expect(read.map(({ title }) => title)).toEqual(['large.txt', 'secret.md']);
    expect(read[0]?.text).toContain('larger than 4 MB');
    expect(read[1]?.text).not.toContain('secret words');
    expect(scene.asked().filter(({ route }) => route.endsWith('/download'))).toHaveLength(1);
  });

  test('a file that goes while it is fetched is no error; a limit that is reached ends the run as such', async () => {
    const scene = await office();
    scene.hosts.faults.failNext(refusing(['path', 'not_found']), 'files/download');
    const shelf = new Shelf();
    await run(scene, shelf);
    expect(shelf.records.size).toBe(4);
    const other = await office();
    other.dropbox.throttle(9, 600);
    const limited = await failure(run(other, new Shelf()));
    expect(limited).toMatchObject({ code: 'rate_limited', retryAfterMs: 600_000 });
  });
});

describe('later runs', () => {
  test('ask for changes alone: what came, changed and went', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.asked();
    const { files } = scene.dropbox;
    files.put('/offers/OFFER.md', '# Offer\n\n530,000');
    files.put('/new.txt', 'new');
    files.remove('/photo.jpg');
    const records = await run(scene, shelf);
    expect(records.map(({ externalId }) => externalId).sort()).toEqual(['/new.txt', '/offers/offer.md']);
    expect(kept(shelf)).toEqual([
      '/new.txt',
      '/offers/offer.md',
      '/offers/old/draft.txt',
      '/plan.pdf',
      '/team/week.paper',
    ]);
    expect(scene.asked().map(({ route }) => route.split('/2/')[1])).toEqual([
      'sharing/list_folder_members',
      'files/list_folder/continue',
      'files/download',
      'files/download',
    ]);
  });

  test('a deleted folder is named alone, and all that was in it goes; a like name beside it stays', async () => {
    const scene = await office();
    scene.dropbox.files.put('/Offers 2/Other.txt', 'other');
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.remove('/offers');
    await run(scene, shelf);
    expect(kept(shelf)).toEqual(['/offers 2/other.txt', '/photo.jpg', '/plan.pdf', '/team/week.paper']);
  });

  test('a folder that is deleted and made anew has only what was put there after', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    const { files } = scene.dropbox;
    files.remove('/Offers');
    files.put('/Offers/Second.txt', 'second');
    await run(scene, shelf);
    expect(kept(shelf)).toEqual(['/offers/second.txt', '/photo.jpg', '/plan.pdf', '/team/week.paper']);
    // What is emptied is told before the cursor moves: a kill in between only repeats it.
    const [before, ...others] = shelf.pages.map(({ cursor }) => (cursor as { at: string }).at);
    expect(others.at(-1)).not.toBe(before);
    expect(others.slice(0, -1).every((at) => at === before)).toBe(true);
  });

  test('a file in the place of a folder takes the place of all that was in it, and the other way round', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    const { files } = scene.dropbox;
    // Without a deletion in between, as the rules of the list allow.
    files.put('/Offers/Old', 'a file now, without an ending');
    files.put('/plan.pdf/inside.txt', 'a folder now');
    await run(scene, shelf);
    expect(kept(shelf)).toEqual([
      '/offers/offer.md',
      '/offers/old',
      '/photo.jpg',
      '/plan.pdf/inside.txt',
      '/team/week.paper',
    ]);
  });

  test('what is moved or renamed is found in its new place, and no longer in the old one', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.move('/Offers', '/Archive/Offers 2025');
    await run(scene, shelf);
    expect(kept(shelf)).toEqual([
      '/archive/offers 2025/offer.md',
      '/archive/offers 2025/old/draft.txt',
      '/photo.jpg',
      '/plan.pdf',
      '/team/week.paper',
    ]);
  });

  test('many changes are taken page by page, and a cut goes on inside', async () => {
    const scene = await openScene();
    const shelf = new Shelf();
    await run(scene, shelf);
    for (let n = 0; n < 150; n += 1) scene.dropbox.files.put(`/f${n}.txt`, `f${n}`);
    for await (const page of feed.pages(scene.context, shelf.cursor)) {
      if (page.records.length === 0) continue;
      for (const { externalId } of page.records) shelf.records.set(externalId, '');
      shelf.cursor = page.cursor;
      break;
    }
    expect(shelf.records.size).toBe(100);
    scene.asked();
    await run(scene, shelf);
    expect(shelf.records.size).toBe(150);
    expect(scene.asked().filter(({ route }) => route.endsWith('/download'))).toHaveLength(50);
  });

  test('a cursor that Dropbox has reset is a full run, and what has gone meanwhile goes', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.remove('/Offers');
    scene.dropbox.files.forgetCursors();
    await run(scene, shelf);
    expect(kept(shelf)).toEqual(['/photo.jpg', '/plan.pdf', '/team/week.paper']);
    scene.asked();
    await run(scene, shelf);
    expect(scene.asked().filter(({ route }) => route.endsWith('/list_folder'))).toEqual([]);
  });

  test('cursors that are reset again and again end the run, to be tried later', async () => {
    const scene = await openScene();
    for (let n = 0; n < 150; n += 1) scene.dropbox.files.put(`/f${n}.jpg`, '');
    const shelf = new Shelf();
    await run(scene, shelf, 1);
    scene.hosts.faults.failNext(refusing(['reset']), 'list_folder/continue', 9);
    expect(await failure(run(scene, shelf))).toMatchObject({ code: 'conflict', retry: 'later' });
  });
});

describe('who may read a file', () => {
  test('its account; in a shared folder its members, too, however deep it lies and on however many pages they come', async () => {
    const scene = await office();
    const { files } = scene.dropbox;
    files.put('/Team/Deep/er.txt', 'deeper');
    files.share(
      '/Team',
      [1, 2, 3, 4, 5].map((n) => ({ email: `P${n}@agency.test`, access: n === 5 ? 'traverse' : 'viewer' })),
      ['g:E2DB7665'],
    );
    const readers = readersOf(await run(scene, new Shelf()));
    const team = [own, 'group:g:e2db7665', ...[1, 2, 3, 4].map((n) => `p${n}@agency.test`)];
    expect(readers).toMatchObject({
      '/offers/offer.md': [own],
      '/team/week.paper': team,
      '/team/deep/er.txt': team,
    });
    const asked = scene.asked().filter(({ route }) => route.includes('folder_members'));
    expect(asked).toHaveLength(2);
  });

  test('somebody who leaves a shared folder reads its files no more, though no file changed', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.share('/Team', [{ email: 'cy@agency.test' }]);
    const records = await run(scene, shelf);
    expect(readersOf(records)).toEqual({ '/team/week.paper': [own, 'cy@agency.test'] });
    expect(await run(scene, shelf)).toEqual([]);
  });

  test('a folder that is shared no more is its account’s alone; one that is shared now is its members’', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.unshare('/Team');
    expect(readersOf(await run(scene, shelf))).toEqual({ '/team/week.paper': [own] });
    scene.dropbox.files.share('/Offers', [{ email: 'bo@agency.test' }]);
    await run(scene, shelf);
    expect(readersOf(await run(scene, shelf))).toEqual({
      '/offers/offer.md': [own, 'bo@agency.test'],
      '/offers/old/draft.txt': [own, 'bo@agency.test'],
    });
    scene.asked();
    expect(await run(scene, shelf)).toEqual([]);
    expect(scene.asked()).toHaveLength(2);
  });

  test('a run that is cut while it reads them anew reads them anew', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await run(scene, shelf);
    scene.dropbox.files.share('/Team', [{ email: 'cy@agency.test' }]);
    await run(scene, shelf, 1);
    expect(readersOf(await run(scene, shelf))).toEqual({ '/team/week.paper': [own, 'cy@agency.test'] });
  });

  test('what may not be asked is taken for the account’s own', async () => {
    const scene = await openScene({ scopes: all.filter((scope) => scope !== 'sharing.read') });
    scene.dropbox.files.put('/Team/a.txt', 'a');
    scene.dropbox.files.share('/Team', [{ email: 'bo@agency.test' }]);
    expect(readersOf(await run(scene, new Shelf()))).toEqual({ '/team/a.txt': [own] });
  });

  test('members that cannot be had now end the run, and nobody is left out for it', async () => {
    const scene = await office();
    const error = { kind: 'refuse', status: 500, text: '' } as const;
    scene.hosts.faults.failNext(error, 'list_folder_members', 9);
    expect(await failure(run(scene, new Shelf()))).toMatchObject({ code: 'provider_unavailable' });
  });
});

test('a name cannot pass for an attachment’s id, which would not go with its file; it is found again by its own', async () => {
  const scene = await openScene();
  const path = `/50% off/notes attachment:${'0123456789abcdef'.repeat(2)}`;
  scene.dropbox.files.put(path, 'words');
  const [record] = await run(scene, new Shelf());
  expect(attachedTo(path)).toBeDefined();
  expect(attachedTo(record?.externalId ?? '')).toBeUndefined();
  expect(record?.labels).toEqual(['/50% off']);
  expect(await feed.record?.read(scene.context, record?.externalId ?? '')).toEqual(record);
});

test('one record is read live by its place, and is there no more once it is gone', async () => {
  const scene = await office();
  const { record } = feed;
  expect([record?.owns('/offers/offer.md'), record?.owns('eff_1')]).toEqual([true, false]);
  const live = await record?.read(scene.context, '/offers/offer.md');
  expect(live).toMatchObject({ externalId: '/offers/offer.md', title: 'Offer.md', readers: [own] });
  scene.dropbox.files.remove('/Offers');
  expect(await record?.read(scene.context, '/offers/offer.md')).toBeUndefined();
});
