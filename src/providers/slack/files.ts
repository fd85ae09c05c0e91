// A file in a conversation: its bytes where memory reads them (text, PDF, Office, HTML), else its facts.
// https://docs.slack.dev/reference/objects/file-object
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { type RecordMediaType, recordMediaTypes, type SourceRecord, type Structured } from '../record.ts';
import { refusalOf, send } from '../request.ts';
import { http } from './http.ts';
import { type RawFile, rawFile } from './shapes.ts';

const host = 'files.slack.com';
/** What is read of one file. Bytes. */
const fileLimit = 10 * 1024 * 1024;

/** Read as they are; other texts are plain. */
const whole =
  /^(text\/(html|markdown|vtt)|application\/(pdf|x-subrip|vnd\.openxmlformats-officedocument\..+))$/;

/** As what memory reads it; undefined where it reads none of it. */
export function wayOf({ mimetype, mode }: RawFile): RecordMediaType | undefined {
  const type = (mimetype ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (whole.test(type)) return recordMediaTypes.find((known) => known === type);
  const readable = mode === 'snippet' || type === 'application/json' || /^text\/(?!rtf$)/.test(type);
  return readable ? 'text/plain' : undefined;
}

/** Whether Slack keeps it, and shows it to this account. */
function isHere({ mode, is_external, file_access }: RawFile): boolean {
  const hidden = ['tombstone', 'hidden_by_limit', 'external', 'space', 'canvas'].includes(mode ?? '');
  return !hidden && is_external !== true && (file_access ?? 'visible') === 'visible';
}

/** What there is to be told of a file: its bytes or, of any that is not read, its facts. */
export async function fileRecord(
  context: ProviderContext,
  file: RawFile,
  base: Pick<SourceRecord, 'externalId' | 'threadId' | 'readers' | 'labels' | 'people'> & {
    writtenAt: number;
  },
): Promise<SourceRecord> {
  const name = nameOf(file);
  const about = {
    ...base,
    kind: 'file',
    title: name,
    ...(file.permalink == null ? {} : { url: file.permalink }),
  } as const;
  const mediaType = wayOf(file);
  if (mediaType !== undefined && isHere(file) && (file.size ?? 0) <= fileLimit) {
    try {
      return { ...about, mediaType, raw: await bytesOf(context, file) };
    } catch (error) {
      if (!(error instanceof DrawbridgeError)) throw error;
      // Its facts can be had all the same; what passes is waited for.
      const own = ['permission_denied', 'not_found', 'invalid_request', 'malformed_response'];
      if (!own.includes(error.code)) throw error;
      context.log.info({ err: error, file: file.id }, 'the text of a file could not be read');
    }
  }
  const { mimetype, size } = file;
  const facts: Structured = {
    title: name,
    facts: { ...(mimetype == null ? {} : { mediaType: mimetype }), ...(size == null ? {} : { size }) },
  };
  return { ...about, mediaType: 'application/json', raw: Buffer.from(JSON.stringify(facts)) };
}

export const nameOf = ({ name, title, id }: RawFile): string =>
  [name, title].find((one) => one != null && one !== '') ?? id;

/**
 * Its bytes, with the bearer: from Slack's own host for files and no other, whatever the file says.
 * @throws DrawbridgeError
 */
export async function bytesOf(
  context: ProviderContext,
  { url_private: address }: RawFile,
): Promise<Uint8Array> {
  const url = URL.parse(address ?? '');
  if (url === null || url.protocol !== 'https:' || url.host !== host || url.username !== '') {
    throw new DrawbridgeError(
      'permission_denied',
      'The file is kept somewhere else than at Slack: not read.',
    );
  }
  const { signal } = context;
  const response = await context.fetch(url, {
    redirect: 'manual',
    maxBytes: fileLimit,
    ...(signal === undefined ? {} : { signal }),
  });
  const { status, headers } = response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Whom it does not let in Slack sends to its page of sign-in.
  if (status >= 300 && status < 400) {
    throw new DrawbridgeError('permission_denied', 'Slack does not give this account the file.');
  }
  const refused = refusalOf(http, { status, headers, body: undefined }, host, context.clock.now());
  if (refused !== undefined) throw refused;
  return bytes;
}

/** https://docs.slack.dev/reference/methods/files.info */
export async function fileOf(context: ProviderContext, file: string): Promise<RawFile> {
  const { file: found } = await send(context, http, {
    method: 'GET',
    path: '/files.info',
    query: { file },
    output: z.object({ file: rawFile }),
  });
  return found;
}
