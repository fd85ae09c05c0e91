// Which reader reads which file: by its extension, and a mail folder or a PDF without one by its first bytes.
import { basename, extname } from 'node:path';
import type { ByteSource } from './byte-source.ts';
import { readIcs } from './calendar.ts';
import { readCards } from './cards.ts';
import { readTable } from './contacts.ts';
import { fileReaders } from './files.ts';
import type { Reader } from './item.ts';
import { readJsonLines } from './json-lines.ts';
import { readEml } from './mail.ts';
import { readMbox } from './mbox.ts';
import { readText } from './text.ts';

const byExtension: Readonly<Record<string, Reader>> = {
  '.mbox': readMbox,
  '.mbx': readMbox,
  '.eml': readEml,
  '.ics': readIcs,
  '.ical': readIcs,
  '.csv': readTable,
  '.tsv': readTable,
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.md': readText,
  '.markdown': readText,
  '.txt': readText,
  '.vcf': readCards,
  '.vcard': readCards,
  ...fileReaders,
};

/** What `import` reads, for help and for the reason of a skipped file. */
export const extensions = Object.keys(byExtension);

/** The reader of a file, or undefined when its format is not known. */
export async function readerOf(file: string, source: ByteSource): Promise<Reader | undefined> {
  const known = byExtension[extname(file).toLowerCase()];
  if (known !== undefined) return known;
  // Thunderbird's "Inbox", Apple Mail's "mbox": folders of mail whose names say nothing.
  if (extname(basename(file)) !== '') return undefined;
  const head = await source.read(0, 5);
  if (head.toString('latin1') === '%PDF-') return fileReaders['.pdf'];
  return head.toString('latin1') === 'From ' ? readMbox : undefined;
}
