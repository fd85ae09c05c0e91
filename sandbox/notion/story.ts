// The office's workspace: how a home is listed, notes of a meeting, and a table of viewings.
import type { World } from '../world.ts';
import { mention, type Rich, rich } from './answers.ts';
import { type Given, type NotionStore, personId, type StoredPage } from './store.ts';

const day = 86_400_000;

const text = (words: string | Rich[]): { rich_text: unknown } => ({ rich_text: rich(words) });
const line = (words: string | Rich[], children: readonly Given[] = []): Given => ({
  type: 'paragraph',
  content: text(words),
  children,
});
const todo = (words: string, checked: boolean, children: readonly Given[] = []): Given => ({
  type: 'to_do',
  content: { ...text(words), checked },
  children,
});
const point = (words: string, children: readonly Given[] = []): Given => ({
  type: 'bulleted_list_item',
  content: text(words),
  children,
});
const heading = (words: string): Given => ({ type: 'heading_2', content: text(words) });
const row = (...cells: string[]): Given => ({ type: 'table_row', content: { cells } });

/** @returns the page that has a bit of everything */
export function fillWorkspace(store: NotionStore, world: World, now: number): StoredPage {
  const { user, colleague } = world;
  const person = (name: string, email: string) => ({
    object: 'user',
    id: personId,
    name,
    avatar_url: null,
    type: 'person',
    person: { email },
  });
  const home = store.addPage({
    title: 'How we list a home',
    at: now - 20 * day,
    text: [
      {
        type: 'callout',
        content: {
          ...text('Nothing goes online before the seller has signed.'),
          icon: { type: 'emoji', emoji: '📌' },
        },
      },
      heading('Before the photos'),
      todo('Keys copied, one set with Priya', true),
      todo('Seller’s disclosure signed', false, [point('Ask about the roof'), point('Ask about the well')]),
      heading('Who does what'),
      {
        type: 'table',
        content: { table_width: 3, has_column_header: true, has_row_header: false },
        children: [
          row('Step', 'Who', 'Days'),
          row('Photos', 'Lena | studio', '2'),
          row('Sign', 'Priya', '1'),
        ],
      },
      {
        type: 'toggle',
        content: text('When the seller lives elsewhere'),
        children: [line('Papers go by courier.', [point('Two copies')])],
      },
      {
        type: 'column_list',
        children: [
          { type: 'column', children: [line('Left: the town keeps the plan.')] },
          { type: 'column', children: [line('Right: the county keeps the deed.')] },
        ],
      },
      line([
        ...rich('Questions go to '),
        mention(`@${user.name}`, { type: 'user', user: person(user.name, user.email) }),
        ...rich([
          { text: { content: ', or ' } },
          { text: { content: 'the town hall', link: { url: 'https://town.example/plans' } } },
          { text: { content: '. ' } },
          { text: { content: 'Never' }, annotations: { bold: true } },
          { text: { content: ' by phone.' } },
        ]),
      ]),
      { type: 'code', content: { ...text('price / area'), language: 'plain text', caption: [] } },
      { type: 'equation', content: { expression: 'fee = 0.025 \\cdot p' } },
      { type: 'divider' },
      { type: 'synced_block', content: { synced_from: null }, children: [line('Office hours: 9 to 5.')] },
    ],
  });
  store.addPage({
    title: 'Monday meeting',
    parent: { type: 'page_id', page_id: home.id },
    at: now - 6 * day,
    text: [
      { type: 'heading_1', content: text('14 Heron Court') },
      { type: 'quote', content: text('Elena wants to see it once more before she decides.') },
      { type: 'numbered_list_item', content: text('Ask Celeste for Thursday') },
      { type: 'numbered_list_item', content: text('Bring the heat pump’s papers') },
    ],
  });
  const viewings = store.addDatabase({
    title: 'Viewings',
    parent: { type: 'page_id', page_id: home.id },
    columns: {
      Home: { type: 'title' },
      Status: { type: 'select', options: ['Planned', 'Done', 'Cancelled'] },
      On: { type: 'date' },
      Agent: { type: 'people' },
      Buyer: { type: 'email' },
      Offer: { type: 'number' },
      Tags: { type: 'multi_select', options: ['second visit', 'investor'] },
      Notes: { type: 'rich_text' },
      Keys: { type: 'checkbox' },
    },
  });
  const parent = {
    type: 'data_source_id',
    data_source_id: viewings.id,
    database_id: viewings.databaseId,
  } as const;
  const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const visits: [
    home: string,
    status: string,
    days: number,
    buyer: string,
    offer: number | null,
    notes: string,
  ][] = [
    [
      '14 Heron Court',
      'Done',
      -3,
      'elena.vasquez@mail.example',
      615000,
      'Liked the oak floors. No steps: good.',
    ],
    ['9 Juniper Court', 'Planned', 2, 'rosa@lindholm.example', null, 'Wants to see the orchard.'],
    ['41 Kelp Lane', 'Cancelled', -8, 'office@outside.example', null, ''],
  ];
  for (const [title, status, days, buyer, offer, notes] of visits) {
    const agent = days < 0 ? colleague : user;
    store.addPage({
      title,
      parent,
      at: now - 4 * day,
      values: {
        Status: { type: 'select', select: { id: status, name: status, color: 'default' } },
        On: { type: 'date', date: { start: iso(now + days * day), end: null, time_zone: null } },
        Agent: { type: 'people', people: [person(agent.name, agent.email)] },
        Buyer: { type: 'email', email: buyer },
        Offer: { type: 'number', number: offer },
        Tags: { type: 'multi_select', multi_select: [] },
        Notes: { type: 'rich_text', rich_text: rich(notes) },
        Keys: { type: 'checkbox', checkbox: days < 0 },
      },
      text: notes === '' ? [] : [line(`After the visit: ${notes}`)],
    });
  }
  return home;
}
