// What is asked of Notion, and what comes of its answers: blocks as markdown, databases by their columns, refusals.
import { describe, expect, test } from 'vitest';
import { idIn } from '../../../src/providers/notion/http.ts';
import { openScene, operationOf, paragraph, type Scene } from './scene.ts';

interface PageRead {
  title: string;
  text: string;
  cut?: string;
  properties: Record<string, string>;
  inTrash: boolean;
}

const textOf = async (scene: Scene, id: string) => scene.read<PageRead>('get-page', { id });

describe('a page', () => {
  test('is read as markdown: call-outs, tasks, tables, toggles, columns, mentions, links, code, equations', async () => {
    const scene = await openScene({ story: true });
    const { title, text, cut } = await textOf(scene, scene.home);
    expect(title).toBe('How we list a home');
    expect(cut).toBeUndefined();
    expect(text.replace(/notion\.so\/[0-9a-f]{32}/g, 'notion.so/ID')).toMatchInlineSnapshot(`
      "> 📌 Nothing goes online before the seller has signed.

      ## Before the photos

      - [x] Keys copied, one set with Priya
      - [ ] Seller’s disclosure signed
        - Ask about the roof
        - Ask about the well

      ## Who does what

      | Step | Who | Days |
      | --- | --- | --- |
      | Photos | Lena \\| studio | 2 |
      | Sign | Priya | 1 |

      - When the seller lives elsewhere

        Papers go by courier.

        - Two copies

      Left: the town keeps the plan.

      Right: the county keeps the deed.

      Questions go to @Maren Okafor, or [the town hall](https://town.example/plans). **Never** by phone.

      \`\`\`
      price / area
      \`\`\`

      $$
      fee = 0.025 \\cdot p
      $$

      ---

      Office hours: 9 to 5.

      [Monday meeting](https://www.notion.so/ID)

      [Viewings](https://www.notion.so/ID)"
    `);
  });

  test('is asked for level by level, and neither pages nor databases below it', async () => {
    const scene = await openScene({ story: true });
    await textOf(scene, scene.home);
    const asked = scene.asked();
    expect(asked[0]).toBe(`GET /v1/pages/${scene.home}`);
    expect(asked[1]).toBe(`GET /v1/blocks/${scene.home}/children?page_size=100`);
    const [source] = scene.notion.store.sources.values();
    expect(asked.join('\n')).not.toContain(source?.databaseId);
    for (const { headers } of scene.hosts.calls()) expect(headers['notion-version']).toBe('2026-03-11');
  });

  test('of more than 100 blocks is read to its end, in order', async () => {
    const scene = await openScene();
    const words = Array.from({ length: 250 }, (_, n) => `Line ${n}.`);
    const { id } = scene.notion.store.addPage({ title: 'Long', text: words.map(paragraph) });
    const { text, cut } = await textOf(scene, id);
    expect(text).toBe(words.join('\n\n'));
    expect(cut).toBeUndefined();
    expect(scene.asked()).toHaveLength(1 + 3);
  });

  test('that is too deep or too branched is cut, the deepest first, and says so', async () => {
    const scene = await openScene();
    const deep = (level: number): ReturnType<typeof paragraph> & { children: unknown[] } => ({
      ...paragraph(`Level ${level}`),
      children: level < 12 ? [deep(level + 1)] : [],
    });
    const { id } = scene.notion.store.addPage({ title: 'Deep', text: [deep(1)] as never });
    const one = await textOf(scene, id);
    expect(one.text).toContain('Level 8');
    expect(one.text).not.toContain('Level 9');
    expect(one.cut).toBe('what stands more than 8 levels deep was not read');
    const toggles = Array.from({ length: 160 }, (_, n) => ({
      ...paragraph(`Toggle ${n}`),
      type: 'toggle',
      children: [paragraph(`Within ${n}`)],
    }));
    const wide = scene.notion.store.addPage({ title: 'Wide', text: toggles });
    scene.asked();
    const other = await textOf(scene, wide.id);
    expect(other.text).toContain('Toggle 159');
    expect(other.text).toContain('Within 0');
    expect(other.text).not.toContain('Within 59');
    expect(other.cut).toBe('its first 24 lists of blocks were read, and more are there');
    expect(scene.asked()).toHaveLength(1 + 24);
  });

  test('shows no address of a file that Notion keeps, as it ends after an hour', async () => {
    const scene = await openScene();
    const kept = {
      url: 'https://files.notion.example/a?signature=s',
      expiry_time: '2026-01-05T13:00:00.000Z',
    };
    const { id } = scene.notion.store.addPage({
      title: 'Files',
      text: [
        {
          type: 'image',
          content: { type: 'file', file: kept, caption: [{ text: { content: 'The roof' } }] },
        },
        { type: 'file', content: { type: 'file', file: kept, caption: [], name: 'deed.pdf' } },
        {
          type: 'image',
          content: { type: 'external', external: { url: 'https://x.example/1.png' }, caption: [] },
        },
      ],
    });
    const { text } = await textOf(scene, id);
    expect(text).toBe('(Image: The roof)\n\n(File: deed.pdf)\n\n[Image](https://x.example/1.png)');
  });

  test('shows a copy of a synced block by its original, and says where that is not shared', async () => {
    const scene = await openScene();
    const { store } = scene.notion;
    const original = store.addPage({
      title: 'Original',
      text: [{ type: 'synced_block', content: { synced_from: null }, children: [paragraph('Said once.')] }],
    });
    const copyOf = (block_id: string) => ({
      type: 'synced_block',
      content: { synced_from: { type: 'block_id', block_id } },
    });
    const elsewhere = '00000000-0000-4000-8000-000000000000';
    const { id } = store.addPage({
      title: 'Copies',
      text: [copyOf(original.children[0] ?? ''), copyOf(elsewhere)],
    });
    const { text } = await textOf(scene, id);
    expect(text).toBe('Said once.\n\n(A synced block that is empty, or whose original is not shared.)');
  });

  test('with a synced block that holds itself is read once', async () => {
    const scene = await openScene();
    const { store } = scene.notion;
    const { id, children } = store.addPage({
      title: 'Loop',
      text: [{ type: 'synced_block', content: { synced_from: null }, children: [paragraph('In.')] }],
    });
    const [own = ''] = children;
    store.append(own, [
      { type: 'synced_block', content: { synced_from: { type: 'block_id', block_id: own } } },
    ]);
    expect((await textOf(scene, id)).text).toContain('In.');
    expect(scene.asked().length).toBeLessThan(5);
  });

  test('ends no fence, table or link of ours by what stands in it', async () => {
    const scene = await openScene();
    const { id } = scene.notion.store.addPage({
      title: 'Signs',
      text: [
        {
          type: 'code',
          content: { rich_text: [{ text: { content: '```\nend' } }], language: 'c++' },
        },
        {
          ...paragraph(''),
          content: {
            rich_text: [
              { text: { content: 'a ] b', link: { url: 'https://x.example/(a) b' } } },
              { text: { content: ' run', link: { url: 'javascript:alert(1)' } } },
              { text: { content: '`x`' }, annotations: { code: true } },
            ],
          },
        },
      ],
    });
    const { text } = await textOf(scene, id);
    expect(text).toBe('````c++\n```\nend\n````\n\n[a \\] b](https://x.example/%28a%29%20b) run`` `x` ``');
  });

  test('is found by its address, also of one that is opened beside a list', () => {
    const id = '1f0c9a3e-aaaa-4bbb-8ccc-0123456789ab';
    const bare = id.replaceAll('-', '');
    expect(idIn(bare.toUpperCase())).toBe(id);
    expect(idIn(`https://www.notion.so/office/How-we-list-${bare}?pvs=4`)).toBe(id);
    expect(idIn(`https://www.notion.so/office/0000?v=1&p=${bare}`)).toBe(id);
    expect(idIn(`https://evil.example/${bare}`)).toBeUndefined();
    const refused = operationOf('get-page').input.safeParse({ id: 'the roadmap' });
    expect(refused.error?.issues[0]).toMatchObject({
      path: ['id'],
      message: 'must be an id of Notion (32 hex digits) or the address of a page',
    });
  });
});

test('a block is read with what stands within it', async () => {
  const scene = await openScene({ story: true });
  const toggle = [...scene.notion.store.blocks.values()].find(({ type }) => type === 'toggle');
  const found = await scene.read('get-block', { id: toggle?.id });
  expect(found).toMatchObject({
    type: 'toggle',
    text: '- When the seller lives elsewhere\n\n  Papers go by courier.\n\n  - Two copies',
  });
});

describe('a search', () => {
  test('finds pages and databases by title, newest edit first, and goes on after a page of them', async () => {
    const scene = await openScene({ story: true });
    const first = await scene.read<{ found: { title: string; kind: string }[]; nextCursor?: string }>(
      'search',
      {
        limit: 2,
      },
    );
    expect(first.found.map(({ title, kind }) => `${kind} ${title}`)).toEqual([
      'database Viewings',
      'page 14 Heron Court',
    ]);
    const rest = await scene.read<typeof first>('search', { cursor: first.nextCursor });
    expect(rest.found.map(({ title }) => title)).toContain('How we list a home');
    expect(rest.nextCursor).toBeUndefined();
    scene.asked();
    const databases = await scene.read<typeof first>('search', { query: 'view', kind: 'database' });
    expect(databases.found.map(({ kind }) => kind)).toEqual(['database']);
    expect(scene.asked()).toEqual([
      'POST /v1/search {"query":"view","filter":{"property":"object","value":"data_source"},"sort":{"timestamp":"last_edited_time","direction":"descending"},"page_size":20}',
    ]);
  });
});

describe('a database', () => {
  const opened = async () => {
    const scene = await openScene({ story: true });
    const [source] = scene.notion.store.sources.values();
    if (source === undefined) throw new Error('no database');
    return { scene, source };
  };
  interface Rows {
    rows: { title: string; properties: Record<string, string> }[];
    nextCursor?: string;
  }

  test('shows its columns, by its own id or that of its data source', async () => {
    const { scene, source } = await opened();
    for (const id of [source.id, source.databaseId]) {
      expect(await scene.read('get-database', { id })).toMatchObject({
        sources: [
          {
            id: source.id,
            title: 'Viewings',
            columns: {
              Home: { type: 'title' },
              Status: { type: 'select', choices: ['Planned', 'Done', 'Cancelled'] },
            },
          },
        ],
      });
    }
  });

  test('is queried by conditions, with the values of its rows in words', async () => {
    const { scene, source } = await opened();
    scene.asked();
    const { rows } = await scene.read<Rows>('query-database', {
      database: source.id,
      where: [
        { column: 'Status', is: 'equals', value: 'Done' },
        { column: 'Offer', is: 'greater_than', value: 600_000 },
      ],
      sort: [{ column: 'On', descending: true }],
    });
    expect(rows).toMatchObject([
      {
        title: '14 Heron Court',
        properties: {
          Status: 'Done',
          On: '2026-01-02',
          Agent: 'Tobias Reyes',
          Buyer: 'elena.vasquez@mail.example',
          Offer: '615000',
          Notes: 'Liked the oak floors. No steps: good.',
          Keys: 'Yes',
        },
      },
    ]);
    expect(scene.asked().at(-1)).toBe(
      `POST /v1/data_sources/${source.id}/query {"filter":{"and":[{"property":"Status","select":{"equals":"Done"}},{"property":"Offer","number":{"greater_than":600000}}]},"sorts":[{"property":"On","direction":"descending"}],"page_size":25}`,
    );
  });

  test('is queried for what is empty, and page by page', async () => {
    const { scene, source } = await opened();
    const where = [{ column: 'Offer', is: 'is_empty' }];
    const ask = (cursor?: string) =>
      scene.read<Rows>('query-database', { database: source.databaseId, where, limit: 1, cursor });
    const first = await ask();
    const second = await ask(first.nextCursor);
    expect([...first.rows, ...second.rows].map(({ title }) => title)).toEqual([
      '9 Juniper Court',
      '41 Kelp Lane',
    ]);
    expect(second.nextCursor).toBeUndefined();
  });

  test('names the columns that there are, and the input that is wrong', async () => {
    const { scene, source } = await opened();
    const ask = (where: object[], sort: object[] = []) =>
      scene.read('query-database', { database: source.id, where, sort });
    await expect(ask([{ column: 'State', is: 'is_empty' }])).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'where.0.column',
      message: expect.stringContaining('there are: Home, Status, On'),
    });
    await expect(ask([{ column: 'Status', is: 'equals' }])).rejects.toMatchObject({ field: 'where.0.value' });
    await expect(ask([], [{ column: 'toString' }])).rejects.toMatchObject({ field: 'sort.0.column' });
  });

  test('with several data sources asks for one of them', async () => {
    const { scene, source } = await opened();
    const other = scene.notion.store.addDatabase({
      title: 'Archive',
      parent: source.parent,
      columns: { Home: { type: 'title' } },
    });
    other.databaseId = source.databaseId;
    await expect(scene.read('query-database', { database: source.databaseId })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'database',
      message: expect.stringContaining(`Archive (${other.id})`),
    });
  });
});

describe('a refusal', () => {
  const cases: [status: number, code: string, expected: object][] = [
    [401, 'unauthorized', { code: 'auth_expired', retry: 'reconnect' }],
    [403, 'restricted_resource', { code: 'permission_denied', retry: 'ask' }],
    [404, 'object_not_found', { code: 'not_found', message: expect.stringContaining('••• → Connections') }],
    [409, 'conflict_error', { code: 'conflict', retry: 'later' }],
    [429, 'rate_limited', { code: 'rate_limited', retryAfterMs: 3_600_000 }],
    [529, 'of_another_name', { code: 'rate_limited' }],
    [529, 'service_overload', { code: 'rate_limited', retryAfterMs: 3_600_000 }],
    [
      400,
      'validation_error',
      { code: 'invalid_request', message: expect.stringContaining('Notion’s words') },
    ],
    [500, 'internal_server_error', { code: 'provider_unavailable' }],
    [503, 'service_unavailable', { code: 'provider_unavailable' }],
    [504, 'gateway_timeout', { code: 'provider_unavailable' }],
  ];
  test.each(cases)('%i %s is said in our words', async (status, code, expected) => {
    const scene = await openScene();
    const text = JSON.stringify({ object: 'error', status, code, message: 'Notion’s words' });
    const headers = { 'content-type': 'application/json', 'retry-after': '3600' };
    scene.hosts.faults.failNext({ kind: 'refuse', status, text, headers }, '', 5);
    await expect(scene.read('search', {})).rejects.toMatchObject(expected);
  });
});
