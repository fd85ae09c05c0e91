// What is asked of Google Drive: files by words, one file's facts, its text, its bytes.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { readOperation } from '../define.ts';
import { ask } from '../google.ts';
import {
  bytesOf,
  type DriveFile,
  driveOf,
  fileFields,
  idForm,
  isNative,
  needed,
  quoted,
  textLimit,
  textWay,
} from './client.ts';

/** What a download may weigh: it stands in an answer, as Base64. Bytes. */
const downloadLimit = 8 * 1024 * 1024;
const mostText = 100_000;

const id = z.string().regex(idForm).describe('Id of the file');
const shown = z.object({
  id: z.string(),
  name: z.string(),
  mediaType: z.string(),
  description: z.string().optional(),
  /** ISO 8601. */
  modified: z.string().optional(),
  /** Bytes; Google's own kinds have none. */
  size: z.number().int().optional(),
  owner: z.string().optional(),
  folder: z.string().optional(),
  url: z.string().optional(),
  trashed: z.boolean().optional(),
});

export const search = readOperation({
  effect: 'read',
  title: 'Search files',
  description: 'Finds files by words in their name or text, newest first; without words the newest.',
  input: z.object({
    query: z.string().trim().max(500).optional().describe('Words in the name or the text'),
    folder: z.string().regex(idForm).optional().describe('Id of a folder: only what lies in it'),
    mediaType: z
      .string()
      .regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i)
      .optional(),
    limit: z.number().int().min(1).max(100).default(20),
    pageToken: z.string().max(2000).optional().describe('nextPage of the answer before'),
  }),
  output: z.object({ files: z.array(shown), nextPage: z.string().optional() }),
  async run(context, { query, folder, mediaType, limit, pageToken }) {
    const client = await driveOf(context);
    const words = query === undefined || query === '' ? undefined : quoted(query);
    const conditions = [
      'trashed = false',
      ...(words === undefined ? [] : [`(name contains ${words} or fullText contains ${words})`]),
      ...(folder === undefined ? [] : [`${quoted(folder)} in parents`]),
      ...(mediaType === undefined ? [] : [`mimeType = ${quoted(mediaType)}`]),
    ];
    const answer = await ask(() =>
      client.files.list({
        q: conditions.join(' and '),
        pageSize: limit,
        fields: `nextPageToken,files(${fileFields})`,
        // Google orders by its own judgement where it searches text.
        ...(words === undefined ? { orderBy: 'modifiedTime desc' } : {}),
        ...(pageToken === undefined ? {} : { pageToken }),
      }),
    );
    return {
      files: (answer.files ?? []).map(fileShown),
      ...(typeof answer.nextPageToken === 'string' ? { nextPage: answer.nextPageToken } : {}),
    };
  },
});

export const get = readOperation({
  effect: 'read',
  title: 'Read a file’s facts',
  description: 'Name, kind, size, owner, folder and link of one file.',
  input: z.object({ id }),
  output: shown,
  async run(context, input) {
    const client = await driveOf(context);
    return fileShown(await ask(() => client.files.get({ fileId: input.id, fields: fileFields })));
  },
});

export const text = readOperation({
  effect: 'read',
  title: 'Read a file’s text',
  description: 'A document as Markdown, the first sheet of a table as CSV, slides and text files as text.',
  input: z.object({ id }),
  output: z.object({ id: z.string(), name: z.string(), mediaType: z.string(), text: z.string() }),
  async run(context, input) {
    const client = await driveOf(context);
    const fields = 'id,name,mimeType';
    const file = await ask(() => client.files.get({ fileId: input.id, fields }));
    const way = textWay(file.mimeType);
    if (way === undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        `id: a file of the kind ${file.mimeType ?? 'unknown'} has no text that can be read here; \`download\` gives its bytes.`,
        { field: 'id' },
      );
    }
    const bytes = await bytesOf(context, { id: input.id, as: way.export }, textLimit);
    const whole = bytes.toString('utf8').replace(/^\uFEFF/, '');
    return {
      id: input.id,
      name: file.name ?? '',
      mediaType: way.export ?? file.mimeType ?? way.record,
      text:
        whole.length > mostText
          ? `${whole.slice(0, mostText)}\n[cut: ${whole.length} characters in all]`
          : whole,
    };
  },
});

const formats = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  markdown: 'text/markdown',
  csv: 'text/csv',
  text: 'text/plain',
} as const;

export const download = readOperation({
  effect: 'read',
  title: 'Download a file',
  description:
    'A file’s bytes as Base64; one of Google’s own kinds in the form that `format` names. 8 MB at most.',
  input: z.object({
    id,
    format: z
      .enum(Object.keys(formats) as [keyof typeof formats])
      .optional()
      .describe('For Google’s own kinds'),
  }),
  output: z.object({
    id: z.string(),
    name: z.string(),
    mediaType: z.string(),
    size: z.number().int(),
    base64: z.string(),
  }),
  async run(context, input) {
    const client = await driveOf(context);
    const file = await ask(() => client.files.get({ fileId: input.id, fields: 'id,name,mimeType' }));
    const native = isNative(file.mimeType);
    if (native && input.format === undefined) {
      throw new DrawbridgeError('invalid_request', 'format: this file is exported; name the form.', {
        field: 'format',
      });
    }
    const as = native && input.format !== undefined ? formats[input.format] : undefined;
    const bytes = await bytesOf(context, { id: input.id, as }, downloadLimit);
    return {
      id: input.id,
      name: file.name ?? '',
      mediaType: as ?? file.mimeType ?? 'application/octet-stream',
      size: bytes.length,
      base64: bytes.toString('base64'),
    };
  },
});

function fileShown(file: DriveFile): z.infer<typeof shown> {
  const size = Number(file.size ?? Number.NaN);
  const owner = file.owners?.[0];
  return {
    id: needed(file.id, 'id'),
    name: file.name ?? '',
    mediaType: file.mimeType ?? 'application/octet-stream',
    description: file.description ?? undefined,
    modified: file.modifiedTime ?? undefined,
    size: Number.isInteger(size) ? size : undefined,
    owner: owner?.displayName ?? owner?.emailAddress ?? undefined,
    folder: file.parents?.[0] ?? undefined,
    url: file.webViewLink ?? undefined,
    trashed: file.trashed ?? undefined,
  };
}
