// Files that are one document each: known by their path, so that an edited one replaces what was imported
// of it. They are read in memory's parse worker, and what is wrong with one is found there.
import { basename, extname } from 'node:path';
import type { DocumentKind, RecordMediaType } from '../../providers/record.ts';
import { type Item, largestRecord, mebibytes, type Reader, type ReadRequest } from './item.ts';

const page: [RecordMediaType, DocumentKind] = ['text/html', 'file'];
const pdf: [RecordMediaType, DocumentKind] = ['application/pdf', 'file'];
const office = 'application/vnd.openxmlformats-officedocument.';
const word: [RecordMediaType, DocumentKind] = [`${office}wordprocessingml.document`, 'file'];
const workbook: [RecordMediaType, DocumentKind] = [`${office}spreadsheetml.sheet`, 'file'];
const slides: [RecordMediaType, DocumentKind] = [`${office}presentationml.presentation`, 'file'];

const types: Readonly<Record<string, [RecordMediaType, DocumentKind]>> = {
  '.html': page,
  '.htm': page,
  '.xhtml': page,
  '.mhtml': page,
  '.mht': page,
  '.pdf': pdf,
  '.docx': word,
  '.docm': word,
  '.dotx': word,
  '.xlsx': workbook,
  '.xlsm': workbook,
  '.xltx': workbook,
  '.pptx': slides,
  '.pptm': slides,
  '.ppsx': slides,
  '.potx': slides,
  // Of these only what is something else in truth is read: a page that a program exports under this name.
  '.doc': word,
  '.xls': workbook,
  '.ppt': slides,
  '.vtt': ['text/vtt', 'transcript'],
  '.srt': ['application/x-subrip', 'transcript'],
};

async function* readFile({ file, source, modifiedAt }: ReadRequest): AsyncIterable<Item> {
  const next = source.size;
  const [mediaType, kind] = types[extname(file).toLowerCase()] ?? pdf;
  if (source.size > largestRecord) {
    yield { place: file, reason: `larger than ${mebibytes(largestRecord)}`, next };
    return;
  }
  if (source.size === 0) {
    yield { place: file, reason: 'empty', next };
    return;
  }
  const raw = await source.read(0, source.size);
  const fileName = basename(file);
  yield {
    record: { externalId: `file:${file}`, kind, mediaType, raw, fileName, fileTime: modifiedAt },
    place: file,
    next,
  };
}

/** The reader of each extension. */
export const fileReaders: Readonly<Record<string, Reader>> = Object.fromEntries(
  Object.keys(types).map((extension) => [extension, readFile]),
);
