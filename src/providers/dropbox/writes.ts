// A small text file put into Dropbox, in a free place or over the revision that was seen; and the way back. Nothing
// is ever renamed or overwritten unseen: the place, the revision and the content's hash are all in the request.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type LiveRecord,
  type LookUp,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import {
  contentHash,
  type DropboxFile,
  fileAt,
  fileIfThere,
  metadata,
  pageOf,
  pathInput,
  untagged,
} from './files.ts';
import { callWrite, upload } from './http.ts';

const scopes = ['files.content.write'];
const mostBytes = 1024 * 1024;

const path = pathInput.max(1000).describe('Where it stands: /Folder/File.txt, with its ending');
const rev = z
  .string()
  .regex(/^[0-9a-f]{9,64}$/, 'a revision has hexadecimal digits alone, nine at least')
  .describe('Revision that is meant, from `get`');
const text = z.string().describe('All of the new content');

type Create = { path: string; text: string };
export const createFile = writeOperation<Create>({
  effect: 'create',
  version: 1,
  title: 'Create a text file',
  description: 'Puts one text file into Dropbox, where there is none yet. Missing folders are made.',
  scopes,
  idempotency: 'look-up',
  input: z.object({ path, text }),
  summary: (given, account) => `Create “${given.path}” in ${account} (${given.text.length} characters)`,
  validate,
  async before(context, given) {
    const there = await fileIfThere(context, given.path);
    if (there === undefined) return undefined;
    throw new DrawbridgeError(
      'conflict',
      `path: there is a file at ${given.path} already. \`update-file\` with its revision changes it.`,
      { field: 'path' },
    );
  },
  async run(context, given) {
    const args = { ...uploadOf(given), mode: { '.tag': 'add' } };
    return outcomeOf(await upload(context, args, Buffer.from(given.text), untagged));
  },
  async lookUp(context, given) {
    const there = await fileIfThere(context, given.path);
    if (there?.content_hash === hashOf(given)) return { found: true, outcome: outcomeOf(there) };
    const what = there === undefined ? 'no file' : 'a file with another content';
    // Somebody may have moved or changed it since.
    return { found: false, conclusive: false, evidence: `There is ${what} at ${given.path}.` };
  },
  compensation: {
    title: 'Delete the file',
    operation: 'delete-file',
    payload: (given, { details }) => ({ path: given.path, rev: details['rev'] }),
  },
});

type Update = { path: string; rev: string; text: string };
export const updateFile = writeOperation<Update>({
  effect: 'update',
  version: 1,
  title: 'Replace a text file’s content',
  description: 'Writes a new content over one revision of a text file. The revision before stays at Dropbox.',
  scopes,
  idempotency: 'look-up',
  input: z.object({ path, rev, text }),
  summary: (given, account) =>
    `Replace the content of “${given.path}” in ${account} (${given.text.length} characters, over revision ${given.rev})`,
  validate,
  before: async (context, given) =>
    liveRecord(await fileAt(context, given.path), {
      size: Buffer.byteLength(given.text),
      contentHash: hashOf(given),
    }),
  checkMeant: assertRev,
  async run(context, given) {
    const over = revBefore(context, given);
    const args = { ...uploadOf(given), mode: { '.tag': 'update', update: over } };
    return outcomeOf(await upload(context, args, Buffer.from(given.text), untagged), { replaced: over });
  },
  async lookUp(context, given) {
    const there = await fileIfThere(context, given.path);
    const over = revBefore(context, given);
    if (there?.content_hash === hashOf(given) && there.rev !== over) {
      return { found: true, outcome: outcomeOf(there, { replaced: over }) };
    }
    return notDone(given.path, there, over);
  },
  compensation: {
    title: 'Restore the revision before',
    operation: 'restore-file',
    payload: (given, { details }) => ({ path: given.path, rev: details['replaced'], over: details['rev'] }),
  },
});

type Delete = { path: string; rev: string };
export const deleteFile = writeOperation<Delete>({
  effect: 'delete',
  version: 1,
  title: 'Delete a file',
  description: 'Deletes one revision of a file. Dropbox keeps it for a while, to be restored.',
  scopes,
  idempotency: 'look-up',
  input: z.object({ path, rev }),
  summary: (given, account) => `Delete “${given.path}” (revision ${given.rev}) in ${account}`,
  before: async (context, given) => liveRecord(await fileAt(context, given.path), {}),
  checkMeant: assertRev,
  async run(context, given) {
    const at = revBefore(context, given);
    const args = { path: given.path, parent_rev: at };
    await callWrite(context, '/files/delete_v2', args, z.object({ metadata }));
    return gone(given.path, at);
  },
  async lookUp(context, given) {
    const there = await fileIfThere(context, given.path);
    const at = revBefore(context, given);
    return there === undefined
      ? { found: true, outcome: gone(given.path, at) }
      : notDone(given.path, there, at);
  },
  compensation: {
    title: 'Restore the file',
    operation: 'restore-file',
    payload: (given, { details }) => ({ path: given.path, rev: details['rev'] }),
  },
});

type Restore = { path: string; rev: string; over?: string | undefined };
export const restoreFile = writeOperation<Restore>({
  effect: 'update',
  version: 1,
  title: 'Restore a revision of a file',
  description: 'Puts an earlier revision of a file back in its place, also where the file was deleted.',
  scopes,
  idempotency: 'look-up',
  input: z.object({
    path,
    rev: rev.describe('Revision to be restored'),
    over: rev.optional().describe('Revision that stands there now; left out: the file was deleted'),
  }),
  summary: (given, account) =>
    `Restore “${given.path}” in ${account} to revision ${given.rev}${given.over === undefined ? '' : ` (over ${given.over})`}`,
  async before(context, given) {
    const there = await fileIfThere(context, given.path);
    if (there === undefined && given.over !== undefined) await fileAt(context, given.path);
    return there === undefined ? undefined : liveRecord(there, { rev: `as ${given.rev}` });
  },
  checkMeant(given, live) {
    if (given.over !== undefined) assertRev({ rev: given.over }, live);
    else
      throw conflict(
        `There is a file at its place: name its revision (${String(live.fields['rev'])}) as \`over\`.`,
      );
  },
  async run(context, given) {
    const args = { path: given.path, rev: given.rev };
    const restored = await callWrite(context, '/files/restore', args, untagged);
    return outcomeOf(restored, { restored: given.rev });
  },
  async lookUp(context, given) {
    const there = await fileIfThere(context, given.path);
    const over = given.over === undefined ? undefined : revBefore(context, { rev: given.over });
    const wanted = await fileIfThere(context, `rev:${given.rev}`);
    if (there !== undefined && there.rev !== over && there.content_hash === wanted?.content_hash) {
      return { found: true, outcome: outcomeOf(there, { restored: given.rev }) };
    }
    return notDone(given.path, there, over);
  },
});

const hashOf = (given: { text: string }) => contentHash(Buffer.from(given.text));

/** Nothing is renamed, and an equal content in the way is a conflict, too: what is found there later is ours. */
function uploadOf(given: Create): object {
  return { path: given.path, autorename: false, strict_conflict: true, content_hash: hashOf(given) };
}

/** The revision that was approved; where nothing was, the one that was named. */
function revBefore(context: WriteContext, given: { rev: string }): string {
  return String(context.before?.fields['rev'] ?? given.rev);
}

function liveRecord(file: DropboxFile, after: Record<string, unknown>): LiveRecord {
  const url = pageOf(file);
  return {
    title: file.path_display ?? file.name,
    ...(url === undefined ? {} : { url }),
    fields: { rev: file.rev, size: file.size, contentHash: file.content_hash ?? null },
    after,
  };
}

function conflict(message: string): DrawbridgeError {
  return new DrawbridgeError('conflict', message, { field: 'rev' });
}

function assertRev(given: { rev: string }, { fields }: LiveRecord): void {
  if (fields['rev'] === given.rev) return;
  throw conflict(
    `rev: the file is at revision ${String(fields['rev'])} by now. Read it again, and propose anew.`,
  );
}

function outcomeOf(file: DropboxFile, more: Record<string, unknown> = {}): WriteOutcome {
  const url = pageOf(file);
  const { id, rev: now, size, path_display } = file;
  return {
    reference: id,
    ...(url === undefined ? {} : { url }),
    details: { id, rev: now, size, ...(path_display === undefined ? {} : { path: path_display }), ...more },
  };
}

const gone = (at: string, was: string): WriteOutcome => ({ reference: was, details: { path: at, rev: was } });

/** @param was what stood there before; undefined: nothing */
function notDone(at: string, there: DropboxFile | undefined, was: string | undefined): LookUp {
  const same = there?.rev === was;
  const stands = there === undefined ? 'no file' : `revision ${there.rev}`;
  const evidence = `There is ${stands} at ${at}${same ? ', as before' : ''}.`;
  return { found: false, conclusive: same, evidence };
}

/** @throws DrawbridgeError `invalid_request` with `field` */
function validate(given: Create): void {
  if (/[\p{Cc}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u.test(given.path)) {
    throw new DrawbridgeError('invalid_request', 'path: holds a control or a direction-changing character', {
      field: 'path',
    });
  }
  if (!given.text.isWellFormed()) {
    throw new DrawbridgeError('invalid_request', 'text: holds half a character', { field: 'text' });
  }
  if (Buffer.byteLength(given.text) > mostBytes) {
    throw new DrawbridgeError('invalid_request', 'text: is longer than 1 MB', { field: 'text' });
  }
}
