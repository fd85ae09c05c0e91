// What Dropbox holds of one account: files and folders by their place, every revision, who shares which folder,
// and a log of changes in which the deletion of a folder is one line.
import type { Clock } from '../../src/clock.ts';
import { contentHash } from '../../src/providers/dropbox/files.ts';

export interface Member {
  email: string;
  access?: 'owner' | 'editor' | 'viewer' | 'traverse';
}

export interface DropboxEntry {
  id: string;
  /** As it was written; the place itself is in lower case. */
  path: string;
  /** Undefined: a folder. */
  file?: {
    bytes: Buffer;
    rev: string;
    /** Integer ms. */
    modified: number;
    /** Of a Paper or Google document, what it is exported to, by form; the first is the usual one. */
    exports?: Record<string, string>;
    /** Nobody may take it. */
    restricted?: boolean;
  };
  /** Of a shared folder. */
  shared?: { id: string; members: Member[]; groups?: string[] };
}

interface Change {
  path: string;
  deleted: boolean;
}

type Given = Omit<NonNullable<DropboxEntry['file']>, 'bytes' | 'rev' | 'modified'> & { modified?: number };

export const lower = (path: string): string => path.toLowerCase();
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

export class DropboxStore {
  readonly #clock: Clock;
  readonly #entries = new Map<string, DropboxEntry>();
  readonly #revisions = new Map<string, DropboxEntry>();
  readonly #log: Change[] = [];
  #oldest = 0;
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#log.length;
  }

  /** In the order of their places. */
  entries(): DropboxEntry[] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }

  /** By path in any case, by id, or a revision by `rev:`. */
  get(at: string): DropboxEntry | undefined {
    if (at.startsWith('rev:')) return this.#revisions.get(at.slice(4));
    if (at.startsWith('id:')) return this.entries().find(({ id }) => id === at);
    return this.#entries.get(lower(at));
  }

  put(path: string, content: string | Buffer, given: Given = {}): DropboxEntry {
    this.folder(parentOf(path));
    const known = this.get(path);
    this.#made += 1;
    const { modified, ...more } = given;
    const entry: DropboxEntry = {
      id: known?.id ?? this.#id(),
      path,
      file: {
        ...known?.file,
        bytes: Buffer.from(content),
        rev: (0x5e1000000 + this.#made).toString(16).padStart(12, '0'),
        modified: modified ?? this.#clock.now(),
        ...more,
      },
    };
    for (const below of this.#below(path)) this.#entries.delete(below);
    this.#keep(entry);
    return entry;
  }

  /** Made with all that are above it. */
  folder(path: string): void {
    if (path === '') return;
    this.folder(parentOf(path));
    const known = this.get(path);
    if (known !== undefined && known.file === undefined) return;
    this.#keep({ id: known?.id ?? this.#id(), path: known?.path ?? path });
  }

  /** That a folder is shared has a line in the log, of itself and none of its files; who comes and goes has none. */
  share(path: string, members: Member[], groups: string[] = []): void {
    const folder = this.#folderAt(path);
    if (folder.shared === undefined) this.#log.push({ path: folder.path, deleted: false });
    folder.shared = { id: folder.shared?.id ?? `84528${this.#id().slice(-6)}`, members, groups };
  }

  unshare(path: string): void {
    const folder = this.#folderAt(path);
    delete folder.shared;
    this.#log.push({ path: folder.path, deleted: false });
  }

  /** With all that is below it; the log has one line. */
  remove(path: string): void {
    const known = this.get(path);
    if (known === undefined) return;
    for (const below of this.#below(known.path)) this.#entries.delete(below);
    this.#entries.delete(lower(known.path));
    this.#log.push({ path: known.path, deleted: true });
  }

  move(from: string, to: string): void {
    const moved = [...this.#below(from), lower(from)].sort().map((at) => this.get(at));
    this.remove(from);
    for (const entry of moved) {
      if (entry === undefined) continue;
      const path = `${to}${entry.path.slice(from.length)}`;
      this.folder(parentOf(path));
      this.#keep({ ...entry, path });
    }
  }

  restore(path: string, rev: string): DropboxEntry | undefined {
    const { file } = this.#revisions.get(rev) ?? {};
    return file === undefined ? undefined : this.put(path, file.bytes);
  }

  /** Undefined for a point that is unknown or forgotten. */
  changesFrom(start: number): Change[] | undefined {
    return start >= this.#oldest && start <= this.version ? this.#log.slice(start) : undefined;
  }

  /** No cursor that was given so far is good any more. */
  forgetCursors(): void {
    this.#log.push({ path: '/nothing', deleted: true });
    this.#oldest = this.version;
  }

  /** The nearest shared folder that holds it. */
  sharedAbove(path: string): string | undefined {
    for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
      const { shared } = this.get(at) ?? {};
      if (shared !== undefined) return shared.id;
    }
    return undefined;
  }

  #folderAt(path: string): DropboxEntry {
    const folder = this.get(path);
    if (folder === undefined) throw new Error(`the sandbox has no folder ${path}`);
    return folder;
  }

  #below(path: string): string[] {
    return [...this.#entries.keys()].filter((at) => at.startsWith(`${lower(path)}/`));
  }

  #keep(entry: DropboxEntry): void {
    this.#entries.set(lower(entry.path), entry);
    if (entry.file !== undefined) this.#revisions.set(entry.file.rev, entry);
    this.#log.push({ path: entry.path, deleted: false });
  }

  #id(): string {
    this.#made += 1;
    return `id:a4ayc_80_OEAAAAAAA${this.#made.toString().padStart(6, '0')}`;
  }
}

const stamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** As every route tells of an entry. */
export function metadataOf(store: DropboxStore, entry: DropboxEntry): object {
  const { id, path, file, shared } = entry;
  const parent = store.sharedAbove(path);
  const above = parent === undefined ? {} : { parent_shared_folder_id: parent };
  const base = { name: nameOf(path), path_lower: lower(path), path_display: path, id };
  if (file === undefined) {
    const own = shared === undefined ? {} : { shared_folder_id: shared.id };
    const sharing = { read_only: false, traverse_only: false, no_access: false, ...above, ...own };
    return {
      '.tag': 'folder',
      ...base,
      ...(parent === undefined && shared === undefined ? {} : { sharing_info: sharing }),
    };
  }
  const forms = Object.keys(file.exports ?? {});
  return {
    '.tag': 'file',
    ...base,
    client_modified: stamp(file.modified),
    server_modified: stamp(file.modified),
    rev: file.rev,
    size: file.bytes.length,
    is_downloadable: file.exports === undefined,
    ...(file.exports === undefined
      ? {}
      : { export_info: { export_as: forms[0] ?? '', export_options: forms } }),
    ...(parent === undefined ? {} : { sharing_info: { read_only: false, ...above } }),
    content_hash: contentHash(file.bytes),
  };
}

export const deletedOf = (path: string): object => ({
  '.tag': 'deleted',
  name: nameOf(path),
  path_lower: lower(path),
  path_display: path,
});
