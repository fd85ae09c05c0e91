// What the org says of itself: services, prices, its voice. People write it, a version a change; agents find and
// cite it like any other document.
import { createHash } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import type { Connections } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { inputFaults } from '../../input-faults.ts';
import type { SourceRecord } from '../../providers/record.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Memory } from '../memory.ts';

export const brainKinds = ['service', 'price', 'voice', 'policy', 'fact'] as const;
export type BrainKind = (typeof brainKinds)[number];

const mostEntries = 2_000;
const provider = 'brain';

export const brainEntryShape = z.strictObject({
  kind: z.enum(brainKinds),
  title: z.string().trim().min(1).max(200),
  text: z.string().trim().min(1).max(20_000),
});
export type BrainText = z.infer<typeof brainEntryShape>;

export interface BrainEntry extends BrainText {
  id: string;
  /** 1, 2, 3 … */
  version: number;
  /** A removed entry can be brought back: it is the last of its versions that stands. */
  removed: boolean;
  by: string;
  at: number;
}

export interface Brain {
  /** Those that stand, by kind and title. */
  list(org: OrgStore): Promise<BrainEntry[]>;
  /** Newest first, removals included. @throws DrawbridgeError `not_found` */
  history(org: OrgStore, id: string): Promise<BrainEntry[]>;
  /** @throws DrawbridgeError `invalid_request` naming the field */
  add(org: OrgStore, person: Person, text: unknown, channel: string): Promise<BrainEntry>;
  /** @throws DrawbridgeError `not_found`, `invalid_request`; `conflict` when it is not at `version` any more */
  edit(
    org: OrgStore,
    person: Person,
    change: { id: string; version?: number; text: unknown; channel: string },
  ): Promise<BrainEntry>;
  /** @throws DrawbridgeError `not_found` */
  remove(org: OrgStore, person: Person, id: string, channel: string): Promise<void>;
  /** Makes an earlier version the newest, also of an entry that was removed. @throws DrawbridgeError `not_found` */
  restore(
    org: OrgStore,
    person: Person,
    wanted: { id: string; version: number; channel: string },
  ): Promise<BrainEntry>;
}

export interface BrainParts {
  memory: Pick<Memory, 'ingest'>;
  connections: Pick<Connections, 'own'>;
  audit: Pick<Audit, 'append'>;
}

export function createBrain({ memory, connections, audit }: BrainParts): Brain {
  /** Brings memory to what stands: what is as it was costs a look, and what a kill left out is made up for. */
  async function settle(org: OrgStore): Promise<BrainEntry[]> {
    const { entries, begun } = await org.read(async (db) => ({
      entries: await standing(db, org.orgId),
      begun: await db
        .selectFrom('org_brain')
        .select('id')
        .where('org_id', '=', org.orgId)
        .limit(1)
        .executeTakeFirst(),
    }));
    if (begun === undefined) return [];
    const { id: connectionId } = await connections.own(org, provider);
    await memory.ingest(
      org,
      { connectionId, provider },
      {
        records: entries.map(recordOf),
        complete: { ids: entries.map((entry) => entry.id) },
      },
    );
    return entries;
  }

  async function write(
    org: OrgStore,
    person: Person,
    channel: string,
    decide: (tx: Transaction<OrgTables>, at: number) => Promise<{ entry: BrainEntry; deed: string }>,
  ): Promise<BrainEntry> {
    if (person.kind !== 'person' || person.orgId !== org.orgId) {
      throw new DrawbridgeError('permission_denied', 'Only people of the org write what it says of itself.');
    }
    const at = await org.now();
    const written = await org.write(async (tx) => {
      const { entry, deed } = await decide(tx, at);
      await tx
        .insertInto('org_brain')
        .values({
          org_id: org.orgId,
          id: entry.id,
          version: entry.version,
          kind: entry.kind,
          title: entry.title,
          text: entry.text,
          removed: entry.removed ? 1 : 0,
          by: toJson({ id: person.memberId, name: person.name }),
          at,
        })
        .execute();
      await audit.append(tx, org.orgId, at, {
        kind: `brain.${deed}`,
        subject: entry.id,
        by: { kind: 'person', id: person.memberId, name: person.name },
        channel,
        facts: {
          version: entry.version,
          kind: entry.kind,
          hash: createHash('sha256').update(`${entry.title}\n${entry.text}`).digest('hex'),
        },
      });
      return entry;
    });
    await settle(org);
    return written;
  }

  const made = (person: Person, at: number) => ({ by: person.name, at, removed: false });

  return {
    list: settle,
    async history(org, id) {
      const rows = await org.read((db) => versions(db, org.orgId, id));
      if (rows.length === 0) throw unknownEntry();
      return rows;
    },
    async add(org, person, text, channel) {
      const checked = check(text);
      return write(org, person, channel, async (tx, at) => {
        const { count } = await tx
          .selectFrom('org_brain')
          .select((e) => e.fn.count<number | string>('id').distinct().as('count'))
          .where('org_id', '=', org.orgId)
          .executeTakeFirstOrThrow();
        if (Number(count) >= mostEntries) {
          throw new DrawbridgeError(
            'quota_exhausted',
            `There are ${mostEntries} entries already. Join some, or import a document instead.`,
            { retry: 'ask' },
          );
        }
        return {
          deed: 'added',
          entry: { ...checked, id: newId('brn', at), version: 1, ...made(person, at) },
        };
      });
    },
    async edit(org, person, { id, version, text, channel }) {
      const checked = check(text);
      return write(org, person, channel, async (tx, at) => {
        const newest = await newestOf(tx, org.orgId, id);
        if (newest.removed) throw unknownEntry();
        if (version !== undefined && version !== newest.version) {
          throw new DrawbridgeError(
            'conflict',
            `${newest.by} changed this entry meanwhile. Look at it again; nothing of yours was stored.`,
          );
        }
        return {
          deed: 'edited',
          entry: { ...checked, id, version: newest.version + 1, ...made(person, at) },
        };
      });
    },
    async remove(org, person, id, channel) {
      await write(org, person, channel, async (tx, at) => {
        const newest = await newestOf(tx, org.orgId, id);
        if (newest.removed) throw unknownEntry();
        return {
          deed: 'removed',
          entry: { ...newest, version: newest.version + 1, ...made(person, at), removed: true },
        };
      });
    },
    async restore(org, person, { id, version, channel }) {
      return write(org, person, channel, async (tx, at) => {
        const all = await versions(tx, org.orgId, id);
        const wanted = all.find((entry) => entry.version === version);
        const [newest] = all;
        if (wanted === undefined || newest === undefined) throw unknownEntry();
        return {
          deed: 'restored',
          entry: { ...wanted, version: newest.version + 1, ...made(person, at) },
        };
      });
    },
  };
}

function check(text: unknown): BrainText {
  const parsed = brainEntryShape.safeParse(text);
  if (parsed.success) return parsed.data;
  const faults = inputFaults(brainEntryShape, parsed.error, text, { whole: 'entry' });
  throw new DrawbridgeError('invalid_request', `${faults.map((fault) => fault.text).join('. ')}.`, {
    field: faults[0]?.field ?? 'entry',
  });
}

function unknownEntry(): DrawbridgeError {
  return new DrawbridgeError('not_found', 'There is no such entry. `drawbridge brain` lists them.');
}

function entryOf(row: OrgTables['org_brain']): BrainEntry {
  return {
    id: row.id,
    version: row.version,
    kind: row.kind as BrainKind,
    title: row.title,
    text: row.text,
    removed: row.removed === 1,
    by: fromJson<{ name: string }>(row.by).name,
    at: row.at,
  };
}

async function versions(db: Kysely<OrgTables>, orgId: string, id: string): Promise<BrainEntry[]> {
  const rows = await db
    .selectFrom('org_brain')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .orderBy('version', 'desc')
    .execute();
  return rows.map(entryOf);
}

/** @throws DrawbridgeError `not_found` */
async function newestOf(tx: Transaction<OrgTables>, orgId: string, id: string): Promise<BrainEntry> {
  const [newest] = await versions(tx, orgId, id);
  if (newest === undefined) throw unknownEntry();
  return newest;
}

async function standing(db: Kysely<OrgTables>, orgId: string): Promise<BrainEntry[]> {
  const rows = await db
    .selectFrom('org_brain as b')
    .selectAll()
    .where('b.org_id', '=', orgId)
    .where('b.removed', '=', 0)
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('org_brain as later')
            .select('later.id')
            .whereRef('later.org_id', '=', 'b.org_id')
            .whereRef('later.id', '=', 'b.id')
            .whereRef('later.version', '>', 'b.version'),
        ),
      ),
    )
    .orderBy('b.kind')
    .orderBy('b.title')
    .execute();
  return rows.map(entryOf);
}

function recordOf(entry: BrainEntry): SourceRecord {
  return {
    externalId: entry.id,
    kind: 'note',
    mediaType: 'application/json',
    raw: Buffer.from(toJson({ title: entry.title, text: entry.text, facts: { kind: entry.kind } })),
    writtenAt: entry.at,
  };
}
