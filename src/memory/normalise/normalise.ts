// One record of any media type to its normalised form; what the feed or import knew overrides what the
// payload says.
import type { SourceRecord } from '../../providers/record.ts';
import { readCalendar } from './calendar.ts';
import { cleanLine } from './clean.ts';
import { readMail } from './mail.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { cleanPeople, readStructured } from './structured.ts';
import { readMarkdown, readPlain } from './text.ts';
import { readCaptions, readSpoken } from './transcript.ts';
import { trueType } from './true-type.ts';

/** What a document's text is cut to: longer ones are archives, not documents. UTF-16 units. */
const maxTextLength = 5_000_000;

async function read(record: SourceRecord): Promise<Normalised> {
  const mediaType = trueType(record.raw, record.mediaType);
  switch (mediaType) {
    case 'message/rfc822':
      return readMail(record.raw);
    case 'text/calendar':
      return readCalendar(record.raw);
    case 'text/markdown':
      return readMarkdown(record.raw);
    case 'text/plain':
      return (record.kind === 'transcript' ? readSpoken(record.raw) : undefined) ?? readPlain(record.raw);
    case 'text/vtt':
    case 'application/x-subrip':
      return readCaptions(record.raw);
    case 'application/json':
      return readStructured(record.raw, record.kind);
    // Those below bring large parsers, which are loaded where there is something to parse.
    case 'text/vcard':
      return (await import('./vcard.ts')).readCards(record.raw);
    case 'text/html':
      return (await import('./web-page.ts')).readPage(record.raw);
    case 'application/pdf':
      return (await import('./pdf.ts')).readPdf(record.raw);
    case 'application/vnd.openxmlformats-officedocument.wordprocessingml.document':
    case 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet':
    case 'application/vnd.openxmlformats-officedocument.presentationml.presentation':
      return (await import('./office/office.ts')).readOffice(record.raw, mediaType);
    default:
      throw new UnreadableRecord(`media type ${String(mediaType)} is not one that can be read`);
  }
}

/** The title that the content has, and the file's name beside it: people ask for either. */
function titleOf(found: string, fileName: string | undefined): string {
  const name = cleanLine(fileName ?? '').slice(0, 200);
  const stem = name.replace(/\.[^.]{1,8}$/u, '');
  const words = (text: string) =>
    ` ${
      text
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu)
        ?.join(' ') ?? ''
    } `;
  if (name === '' || words(found).includes(words(stem))) return found;
  return found === '' ? name : `${found} (${name})`;
}

/** @throws UnreadableRecord with the reason, for a record that cannot be read at all */
export async function normalise(record: SourceRecord): Promise<Normalised> {
  const found = await read(record);
  const title = record.title === undefined ? titleOf(found.title, record.fileName) : cleanLine(record.title);
  if (found.text.length > maxTextLength) {
    throw new UnreadableRecord(`is longer than ${maxTextLength} characters: split it into parts`);
  }
  const writtenAt = record.writtenAt ?? found.writtenAt ?? record.fileTime;
  return {
    ...found,
    title,
    ...(record.fileName === undefined
      ? {}
      : { facts: { ...found.facts, fileName: cleanLine(record.fileName) } }),
    people: record.people === undefined ? found.people : cleanPeople(record.people),
    ...(record.threadId === undefined ? {} : { threadId: record.threadId }),
    ...(record.url === undefined ? {} : { url: record.url }),
    ...(writtenAt === undefined ? {} : { writtenAt }),
  };
}
