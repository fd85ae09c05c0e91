// A workspace of Notion: pages, the blocks on them, databases with their data sources and rows, and the trash.
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import { invalid, plainOf, type Rich, rich } from './answers.ts';

export type Parent =
  | { type: 'workspace'; workspace: true }
  | { type: 'page_id'; page_id: string }
  | { type: 'block_id'; block_id: string }
  | { type: 'data_source_id'; data_source_id: string; database_id: string };

export interface Value {
  id: string;
  type: string;
  [kind: string]: unknown;
}

interface Thing {
  id: string;
  created: number;
  edited: number;
  by: string;
  trash: boolean;
}

export interface StoredPage extends Thing {
  parent: Parent;
  properties: Record<string, Value>;
  children: string[];
}

export interface StoredBlock extends Thing {
  type: string;
  content: Record<string, unknown>;
  parent: Parent;
  children: string[];
}

export interface StoredSource extends Thing {
  title: string;
  databaseId: string;
  parent: Parent;
  /** Columns: name → type, with the choices of a select. */
  columns: Record<string, { type: string; options?: string[] }>;
  rows: string[];
}

/** What a block may be made of: its type, what stands under it, and what within it. */
export interface Given {
  type: string;
  content?: Record<string, unknown>;
  children?: readonly Given[];
}

/** Notion tells times to the minute. */
const minute = (ms: number): number => Math.floor(ms / 60_000) * 60_000;

/** The integration, and a person of the workspace. */
export const botId = '9a3b5ae0-c6e6-482d-b0e1-ed315ee6dc57';
export const personId = '1c1f0a50-2f0e-4c6c-9d4e-3f0b5a7d2e11';

export class NotionStore {
  readonly pages = new Map<string, StoredPage>();
  readonly blocks = new Map<string, StoredBlock>();
  readonly sources = new Map<string, StoredSource>();
  readonly #clock: Clock;
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #id(): string {
    this.#made += 1;
    const hash = createHash('sha256').update(`notion ${this.#made}`).digest('hex');
    return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  }

  #thing(by: string, at = this.#clock.now()): Thing {
    const now = minute(at);
    return { id: this.#id(), created: now, edited: now, by, trash: false };
  }

  /** @param given.at integer ms; default: now */
  addPage(given: {
    title: string;
    parent?: Parent;
    values?: Record<string, Omit<Value, 'id'>>;
    text?: readonly Given[];
    by?: string;
    at?: number;
  }): StoredPage {
    const { parent = { type: 'workspace', workspace: true }, by = personId } = given;
    const source = parent.type === 'data_source_id' ? this.sources.get(parent.data_source_id) : undefined;
    const named =
      Object.entries(source?.columns ?? {}).find(([, { type }]) => type === 'title')?.[0] ?? 'title';
    const values = { [named]: { type: 'title', title: rich(given.title) }, ...given.values };
    const page: StoredPage = {
      ...this.#thing(by, given.at),
      parent,
      properties: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          { id: name === named ? 'title' : encodeURIComponent(name.slice(0, 4)), ...value } as Value,
        ]),
      ),
      children: [],
    };
    this.pages.set(page.id, page);
    if (parent.type === 'page_id') this.pages.get(parent.page_id)?.children.push(page.id);
    source?.rows.push(page.id);
    this.append(page.id, given.text ?? [], { by, at: given.at });
    return page;
  }

  addDatabase(given: { title: string; parent: Parent; columns: StoredSource['columns'] }): StoredSource {
    const source = { ...this.#thing(personId), ...given, databaseId: this.#id(), rows: [] };
    this.sources.set(source.id, source);
    if (given.parent.type === 'page_id')
      this.pages.get(given.parent.page_id)?.children.push(source.databaseId);
    return source;
  }

  /** At the end of a page or a block; the new blocks. */
  append(
    id: string,
    given: readonly Given[],
    { by = personId, at = this.#clock.now() }: { by?: string | undefined; at?: number | undefined } = {},
  ): StoredBlock[] {
    const page = this.pages.get(id);
    const into = page ?? this.blocks.get(id);
    if (into === undefined) throw invalid(`no place ${id}`);
    const parent: Parent =
      page === undefined ? { type: 'block_id', block_id: id } : { type: 'page_id', page_id: id };
    return given.map(({ type, content = {}, children = [] }) => {
      const block: StoredBlock = { ...this.#thing(by, at), type, content, parent, children: [] };
      this.blocks.set(block.id, block);
      into.children.push(block.id);
      this.append(block.id, children, { by, at });
      return block;
    });
  }

  /** Somebody writes to it: its time moves on, and that of the page that it is on. */
  touch(id: string | undefined): void {
    const page = this.pages.get(id ?? '');
    const one: Thing | undefined = page ?? this.blocks.get(id ?? '');
    if (one === undefined) return;
    one.edited = minute(this.#clock.now());
    const block = this.blocks.get(id ?? '');
    if (block !== undefined) this.touch(parentId(block.parent));
  }

  /** Into the trash, or back. That it is an edit is not documented: here it is none. */
  setTrash(id: string, trash: boolean): void {
    const page = this.pages.get(id);
    if (page !== undefined) page.trash = trash;
    for (const child of page?.children ?? []) if (this.pages.has(child)) this.setTrash(child, trash);
  }

  removeBlock(id: string): void {
    const block = this.blocks.get(id);
    if (block === undefined) return;
    block.trash = true;
    const at = parentId(block.parent);
    const into = at === undefined ? undefined : (this.pages.get(at) ?? this.blocks.get(at));
    if (into !== undefined) into.children = into.children.filter((child) => child !== id);
    this.touch(at);
  }

  titleOf(page: StoredPage): string {
    const title = Object.values(page.properties).find(({ type }) => type === 'title')?.['title'];
    return plainOf((title ?? []) as Rich[]);
  }

  databaseOf(id: string): StoredSource | undefined {
    return [...this.sources.values()].find(({ databaseId }) => databaseId === id);
  }
}

function parentId(parent: Parent): string | undefined {
  if (parent.type === 'page_id') return parent.page_id;
  return parent.type === 'block_id' ? parent.block_id : undefined;
}
