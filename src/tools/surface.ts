// What a principal sees: the tools, in the order in which they are listed. One line a tool.
import type { Agent } from '../auth/principal.ts';
import { actionStatus } from './action-status.ts';
import { cancelAction } from './cancel-action.ts';
import { checkAvailability } from './check-availability.ts';
import { clientProfile } from './client-profile.ts';
import { connectProvider } from './connect-provider.ts';
import type { Tool } from './define.ts';
import { findOperation } from './find-operation.ts';
import { imeSearch } from './ime-search.ts';
import { informedBy } from './informed-by.ts';
import { listActions } from './list-actions.ts';
import { listConnections } from './list-connections.ts';
import { propertyDetail } from './property-detail.ts';
import { readSource } from './read-source.ts';
import { recordAttribution } from './record-attribution.ts';
import { runOperation } from './run-operation.ts';
import { scheduleEvent } from './schedule-event.ts';
import { search } from './search.ts';
import { sendEmail } from './send-email.ts';

export const tools: readonly Tool[] = [
  search,
  imeSearch,
  clientProfile,
  propertyDetail,
  sendEmail,
  scheduleEvent,
  checkAvailability,
  readSource,
  recordAttribution,
  informedBy,
  actionStatus,
  cancelAction,
  listActions,
  listConnections,
  connectProvider,
  findOperation,
  runOperation,
] as unknown as readonly Tool[];

/** The tools that an agent's scopes admit: `propose` for those that queue, `read` for the others. What queues refuses by itself who may not. */
export function visibleTools(scopes: Agent['scopes']): Tool[] {
  return tools.filter(({ kind }) => scopes.some((scope) => kind === 'either' || kind === scope));
}
