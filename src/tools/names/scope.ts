// Whom and what a question is about, as a caller names it: a client by name, address or URI; a record by its URI, for
// the conversation or meeting that it belongs to; a listing's record, for all that speaks of that home.
import { DrawbridgeError } from '../../errors.ts';
import type { MemoryQuery } from '../../memory/memory.ts';
import type { ToolContext } from '../define.ts';
import { documentId } from './uris.ts';

type Scope = Pick<MemoryQuery, 'clients' | 'threadId' | 'documentIds'>;

/** @throws DrawbridgeError `not_found`; `invalid_request` naming `field` for more than one record */
export async function scopeOf(
  { rooms, org }: Pick<ToolContext, 'rooms' | 'org'>,
  named: readonly string[],
  field: string,
): Promise<Scope> {
  const clients: string[] = [];
  const records: string[] = [];
  const scope: Scope = {};
  for (const one of named) {
    const client = /^ime:\/\/clients\/([a-z0-9_]{1,64})$/.exec(one.trim())?.[1];
    if (client !== undefined) {
      const { emails, recent } = await rooms.memory.client(org, client);
      clients.push(...emails);
      // Who has no address is known by the records that name them.
      if (emails.length === 0) scope.documentIds = recent.map(({ id }) => id);
    } else if (one.trim().startsWith('ime://documents/')) records.push(documentId(one, field));
    else clients.push(one);
  }
  if (clients.length > 0) scope.clients = clients;
  const [record, another] = records;
  if (another !== undefined) {
    throw new DrawbridgeError('invalid_request', `${field}: name one record; ask again for another.`, {
      field,
    });
  }
  return record === undefined ? scope : { ...scope, ...(await aboutRecord({ rooms, org }, record)) };
}

async function aboutRecord(
  { rooms, org }: Pick<ToolContext, 'rooms' | 'org'>,
  id: string,
): Promise<Pick<MemoryQuery, 'threadId' | 'documentIds'>> {
  const { kind, threadId, facts } = await rooms.memory.document(org, id);
  if (kind === 'listing' && typeof facts['listingId'] === 'string') {
    const home = await rooms.memory.property(org, { id: facts['listingId'] });
    const shown = [
      ...(home?.mentions ?? []).map((one) => one.documentId),
      ...(home?.sightings ?? []).flatMap((one) => one.documentId ?? []),
    ];
    return { documentIds: [...new Set([id, ...shown])] };
  }
  return threadId === undefined ? { documentIds: [id] } : { threadId };
}
