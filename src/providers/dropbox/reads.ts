// What is asked of Dropbox: a folder's entries, files by words, one file's facts, its text, its bytes.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { readOperation } from '../define.ts';
import {
  bytesOf,
  entryShown,
  fileAt,
  fileInput,
  folderInput,
  metadata,
  page,
  shown,
  textLimit,
  wayOf,
} from './files.ts';
import { call } from './http.ts';

/** What a download may weigh: it stands in an answer, as Base64. Bytes. */
const downloadLimit = 8 * 1024 * 1024;
const mostText = 100_000;

const path = fileInput.describe('Path (/Folder/File.txt, in any case) or id (id:…) of the file');
const folder = folderInput.describe('Path or id of a folder');
const limit = z.number().int().min(1).max(100).default(20);
const pageToken = z.string().min(1).max(4000).optional().describe('nextPage of the answer before');
const entries = z.object({ entries: z.array(shown), nextPage: z.string().optional() });

const shownOf = (given: readonly z.infer<typeof metadata>[]) =>
  given.map(entryShown).filter((entry) => entry !== undefined);

export const list = readOperation({
  effect: 'read',
  title: 'List a folder',
  description: 'The files and folders directly in a folder; without a folder those at the top.',
  input: z.object({ folder: folder.default(''), limit, pageToken }),
  output: entries,
  async run(context, input) {
    const found =
      input.pageToken === undefined
        ? await call(context, '/files/list_folder', { path: input.folder, limit: input.limit }, page)
        : await call(context, '/files/list_folder/continue', { cursor: input.pageToken }, page);
    return { entries: shownOf(found.entries), ...(found.has_more ? { nextPage: found.cursor } : {}) };
  },
});

const matches = z.object({
  matches: z.array(z.object({ metadata: z.object({ '.tag': z.string(), metadata: metadata.optional() }) })),
  has_more: z.boolean(),
  cursor: z.string().optional(),
});

export const search = readOperation({
  effect: 'read',
  title: 'Search files',
  description:
    'Finds files and folders by words in their name or text. Dropbox may know a new file a little later.',
  input: z.object({
    query: z.string().trim().min(1).max(1000).describe('Words in the name or the text'),
    folder: folder.optional().describe('Only what lies in it'),
    limit,
    pageToken,
  }),
  output: entries,
  async run(context, input) {
    const options = {
      max_results: input.limit,
      ...(input.folder === undefined || input.folder === '' ? {} : { path: input.folder }),
    };
    const found =
      input.pageToken === undefined
        ? await call(context, '/files/search_v2', { query: input.query, options }, matches)
        : await call(context, '/files/search/continue_v2', { cursor: input.pageToken }, matches);
    const files = found.matches.flatMap((match) => match.metadata.metadata ?? []);
    const next = found.has_more ? found.cursor : undefined;
    return { entries: shownOf(files), ...(next === undefined ? {} : { nextPage: next }) };
  },
});

export const get = readOperation({
  effect: 'read',
  title: 'Read a file’s facts',
  description: 'Name, path, kind, size, revision and link of one file or folder.',
  input: z.object({ path }),
  output: shown,
  async run(context, input) {
    const found = entryShown(await call(context, '/files/get_metadata', { path: input.path }, metadata));
    if (found === undefined)
      throw new DrawbridgeError('not_found', `There is nothing at ${input.path} any more.`);
    return found;
  },
});

const asText = z.object({ path: z.string(), name: z.string(), mediaType: z.string(), text: z.string() });

export const text = readOperation({
  effect: 'read',
  title: 'Read a file’s text',
  description: 'A text, Markdown, CSV or caption file as it is; a Paper document as Markdown.',
  input: z.object({ path }),
  output: asText,
  async run(context, input) {
    const file = await fileAt(context, input.path);
    const way = wayOf(file).text;
    if (way === undefined || way.whole === true) {
      throw new DrawbridgeError(
        'invalid_request',
        'path: a file of this kind has no text that can be read here; `download` gives its bytes, and a search of what is synced its words.',
        { field: 'path' },
      );
    }
    const bytes = await bytesOf(context, file, textLimit);
    const whole = bytes.toString('utf8').replace(/^\uFEFF/, '');
    return {
      path: file.path_display ?? input.path,
      name: file.name,
      mediaType: way.media,
      text:
        whole.length > mostText
          ? `${whole.slice(0, mostText)}\n[cut: ${whole.length} characters in all]`
          : whole,
    };
  },
});

export const download = readOperation({
  effect: 'read',
  title: 'Download a file',
  description: 'A file’s bytes as Base64; a Paper or Google document exported. 8 MB at most.',
  input: z.object({ path }),
  output: asText.omit({ text: true }).extend({ size: z.number().int(), base64: z.string() }),
  async run(context, input) {
    const file = await fileAt(context, input.path);
    const bytes = await bytesOf(context, file, downloadLimit);
    return {
      path: file.path_display ?? input.path,
      name: file.name,
      mediaType: wayOf(file).text?.media ?? 'application/octet-stream',
      size: bytes.length,
      base64: bytes.toString('base64'),
    };
  },
});
