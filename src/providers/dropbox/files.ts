// What Dropbox says of files and folders, how a file's text is had, and the hash by which two contents are the same.
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import type { RecordMediaType } from '../record.ts';
import { ifThere } from '../request.ts';
import { call, download } from './http.ts';

/** What is read of one file as text. Bytes. */
export const textLimit = 4 * 1024 * 1024;
/** What a file may weigh that memory reads out of its own bytes. */
export const fileLimit = 10 * 1024 * 1024;

const optional = z.string().optional().catch(undefined);
const named = {
  name: z.string(),
  /** Absent where it is in a folder that is not mounted: then it has no place. */
  path_lower: optional,
  path_display: optional,
};
const fileMetadata = z.object({
  '.tag': z.literal('file'),
  ...named,
  id: z.string(),
  rev: z.string(),
  size: z.number().int(),
  client_modified: optional,
  server_modified: optional,
  content_hash: optional,
  is_downloadable: z.boolean().default(true),
  export_info: z
    .object({ export_as: optional, export_options: z.array(z.string()).optional().catch(undefined) })
    .optional()
    .catch(undefined),
  sharing_info: z.object({ parent_shared_folder_id: z.string() }).optional(),
});
const folderMetadata = z.object({
  '.tag': z.literal('folder'),
  ...named,
  id: z.string(),
  /** `shared_folder_id`: it is itself one that is shared. */
  sharing_info: z.object({ shared_folder_id: optional }).optional(),
});
const deletedMetadata = z.object({ '.tag': z.literal('deleted'), ...named });
export type DropboxFile = z.infer<typeof fileMetadata>;

/** https://www.dropbox.com/developers/documentation/http/documentation#files-get_metadata */
export const metadata = z.discriminatedUnion('.tag', [fileMetadata, folderMetadata, deletedMetadata]);
export type Metadata = z.infer<typeof metadata>;

export const page = z.object({
  entries: z.array(metadata),
  cursor: z.string().min(1),
  has_more: z.boolean(),
});
export type Page = z.infer<typeof page>;

/** An uploaded or restored file comes without its tag. */
export const untagged = fileMetadata
  .omit({ '.tag': true })
  .transform((file) => ({ '.tag': 'file' as const, ...file }));

/** A place: `/Folder/File.txt`, whatever the case of its letters; never one that leads elsewhere (`.`, `..`). */
const mark = String.raw`/\\\u0000-\u001f\u007f`;
const place = String.raw`(?:/(?:\.?[^.${mark}][^${mark}]*|\.\.[^${mark}]+))+`;
const idForm = 'id:[A-Za-z0-9_-]{1,100}';
const written = 'write it as /Folder/File.txt, from the top, without . or .. in it';
const told = (forms: string, words: string) =>
  z
    .string()
    .max(4000)
    .regex(new RegExp(`^(?:${forms})$`, 'u'), words);
/** Of a file that is to be written. */
export const pathInput = told(place, written);
export const fileInput = told(`${place}|${idForm}`, `${written}; or name its id (id:…)`);
export const folderInput = told(`|${place}|${idForm}`, `${written}; or name its id (id:…); the top is empty`);

/** @throws DrawbridgeError `not_found`; `invalid_request` where it is a folder */
export async function fileAt(context: ProviderContext, at: string): Promise<DropboxFile> {
  const found = await call(context, '/files/get_metadata', { path: at }, metadata);
  if (found['.tag'] === 'file') return found;
  throw new DrawbridgeError(
    'invalid_request',
    `path: there is a folder at ${at}, and no file; \`list\` shows what is in it.`,
    {
      field: 'path',
    },
  );
}

/** Undefined: there is no file. @throws DrawbridgeError */
export async function fileIfThere(context: ProviderContext, at: string): Promise<DropboxFile | undefined> {
  const found = await ifThere(call(context, '/files/get_metadata', { path: at }, metadata));
  return found?.['.tag'] === 'file' ? found : undefined;
}

const office = 'application/vnd.openxmlformats-officedocument.';
/** Dropbox tells no media type: the ending does. `whole`: memory reads it out of its own bytes. */
const endings: Record<string, { media: string; record: RecordMediaType; whole?: true }> = {
  md: { media: 'text/markdown', record: 'text/markdown' },
  markdown: { media: 'text/markdown', record: 'text/markdown' },
  csv: { media: 'text/csv', record: 'text/plain' },
  json: { media: 'application/json', record: 'text/plain' },
  vtt: { media: 'text/vtt', record: 'text/vtt' },
  srt: { media: 'application/x-subrip', record: 'application/x-subrip' },
  ...Object.fromEntries(
    ['txt', 'text', 'tsv', 'log', 'xml', 'yaml', 'yml', 'ini', 'rst', 'org', 'tex'].map((ending) => [
      ending,
      { media: 'text/plain', record: 'text/plain' as const },
    ]),
  ),
  html: { media: 'text/html', record: 'text/html', whole: true },
  htm: { media: 'text/html', record: 'text/html', whole: true },
  pdf: { media: 'application/pdf', record: 'application/pdf', whole: true },
  docx: wholly(`${office}wordprocessingml.document`),
  xlsx: wholly(`${office}spreadsheetml.sheet`),
  pptx: wholly(`${office}presentationml.presentation`),
};

function wholly(type: RecordMediaType) {
  return { media: type, record: type, whole: true } as const;
}

const endingOf = (name: string): string => posix.extname(name).slice(1).toLowerCase();

export interface Way {
  /** What the file is exported to; undefined: it is downloaded as it is. */
  exported: string | undefined;
  /** Of the bytes that come; undefined where it has no text that is read here. */
  text: (typeof endings)[string] | undefined;
}

/** How the bytes of a file are had, and what they are. Paper and Google's documents can only be exported. */
export function wayOf({ name, is_downloadable, export_info }: DropboxFile): Way {
  if (is_downloadable) return { exported: undefined, text: endings[endingOf(name)] };
  const exported =
    export_info?.export_options?.includes('markdown') === true ? 'markdown' : export_info?.export_as;
  return { exported: exported ?? '', text: endings[exported ?? ''] };
}

/** @throws DrawbridgeError; `malformed_response` when larger than `limit` bytes */
export async function bytesOf(context: ProviderContext, file: DropboxFile, limit: number): Promise<Buffer> {
  const { exported } = wayOf(file);
  if (exported === undefined) return download(context, '/files/download', { path: file.id }, limit);
  const format = exported === '' ? {} : { export_format: exported };
  return download(context, '/files/export', { path: file.id, ...format }, limit);
}

const blockBytes = 4 * 1024 * 1024;
/** SHA-256 over the SHA-256 of each 4 MB, in hex. https://www.dropbox.com/developers/reference/content-hash */
export function contentHash(bytes: Uint8Array): string {
  const whole = createHash('sha256');
  for (let at = 0; at < bytes.length; at += blockBytes) {
    whole.update(
      createHash('sha256')
        .update(bytes.subarray(at, at + blockBytes))
        .digest(),
    );
  }
  return whole.digest('hex');
}

/** Its page at Dropbox; known, not verified. */
export function pageOf({ path_display, name }: Metadata): string | undefined {
  if (path_display === undefined) return undefined;
  const folder = posix.dirname(path_display).split('/').map(encodeURIComponent).join('/');
  return `https://www.dropbox.com/home${folder === '/' ? '' : folder}?preview=${encodeURIComponent(name)}`;
}

export const shown = z.object({
  kind: z.enum(['file', 'folder']),
  id: z.string(),
  name: z.string(),
  path: z.string().optional(),
  /** Of a file alone, like what follows. */
  mediaType: z.string().optional(),
  /** Bytes. */
  size: z.number().int().optional(),
  /** ISO 8601. */
  modified: z.string().optional(),
  /** What a change or deletion must name. */
  rev: z.string().optional(),
  contentHash: z.string().optional(),
  url: z.string().optional(),
});

/** Undefined for what is deleted. */
export function entryShown(entry: Metadata): z.infer<typeof shown> | undefined {
  if (entry['.tag'] === 'deleted') return undefined;
  const base = { id: entry.id, name: entry.name, path: entry.path_display ?? entry.path_lower };
  if (entry['.tag'] === 'folder') return { kind: 'folder', ...base };
  return {
    kind: 'file',
    ...base,
    mediaType: wayOf(entry).text?.media ?? 'application/octet-stream',
    size: entry.size,
    modified: entry.server_modified,
    rev: entry.rev,
    contentHash: entry.content_hash,
    url: pageOf(entry),
  };
}
