// One record of any media type to its normalised form; what the feed or import knew overrides what the
// payload says.
import type { SourceRecord } from '../../providers/record.ts';
import { readCalendar } from './calendar.ts';
import { cleanLine } from './clean.ts';
import { readMail } from './mail.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { cleanPeople, readStructured } from './structured.ts';
import { readMarkdown, readPlain } from './text.ts';

/** What a document's text is cut to: longer ones are archives, not documents. UTF-16 units. */
const maxTextLength = 5_000_000;

async function read(record: SourceRecord): Promise<Normalised> {
  switch (record.mediaType) {
    case 'message/rfc822':
      return readMail(record.raw);
    case 'text/calendar':
      return readCalendar(record.raw);
    case 'text/markdown':
      return readMarkdown(record.raw);
    case 'text/plain':
      return readPlain(record.raw);
    case 'application/json':
      return readStructured(record.raw, record.kind);
    default:
      throw new UnreadableRecord(`media type ${String(record.mediaType)} is not one that can be read`);
  }
}

/** @throws UnreadableRecord with the reason, for a record that cannot be read at all */
export async function normalise(record: SourceRecord): Promise<Normalised> {
  const found = await read(record);
  const title = record.title === undefined ? found.title : cleanLine(record.title);
  if (found.text.length > maxTextLength) {
    throw new UnreadableRecord(`is longer than ${maxTextLength} characters: split it into parts`);
  }
  return {
    ...found,
    title,
    people: record.people === undefined ? found.people : cleanPeople(record.people),
    ...(record.threadId === undefined ? {} : { threadId: record.threadId }),
    ...(record.url === undefined ? {} : { url: record.url }),
    ...(record.writtenAt === undefined ? {} : { writtenAt: record.writtenAt }),
  };
}
