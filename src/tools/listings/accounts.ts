// Which accounts a question about listings is put to: the one that was named, else all that can answer; of several
// two at a time, as every answer has its live reads counted.
import type { Connection } from '../../connections/connections.ts';
import { isUsable } from '../../connections/states.ts';
import type { DrawbridgeError } from '../../errors.ts';
import { liveReads } from '../../recall/live-reads.ts';
import { visibleLine } from '../../untrusted.ts';
import type { ToolContext } from '../define.ts';

export const accountsAtOnce = liveReads;

/** @throws DrawbridgeError as `Connections.resolve`, where none can answer or none of that name */
export async function listingAccounts(
  { rooms, org }: ToolContext,
  capability: 'listing.search' | 'listing.get',
  account: string | undefined,
): Promise<Connection[]> {
  if (account === undefined) {
    const hidden = org.viewer?.hidden.connections ?? [];
    const able = (await rooms.connections.list(org)).filter(
      ({ id, capabilities, state }) =>
        capabilities.includes(capability) && isUsable(state) && !hidden.includes(id),
    );
    if (able.length > 1) return able;
  }
  return [await rooms.connections.resolve(org, capability, account)];
}

export interface Refused {
  connection: Connection;
  error: DrawbridgeError;
}

/** Of several accounts: one that could not be asked is said by its name. */
export function refusedLine({ connection, error }: Refused): string {
  return `${visibleLine(connection.label, 80)} could not be asked: ${error.message.slice(0, 300)}`;
}

/** An account that has no such listing says nothing against those that have. */
export function isAbsence(error: DrawbridgeError): boolean {
  return error.code === 'not_found' || error.code === 'invalid_request';
}
