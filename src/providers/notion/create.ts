// A page made anew: under a page, or as a row of a database, with its values and its text.
// https://developers.notion.com/reference/post-page
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type LiveRecord,
  type LookUp,
  type ProviderContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { sendWrite } from '../request.ts';
import { sourceOf } from './databases.ts';
import { http, notionId } from './http.ts';
import { getPage, livePage } from './page.ts';
import { assertTitle, blocksOf, titledRows, titledUnder } from './places.ts';
import { titleOf } from './properties.ts';
import { plain } from './rich-text.ts';
import { type DataSource, type Page, page } from './shapes.ts';
import { rowValues, textItems, valuesFor } from './values.ts';
import { appendRest, longestText, portionsOf } from './writing.ts';

const input = z.object({
  under: z.object({
    kind: z.enum(['page', 'database']),
    id: notionId,
    title: z.string().max(2000).describe('Its title, as `search` or `get-page` gives it'),
  }),
  title: z.string().trim().min(1).max(1000),
  text: z.string().max(longestText).default('').describe('Markdown'),
  properties: rowValues.default({}),
});
type Input = z.infer<typeof input>;

export const createPage = writeOperation<Input>({
  effect: 'create',
  version: 1,
  title: 'Create a page',
  description: 'A new page under a page, or a new row of a database with its values; its text from markdown.',
  idempotency: 'look-up',
  input,
  summary: ({ under, title, text, properties }, account) => {
    const values = Object.entries(properties).map(([name, value]) => `${name}: ${String(value)}`);
    const parts = [...values, ...(text === '' ? [] : [`${text.length} characters of text`])];
    const more = parts.length === 0 ? '' : ` (${parts.join(', ')})`;
    return `Create “${title}” in ${account}, ${under.kind === 'page' ? 'under the page' : 'in the database'} “${under.title}”${more}`;
  },
  validate({ under, properties }) {
    if (under.kind === 'database' || Object.keys(properties).length === 0) return;
    throw new DrawbridgeError('invalid_request', 'properties: only a row of a database has them', {
      field: 'properties',
    });
  },
  async before(context, payload) {
    await portionsOf(payload.text);
    const place = await placeOf(context, payload);
    // Columns and choices are held against the database before anybody is asked.
    if (place.source !== undefined) valuesFor(place.source, payload.properties, payload.title);
    return shownPlace(place, (await place.titled(payload.title))?.length);
  },
  checkMeant: ({ under }, { fields }) => assertTitle('under.title', under.title, fields['title']),
  compensation: {
    title: 'Move the page to the trash',
    operation: 'trash-page',
    payload: ({ title }, { reference }) => ({ id: reference, title }),
  },
  async run(context, payload) {
    const [first = [], ...rest] = await portionsOf(payload.text);
    const { source } = await placeOf(context, payload);
    const parent = source === undefined ? { page_id: payload.under.id } : { data_source_id: source.id };
    const made = await sendWrite(context, http, {
      method: 'POST',
      path: '/v1/pages',
      body: {
        parent,
        properties:
          source === undefined
            ? { title: { title: textItems(payload.title) } }
            : valuesFor(source, payload.properties, payload.title),
        ...(first.length === 0 ? {} : { children: first }),
      },
      output: page,
    });
    const { warning } = await appendRest(context, made.id, rest, first.length);
    return outcomeOf(made, payload.title, warning);
  },
  async lookUp(context, payload): Promise<LookUp> {
    const { title } = payload;
    const place = await placeOf(context, payload);
    const found = await place.titled(title);
    const before = context.before?.fields[sameTitle];
    const none = (evidence: string) => ({ found: false, conclusive: false, evidence }) as const;
    if (found === undefined || typeof before !== 'number') {
      return none(`There is too much in “${payload.under.title}” to tell whether “${title}” is new.`);
    }
    const fresh = found.slice(before).filter(({ ours }) => ours);
    const [made, ...more] = fresh;
    if (made === undefined)
      return none(`No new page “${title}” of ours is in “${payload.under.title}” (yet).`);
    if (more.length > 0) return none(`${fresh.length} new pages “${title}” of ours are there.`);
    const there = await getPage(context, made.id);
    const all = (await portionsOf(payload.text)).flat().length;
    const { blocks, whole } = await blocksOf(context, made.id);
    const isPart = whole && blocks.length < all;
    const warning = isPart ? `Of ${all} blocks ${blocks.length} are there.` : undefined;
    return { found: true, outcome: outcomeOf(there, title, warning) };
  },
});

const sameTitle = 'pages of this title there';

interface Place {
  title: string;
  url: string | undefined;
  source: DataSource | undefined;
  titled(title: string): ReturnType<typeof titledUnder>;
}

/** @throws DrawbridgeError `not_found`; `conflict` where it lies in the trash */
async function placeOf(context: ProviderContext, { under }: Input): Promise<Place> {
  if (under.kind === 'database') {
    const source = await sourceOf(context, under.id, 'under.id');
    return {
      title: plain(source.title) || 'Untitled',
      url: source.url,
      source,
      titled: (title) => titledRows(context, source, title),
    };
  }
  const parent = await livePage(context, under.id);
  return {
    title: titleOf(parent),
    url: parent.url,
    source: undefined,
    titled: (title) => titledUnder(context, under.id, title),
  };
}

function shownPlace({ title, url }: Place, known: number | undefined): LiveRecord {
  const counted = known === undefined ? {} : { [sameTitle]: known };
  const after = known === undefined ? {} : { [sameTitle]: known + 1 };
  return { title, ...(url === undefined ? {} : { url }), fields: { title, ...counted }, after };
}

function outcomeOf({ id, url }: Page, title: string, warning: string | undefined): WriteOutcome {
  return {
    reference: id,
    ...(url === undefined ? {} : { url }),
    details: { id, title },
    ...(warning === undefined ? {} : { warning }),
  };
}
