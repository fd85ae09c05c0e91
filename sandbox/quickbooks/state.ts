// The books of one company: records by entity and number, versions, and what was deleted.
import type { Clock } from '../../src/clock.ts';
import { pacific } from './answers.ts';

export const entities = ['Customer', 'Item', 'Invoice', 'Payment', 'Estimate'] as const;
export type Entity = (typeof entities)[number];

export type Body = Record<string, unknown>;
export interface BookRecord extends Body {
  Id: string;
  SyncToken: string;
}

interface Kept {
  entity: Entity;
  record: BookRecord;
  /** Integer ms. */
  createdAt: number;
  updatedAt: number;
  deleted: boolean;
}

export class Books {
  readonly #records = new Map<string, Kept>();
  readonly #clock: Clock;
  #lastId = 100;
  #lastNumber = 1_000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nextNumber(): string {
    this.#lastNumber += 1;
    return String(this.#lastNumber);
  }

  /** @param at integer ms; default: now */
  add(entity: Entity, body: Body, at = this.#clock.now()): BookRecord {
    this.#lastId += 1;
    const Id = String(this.#lastId);
    const record: BookRecord = { ...body, Id, SyncToken: '0' };
    this.#records.set(`${entity}/${Id}`, { entity, record, createdAt: at, updatedAt: at, deleted: false });
    return record;
  }

  /** Changes some of it, and its version. @param at integer ms; default: now */
  change(entity: Entity, id: string, changes: Body, at = this.#clock.now()): BookRecord {
    const kept = this.#kept(entity, id);
    Object.assign(kept.record, changes, { Id: id, SyncToken: String(Number(kept.record.SyncToken) + 1) });
    kept.updatedAt = at;
    return kept.record;
  }

  delete(entity: Entity, id: string): void {
    const kept = this.#kept(entity, id);
    kept.deleted = true;
    kept.updatedAt = this.#clock.now();
  }

  get(entity: Entity, id: string): BookRecord | undefined {
    const kept = this.#records.get(`${entity}/${id}`);
    return kept === undefined || kept.deleted ? undefined : kept.record;
  }

  /** Live ones, by number. */
  all(entity: Entity): BookRecord[] {
    return [...this.#records.values()]
      .filter((kept) => kept.entity === entity && !kept.deleted)
      .map(({ record }) => record);
  }

  /** As it stands in an answer. */
  shown(entity: Entity, record: BookRecord): Body {
    const { createdAt, updatedAt } = this.#kept(entity, record.Id);
    return {
      ...record,
      domain: 'QBO',
      sparse: false,
      MetaData: { CreateTime: pacific(createdAt), LastUpdatedTime: pacific(updatedAt) },
    };
  }

  /** As change data capture tells them: whole, or what is left of those deleted. @param since integer ms */
  changes(entity: Entity, since: number): Body[] {
    return [...this.#records.values()]
      .filter((kept) => kept.entity === entity && kept.updatedAt >= since)
      .sort((a, b) => b.updatedAt - a.updatedAt)
      .map(({ record, updatedAt, deleted }) =>
        deleted
          ? {
              Id: record.Id,
              domain: 'QBO',
              status: 'Deleted',
              MetaData: { LastUpdatedTime: pacific(updatedAt) },
            }
          : this.shown(entity, record),
      );
  }

  #kept(entity: Entity, id: string): Kept {
    const kept = this.#records.get(`${entity}/${id}`);
    if (kept === undefined) throw new Error(`the books have no ${entity} ${id}`);
    return kept;
  }
}
