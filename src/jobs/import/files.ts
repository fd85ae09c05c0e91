// Files that are one document each: known by their path, so that an edited one replaces what was imported
// of it. They are read in memory's parse worker, and what is wrong with one is found there.
import { basename, extname } from 'node:path';
import type { DocumentKind, RecordMediaType } from '../../providers/record.ts';
import { type Item, largestRecord, mebibytes, type Reader, type ReadRequest } from './item.ts';

const types: Readonly<Record<string, [RecordMediaType, DocumentKind]>> = {
  '.html': ['text/html', 'file'],
  '.htm': ['text/html', 'file'],
  '.pdf': ['application/pdf', 'file'],
  '.docx': ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'file'],
  '.docm': ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'file'],
  '.xlsx': ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'file'],
  '.xlsm': ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'file'],
  '.pptx': ['application/vnd.openxmlformats-officedocument.presentationml.presentation', 'file'],
  '.pptm': ['application/vnd.openxmlformats-officedocument.presentationml.presentation', 'file'],
  '.vtt': ['text/vtt', 'transcript'],
  '.srt': ['application/x-subrip', 'transcript'],
};

async function* readFile({ file, source, modifiedAt }: ReadRequest): AsyncIterable<Item> {
  const next = source.size;
  const [mediaType, kind] = types[extname(file).toLowerCase()] ?? ['text/plain', 'file'];
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
