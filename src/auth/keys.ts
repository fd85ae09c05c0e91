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
import { meant } from './member-of.ts';
import type { Agent, Scope } from './principal.ts';
import { type ChangeRecord, recordChange } from './record-change.ts';

const shape = /^dbk_[A-Za-z0-9_-]{43}$/;
/** How stale `last_used_at` may be: a write a call would be the dearest part of a read. */
const usedEvery = 60_000;

const byHash = prepared((db: Kysely<ControlTables>, { hash }: { hash: string }) =>
  db
    .selectFrom('api_keys as k')
    .leftJoin('members as m', (join) =>
      join.onRef('m.org_id', '=', 'k.org_id').onRef('m.id', '=', 'k.member_id'),
    )
    .selectAll('k')
    .select(['m.name as member_name'])
    .where('k.hash', '=', hash),
);

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  createdAt: number;
  lastUsedAt: number | undefined;
  revokedAt: number | undefined;
  /** For whom it acts; without address and name where that member is gone. Undefined: nobody in particular. */
  member: { id: string; email: string | undefined; name: string | undefined } | undefined;
}

export interface Keys {
  /**
   * Makes a key. `key` is shown once: it cannot be read again. `member`: the address of whom it acts for: it reads
   * what they may, proposes in their name, and decides nothing.
   * @throws DrawbridgeError `invalid_request`; `not_found` for an address that is no member's
   */
  create(
    orgId: string,
    name: string,
    scopes: readonly Scope[],
    options?: { record?: ChangeRecord; member?: string | undefined },
  ): Promise<ApiKey & { key: Secret }>;
  /** Newest first, revoked ones too. */
  list(orgId: string): Promise<ApiKey[]>;
  /** From now on the key opens nothing. @throws DrawbridgeError `not_found` */
  revoke(orgId: string, id: string, record?: ChangeRecord): Promise<void>;
  /**
   * The agent behind an `Authorization` header; undefined when it is none, malformed, unknown or revoked, or its
   * member is gone.
   */
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
    async create(orgId, name, scopes, { record, member: email } = {}) {
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
      const member =
        email === undefined ? undefined : await store.control.read((db) => meant(db, orgId, email));
      const now = clock.now();
      const key = new Secret(`dbk_${newToken(32)}`);
      const id = newId('key', now);
      // Before the key: one that opens something is always in the record.
      await recordChange(store, orgId, record, {
        kind: 'key.created',
        subject: id,
        facts: { scopes: wanted.join(' '), ...(member === undefined ? {} : { member: member.id }) },
        values: { key: name.trim() },
      });
      await store.control.write(async (tx) => {
        // Removed at this moment, nobody would revoke their key.
        if (email !== undefined && (await meant(tx, orgId, email)).id !== member?.id) {
          throw new DrawbridgeError('conflict', 'This address is another member’s now. Try again.');
        }
        await tx
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
            member_id: member?.id ?? null,
          })
          .execute();
      });
      return {
        id,
        name: name.trim(),
        scopes: wanted,
        createdAt: now,
        lastUsedAt: undefined,
        revokedAt: undefined,
        member:
          member === undefined
            ? undefined
            : { id: member.id, email: member.email ?? undefined, name: member.name },
        key,
      };
    },

    async list(orgId) {
      const rows = await store.control.read((db) =>
        db
          .selectFrom('api_keys as k')
          .leftJoin('members as m', (join) =>
            join.onRef('m.org_id', '=', 'k.org_id').onRef('m.id', '=', 'k.member_id'),
          )
          .select([
            'k.id',
            'k.name',
            'k.scopes',
            'k.created_at',
            'k.last_used_at',
            'k.revoked_at',
            'k.member_id',
          ])
          .select(['m.email as member_email', 'm.name as member_name'])
          .where('k.org_id', '=', orgId)
          .orderBy('k.id', 'desc')
          .execute(),
      );
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        scopes: fromJson<Scope[]>(row.scopes),
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at ?? undefined,
        revokedAt: row.revoked_at ?? undefined,
        member:
          row.member_id === null
            ? undefined
            : { id: row.member_id, email: row.member_email ?? undefined, name: row.member_name ?? undefined },
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
      // Who acted for somebody does not go on for nobody in particular.
      if (row.member_id !== null && row.member_name === null) return undefined;
      const now = clock.now();
      if (row.last_used_at === null || now - row.last_used_at >= usedEvery) {
        await markUsed(row.org_id, row.id, now);
      }
      return {
        kind: 'agent',
        orgId: row.org_id,
        agentId: row.id,
        // Whoever reads what it proposed reads in whose name that was.
        name: row.member_name === null ? row.name : `${row.name} for ${row.member_name}`,
        ...(row.member_id === null ? {} : { memberId: row.member_id }),
        scopes: fromJson<Scope[]>(row.scopes),
      };
    },
  };
}
