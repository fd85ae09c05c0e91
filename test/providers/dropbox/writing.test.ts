// Writing to Dropbox: what was approved, in the place and over the revision that was seen, once; and back again.
import { describe, expect, test } from 'vitest';
import { EffectRefused, type WriteOperation } from '../../../src/providers/define.ts';
import { contentHash } from '../../../src/providers/dropbox/files.ts';
import { provider } from '../../../src/providers/dropbox/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { failure, openScene, refusing, type Scene } from './scene.ts';

const create = provider.operations['create-file'];
const update = provider.operations['update-file'];
const remove = provider.operations['delete-file'];
const restore = provider.operations['restore-file'];

const note = { path: '/Notes/Bo – keys.md', text: '# Bo\nring — 😀' };
const hash = (text: string) => contentHash(Buffer.from(text));
const contentAt = ({ dropbox }: Scene, path: string) => dropbox.files.get(path)?.file?.bytes.toString();
const revAt = ({ dropbox }: Scene, path: string) => dropbox.files.get(path)?.file?.rev ?? '';

/** With the live record as it was approved, as the executor hands it over. */
async function approved<Payload>(operation: WriteOperation<Payload>, scene: Scene, payload: Payload) {
  const live = await operation.before?.(scene.context, payload);
  if (live !== undefined) operation.checkMeant?.(payload, live);
  return { context: { ...scene.context, before: live }, live };
}

/** The payload of the write that takes it back, as its operation takes it. */
function back<Payload>(operation: WriteOperation<Payload>, payload: Payload, outcome: never) {
  const { compensation } = operation;
  const name = compensation?.operation ?? '';
  const taking = { 'delete-file': remove, 'restore-file': restore }[name];
  return [name, taking?.input.parse(compensation?.payload(payload, outcome))] as const;
}

async function withNote(): Promise<Scene> {
  const scene = await openScene();
  scene.dropbox.files.put(note.path, 'first');
  return scene;
}

describe('creating', () => {
  test('the file is put there byte for byte, in a free place, never renamed', async () => {
    const scene = await openScene();
    const { context, live } = await approved(create, scene, note);
    expect(live).toBeUndefined();
    scene.asked();
    const outcome = await create.run(context, note);
    expect(contentAt(scene, note.path)).toBe(note.text);
    expect(scene.asked()).toEqual([
      {
        route: 'content.dropboxapi.com/2/files/upload',
        args: {
          path: note.path,
          autorename: false,
          strict_conflict: true,
          content_hash: hash(note.text),
          mode: { '.tag': 'add' },
        },
        content: note.text,
      },
    ]);
    const [call] = scene.hosts.calls().slice(-1);
    expect(call?.headers['content-type']).toBe('application/octet-stream');
    expect(outcome.details).toMatchObject({ path: note.path, rev: revAt(scene, note.path) });
    expect(scene.announced()).toBe(1);
    expect(create.summary(note, 'Ann')).toBe('Create “/Notes/Bo – keys.md” in Ann (14 characters)');
  });

  test('a place that is taken is told when it is proposed, and refused when it is taken meanwhile', async () => {
    const scene = await withNote();
    const taken = { code: 'conflict', field: 'path', message: expect.stringContaining('update-file') };
    await expect(create.before?.(scene.context, note)).rejects.toMatchObject(taken);
    const refused = await failure(create.run(scene.context, note));
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({ cause: { code: 'conflict' } });
    expect(contentAt(scene, note.path)).toBe('first');
  });

  test('an equal file in the way is refused, too: what is found after a lost answer is ours', async () => {
    const scene = await openScene();
    scene.dropbox.files.put(note.path, note.text);
    expect(await failure(create.run(scene.context, note))).toBeInstanceOf(EffectRefused);
    const other = await openScene();
    expect(await lookUp(create, other.context, note)).toMatchObject({ found: false, conclusive: false });
    other.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'files/upload');
    const lost = await failure(create.run(other.context, note));
    expect(lost).not.toBeInstanceOf(EffectRefused);
    expect(await lookUp(create, other.context, note)).toMatchObject({
      found: true,
      outcome: { details: { rev: revAt(other, note.path) } },
    });
    other.dropbox.files.put(note.path, 'changed since');
    expect(await lookUp(create, other.context, note)).toMatchObject({ found: false, conclusive: false });
  });

  test('is taken back by deleting that revision, and no later one', async () => {
    const scene = await openScene();
    const outcome = await create.run(scene.context, note);
    const [name, payload] = back(create, note, outcome as never);
    expect(name).toBe('delete-file');
    const { context } = await approved(remove, scene, payload as never);
    scene.dropbox.files.put(note.path, 'changed by Bo');
    expect(await failure(remove.run(context, payload as never))).toBeInstanceOf(EffectRefused);
    expect(contentAt(scene, note.path)).toBe('changed by Bo');
  });

  test.each([
    [['path', { reason: { '.tag': 'insufficient_space' }, upload_session_id: 'x' }], 'quota_exhausted'],
    [['path', { reason: { '.tag': 'disallowed_name' }, upload_session_id: 'x' }], 'invalid_request'],
    [['path', { reason: { '.tag': 'no_write_permission' }, upload_session_id: 'x' }], 'permission_denied'],
    [['path', { reason: { '.tag': 'too_many_write_operations' }, upload_session_id: 'x' }], 'rate_limited'],
    [['content_hash_mismatch'], 'invalid_request'],
  ])('%j is a refusal: nothing was written', async (tags, code) => {
    const scene = await openScene();
    scene.hosts.faults.failNext(refusing(tags), 'files/upload');
    const refused = await failure(create.run(scene.context, note));
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({ cause: { code } });
  });

  test('without the permission to write nothing is written, and the app’s console is named', async () => {
    const scene = await openScene({ scopes: ['files.metadata.read', 'files.content.read'] });
    const refused = await failure(create.run(scene.context, note));
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({ cause: { code: 'permission_denied', retry: 'reconnect' } });
  });

  test.each([
    ['path', { path: '/x\u202Etxt.exe' }],
    ['path', { path: '/x\u200b.txt' }],
    ['text', { text: 'x'.repeat(1024 * 1024 + 1) }],
    ['text', { text: '\ud83d' }],
  ])('an unusable %s is named before anything is queued', (field, wrong) => {
    const refused = expect.objectContaining({ code: 'invalid_request', field });
    expect(() => create.validate?.({ ...note, ...wrong })).toThrowError(refused);
    expect(() => update.validate?.({ ...note, rev: '0123456789', ...wrong })).toThrowError(refused);
  });
});

describe('replacing a content', () => {
  test('shows what stands there, goes over that revision alone, and is taken back by restoring it', async () => {
    const scene = await withNote();
    const first = revAt(scene, note.path);
    const payload = { ...note, rev: first };
    const { context, live } = await approved(update, scene, payload);
    expect(live).toMatchObject({
      title: note.path,
      fields: { rev: first, size: 5, contentHash: hash('first') },
      after: { size: Buffer.byteLength(note.text), contentHash: hash(note.text) },
    });
    scene.asked();
    const outcome = await update.run(context, payload);
    expect(scene.asked()).toMatchObject([
      { args: { mode: { '.tag': 'update', update: first }, strict_conflict: true }, content: note.text },
    ]);
    const [name, undo] = back(update, payload, outcome as never);
    expect([name, undo]).toEqual([
      'restore-file',
      { path: note.path, rev: first, over: revAt(scene, note.path) },
    ]);
    const again = await approved(restore, scene, undo as never);
    await restore.run(again.context, undo as never);
    expect(contentAt(scene, note.path)).toBe('first');
  });

  test('of a file that somebody changed is refused: proposed over another revision, or changed meanwhile', async () => {
    const scene = await withNote();
    const payload = { ...note, rev: revAt(scene, note.path) };
    const { context } = await approved(update, scene, payload);
    scene.dropbox.files.put(note.path, 'changed by Bo');
    await expect(approved(update, scene, payload)).rejects.toMatchObject({ code: 'conflict', field: 'rev' });
    expect(await failure(update.run(context, payload))).toBeInstanceOf(EffectRefused);
    expect(contentAt(scene, note.path)).toBe('changed by Bo');
    // What a person approved after it had changed goes over what that person saw.
    const live = await update.before?.(scene.context, payload);
    await update.run({ ...scene.context, before: live }, payload);
    expect(contentAt(scene, note.path)).toBe(note.text);
  });

  test('whose answer was lost is found by its content; one that never came is known not to have', async () => {
    const scene = await withNote();
    const payload = { ...note, rev: revAt(scene, note.path) };
    const { context } = await approved(update, scene, payload);
    expect(await lookUp(update, context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'files/upload');
    await failure(update.run(context, payload));
    expect(await lookUp(update, context, payload)).toMatchObject({
      found: true,
      outcome: { details: { replaced: payload.rev } },
    });
    scene.dropbox.files.put(note.path, 'changed since');
    expect(await lookUp(update, context, payload)).toMatchObject({ found: false, conclusive: false });
  });

  test('a file that is not there is no new file', async () => {
    const scene = await openScene();
    const payload = { ...note, rev: '0123456789' };
    await expect(update.before?.(scene.context, payload)).rejects.toMatchObject({ code: 'not_found' });
    expect(await failure(update.run(scene.context, payload))).toBeInstanceOf(EffectRefused);
    expect(contentAt(scene, note.path)).toBeUndefined();
  });
});

describe('deleting and restoring', () => {
  test('a file goes in the revision that was seen, and comes back', async () => {
    const scene = await withNote();
    const payload = { path: note.path, rev: revAt(scene, note.path) };
    const { context } = await approved(remove, scene, payload);
    expect(await lookUp(remove, context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    const outcome = await remove.run(context, payload);
    expect(scene.asked()).toEqual([
      {
        route: 'api.dropboxapi.com/2/files/delete_v2',
        args: { path: note.path, parent_rev: payload.rev },
      },
    ]);
    expect(await lookUp(remove, context, payload)).toMatchObject({ found: true });
    const [name, undo] = back(remove, payload, outcome as never);
    expect([name, undo]).toEqual(['restore-file', payload]);
    const again = await approved(restore, scene, payload);
    expect(await lookUp(restore, again.context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    await restore.run(again.context, payload);
    expect(scene.asked()).toEqual([{ route: 'api.dropboxapi.com/2/files/restore', args: payload }]);
    expect(contentAt(scene, note.path)).toBe('first');
    expect(await lookUp(restore, again.context, payload)).toMatchObject({ found: true });
  });

  test('a folder is never deleted as a file', async () => {
    const scene = await withNote();
    const payload = { path: '/Notes', rev: '0123456789' };
    await expect(remove.before?.(scene.context, payload)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await failure(remove.run(scene.context, payload))).toBeInstanceOf(EffectRefused);
    expect(contentAt(scene, note.path)).toBe('first');
  });

  test('a revision is restored over the one that is named, and over no other', async () => {
    const scene = await withNote();
    const rev = revAt(scene, note.path);
    const { rev: second = '' } = scene.dropbox.files.put(note.path, 'second').file ?? {};
    const blind = { path: note.path, rev };
    await expect(approved(restore, scene, blind)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(second),
    });
    await expect(approved(restore, scene, { ...blind, over: rev })).rejects.toMatchObject({
      code: 'conflict',
    });
    const { live } = await approved(restore, scene, { ...blind, over: second });
    expect(live).toMatchObject({ fields: { rev: second }, after: { rev: `as ${rev}` } });
    scene.dropbox.files.remove(note.path);
    await expect(approved(restore, scene, { ...blind, over: second })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('a revision that Dropbox no longer has is a refusal', async () => {
    const scene = await withNote();
    const payload = { path: '/Notes/gone.md', rev: '0123456789' };
    const refused = await failure(restore.run(scene.context, payload));
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({ cause: { code: 'not_found' } });
  });
});
