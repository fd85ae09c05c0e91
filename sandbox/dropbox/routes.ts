// Dropbox's routes over a store: those that answer with JSON, and those that carry a file's bytes.
// https://www.dropbox.com/developers/documentation/http/documentation
import { contentHash } from '../../src/providers/dropbox/files.ts';
import { headerJson } from '../../src/providers/dropbox/http.ts';
import type { Answer } from '../http.ts';
import { json, missing, refusal, unreadable } from './answers.ts';
import { type DropboxEntry, type DropboxStore, deletedOf, lower, type Member, metadataOf } from './store.ts';

export type Args = Readonly<Record<string, unknown>>;

interface Route {
  /** Of the interface files. */
  scope: string;
  answer(args: Args, body: string): Answer;
}

/** A place in a list: after so many entries of it, or in the log. */
type Place =
  | { list: string; recursive: boolean; limit: number; after: string; since: number }
  | { log: string; recursive: boolean; limit: number; at: number };
const written = (place: object): string => Buffer.from(JSON.stringify(place)).toString('base64url');

export function createRoutes(
  store: DropboxStore,
  account: object,
): { api: Record<string, Route>; content: Record<string, Route> } {
  const text = (args: Args, name: string) => (typeof args[name] === 'string' ? args[name] : '');

  function within(path: string, folder: string, recursive: boolean): boolean {
    const [at, top] = [lower(path), lower(folder)];
    if (!at.startsWith(`${top}/`)) return false;
    return recursive || !at.slice(top.length + 1).includes('/');
  }

  function listFolder(args: Args): Answer {
    const path = text(args, 'path');
    const folder = path === '' ? undefined : store.get(path);
    if (path !== '' && folder === undefined) return missing();
    if (folder?.file !== undefined) return refusal(['path', 'not_folder']);
    return listed({
      list: folder?.path ?? '',
      recursive: args['recursive'] === true,
      limit: typeof args['limit'] === 'number' ? args['limit'] : 500,
      after: '',
      since: store.version,
    });
  }

  function listed(place: Place): Answer {
    const { recursive, limit } = place;
    if ('list' in place) {
      const all = store
        .entries()
        .filter(({ path }) => within(path, place.list, recursive) && lower(path) > place.after);
      const some = all.slice(0, limit);
      const last = some.at(-1);
      const more = some.length < all.length && last !== undefined;
      const next = more
        ? { ...place, after: lower(last.path) }
        : { log: place.list, recursive, limit, at: place.since };
      const entries = some.map((entry) => metadataOf(store, entry));
      return json({ entries, cursor: written(next), has_more: more || store.version > place.since });
    }
    const changes = store.changesFrom(place.at);
    if (changes === undefined) return refusal(['reset']);
    const some = changes.slice(0, limit);
    const entries = some.flatMap(({ path, deleted }) => {
      if (!within(path, place.log, recursive)) return [];
      const now = store.get(path);
      if (deleted) return [deletedOf(path)];
      return now === undefined ? [] : [metadataOf(store, now)];
    });
    const next = { ...place, at: place.at + some.length };
    return json({ entries, cursor: written(next), has_more: some.length < changes.length });
  }

  function goOn(args: Args): Answer {
    try {
      return listed(JSON.parse(Buffer.from(text(args, 'cursor'), 'base64url').toString()) as Place);
    } catch {
      return unreadable('files/list_folder/continue', 'Invalid "cursor" parameter');
    }
  }

  function search(args: Args, from = 0): Answer {
    const options = (args['options'] ?? {}) as Args;
    const words = lower(text(args, 'query')).split(/\s+/);
    const folder = text(options, 'path');
    const most = typeof options['max_results'] === 'number' ? options['max_results'] : 100;
    const found = store.entries().filter((entry) => {
      const says = lower(`${entry.path}\n${wordsOf(entry)}`);
      return within(entry.path, folder, true) && words.every((word) => says.includes(word));
    });
    const more = found.length > from + most;
    return json({
      matches: found.slice(from, from + most).map((entry) => ({
        match_type: { '.tag': 'filename_and_content' },
        metadata: { '.tag': 'metadata', metadata: metadataOf(store, entry) },
      })),
      has_more: more,
      ...(more ? { cursor: written({ ...args, from: from + most }) } : {}),
    });
  }

  function searchOn(args: Args): Answer {
    try {
      const asked = JSON.parse(Buffer.from(text(args, 'cursor'), 'base64url').toString()) as Args;
      return search(asked, Number(asked['from']));
    } catch {
      return unreadable('files/search/continue_v2', 'Invalid "cursor" parameter');
    }
  }

  function withFile(
    args: Args,
    work: (entry: DropboxEntry, file: NonNullable<DropboxEntry['file']>) => Answer,
  ) {
    const entry = store.get(text(args, 'path'));
    if (entry === undefined) return missing();
    if (entry.file === undefined) return refusal(['path', 'not_file']);
    if (entry.file.restricted === true) return refusal(['path', 'restricted_content']);
    return work(entry, entry.file);
  }

  const download = (args: Args) =>
    withFile(args, (entry, file) =>
      file.exports === undefined
        ? bytes(file.bytes.toString('utf8'), untagged(entry))
        : refusal(['unsupported_file']),
    );

  const exported = (args: Args) =>
    withFile(args, (entry, { exports }) => {
      if (exports === undefined) return refusal(['non_exportable']);
      const form =
        args['export_format'] === undefined ? Object.keys(exports)[0] : text(args, 'export_format');
      const content = exports[form ?? ''];
      if (content === undefined) return refusal(['invalid_export_format']);
      const export_metadata = { name: `export.${form}`, size: Buffer.byteLength(content) };
      return bytes(content, { export_metadata, file_metadata: untagged(entry) });
    });

  function upload(args: Args, body: string): Answer {
    const path = text(args, 'path');
    const failed = (...reason: string[]): Answer => {
      const [first = '', ...rest] = reason;
      const told = rest.length === 0 ? { '.tag': first } : { '.tag': first, [first]: { '.tag': rest[0] } };
      return refusal(['path', { reason: told, upload_session_id: 'AAAAAAAAANRmUGkJkRQ' }]);
    };
    if (args['content_hash'] !== undefined && args['content_hash'] !== contentHash(Buffer.from(body)))
      return refusal(['content_hash_mismatch']);
    const there = store.get(path);
    if (there !== undefined && there.file === undefined) return failed('conflict', 'folder');
    if (
      store.entries().some((one) => one.file !== undefined && lower(path).startsWith(`${lower(one.path)}/`))
    )
      return failed('conflict', 'file_ancestor');
    const mode = (args['mode'] ?? { '.tag': 'add' }) as Args;
    const strict = args['strict_conflict'] === true;
    const same =
      there?.file !== undefined && contentHash(there.file.bytes) === contentHash(Buffer.from(body));
    if (same && !strict) return json(untagged(there));
    if (mode['.tag'] === 'update' && (there === undefined ? strict : there.file?.rev !== mode['update']))
      return failed('conflict', 'file');
    if (mode['.tag'] === 'add' && there !== undefined) return failed('conflict', 'file');
    return json(untagged(store.put(there?.path ?? path, body)));
  }

  function remove(args: Args): Answer {
    const entry = store.get(text(args, 'path'));
    if (entry === undefined) return refusal(['path_lookup', 'not_found']);
    if (args['parent_rev'] !== undefined && args['parent_rev'] !== entry.file?.rev)
      return refusal(['path_write', 'conflict', 'file']);
    const metadata = metadataOf(store, entry);
    store.remove(entry.path);
    return json({ metadata });
  }

  function restore(args: Args): Answer {
    const restored = store.restore(text(args, 'path'), text(args, 'rev'));
    return restored === undefined ? refusal(['invalid_revision']) : json(untagged(restored));
  }

  const untagged = (entry: DropboxEntry) => {
    const { '.tag': _tag, ...rest } = metadataOf(store, entry) as Args;
    return rest;
  };

  function folderMembers(args: Args): Answer {
    const id = text(args, 'shared_folder_id');
    const shared = store.entries().find((entry) => entry.shared?.id === id)?.shared;
    return shared === undefined
      ? refusal(['invalid_id'])
      : members(shared.members, shared.groups ?? [], 0, id);
  }

  /** Three on a page, whatever was asked for: it is a bound, and no promise. */
  function members(all: readonly Member[], groups: readonly string[], from: number, of: string): Answer {
    return json({
      users: all.slice(from, from + 3).map(({ email, access = 'editor' }) => ({
        access_type: { '.tag': access },
        is_inherited: false,
        user: {
          account_id: `dbid:${Buffer.from(email).toString('hex').padEnd(35, '0').slice(0, 35)}`,
          email,
          display_name: email,
          same_team: true,
        },
      })),
      groups: (from === 0 ? groups : []).map((id) => ({
        access_type: { '.tag': 'viewer' },
        is_inherited: false,
        group: {
          group_name: 'Everyone',
          group_id: id,
          group_management_type: { '.tag': 'user_managed' },
          group_type: { '.tag': 'user_managed' },
          is_member: true,
          is_owner: false,
          same_team: true,
        },
      })),
      invitees: [],
      ...(all.length > from + 3 ? { cursor: written({ of, from: from + 3 }) } : {}),
    });
  }

  function membersOn(args: Args): Answer {
    const { of, from } = JSON.parse(Buffer.from(text(args, 'cursor'), 'base64url').toString()) as {
      of: string;
      from: number;
    };
    const shared = store.entries().find((entry) => entry.shared?.id === of)?.shared;
    return members(shared?.members ?? [], [], from, of);
  }

  function getMetadata(args: Args): Answer {
    const entry = store.get(text(args, 'path'));
    return entry === undefined ? missing() : json(metadataOf(store, entry));
  }

  const read = 'files.metadata.read';
  const sharing = 'sharing.read';
  return {
    api: {
      'users/get_current_account': { scope: 'account_info.read', answer: () => json(account) },
      'files/list_folder': { scope: read, answer: listFolder },
      'files/list_folder/continue': { scope: read, answer: goOn },
      'files/search_v2': { scope: read, answer: (args) => search(args) },
      'files/search/continue_v2': { scope: read, answer: searchOn },
      'files/get_metadata': { scope: read, answer: getMetadata },
      'files/delete_v2': { scope: 'files.content.write', answer: remove },
      'files/restore': { scope: 'files.content.write', answer: restore },
      'sharing/list_folder_members': { scope: sharing, answer: folderMembers },
      'sharing/list_folder_members/continue': { scope: sharing, answer: membersOn },
    },
    content: {
      'files/download': { scope: 'files.content.read', answer: download },
      'files/export': { scope: 'files.content.read', answer: exported },
      'files/upload': { scope: 'files.content.write', answer: upload },
    },
  };
}

const bytes = (body: string, about: object): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/octet-stream', 'dropbox-api-result': headerJson(about) },
  body,
});

function wordsOf({ path, file }: DropboxEntry): string {
  if (file?.exports !== undefined) return Object.values(file.exports)[0] ?? '';
  return /\.(md|txt|csv)$/i.test(path) ? (file?.bytes.toString('utf8') ?? '') : '';
}
