// Markdown and plain text: one document a file, known by its path, so that an edited file replaces what
// was imported of it. A text with a speaker before each turn is a transcript.
import { basename, extname } from 'node:path';
import { unmarkedUtf16 } from '../../memory/normalise/legacy-text.ts';
import { decodeText } from '../../memory/normalise/text.ts';
import { spokenTurns } from '../../memory/normalise/transcript.ts';
import { type Item, mebibytes, type ReadRequest } from './item.ts';

const largestText = 16 * 1024 * 1024;
/** What is looked at to tell a conversation from other texts: characters. */
const enoughToTell = 64 * 1024;

export async function* readText({ file, source, modifiedAt }: ReadRequest): AsyncIterable<Item> {
  const next = source.size;
  if (source.size > largestText) {
    yield { place: file, reason: `larger than ${mebibytes(largestText)}; split it`, next };
    return;
  }
  const bytes = await source.read(0, source.size);
  if (bytes.subarray(0, 8192).includes(0) && unmarkedUtf16(bytes) === undefined) {
    yield { place: file, reason: 'not text: it holds zero bytes', next };
    return;
  }
  const text = decodeText(bytes);
  if (text.trim() === '') {
    yield { place: file, reason: 'empty', next };
    return;
  }
  const markdown = /^\.(md|markdown)$/i.test(extname(file));
  const heading = markdown ? /^#{1,3}[ \t]+(.+?)[ \t#]*$/m.exec(text)?.[1] : undefined;
  yield {
    record: {
      externalId: `file:${file}`,
      kind: !markdown && spokenTurns(text.slice(0, enoughToTell)) !== undefined ? 'transcript' : 'file',
      mediaType: markdown ? 'text/markdown' : 'text/plain',
      raw: Buffer.from(text),
      title: heading ?? basename(file),
      writtenAt: modifiedAt,
    },
    place: file,
    next,
  };
}
