// Which reader reads which file: by its extension, and mail or a PDF without one by where it lies and its first bytes.
import { basename, dirname, extname } from 'node:path';
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
  if (await isStoredMail(file, source)) return readEml;
  // Thunderbird's "Inbox", Apple Mail's "mbox": folders of mail whose names say nothing.
  if (extname(basename(file)) !== '') return undefined;
  const head = await source.read(0, 5);
  if (head.toString('latin1') === '%PDF-') return fileReaders['.pdf'];
  return head.toString('latin1') === 'From ' ? readMbox : undefined;
}

/** A mail as servers and older programs keep it: a file of a Maildir, whose name ends in flags, or a number in an MH folder. */
async function isStoredMail(file: string, source: ByteSource): Promise<boolean> {
  const inMaildir = ['cur', 'new'].includes(basename(dirname(file)));
  if (!inMaildir && !/^\d+$/u.test(basename(file))) return false;
  const head = await source.read(0, 200);
  return /^[!-9;-~]{1,100}:[ \t\r\n]/u.test(head.toString('latin1'));
}
