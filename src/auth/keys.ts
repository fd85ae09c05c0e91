// API keys: what an agent shows at /mcp. Only a key's hash is kept, so whoever reads the database cannot
// become an agent, and no key is ever a person.
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { newId, newToken } from '../ids.ts';
import type { Log } from '../log.ts';
import { Secret } from '../secret.ts';
import { fromJson, toJson } from '../store/codec.ts';
import { prepared } from '../store/prepared.ts';
import type { Store } from '../store/store.ts';
import type { ControlTables } from '../store/tables.ts';
import { digest, sameText } from './digest.ts';
import type { Agent, Scope } from './principal.ts';
import { type ChangeRecord, recordChange } from './record-change.ts';

const shape = /^dbk_[A-Za-z0-9_-]{43}$/;
/** How stale `last_used_at` may be: a write a call would be the dearest part of a read. */
const usedEvery = 60_000;

const byHash = prepared((db: Kysely<ControlTables>, { hash }: { hash: string }) =>
  db.selectFrom('api_keys').selectAll().where('hash', '=', hash),
);

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  createdAt: number;
  lastUsedAt: number | undefined;
  revokedAt: number | undefined;
}

export interface Keys {
  /** Makes a key. `key` is shown once: it cannot be read again. @throws DrawbridgeError `invalid_request` */
  create(
    orgId: string,
    name: string,
    scopes: readonly Scope[],
    record?: ChangeRecord,
  ): Promise<ApiKey & { key: Secret }>;
  /** Newest first, revoked ones too. */
  list(orgId: string): Promise<ApiKey[]>;
  /** From now on the key opens nothing. @throws DrawbridgeError `not_found` */
  revoke(orgId: string, id: string, record?: ChangeRecord): Promise<void>;
  /** The agent behind an `Authorization` header; undefined when it is none, malformed, unknown or revoked. */
  verify(header: string | undefined): Promise<Agent | undefined>;
}

export function createKeys(given: { store: Store; clock: Clock; log: Log }): Keys {
  const { store, clock, log } = given;

  async function markUsed(orgId: string, id: string, now: number): Promise<void> {
    try {
      await store.control.write((tx) =>
        tx
          .updateTable('api_keys')
          .set({ last_used_at: now })
          .where('org_id', '=', orgId)
          .where('id', '=', id)
          .execute(),
      );
    } catch (thrown) {
      // A read must still be answered when the disk is full.
      log.warn({ err: thrown, key: id }, 'last use of the key was not recorded');
    }
  }

  return {
    async create(orgId, name, scopes, record) {
      if (name.trim() === '' || name.length > 100) {
        throw new DrawbridgeError('invalid_request', 'name: give the key a name of 1 to 100 characters.', {
          field: 'name',
        });
      }
      const wanted = (['read', 'propose'] as const).filter((scope) => scopes.includes(scope));
      if (wanted.length === 0) {
        throw new DrawbridgeError('invalid_request', 'scopes: give read, propose, or both.', {
          field: 'scopes',
        });
      }
      const now = clock.now();
      const key = new Secret(`dbk_${newToken(32)}`);
      const id = newId('key', now);
      // Before the key: one that opens something is always in the record.
      await recordChange(store, orgId, record, {
        kind: 'key.created',
        subject: id,
        facts: { scopes: wanted.join(' ') },
        values: { key: name.trim() },
      });
      await store.control.write((tx) =>
        tx
          .insertInto('api_keys')
          .values({
            org_id: orgId,
            id,
            name: name.trim(),
            hash: digest(key.reveal()),
            scopes: toJson(wanted),
            created_at: now,
            last_used_at: null,
            revoked_at: null,
          })
          .execute(),
      );
      return {
        id,
        name: name.trim(),
        scopes: wanted,
        createdAt: now,
        lastUsedAt: undefined,
        revokedAt: undefined,
        key,
      };
    },

    async list(orgId) {
      const rows = await store.control.read((db) =>
        db
          .selectFrom('api_keys')
          .select(['id', 'name', 'scopes', 'created_at', 'last_used_at', 'revoked_at'])
          .where('org_id', '=', orgId)
          .orderBy('id', 'desc')
          .execute(),
      );
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        scopes: fromJson<Scope[]>(row.scopes),
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at ?? undefined,
        revokedAt: row.revoked_at ?? undefined,
      }));
    },

    async revoke(orgId, id, record) {
      const now = clock.now();
      const found = await store.control.write(async (tx) => {
        const row = await tx
          .selectFrom('api_keys')
          .select('id')
          .where('org_id', '=', orgId)
          .where('id', '=', id)
          .executeTakeFirst();
        await tx
          .updateTable('api_keys')
          .set({ revoked_at: now })
          .where('org_id', '=', orgId)
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .execute();
        return row !== undefined;
      });
      if (!found) throw new DrawbridgeError('not_found', `There is no API key ${id}.`);
      await recordChange(store, orgId, record, { kind: 'key.revoked', subject: id, facts: {} });
    },

    async verify(header) {
      const key = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
      if (key === undefined || !shape.test(key)) return undefined;
      const hash = digest(key);
      const [row] = await store.control.read((db) => byHash(db, { hash }));
      if (row === undefined || row.revoked_at !== null || !sameText(row.hash, hash)) return undefined;
      const now = clock.now();
      if (row.last_used_at === null || now - row.last_used_at >= usedEvery) {
        await markUsed(row.org_id, row.id, now);
      }
      return {
        kind: 'agent',
        orgId: row.org_id,
        agentId: row.id,
        name: row.name,
        scopes: fromJson<Scope[]>(row.scopes),
      };
    },
  };
}
