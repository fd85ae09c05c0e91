// A small text file put into Drive: once for one approval, marked so that it is found again.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type LookUp, type WriteContext, type WriteOutcome, writeOperation } from '../define.ts';
import { ask, cause, scope } from '../google.ts';
import { type DriveFile, driveOf, idForm, needed, quoted } from './client.ts';

const mostBytes = 1024 * 1024;
const markName = 'drawbridge';
const fields = 'id,name,webViewLink,appProperties';

const input = z.object({
  name: z.string().min(1).max(255).describe('File name with its ending'),
  text: z.string(),
  mediaType: z.enum(['text/plain', 'text/markdown', 'text/csv']).default('text/plain'),
  folder: z.string().regex(idForm).optional().describe('Id of a folder; default: the top of My Drive'),
});
type Input = z.infer<typeof input>;

export const createFile = writeOperation<Input>({
  effect: 'create',
  version: 1,
  title: 'Create a text file',
  description: 'Puts one small text, Markdown or CSV file into Drive.',
  scopes: [scope('drive.file')],
  idempotency: 'look-up',
  input,
  summary: ({ name, text, folder }, account) =>
    `Create “${name}” in ${account}${folder === undefined ? '' : `, folder ${folder}`} (${text.length} characters)`,
  validate({ name, text }) {
    if (/[\p{Cc}/\\\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) {
      throw new DrawbridgeError('invalid_request', 'name: holds a control character or a path separator', {
        field: 'name',
      });
    }
    if (Buffer.byteLength(text) > mostBytes) {
      throw new DrawbridgeError('invalid_request', 'text: is longer than 1 MB', { field: 'text' });
    }
  },
  async run(context, { name, text, mediaType, folder }) {
    const client = await driveOf(context);
    const requestBody = {
      name,
      mimeType: mediaType,
      appProperties: { [markName]: context.effectKey },
      ...(folder === undefined ? {} : { parents: [folder] }),
    };
    const media = { mimeType: mediaType, body: text };
    return outcomeOf(await cause(context, () => client.files.create({ requestBody, media, fields })));
  },
  lookUp,
});

function outcomeOf(file: DriveFile): WriteOutcome {
  const id = needed(file.id, 'id');
  return {
    reference: id,
    ...(typeof file.webViewLink === 'string' ? { url: file.webViewLink } : {}),
    details: { id, name: file.name ?? '' },
  };
}

/** Our mark on a file proves it. That there is none does not: Drive's search may lag behind. */
async function lookUp(context: WriteContext): Promise<LookUp> {
  const client = await driveOf(context);
  const q = `appProperties has { key=${quoted(markName)} and value=${quoted(context.effectKey)} }`;
  const { files } = await ask(() => client.files.list({ q, pageSize: 1, fields: `files(${fields})` }));
  const [file] = files ?? [];
  if (file !== undefined) return { found: true, outcome: outcomeOf(file) };
  return { found: false, conclusive: false, evidence: 'No file in Drive bears our mark (yet).' };
}
