// The feed of Notion: once everything, then what was edited, thrown away or put back; nothing is taken for gone that
// Notion only did not find.
import { describe, expect, test } from 'vitest';
import { provider } from '../../../src/providers/notion/index.ts';
import { openScene, paragraph, type Scene } from './scene.ts';

const minute = 60_000;
const { record } = provider.feeds.pages;

/** Pages of before, read, and quiet since. */
async function synced(scene: Scene, titles: readonly string[]) {
  const ids = titles.map((title) => scene.notion.store.addPage({ title, text: [paragraph(title)] }).id);
  scene.clock.advance(30 * minute);
  const { cursor } = await scene.sync((await scene.sync()).cursor);
  scene.asked();
  return { ids, cursor };
}

describe('a record', () => {
  test('is the page as markdown, with its title, address, time and people', async () => {
    const scene = await openScene({ story: true });
    const { pages } = await scene.sync();
    const all = pages.flatMap(({ records }) => records);
    const row = all.find(({ title }) => title === '14 Heron Court');
    expect(Buffer.from(row?.raw ?? []).toString('utf8')).toBe(
      [
        '# 14 Heron Court',
        '',
        '- Status: Done',
        '- On: 2026-01-02',
        '- Agent: Tobias Reyes',
        '- Buyer: elena.vasquez@mail.example',
        '- Offer: 615000',
        '- Notes: Liked the oak floors. No steps: good.',
        '- Keys: Yes',
        '',
        'After the visit: Liked the oak floors. No steps: good.',
      ].join('\n'),
    );
    expect(row).toMatchObject({
      kind: 'page',
      mediaType: 'text/markdown',
      writtenAt: Date.UTC(2026, 0, 1, 12),
      url: expect.stringMatching(/^https:\/\/www\.notion\.so\/14-Heron-Court-[0-9a-f]{32}$/),
      people: [
        { name: 'Tobias Reyes', address: 'tobias@tidewell.example', role: 'contact' },
        { address: 'elena.vasquez@mail.example', role: 'contact' },
      ],
      volatile: ['writtenAt'],
    });
  });

  test('says what of a long page is not in it', async () => {
    const scene = await openScene();
    const toggles = Array.from({ length: 100 }, (_, n) => ({
      ...paragraph(`Toggle ${n}`),
      type: 'toggle',
      children: [paragraph(`Within ${n}`)],
    }));
    const { id } = scene.notion.store.addPage({ title: 'Wide', text: toggles });
    const { texts } = await scene.sync();
    expect(texts.get(id)).toMatch(/\(Not all of this page is here: its first 90 lists of blocks were read/);
  });

  test('is read live by its id, and none of what is in the trash or not shared', async () => {
    const scene = await openScene();
    const { id } = scene.notion.store.addPage({ title: 'One' });
    expect(record?.owns(id)).toBe(true);
    expect(record?.owns('folder/message')).toBe(false);
    expect((await record?.read(scene.context, id))?.title).toBe('One');
    scene.notion.store.setTrash(id, true);
    expect(await record?.read(scene.context, id)).toBeUndefined();
    expect(await record?.read(scene.context, '00000000-0000-4000-8000-000000000000')).toBeUndefined();
  });
});

describe('a later run', () => {
  test('reads what was edited, and nothing else', async () => {
    const scene = await openScene();
    const { ids, cursor } = await synced(scene, ['One', 'Two', 'Three']);
    scene.notion.store.append(ids[1] ?? '', [paragraph('More.')]);
    scene.notion.store.touch(ids[1]);
    const { texts, deleted } = await scene.sync(cursor);
    expect([...texts]).toEqual([[ids[1], '# Two\n\nTwo\n\nMore.']]);
    expect(deleted).toEqual([]);
    expect(scene.asked().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'POST /v1/search',
      `GET /v1/blocks/${ids[1]}/children?page_size=100`,
      'POST /v1/search',
    ]);
  });

  test('with nothing new asks twice: what was edited, and what lies in the trash', async () => {
    const scene = await openScene();
    const { cursor } = await synced(scene, ['One', 'Two']);
    await scene.sync(cursor);
    expect(scene.asked()).toEqual([
      'POST /v1/search {"filter":{"property":"object","value":"page"},"sort":{"timestamp":"last_edited_time","direction":"descending"},"page_size":25}',
      'POST /v1/search {"filter":{"property":"object","value":"page","in_trash":true},"sort":{"timestamp":"last_edited_time","direction":"descending"},"page_size":100}',
    ]);
  });

  test('reads again a page that is edited twice within a minute, the second time after it was read', async () => {
    const scene = await openScene();
    const { ids, cursor } = await synced(scene, ['One']);
    const [id = ''] = ids;
    scene.notion.store.touch(id);
    const first = await scene.sync(cursor);
    expect(first.texts.has(id)).toBe(true);
    scene.notion.store.append(id, [paragraph('Within the same minute.')]);
    scene.notion.store.touch(id);
    const second = await scene.sync(first.cursor);
    expect(second.texts.get(id)).toContain('Within the same minute.');
    scene.clock.advance(5 * minute);
    const third = await scene.sync(second.cursor);
    expect((await scene.sync(third.cursor)).texts.size).toBe(0);
  });

  test('finds an edit that the search sees late, behind a newer one', async () => {
    const scene = await openScene();
    const { ids, cursor } = await synced(scene, ['Late', 'Soon']);
    const [late = '', soon = ''] = ids;
    scene.notion.store.touch(late);
    scene.notion.unindexed.add(late);
    scene.clock.advance(5 * minute);
    scene.notion.store.touch(soon);
    const first = await scene.sync(cursor);
    expect([...first.texts.keys()]).toEqual([soon]);
    scene.notion.unindexed.delete(late);
    const second = await scene.sync(first.cursor);
    expect(second.texts.has(late)).toBe(true);
  });

  test('tells a page in the trash as gone, once, with those below it, and reads it when it is put back', async () => {
    const scene = await openScene();
    const { ids, cursor } = await synced(scene, ['Kept', 'Thrown away']);
    const [, id = ''] = ids;
    const child = scene.notion.store.addPage({ title: 'Below', parent: { type: 'page_id', page_id: id } });
    scene.notion.store.setTrash(id, true);
    const first = await scene.sync(cursor);
    expect(first.deleted.sort()).toEqual([id, child.id].sort());
    const second = await scene.sync(first.cursor);
    expect(second.deleted).toEqual([]);
    // Its time stays as it was.
    scene.notion.store.setTrash(id, false);
    const third = await scene.sync(second.cursor);
    expect([...third.texts.keys()].sort()).toEqual([id, child.id].sort());
  });

  test('that is cut off goes on where it was, and passes nothing by', async () => {
    const scene = await openScene();
    const { ids, cursor } = await synced(
      scene,
      Array.from({ length: 40 }, (_, n) => `Page ${n}`),
    );
    for (const id of ids) scene.notion.store.touch(id);
    scene.clock.advance(5 * minute);
    const got: string[] = [];
    let kept: unknown = cursor;
    for await (const page of provider.feeds.pages.pages(scene.context, cursor)) {
      got.push(...page.records.map(({ externalId }) => externalId));
      kept = JSON.parse(JSON.stringify(page.cursor));
      break;
    }
    expect(got).toHaveLength(25);
    const rest = await scene.sync(kept);
    expect(new Set([...got, ...rest.texts.keys()])).toEqual(new Set(ids));
    expect(rest.texts.size).toBe(15);
  });
});

test('once a day all that is there is listed: a page that is shared since is read, one that is not any more is gone', async () => {
  const scene = await openScene();
  const { ids, cursor } = await synced(scene, ['Stays', 'Is taken back', 'Comes late']);
  const [stays = '', back = '', late = ''] = ids;
  const { store } = scene.notion;
  const first = await scene.sync(cursor);
  // As it is for the integration: there since long, and out of sight.
  const hide = (id: string) => scene.notion.unindexed.add(id);
  const before = store.addPage({
    title: 'Old',
    at: scene.clock.now() - 30 * 86_400_000,
    text: [paragraph('Old.')],
  });
  hide(before.id);
  hide(back);
  expect((await scene.sync(first.cursor)).texts.size).toBe(0);
  scene.notion.unindexed.delete(before.id);
  scene.clock.advance(86_400_000);
  scene.asked();
  const second = await scene.sync(first.cursor);
  expect([...second.texts]).toEqual([[before.id, '# Old\n\nOld.']]);
  expect(second.complete?.toSorted()).toEqual([stays, late, before.id].sort());
  scene.asked();
  const third = await scene.sync(second.cursor);
  expect(third.complete).toBeUndefined();
  expect(scene.asked()).toHaveLength(2);
});

describe('a full run', () => {
  test('reads each page once, also where all were written at the same time', async () => {
    const scene = await openScene();
    for (let n = 0; n < 40; n += 1) scene.notion.store.addPage({ title: `Page ${n}` });
    scene.clock.advance(10 * minute);
    const { pages } = await scene.sync();
    expect(pages.flatMap(({ records }) => records)).toHaveLength(40);
  });

  test('tells all that exists, and reads rows that the search leaves out', async () => {
    const scene = await openScene({ story: true });
    const hidden = [...scene.notion.store.pages.values()].find(
      ({ parent }) => parent.type === 'data_source_id',
    );
    scene.notion.unindexed.add(hidden?.id ?? '');
    const { texts, complete } = await scene.sync();
    expect(texts.has(hidden?.id ?? '')).toBe(true);
    expect(complete?.toSorted()).toEqual([...scene.notion.store.pages.keys()].sort());
  });

  test('tells nothing to be gone where Notion gave up before the end of its list', async () => {
    const scene = await openScene();
    scene.notion.store.addPage({ title: 'One' });
    scene.notion.gaveUp = true;
    expect((await scene.sync()).complete).toBeUndefined();
    scene.notion.gaveUp = false;
    expect((await scene.sync()).complete).toHaveLength(1);
  });

  test('begins its list again where Notion has forgotten the place', async () => {
    const scene = await openScene();
    const { store } = scene.notion;
    const ids = Array.from({ length: 60 }, (_, n) => store.addPage({ title: `Page ${n}` }).id);
    let kept: unknown;
    for await (const page of provider.feeds.pages.pages(scene.context, undefined)) {
      kept = JSON.parse(JSON.stringify(page.cursor));
      break;
    }
    store.setTrash((kept as { from: string }).from, true);
    const { texts, complete } = await scene.sync(kept);
    expect(texts.size).toBe(59);
    expect(complete).toHaveLength(59);
    expect(ids.filter((id) => !texts.has(id))).toEqual([(kept as { from: string }).from]);
  });

  test('leaves out a page that goes away while it is read', async () => {
    const scene = await openScene();
    const one = scene.notion.store.addPage({ title: 'Goes' });
    const two = scene.notion.store.addPage({ title: 'Stays' });
    const text = JSON.stringify({ object: 'error', status: 404, code: 'object_not_found', message: 'x' });
    const headers = { 'content-type': 'application/json' };
    scene.hosts.faults.failNext({ kind: 'refuse', status: 404, text, headers }, `/blocks/${one.id}/children`);
    const { texts, deleted } = await scene.sync();
    expect(texts.has(two.id)).toBe(true);
    expect(deleted).toContain(one.id);
  });
});

test('a page of which the integration may see no content is no record, and is not gone', async () => {
  const scene = await openScene();
  const { id } = scene.notion.store.addPage({ title: 'Seen' });
  const partial = JSON.stringify({
    object: 'list',
    results: [{ object: 'page', id: '00000000-0000-4000-8000-000000000000' }],
    next_cursor: null,
    has_more: false,
    type: 'page_or_data_source',
    page_or_data_source: {},
  });
  scene.hosts.faults.failNext({ kind: 'garble', body: partial }, 'POST /api.notion.com/v1/search');
  const { deleted, texts } = await scene.sync();
  expect(deleted).toEqual([]);
  expect([...texts.keys()]).toEqual([id]);
});
