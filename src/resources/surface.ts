// The resource kinds that clients see, and the reading of any one of them by its URI.
import { DrawbridgeError } from '../errors.ts';
import { actions } from './actions.ts';
import { clients } from './clients.ts';
import { connectionResources } from './connections.ts';
import type { ResourceContext, ResourceKind, ResourceText } from './define.ts';
import { documents } from './documents.ts';
import { outputs } from './outputs.ts';
import { sources } from './sources.ts';

export const resourceKinds: readonly ResourceKind[] = [
  documents,
  clients,
  sources,
  outputs,
  actions,
  connectionResources,
];

const idShape = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads `ime://…`, `action://…` or `connection://…`.
 * @throws DrawbridgeError `invalid_request` for a URI of no kind, `not_found` for what is not there
 */
export async function readUri(
  context: ResourceContext,
  uri: string,
): Promise<ResourceText & { uri: string }> {
  const kind = resourceKinds.find((known) => uri.startsWith(known.prefix));
  const id = kind === undefined ? '' : uri.slice(kind.prefix.length);
  if (kind === undefined || !idShape.test(id)) {
    const forms = resourceKinds.map((known) => `${known.prefix}{id}`).join(', ');
    throw new DrawbridgeError(
      'invalid_request',
      `uri: "${uri.slice(0, 120)}" is no resource of Drawbridge. Resources are: ${forms}.`,
      { field: 'uri' },
    );
  }
  return { uri, ...(await kind.read(context, id)) };
}
