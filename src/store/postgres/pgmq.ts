// The verbs of messages through pgmq's own functions, where a PostgreSQL has that extension. Each org has queues
// of its own: pgmq's tables know no row security, so no org's message is ever in another's queue.
// Source: https://pgmq.github.io/pgmq/api/sql/functions/ (1.5 and later).
import { sql } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore, Store } from '../store.ts';
import { usable } from './extension.ts';

/** pgmq, with what sends. */
export const pgmqUsable = usable('pgmq', 'pgmq', ['send(text,jsonb,integer)', 'create(text)']);

/** Whether the extension is there, may be used by this user, and has the functions that are called. */
export async function hasPgmq(store: Store): Promise<boolean> {
  if (store.dialect !== 'postgres') return false;
  return store.control.read(async (db) => {
    const { rows } = await sql<{ usable: number }>`
      select ${pgmqUsable} as usable`.execute(db);
    return rows[0]?.usable === 1;
  });
}

interface Row {
  msg_id: number;
  read_ct: number;
  enqueued: number;
  body: string;
}

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1_000);

/** The queue's name in pgmq, which admits 47 characters. */
function nameOf(org: OrgStore, queue: string): string {
  if (!/^[a-z_]{1,12}$/.test(queue)) {
    throw new DrawbridgeError('internal', `"${queue}" is no name for a queue.`);
  }
  return `${queue}_${org.orgId}`;
}

export function createPgmq(store: Store) {
  const { control } = store;
  const made = new Map<string, Promise<void>>();

  /** pgmq makes a queue that is there already no second time. */
  async function queueOf(org: OrgStore, queue: string): Promise<string> {
    const name = nameOf(org, queue);
    const known = made.get(name);
    if (known !== undefined) {
      await known;
      return name;
    }
    const making = control.write(async (tx) => {
      await sql`select pgmq.create(${name})`.execute(tx);
    });
    made.set(name, making);
    try {
      await making;
    } catch (thrown) {
      made.delete(name);
      throw thrown;
    }
    return name;
  }

  /** `verb` answers whether there was such a message. */
  async function did(verb: 'archive' | 'delete', org: OrgStore, queue: string, id: string): Promise<boolean> {
    const name = await queueOf(org, queue);
    return control.write(async (tx) => {
      const { rows } = await (verb === 'archive'
        ? sql<{ done: number }>`select pgmq.archive(${name}, ${Number(id)}::bigint) as done`
        : sql<{ done: number }>`select pgmq.delete(${name}, ${Number(id)}::bigint) as done`
      ).execute(tx);
      return rows[0]?.done === 1;
    });
  }

  return {
    async send(
      org: OrgStore,
      queue: string,
      body: unknown,
      { delayMs = 0 }: { delayMs?: number } = {},
    ): Promise<string> {
      const name = await queueOf(org, queue);
      const delay = wholeSeconds(delayMs);
      return control.write(async (tx) => {
        const { rows } = await sql<{
          id: number;
        }>`select pgmq.send(${name}, ${JSON.stringify(body)}::jsonb, ${delay}::integer) as id`.execute(tx);
        return String(rows[0]?.id);
      });
    },

    async read(
      org: OrgStore,
      queue: string,
      { visibleInMs, quantity }: { visibleInMs: number; quantity: number },
    ) {
      const name = await queueOf(org, queue);
      return control.write(async (tx) => {
        const { rows } = await sql<Row>`
          select msg_id, read_ct, floor(extract(epoch from enqueued_at) * 1000)::bigint as enqueued, message::text as body
          from pgmq.read(${name}, ${wholeSeconds(visibleInMs)}::integer, ${quantity}::integer)
          order by msg_id`.execute(tx);
        return rows.map((row) => ({
          id: String(row.msg_id),
          readCount: Number(row.read_ct),
          enqueuedAt: Number(row.enqueued),
          body: JSON.parse(row.body) as unknown,
        }));
      });
    },

    async setVisibility(org: OrgStore, queue: string, id: string, visibleInMs: number): Promise<boolean> {
      const name = await queueOf(org, queue);
      const seconds = wholeSeconds(visibleInMs);
      return control.write(async (tx) => {
        const { rows } = await sql`
          select msg_id from pgmq.set_vt(${name}, ${Number(id)}::bigint, ${seconds}::integer)`.execute(tx);
        return rows.length === 1;
      });
    },

    archive: (org: OrgStore, queue: string, id: string) => did('archive', org, queue, id),
    delete: (org: OrgStore, queue: string, id: string) => did('delete', org, queue, id),

    async metrics(org: OrgStore, queue: string) {
      const name = await queueOf(org, queue);
      return control.write(async (tx) => {
        const { rows } = await sql<{ length: number; visible: number; oldest: number | null }>`
          select m.queue_length as length, m.oldest_msg_age_sec as oldest,
            m.queue_visible_length as visible
          from pgmq.metrics(${name}) m`.execute(tx);
        const row = rows[0];
        const oldest = row?.oldest ?? null;
        return {
          length: Number(row?.length ?? 0),
          visible: Number(row?.visible ?? 0),
          oldestMs: oldest === null ? undefined : Number(oldest) * 1_000,
        };
      });
    },

    async sweep(org: OrgStore, queue: string, keptMs: number): Promise<void> {
      const name = await queueOf(org, queue);
      await control.write(async (tx) => {
        await sql`delete from ${sql.table(`pgmq.a_${name.toLowerCase()}`)}
          where archived_at < clock_timestamp() - make_interval(secs => ${keptMs / 1_000}::double precision)`.execute(
          tx,
        );
      });
    },
  };
}
