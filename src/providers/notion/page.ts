// One page as it is shown and kept: its values, its blocks as markdown, and what of it was left out.
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { send } from '../request.ts';
import { type Bounds, treeOf } from './blocks.ts';
import { http } from './http.ts';
import { markdownOf } from './markdown.ts';
import { peopleOf, propertiesOf, titleOf } from './properties.ts';
import { type Block, type Page, page, timeOf } from './shapes.ts';

/** Of a page in memory: 30 s of calls at most. */
const kept: Bounds = { calls: 90, depth: 12 };
/** Characters: a book. */
const longest = 400_000;

/** @throws DrawbridgeError `not_found` */
export function getPage(context: ProviderContext, id: string): Promise<Page> {
  return send(context, http, { method: 'GET', path: '/v1/pages/{id}', params: { id }, output: page });
}

/** @throws DrawbridgeError `not_found`; `conflict` where it lies in the trash */
export async function livePage(context: ProviderContext, id: string): Promise<Page> {
  const found = await getPage(context, id);
  if (found.in_trash !== true) return found;
  throw new DrawbridgeError('conflict', `The page “${titleOf(found)}” lies in the trash of Notion.`, {
    retry: 'ask',
  });
}

/** The blocks of a page, or one block with what stands within it, as markdown. `cut`: what is missing, in a sentence. */
export async function textOf(
  context: ProviderContext,
  root: string | Block,
  bounds: Bounds,
): Promise<{ text: string; cut?: string }> {
  const { nodes, cut } = await treeOf(context, root, bounds);
  const whole = markdownOf(nodes);
  const cuts = [cut, whole.length > longest ? `its first ${longest} characters are shown` : undefined];
  const told = cuts.filter((one) => one !== undefined).join('; ');
  return { text: whole.slice(0, longest), ...(told === '' ? {} : { cut: told }) };
}

/** @throws DrawbridgeError `not_found` where it is there no more */
export async function recordOf(context: ProviderContext, one: Page): Promise<SourceRecord> {
  const title = titleOf(one);
  const { text, cut } = await textOf(context, one.id, kept);
  const values = Object.entries(propertiesOf(one)).map(([name, value]) => `- ${name}: ${flat(value)}`);
  const parts = [
    `# ${flat(title)}`,
    values.join('\n'),
    text,
    cut === undefined ? '' : `(Not all of this page is here: ${cut}.)`,
  ];
  const at = timeOf(one.last_edited_time);
  const people = peopleOf(one);
  return {
    externalId: one.id,
    kind: 'page',
    mediaType: 'text/markdown',
    raw: Buffer.from(parts.filter((part) => part !== '').join('\n\n')),
    title,
    ...(at === undefined ? {} : { writtenAt: at }),
    // A page that was opened and left as it was is edited, to Notion.
    volatile: ['writtenAt'],
    ...(one.url === undefined ? {} : { url: one.url }),
    ...(people.length === 0 ? {} : { people }),
  };
}

const flat = (words: string): string => words.replace(/\s*\n\s*/g, ' ');
