// Text put at the end of a page, and taken off again.
// https://developers.notion.com/reference/patch-block-children
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type LookUp, type WriteOutcome, writeOperation } from '../define.ts';
import { sendWrite } from '../request.ts';
import { http, notionId } from './http.ts';
import { livePage } from './page.ts';
import { assertTitle, blocksOf, places, saidBy } from './places.ts';
import { titleOf } from './properties.ts';
import { block, type Page } from './shapes.ts';
import { appendOne, appendRest, longestText, portionsOf } from './writing.ts';

const pageTitle = z.string().max(2000).describe('Title of the page, as `get-page` gives it');
const appending = z.object({
  page: notionId,
  title: pageTitle,
  text: z.string().trim().min(1).max(longestText).describe('Markdown'),
});
type Appending = z.infer<typeof appending>;

const copies = 'times that this text is there';
/** Each is a call. */
const mostRemoved = 100;

export const append = writeOperation<Appending>({
  effect: 'update',
  version: 1,
  title: 'Add text to a page',
  description: 'Puts text from markdown at the end of a page; what is there stays.',
  idempotency: 'look-up',
  input: appending,
  summary: ({ title, text }, account) =>
    `Add to “${title}” in ${account}: “${begin(text)}” (${text.length} characters)`,
  async before(context, { page, text }) {
    const wanted = (await portionsOf(text)).flat().map(saidBy);
    const found = await livePage(context, page);
    const { blocks, whole } = await blocksOf(context, page);
    const known = whole ? places(blocks.map(saidBy), wanted).length : undefined;
    const title = titleOf(found);
    return {
      title,
      ...(found.url === undefined ? {} : { url: found.url }),
      fields: { title, ...(known === undefined ? {} : { [copies]: known }) },
      after: known === undefined ? {} : { [copies]: known + 1 },
    };
  },
  checkMeant: ({ title }, { fields }) => assertTitle('title', title, fields['title']),
  compensation: {
    title: 'Take the text off again',
    operation: 'remove-blocks',
    payload: ({ page, title }, { details }) => {
      const back = removing.safeParse({ page, title, blocks: details['blocks'] });
      return back.success ? back.data : undefined;
    },
  },
  async run(context, { page, text }) {
    const [first = [], ...rest] = await portionsOf(text);
    const found = await livePage(context, page);
    const ids = await appendOne(context, page, first);
    const { ids: more, warning } = await appendRest(context, page, rest, first.length);
    return outcomeOf(found, [...ids, ...more], warning);
  },
  async lookUp(context, { page, text }): Promise<LookUp> {
    const portions = await portionsOf(text);
    const wanted = portions.flat().map(saidBy);
    const first = (portions[0] ?? []).map(saidBy);
    const [found, { blocks, whole }] = [await livePage(context, page), await blocksOf(context, page)];
    const there = blocks.map(saidBy);
    const before = context.before?.fields[copies];
    const none = (evidence: string) => ({ found: false, conclusive: false, evidence }) as const;
    if (!whole || typeof before !== 'number')
      return none('The page is too long to tell whether the text is new.');
    const at = places(there, wanted);
    const last = at.at(-1);
    if (at.length > before && last !== undefined) {
      const ids = blocks.slice(last, last + wanted.length).map(({ id }) => id);
      return { found: true, outcome: outcomeOf(found, ids, undefined) };
    }
    if (portions.length > 1 && places(there, first).length > 0) {
      return none('The beginning of the text is on the page, and not all of it: a person must look.');
    }
    return none('The text is not on the page (yet) more often than before.');
  },
});

function outcomeOf({ id, url }: Page, blocks: string[], warning: string | undefined): WriteOutcome {
  return {
    reference: id,
    ...(url === undefined ? {} : { url }),
    details: { page: id, blocks },
    ...(warning === undefined ? {} : { warning }),
  };
}

const begin = (text: string): string => {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
};

const removing = z.object({
  page: notionId,
  title: pageTitle,
  blocks: z.array(notionId).min(1).max(mostRemoved).describe('Ids of blocks at the top of the page'),
});
type Removing = z.infer<typeof removing>;

/** https://developers.notion.com/reference/delete-a-block */
export const removeBlocks = writeOperation<Removing>({
  effect: 'delete',
  version: 1,
  title: 'Remove blocks from a page',
  description:
    'Takes blocks off a page, with what stands within them. In Notion they can be restored from its history.',
  idempotency: 'look-up',
  input: removing,
  summary: ({ title, blocks }, account) =>
    `Remove ${blocks.length} block${blocks.length === 1 ? '' : 's'} from “${title}” in ${account}`,
  async before(context, { page, blocks: wanted }) {
    const found = await livePage(context, page);
    const { blocks } = await blocksOf(context, page);
    const there = blocks.filter(({ id }) => wanted.includes(id));
    if (there.length < wanted.length) {
      throw new DrawbridgeError(
        'conflict',
        `blocks: ${wanted.length - there.length} of them are not on the page.`,
        {
          field: 'blocks',
          retry: 'ask',
        },
      );
    }
    const says = there.map(saidBy).map((words) => words.slice(words.indexOf(' ') + 1));
    const title = titleOf(found);
    return {
      title,
      ...(found.url === undefined ? {} : { url: found.url }),
      fields: { title, text: says.join('\n').slice(0, 10_000) },
      after: { text: '' },
    };
  },
  checkMeant: ({ title }, { fields }) => assertTitle('title', title, fields['title']),
  async run(context, { page, blocks }) {
    let removed = 0;
    for (const id of blocks) {
      try {
        await sendWrite(context, http, {
          method: 'DELETE',
          path: '/v1/blocks/{id}',
          params: { id },
          output: block,
        });
      } catch (error) {
        if (removed === 0) throw error;
        const why = error instanceof Error ? error.message : 'unknown';
        const warning = `${removed} of ${blocks.length} blocks are removed; the next one is not, or nobody knows: ${why}`;
        return { reference: page, details: { page, removed }, warning };
      }
      removed += 1;
    }
    return { reference: page, details: { page, removed } };
  },
  async lookUp(context, { page, blocks: wanted }): Promise<LookUp> {
    const { blocks, whole } = await blocksOf(context, page);
    const left = blocks.filter(({ id }) => wanted.includes(id)).length;
    if (left === 0 && whole) {
      return { found: true, outcome: { reference: page, details: { page, removed: wanted.length } } };
    }
    return {
      found: false,
      conclusive: false,
      evidence: `${left} of ${wanted.length} blocks are on the page.`,
    };
  },
});
