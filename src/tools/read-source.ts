// read-source: a resource by its URI, for clients that cannot read resources; long ones a part at a time.
import { z } from 'zod';
import { readUri } from '../resources/surface.ts';
import { framed } from '../untrusted.ts';
import { defineTool } from './define.ts';

const partSize = 24_000;
// As JSON: a quotation mark or a line end takes two characters.
const partRoom = 26_500;

export const readSource = defineTool({
  name: 'read-source',
  title: 'Read a source',
  description:
    'Reads what a URI from another tool names: ime://documents/…, ime://clients/…, ime://sources/…, action://…, connection://…. Long ones come in parts.',
  kind: 'read',
  live: false,
  input: z.object({
    uri: z.string().min(1).max(500),
    offset: z.number().int().min(0).default(0).describe('Characters; a citation starts at its start'),
    length: z.number().int().min(1).max(partSize).default(12_000),
  }),
  output: z.object({
    uri: z.string(),
    mimeType: z.string(),
    text: z.string(),
    offset: z.number().int(),
    total: z.number().int().describe('Characters of the whole'),
    nextOffset: z.number().int().optional(),
    trust: z.enum(['untrusted', 'trusted']),
  }),
  async run(context, input) {
    const source = await readUri(context, input.uri);
    const start = Math.min(input.offset, source.text.length);
    const end = start + fittingLength(source.text.slice(start, start + input.length));
    const part = source.text.slice(start, end);
    const data = {
      uri: source.uri,
      mimeType: source.mimeType,
      text: part,
      offset: start,
      total: source.text.length,
      ...(end < source.text.length ? { nextOffset: end } : {}),
      trust: source.trust,
    };
    // The text view would say it all again: it says it once, framed, where that still fits.
    const shown =
      part.length > 12_000 ? `${part.slice(0, 12_000)}\n(the rest is in the structured result)` : part;
    const more =
      end < source.text.length
        ? `\nCharacters ${start}–${end} of ${source.text.length}; go on with offset ${end}.`
        : '';
    return { data, text: (source.trust === 'untrusted' ? framed(shown, source.uri) : shown) + more };
  },
});

/** How many characters of `text` fit into the room of a part. */
function fittingLength(text: string): number {
  let length = text.length;
  for (let size = jsonSize(text); size > partRoom; size = jsonSize(text.slice(0, length)))
    length = Math.floor((length * partRoom) / size) - 1;
  return length;
}

function jsonSize(text: string): number {
  return JSON.stringify(text).length;
}
