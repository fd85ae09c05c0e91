// One numbered step of the schema. It runs once on each database, whole or not at all.
import type { Kit } from './kit.ts';

export interface Migration {
  /** 1, 2, 3 …: never changed or reused once it has shipped. */
  number: number;
  name: string;
  /** Embedded: on the control file. PostgreSQL: before `org`, in the same transaction. */
  control?(kit: Kit): Promise<void>;
  /** Embedded: on each org's file. PostgreSQL: once, for all orgs. */
  org?(kit: Kit): Promise<void>;
}
