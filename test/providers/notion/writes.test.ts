// What is written to Notion: what was approved is what leaves, in the portions that Notion takes; a repeat is told by
// what stands there, and everything can be taken back.
import { describe, expect, test } from 'vitest';
import { portions } from '../../../src/providers/notion/compose.ts';
import { openScene, operationOf, paragraph, type Scene, writing } from './scene.ts';

const json = { 'content-type': 'application/json' };
const refused = (status: number, code: string, message = 'no') => ({
  kind: 'refuse' as const,
  status,
  text: JSON.stringify({ object: 'error', status, code, message }),
  headers: json,
});
const writesOf = (scene: Scene) =>
  scene.asked().filter((line) => /^(POST \/v1\/pages|PATCH|DELETE)/.test(line));

async function office() {
  const scene = await openScene();
  const { id } = scene.notion.store.addPage({ title: 'Office' });
  scene.asked();
  return { scene, id, under: { kind: 'page', id, title: 'Office' } };
}

async function viewings() {
  const scene = await openScene({ story: true });
  const [source] = scene.notion.store.sources.values();
  if (source === undefined) throw new Error('no database');
  return { scene, source, under: { kind: 'database', id: source.databaseId, title: 'Viewings' } };
}

async function made(scene: Scene, text: string) {
  const parent = scene.notion.store.addPage({ title: 'Place' });
  const { reference } = await scene.write('create-page', {
    under: { kind: 'page', id: parent.id, title: 'Place' },
    title: 'New',
    text,
  });
  return scene.read<{ text: string }>('get-page', { id: reference });
}

describe('a new page', () => {
  test('leaves as it was approved, and its address comes back', async () => {
    const { scene, id, under } = await office();
    const payload = {
      under,
      title: 'Keys',
      text: '# Where\n\nAt the **front** desk, see [plan](https://x.example).',
    };
    const outcome = await scene.write('create-page', payload);
    expect(writesOf(scene)).toEqual([
      `POST /v1/pages ${JSON.stringify({
        parent: { page_id: id },
        properties: { title: { title: [{ type: 'text', text: { content: 'Keys' } }] } },
        children: [
          { type: 'heading_1', heading_1: { rich_text: [{ type: 'text', text: { content: 'Where' } }] } },
          {
            type: 'paragraph',
            paragraph: {
              rich_text: [
                { type: 'text', text: { content: 'At the ' } },
                { type: 'text', text: { content: 'front' }, annotations: { bold: true } },
                { type: 'text', text: { content: ' desk, see ' } },
                { type: 'text', text: { content: 'plan', link: { url: 'https://x.example' } } },
                { type: 'text', text: { content: '.' } },
              ],
            },
          },
        ],
      })}`,
    ]);
    expect(scene.announced()).toBe(1);
    expect(outcome).toMatchObject({
      url: expect.stringContaining('notion.so/Keys-'),
      details: { id: outcome.reference, title: 'Keys' },
    });
    expect(outcome.warning).toBeUndefined();
  });

  test('says in a line what, where and how much', () => {
    const { operation, payload } = writing('create-page', {
      under: { kind: 'database', id: '0'.repeat(32), title: 'Viewings' },
      title: '41 Kelp Lane',
      properties: { Status: 'Planned', Offer: 5 },
      text: 'abc',
    });
    expect(operation.summary(payload, 'Tidewell Homes')).toBe(
      'Create “41 Kelp Lane” in Tidewell Homes, in the database “Viewings” (Status: Planned, Offer: 5, 3 characters of text)',
    );
  });

  test('as a row goes into its columns by their types', async () => {
    const { scene, source, under } = await viewings();
    const person = '1c1f0a50-2f0e-4c6c-9d4e-3f0b5a7d2e11';
    const { reference } = await scene.write('create-page', {
      under,
      title: '8 Sandpiper Way',
      properties: {
        Status: 'Planned',
        On: '2026-01-09/2026-01-10',
        Agent: person,
        Buyer: 'ana@x.example',
        Offer: 12.5,
        Tags: ['investor'],
        Notes: 'Level entry.',
        Keys: true,
      },
    });
    const [line = ''] = writesOf(scene);
    expect(JSON.parse(line.replace('POST /v1/pages ', ''))).toEqual({
      parent: { data_source_id: source.id },
      properties: {
        Home: { title: [{ type: 'text', text: { content: '8 Sandpiper Way' } }] },
        Status: { select: { name: 'Planned' } },
        On: { date: { start: '2026-01-09', end: '2026-01-10' } },
        Agent: { people: [{ id: person }] },
        Buyer: { email: 'ana@x.example' },
        Offer: { number: 12.5 },
        Tags: { multi_select: [{ name: 'investor' }] },
        Notes: { rich_text: [{ type: 'text', text: { content: 'Level entry.' } }] },
        Keys: { checkbox: true },
      },
    });
    expect(source.rows).toContain(reference);
  });

  test.each([
    [{ State: 'Done' }, 'properties.State', 'there are: Home, Status'],
    [{ Status: 'Maybe' }, 'properties.Status', 'one of Planned, Done, Cancelled'],
    [{ Offer: 'much' }, 'properties.Offer', 'a number'],
    [{ Keys: 'yes' }, 'properties.Keys', 'true or false'],
    [{ On: 'Friday' }, 'properties.On', 'a date such as 2026-03-01'],
    [{ Agent: 'Maren' }, 'properties.Agent', 'ids of Notion'],
    [{ Home: 'x' }, 'properties.Home', 'it as `title`'],
  ])('as a row with %j is refused before anybody is asked', async (properties, field, mend) => {
    const { scene, under } = await viewings();
    await expect(scene.before('create-page', { under, title: 'x', properties })).rejects.toMatchObject({
      code: 'invalid_request',
      field,
      message: expect.stringContaining(mend),
    });
  });

  test('under a page has no values', () => {
    const input = {
      under: { kind: 'page', id: '0'.repeat(32), title: 'x' },
      title: 'y',
      properties: { A: 'b' },
    };
    expect(() => writing('create-page', input)).toThrow('properties: only a row of a database has them');
  });

  test('shows where it goes, and is not proposed where the place bears another title or is in the trash', async () => {
    const { scene, id, under } = await office();
    scene.notion.store.addPage({ title: 'Keys', parent: { type: 'page_id', page_id: id } });
    expect(await scene.before('create-page', { under, title: 'Keys' })).toMatchObject({
      title: 'Office',
      fields: { title: 'Office', 'pages of this title there': 1 },
      after: { 'pages of this title there': 2 },
    });
    const other = { under: { ...under, title: 'Trash bin' }, title: 'Keys' };
    await expect(scene.before('create-page', other)).rejects.toMatchObject({
      code: 'conflict',
      retry: 'ask',
      field: 'under.title',
    });
    scene.notion.store.setTrash(id, true);
    await expect(scene.before('create-page', { under, title: 'Keys' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('is told from its repeat by what stands there: ours and new, or nothing certain', async () => {
    for (const open of [office, viewings]) {
      const { scene, under } = await open();
      const { store } = scene.notion;
      const payload = { under, title: 'Keys', text: 'At the desk.' };
      // One of ours of before, by an action like this one.
      await scene.write('create-page', payload);
      scene.clock.advance(60_000);
      const before = await scene.before('create-page', payload);
      expect(await scene.lookUp('create-page', payload, before)).toMatchObject({
        found: false,
        conclusive: false,
      });
      // The answer gets lost, the page is there.
      scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'POST /api.notion.com/v1/pages');
      await expect(scene.write('create-page', payload)).rejects.not.toHaveProperty('name', 'EffectRefused');
      const found = await scene.lookUp('create-page', payload, before);
      const newest = [...store.pages.values()].at(-1);
      expect(found).toMatchObject({ found: true, outcome: { reference: newest?.id } });
      // What somebody else made of that title is not ours.
      const parent = newest?.parent;
      if (parent === undefined) throw new Error('no page');
      const known = await scene.before('create-page', payload);
      store.addPage({ title: 'Keys', parent });
      expect(await scene.lookUp('create-page', payload, known)).toMatchObject({ found: false });
    }
  });

  test('that Notion refuses did not happen; 409 may be tried again', async () => {
    const { scene, under } = await office();
    const payload = { under, title: 'Keys' };
    for (const [status, code] of [
      [400, 'validation_error'],
      [409, 'conflict_error'],
    ] as const) {
      scene.hosts.faults.failNext(refused(status, code), 'POST /api.notion.com/v1/pages');
      await expect(scene.write('create-page', payload)).rejects.toMatchObject({ name: 'EffectRefused' });
    }
    scene.hosts.faults.failNext(refused(500, 'internal_server_error'), 'POST /api.notion.com/v1/pages');
    await expect(scene.write('create-page', payload)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(scene.notion.store.pages.size).toBe(1);
  });

  test('goes into the trash again, and out of it', async () => {
    const { scene, under } = await office();
    const payload = { under, title: 'Keys', text: '' };
    const outcome = await scene.write('create-page', payload);
    const back = compensation('create-page', payload, outcome);
    expect(back.operation).toBe('trash-page');
    expect(await scene.before(back.operation, back.payload)).toMatchObject({
      fields: { title: 'Keys', inTrash: false },
      after: { inTrash: true },
    });
    const gone = await scene.write(back.operation, back.payload);
    expect(scene.notion.store.pages.get(outcome.reference)?.trash).toBe(true);
    expect(await scene.lookUp(back.operation, back.payload)).toMatchObject({ found: true });
    const again = compensation(back.operation, back.payload, gone);
    await scene.write(again.operation, again.payload);
    expect(scene.notion.store.pages.get(outcome.reference)?.trash).toBe(false);
    expect(await scene.lookUp(back.operation, back.payload)).toMatchObject({
      found: false,
      conclusive: true,
    });
  });
});

function compensation(name: string, payload: unknown, outcome: Awaited<ReturnType<Scene['write']>>) {
  const operation = operationOf(name);
  if (operation.effect === 'read' || operation.compensation === undefined) throw new Error('no way back');
  return {
    operation: operation.compensation.operation,
    payload: operation.compensation.payload(payload, outcome),
  };
}

describe('text at the end of a page', () => {
  const text = (count: number) => Array.from({ length: count }, (_, n) => `Line ${n}.`).join('\n\n');

  test('leaves 100 blocks at a time, in order, after what is there', async () => {
    const { scene, id } = await office();
    scene.notion.store.append(id, [paragraph('First of all.')]);
    const outcome = await scene.write('append-text', { page: id, title: 'Office', text: text(250) });
    const sent = writesOf(scene).map(
      (line) => (JSON.parse(line.replace(/^\S+ \S+ /, '')) as { children: [] }).children.length,
    );
    expect(sent).toEqual([100, 100, 50]);
    const read = await scene.read<{ text: string }>('get-page', { id });
    expect(read.text).toBe(`First of all.\n\n${text(250)}`);
    expect(outcome.details['blocks']).toHaveLength(250);
  });

  test('that is cut says what stands: refused, or not known', async () => {
    const { scene, id } = await office();
    const payload = { page: id, title: 'Office', text: text(250) };
    const step = 'PATCH /api.notion.com/v1/blocks';
    scene.hosts.faults.failNext(refused(400, 'validation_error', 'too much'), step, 1, 1);
    const first = await scene.write('append-text', payload);
    expect(first.warning).toMatch(
      /^Of 250 blocks the first 100 are there\. Notion refused the rest: .*too much/,
    );
    expect(first.details['blocks']).toHaveLength(100);
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, step, 1, 1);
    const second = await scene.write('append-text', payload);
    expect(second.warning).toMatch(
      /^Of 250 blocks the first 100 are there\. Whether the next 100 are, is not known .*; those after them are not\.$/,
    );
  });

  test('that never began did not happen', async () => {
    const { scene, id } = await office();
    scene.hosts.faults.failNext(refused(403, 'restricted_resource'), 'PATCH /api.notion.com/v1/blocks');
    await expect(scene.write('append-text', { page: id, title: 'Office', text: 'x' })).rejects.toMatchObject({
      name: 'EffectRefused',
      message: expect.stringContaining('capabilities'),
    });
  });

  test('is told from its repeat by what stands there', async () => {
    const { scene, id } = await office();
    const payload = { page: id, title: 'Office', text: 'Call **Ana**.\n\nThen Bo.' };
    await scene.write('append-text', payload);
    const before = await scene.before('append-text', payload);
    expect(before?.fields).toMatchObject({ 'times that this text is there': 1 });
    expect(await scene.lookUp('append-text', payload, before)).toMatchObject({
      found: false,
      conclusive: false,
    });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'PATCH /api.notion.com/v1/blocks');
    await expect(scene.write('append-text', payload)).rejects.toThrow();
    const found = await scene.lookUp('append-text', payload, before);
    const there = scene.notion.store.pages.get(id)?.children;
    expect(found).toMatchObject({ found: true, outcome: { details: { blocks: there?.slice(2) } } });
  });

  test('is taken off again, and shown before', async () => {
    const { scene, id } = await office();
    scene.notion.store.append(id, [paragraph('Stays.')]);
    const payload = { page: id, title: 'Office', text: 'One.\n\nTwo.' };
    const outcome = await scene.write('append-text', payload);
    const back = compensation('append-text', payload, outcome);
    expect(await scene.before(back.operation, back.payload)).toMatchObject({
      fields: { title: 'Office', text: 'One.\nTwo.' },
      after: { text: '' },
    });
    scene.asked();
    await scene.write(back.operation, back.payload);
    expect(writesOf(scene)).toHaveLength(2);
    expect((await scene.read<{ text: string }>('get-page', { id })).text).toBe('Stays.');
    expect(await scene.lookUp(back.operation, back.payload)).toMatchObject({ found: true });
    await expect(scene.before(back.operation, back.payload)).rejects.toMatchObject({ field: 'blocks' });
  });

  test('of more blocks than are sent for one approval is refused before anybody is asked', async () => {
    const { scene, id } = await office();
    await expect(
      scene.before('append-text', { page: id, title: 'Office', text: text(1_001) }),
    ).rejects.toMatchObject({ code: 'invalid_request', field: 'text' });
    expect(scene.asked()).toEqual([]);
  });
});

describe('markdown', () => {
  test('comes back as it was written, by way of Notion’s blocks', async () => {
    const scene = await openScene();
    const text = [
      '# One',
      'A _b_ ~~c~~ `d` **e**',
      '- [x] done\n- [ ] open\n  - below',
      '1. first\n2. second',
      '> said\n>\n> more',
      '```typescript\nconst a = 1;\n```',
      '$$\nx^2\n$$',
      '---',
      '| A | B |\n| --- | --- |\n| 1 | 2 \\| 3 |',
    ].join('\n\n');
    expect((await made(scene, text)).text).toBe(text);
  });

  test('deeper than Notion takes in one request is lifted, and nothing is left out', async () => {
    const scene = await openScene();
    const { text } = await made(scene, '- a\n  - b\n    - c\n      - d\n        - e\n          - f');
    for (const word of 'abcdef') expect(text).toContain(`- ${word}`);
  });

  test('longer than a piece, a list or a table of Notion is cut between characters, and comes back whole', async () => {
    const scene = await openScene();
    const long = `${'x'.repeat(1_999)}😀${'y'.repeat(3_000)}`;
    expect((await made(scene, long)).text).toBe(long);
    // Half a character would be written as its escape.
    expect(scene.asked().join('')).not.toMatch(/\\ud[89a-f]/i);
    const many = Array.from({ length: 150 }, (_, n) => `**${n}**`).join(' ');
    expect((await made(scene, many)).text.replace(/\s+/g, ' ')).toBe(many);
    const rows = Array.from({ length: 150 }, (_, n) => `| ${n} |`).join('\n');
    const { text } = await made(scene, `| N |\n| --- |\n${rows}`);
    for (let n = 0; n < 150; n += 1) expect(text).toContain(`| ${n} |`);
  });

  test('holds no link but to the web, and HTML as it stands', async () => {
    const scene = await openScene();
    const { text } = await made(scene, '[run](javascript:alert(1)) <b>x</b> [mail](mailto:a@x.example)');
    expect(text).toBe('run <b>x</b> [mail](mailto:a@x.example)');
  });

  test('is sent in requests that are not too large', () => {
    const block = {
      type: 'paragraph',
      paragraph: { rich_text: [{ type: 'text', text: { content: 'x'.repeat(2_000) } }] },
    };
    const nested = {
      type: 'toggle',
      toggle: { rich_text: [], children: Array.from({ length: 50 }, () => block) },
    };
    for (const part of portions(Array.from({ length: 90 }, () => nested))) {
      expect(JSON.stringify(part).length).toBeLessThan(500_000);
    }
    const small = {
      type: 'toggle',
      toggle: {
        rich_text: [],
        children: Array.from({ length: 99 }, () => ({ type: 'divider', divider: {} })),
      },
    };
    for (const part of portions(Array.from({ length: 30 }, () => small)))
      expect(part.length).toBeLessThan(10);
  });
});

test('each write says in a line what it does', () => {
  const of = (name: string, input: unknown) => {
    const { operation, payload } = writing(name, input);
    return operation.summary(payload, 'Tidewell Homes');
  };
  const id = '0'.repeat(32);
  expect([
    of('append-text', { page: id, title: 'Office', text: `Call\n${'a'.repeat(200)}` }),
    of('remove-blocks', { page: id, title: 'Office', blocks: [id] }),
    of('trash-page', { id, title: 'Office' }),
    of('restore-page', { id, title: 'Office' }),
  ]).toEqual([
    `Add to “Office” in Tidewell Homes: “Call ${'a'.repeat(114)}…” (205 characters)`,
    'Remove 1 block from “Office” in Tidewell Homes',
    'Move “Office” in Tidewell Homes to the trash, with the pages below it',
    'Take “Office” in Tidewell Homes out of the trash',
  ]);
});
