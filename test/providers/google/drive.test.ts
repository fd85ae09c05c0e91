import { describe, expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import { documentType, tableType } from '../../../sandbox/google/file-store.ts';
import { normalise } from '../../../src/memory/normalise/normalise.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/google-drive/index.ts';
import { pdf } from '../../memory/pdf-files.ts';
import { lookUp, Shelf } from '../mailbox/context.ts';
import { openScene, type Scene, scopesOf } from './scene.ts';

const planBytes = Buffer.from(pdf({ pages: [['Cellar under the stairs']] }));
const { operations } = provider;
const { search, get, text, download } = operations;
const create = operations['create-file'];
const feed = provider.feeds.files;

const empty = (more: Parameters<typeof openScene>[1] = {}) => openScene(provider, { empty: true, ...more });
const refused = (status: number, reason: string) => {
  const { body = '', headers = {} } = refusal(status, reason, 'No.');
  return { kind: 'refuse', status, text: body, headers } as const;
};

/** A document, a table, a text, a PDF and something in the bin. */
async function office(given: Parameters<typeof openScene>[1] = {}): Promise<Scene> {
  const scene = await empty(given);
  const { files } = scene.google;
  files.put({
    name: 'Offer',
    mimeType: documentType,
    exports: { 'text/markdown': '# Offer\n\n**525,000** USD' },
  });
  files.put({ name: 'Prices', mimeType: tableType, exports: { 'text/csv': 'mls,price\r\n1,2' } });
  files.put({ name: 'notes.txt', mimeType: 'text/plain', bytes: Buffer.from('Ring — Bo.') });
  files.put({
    name: 'plan.pdf',
    mimeType: 'application/pdf',
    bytes: planBytes,
    description: 'Cellar',
  });
  files.put({ name: 'old.txt', mimeType: 'text/plain', bytes: Buffer.from('gone'), trashed: true });
  return scene;
}
const idOf = ({ google }: Scene, name: string) =>
  google.files.files().find((one) => one.name === name)?.id ?? '';

describe('reading', () => {
  test('finds files by words in name and text, a page at a time to the end', async () => {
    const scene = await openScene(provider);
    const seen: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await search.run(
        scene.context,
        search.input.parse({ query: 'tern street', limit: 1, pageToken }) as never,
      );
      seen.push(...page.files.map(({ name }) => name));
      pageToken = page.nextPage;
    } while (pageToken !== undefined);
    expect(seen).toContain('Listing sheet, 118 Tern Street');
    expect(scene.asked()[0]).toMatchSnapshot();
  });

  test('lists the newest of a folder and a kind', async () => {
    const scene = await openScene(provider);
    const input = { folder: idOf(scene, 'Papers'), mediaType: 'text/csv' };
    const { files } = await search.run(scene.context, search.input.parse(input) as never);
    expect(files.map(({ name }) => name)).toContain('comparables-juniper.csv');
    expect(files.every(({ mediaType }) => mediaType === 'text/csv')).toBe(true);
    expect(scene.asked()).toMatchSnapshot();
  });

  test('words full of search syntax stay words', async () => {
    const scene = await office();
    const query = String.raw`x' or name contains 'o \' or trashed = true`;
    const { files } = await search.run(scene.context, search.input.parse({ query }) as never);
    expect(files).toEqual([]);
    expect(scene.asked()).toMatchSnapshot();
  });

  test('tells a file’s facts', async () => {
    const scene = await office();
    expect(await get.run(scene.context, { id: idOf(scene, 'plan.pdf') })).toEqual({
      id: idOf(scene, 'plan.pdf'),
      name: 'plan.pdf',
      mediaType: 'application/pdf',
      description: 'Cellar',
      modified: '2026-01-05T12:00:00.000Z',
      size: planBytes.length,
      owner: 'Maren Okafor',
      folder: 'root',
      url: expect.stringContaining('https://drive.google.com/'),
      trashed: false,
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test.each([
    ['Offer', 'text/markdown', '# Offer\n\n**525,000** USD'],
    ['Prices', 'text/csv', 'mls,price\r\n1,2'],
    ['notes.txt', 'text/plain', 'Ring — Bo.'],
  ])('reads %s as %s', async (name, mediaType, words) => {
    const scene = await office();
    expect(await text.run(scene.context, { id: idOf(scene, name) })).toMatchObject({
      name,
      mediaType,
      text: words,
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('a file without text says so, and its bytes can be had', async () => {
    const scene = await office();
    const id = idOf(scene, 'plan.pdf');
    await expect(text.run(scene.context, { id })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'id',
    });
    expect(await download.run(scene.context, { id })).toEqual({
      id,
      name: 'plan.pdf',
      mediaType: 'application/pdf',
      size: planBytes.length,
      base64: planBytes.toString('base64'),
    });
  });

  test('one of Google’s own kinds is downloaded in the form that is named', async () => {
    const scene = await openScene(provider);
    const id = idOf(scene, 'Listing sheet, 118 Tern Street');
    await expect(download.run(scene.context, { id })).rejects.toMatchObject({ field: 'format' });
    scene.asked();
    const file = await download.run(scene.context, { id, format: 'pdf' });
    expect(file).toMatchObject({
      mediaType: 'application/pdf',
      base64: Buffer.from('%PDF-1.4').toString('base64'),
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('what is larger than may be downloaded is refused while it comes', async () => {
    const scene = await empty();
    const { id } = scene.google.files.put({
      name: 'huge.bin',
      mimeType: 'application/octet-stream',
      bytes: Buffer.alloc(9 * 1024 * 1024, 'x'),
    });
    await expect(download.run(scene.context, { id })).rejects.toMatchObject({ code: 'malformed_response' });
  });

  test.each([
    ['cannotExportFile', 403, 'permission_denied'],
    ['notFound', 404, 'not_found'],
    ['userRateLimitExceeded', 403, 'rate_limited'],
  ])('a refused export (%s) says why', async (reason, status, code) => {
    const scene = await office();
    scene.hosts.faults.failNext(refused(status, reason), '/export');
    const failure = await text
      .run(scene.context, { id: idOf(scene, 'Offer') })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code });
    expect(String(failure)).toContain('It says: No.');
  });

  test.each(['../about', 'a/b', 'a?alt=media', '', "x'"])(
    'the id %j is refused before anyone is asked',
    (id) => {
      for (const { input } of [get, text, download]) expect(input.safeParse({ id }).success).toBe(false);
      expect(search.input.safeParse({ folder: id }).success).toBe(false);
    },
  );

  test('says whose account it is', async () => {
    const scene = await empty();
    const own = { id: 'maren@tidewell.example', label: 'maren@tidewell.example' };
    expect(await provider.identity(scene.context)).toEqual(own);
    expect(scene.asked()).toMatchSnapshot();
  });
});

describe('creating', () => {
  const file = create.input.parse({ name: 'Notes — Bo.md', text: '# Bo\nring', mediaType: 'text/markdown' });

  test('a text file is put there once, and found again', async () => {
    const scene = await empty();
    expect(await lookUp(create, scene.context, file)).toMatchObject({ found: false, conclusive: false });
    scene.asked();
    const outcome = await create.run(scene.context, file);
    const [made] = scene.google.files.files();
    expect(made).toMatchObject({ name: 'Notes — Bo.md', mimeType: 'text/markdown' });
    expect(made?.bytes?.toString()).toBe('# Bo\nring');
    const [asked = ''] = scene.asked();
    const boundary = /--([0-9a-f-]{36})/.exec(asked)?.[1] ?? '';
    expect(asked.replaceAll(boundary, 'BOUNDARY').replaceAll('\r', '')).toMatchSnapshot();
    expect(await lookUp(create, scene.context, file)).toEqual({ found: true, outcome });
    expect(scene.asked()).toMatchSnapshot();
    expect(create.summary(file, 'Ann')).toBe('Create “Notes — Bo.md” in Ann (9 characters)');
    expect(scene.announced()).toBe(1);
  });

  test('an answer that is lost leaves it unclear, and the look-up finds it', async () => {
    const scene = await empty();
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, '/upload/');
    const failure = await create.run(scene.context, file).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(EffectRefused);
    expect(scene.google.files.files()).toHaveLength(1);
    expect(await lookUp(create, scene.context, file)).toMatchObject({ found: true });
  });

  test('a folder that is not there, or the scope of reading alone, is a refusal', async () => {
    const scene = await empty();
    const elsewhere = { ...file, folder: 'nowhere' };
    await expect(create.run(scene.context, elsewhere)).rejects.toBeInstanceOf(EffectRefused);
    const reader = await empty({ scopes: ['https://www.googleapis.com/auth/drive.readonly'] });
    await expect(create.run(reader.context, file)).rejects.toMatchObject({
      cause: { code: 'permission_denied' },
    });
    expect(reader.google.files.files()).toEqual([]);
  });

  test.each([
    ['name', { name: '../x' }],
    ['name', { name: 'x\u202Etxt.exe' }],
    ['text', { text: 'x'.repeat(1024 * 1024 + 1) }],
  ])('an unusable %s is named before anything is queued', (field, wrong) => {
    expect(() => create.validate?.({ ...file, ...wrong })).toThrowError(
      expect.objectContaining({ code: 'invalid_request', field }),
    );
  });
});

describe('the feed', () => {
  const titles = (shelf: Shelf) =>
    shelf.pages.flatMap(({ records }) => records.map(({ title }) => title)).sort();

  test('takes every file once: words where it has them, facts where it has none', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    expect(titles(shelf)).toEqual(['Offer', 'Prices', 'notes.txt', 'plan.pdf']);
    const read = await Promise.all(shelf.pages.flatMap(({ records }) => records).map(normalise));
    const told = (title: string) => read.find((one) => one.title === title)?.text;
    expect(told('Offer')).toContain('525,000');
    expect(told('Prices')).toContain('mls,price');
    expect(told('notes.txt')).toBe('Ring — Bo.');
    expect(told('plan.pdf')).toContain('Cellar under the stairs');
    expect(read[0]).toMatchObject({
      writtenAt: Date.UTC(2026, 0, 5, 12),
      url: expect.stringContaining('drive.google'),
    });
    expect(scene.asked().sort()).toMatchSnapshot();
  });

  test('says who may read a file, and takes one that it is not told of for its owner’s alone', async () => {
    const scene = await empty();
    const { files } = scene.google;
    const own = files.owner.emailAddress.toLowerCase();
    const put = (name: string, permissions: Parameters<typeof files.put>[0]['permissions']) =>
      files.put({ name, mimeType: 'text/plain', bytes: Buffer.from(name), permissions: permissions ?? null });
    put('open', [{ type: 'anyone' }]);
    put('named', [
      { type: 'user', emailAddress: 'Ann@Agency.test' },
      { type: 'domain', domain: 'Agency.test' },
      { type: 'group', emailAddress: 'team@agency.test' },
    ]);
    put('untold', null);
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    const readers = Object.fromEntries(
      shelf.pages.flatMap(({ records }) => records).map((one) => [one.title, one.readers]),
    );
    expect(readers).toEqual({
      open: undefined,
      named: ['ann@agency.test', 'domain:agency.test', 'group:team@agency.test', own],
      untold: [own],
    });
  });

  test('takes the whole story', async () => {
    const scene = await openScene(provider);
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    const folders = 1;
    expect(shelf.records.size).toBe(scene.google.files.files().length - folders);
  });

  test('then asks for changes alone: what came, changed, was thrown away or removed', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    scene.asked();
    const { files } = scene.google;
    const [offer, notes, plan] = ['Offer', 'notes.txt', 'plan.pdf'].map((name) =>
      files.get(idOf(scene, name)),
    );
    if (offer === undefined || notes === undefined || plan === undefined) throw new Error();
    files.put({ ...notes, bytes: Buffer.from('Ring Ann.') });
    files.put({ ...offer, trashed: true });
    files.remove(plan.id);
    files.put({ name: 'new.txt', mimeType: 'text/plain', bytes: Buffer.from('new') });
    files.put({ name: 'Folder', mimeType: 'application/vnd.google-apps.folder' });
    await shelf.run(feed, scene.context);
    expect([...shelf.records.values()].sort()).toEqual(['Ring Ann.', 'mls,price\r\n1,2', 'new']);
    expect(scene.asked().sort()).toMatchSnapshot();
    files.put({ ...offer, trashed: false });
    await shelf.run(feed, scene.context);
    expect(shelf.records.size).toBe(4);
  });

  test.each([1, 2, 3])(
    'a run cut off after page %i is taken up where it stood, and nothing is missing',
    async (pages) => {
      const scene = await empty();
      const { files } = scene.google;
      for (let n = 0; n < 120; n += 1) {
        files.put({ name: `f${n}`, mimeType: 'text/plain', bytes: Buffer.from(`f${n}`) });
      }
      const shelf = new Shelf();
      await shelf.run(feed, scene.context, pages);
      files.put({ name: 'meanwhile', mimeType: 'text/plain', bytes: Buffer.from('meanwhile') });
      files.remove(shelf.records.keys().next().value ?? '');
      await shelf.run(feed, scene.context);
      expect(shelf.records.size).toBe(120);
      expect(new Set(shelf.records.keys())).toEqual(new Set(files.files().map(({ id }) => id)));
    },
  );

  test('many changes are taken page by page, and a cut goes on inside', async () => {
    const scene = await empty();
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    for (let n = 0; n < 120; n += 1) {
      scene.google.files.put({ name: `f${n}`, mimeType: 'text/plain', bytes: Buffer.from(`f${n}`) });
    }
    await shelf.run(feed, scene.context, 1);
    expect(shelf.records.size).toBe(50);
    scene.asked();
    await shelf.run(feed, scene.context);
    expect(shelf.records.size).toBe(120);
    expect(scene.asked().filter((line) => line.includes('alt=media'))).toHaveLength(70);
  });

  test('a point of the changes that Drive has forgotten is a full run, and what has gone meanwhile goes', async () => {
    const scene = await office();
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    scene.google.files.remove(idOf(scene, 'notes.txt'));
    scene.google.files.forgetChanges();
    await shelf.run(feed, scene.context);
    expect(titles(shelf)).toEqual(['Offer', 'Prices', 'plan.pdf']);
    expect(shelf.records.size).toBe(3);
  });

  test('a page token that Drive no longer knows begins the list again', async () => {
    const scene = await office();
    const shelf = new Shelf();
    shelf.cursor = { version: 1, phase: 'full', changes: '0', pageToken: 'Zm9yZ290dGVu' };
    await shelf.run(feed, scene.context);
    expect(shelf.records.size).toBe(4);
  });

  test('page tokens that are refused again and again end the run, to be tried later', async () => {
    const scene = await empty();
    for (let n = 0; n < 60; n += 1) scene.google.files.put({ name: `f${n}`, mimeType: 'application/pdf' });
    scene.hosts.faults.failNext(refused(400, 'invalid'), '&pageToken=', 9);
    const failure = { code: 'conflict', retry: 'later' };
    await expect(new Shelf().run(feed, scene.context)).rejects.toMatchObject(failure);
  });

  test('a file whose owner forbids copying, or that is too large, is a record of its facts', async () => {
    const scene = await empty();
    const { files } = scene.google;
    files.put({
      name: 'Locked',
      mimeType: documentType,
      exports: { 'text/markdown': 'secret words' },
      locked: true,
    });
    files.put({ name: 'large.txt', mimeType: 'text/plain', bytes: Buffer.alloc(5 * 1024 * 1024, 'x') });
    files.put({
      name: 'Large',
      mimeType: documentType,
      exports: { 'text/markdown': 'x'.repeat(5 * 1024 * 1024) },
    });
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    expect(shelf.records.size).toBe(3);
    for (const record of shelf.records.values()) {
      expect(record.length).toBeLessThan(300);
      expect(record).not.toContain('secret words');
    }
  });

  test('a file that goes while it is fetched is no error; a limit that is reached ends the run as such', async () => {
    const scene = await office();
    const shelf = new Shelf();
    scene.hosts.faults.failNext(refused(404, 'notFound'), '/export');
    await shelf.run(feed, scene.context);
    expect(shelf.records.size).toBe(3);
    const other = await office();
    other.hosts.faults.failNext(refused(403, 'userRateLimitExceeded'), '/export');
    await expect(new Shelf().run(feed, other.context)).rejects.toMatchObject({ code: 'rate_limited' });
  });
});

test('reading asks for reading alone, creating for files of its own', () => {
  const short = (scopes: readonly string[] = []) => scopes.map((one) => one.split('/auth/').at(-1));
  expect(short(scopesOf(provider)).sort()).toEqual(['drive.file', 'drive.readonly']);
  expect(short(create.scopes)).toEqual(['drive.file']);
});
