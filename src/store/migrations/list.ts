// Every migration, in its order. To add one: a file here, and its line.
import { tables } from './0001-tables.ts';
import { searchIndex } from './0002-search-index.ts';
import { connections } from './0003-connections.ts';
import { approvals } from './0004-approvals.ts';
import { erasure } from './0005-erasure.ts';
import { search } from './0006-search.ts';
import { ingestion } from './0007-ingestion.ts';
import { clients } from './0008-clients.ts';
import { receipts } from './0009-receipts.ts';
import { properties } from './0010-properties.ts';
import { readers } from './0011-readers.ts';
import { embedders } from './0012-embedders.ts';
import { smallerFiles } from './0013-smaller-files.ts';
import { membersKeys } from './0014-members-keys.ts';
import { rowsOfOneOrg } from './0015-rows-of-one-org.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  tables,
  searchIndex,
  connections,
  approvals,
  erasure,
  search,
  ingestion,
  clients,
  receipts,
  properties,
  readers,
  embedders,
  smallerFiles,
  membersKeys,
  rowsOfOneOrg,
];
