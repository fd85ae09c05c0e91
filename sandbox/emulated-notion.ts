// The other side of Notion, as test/conformance and demo meet it.
import { createHmac } from 'node:crypto';
import { type Emulated, type Ground, numbers } from './emulated.ts';
import { createNotion, notionApp } from './notion/index.ts';
import { fillWorkspace } from './notion/story.ts';

export const emulatedNotion: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  notion({ clock, world }) {
    const notion = createNotion({ clock });
    const { store } = notion;
    const page = fillWorkspace(store, world, clock.now());
    const [source] = store.sources.values();
    const database = source?.id ?? '';
    return {
      emulators: [notion],
      way: {
        kind: 'browser',
        ...notionApp,
        authorization: notion.auth,
        wrong: { token: 'ntn_another-secret' },
      },
      fields: {},
      samples: {
        search: { query: 'home' },
        'get-page': { id: page.id },
        'get-block': { id: page.children[3] ?? '' },
        'get-database': { id: database },
        'query-database': {
          database,
          where: [{ column: 'Status', is: 'equals', value: 'Done' }],
          sort: [{ column: 'On', descending: true }],
        },
      },
      feeds: {
        pages: {
          add: (count, says = '') =>
            numbers(count).map((n) => {
              const text = [
                {
                  type: 'paragraph',
                  content: { rich_text: [{ text: { content: `This is number ${n}. ${says}` } }] },
                },
              ];
              return store.addPage({ title: `Number ${n}`, text }).id;
            }),
          remove: (id) => store.setTrash(id, true),
        },
      },
      sign({ method, url, body }, secret) {
        const signature = createHmac('sha256', secret).update(body).digest('hex');
        return { method, url, body, headers: { 'x-notion-signature': `sha256=${signature}` } };
      },
    };
  },
};
