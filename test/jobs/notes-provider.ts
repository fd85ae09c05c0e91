// A provider of notes whose feeds a test writes, in an office of its own.
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Connection } from '../../src/connections/connections.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { defineProvider, type Feed, type FeedPage } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { log, type Office, openOffice } from '../connections/office.ts';
import type { TestDatabase } from '../store/databases.ts';

export function note(externalId: string, text = `Note ${externalId}`): SourceRecord {
  return { externalId, kind: 'note', mediaType: 'text/plain', raw: Buffer.from(text), title: externalId };
}

export type Pages = (cursor: unknown, user: string) => AsyncIterable<FeedPage>;

type Kinds = Readonly<Record<string, Feed['kinds']>>;

/** `kinds` of a feed, where they are not notes. */
export function notesEntry(feeds: Record<string, Pages>, kinds: Kinds = {}): CatalogEntry {
  const fields = z.strictObject({ user: z.string().default('ann').describe('Whose notes') });
  const declared = Object.fromEntries(
    Object.entries(feeds).map(([name, pages]): [string, Feed] => [
      name,
      {
        kinds: kinds[name] ?? ['note'],
        pages: (context, cursor) => pages(cursor, String(context.fields['user'])),
      },
    ]),
  );
  const provider = defineProvider({
    id: 'notes',
    title: 'Notes',
    fields,
    secrets: [],
    auth: { kind: 'none' },
    identity: async ({ fields: { user } }) => ({ id: String(user), label: `${String(user)} at Notes` }),
    operations: {},
    capabilities: {},
    feeds: declared,
    limit: { perSecond: 1, burst: 1, concurrent: 1 },
  });
  return {
    id: 'notes',
    title: 'Notes',
    capabilities: [],
    feedKinds: ['note'],
    connectable: true,
    app: undefined,
    command: 'drawbridge connect notes',
    load: async () => provider,
  };
}

export interface NotesScene extends Office {
  memory: Memory;
  connection: Connection;
}

/** Feeds by name; each is asked anew on every run. */
export async function notesScene(
  feeds: Record<string, Pages>,
  given: { database?: TestDatabase; kinds?: Kinds } = {},
): Promise<NotesScene> {
  const office = await openOffice([notesEntry(feeds, given.kinds)], given);
  const memory = createMemory({ clock: office.clock, log });
  onTestFinished(() => memory.close());
  const connection = await office.connections.connect(office.org, 'notes', { fields: {}, secrets: {} });
  return { ...office, memory, connection };
}

export async function titles(from: Pick<NotesScene, 'memory' | 'org'>): Promise<string[]> {
  return (await from.memory.documents(from.org, { limit: 1_000 })).map(({ title }) => title).sort();
}

export async function jobs({ org }: Pick<Office, 'org'>) {
  return org.read((db) =>
    db.selectFrom('ingestion_jobs').selectAll().where('org_id', '=', org.orgId).orderBy('id').execute(),
  );
}
