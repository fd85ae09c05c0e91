// What an operation or feed may use, bound to one connection: its settings, its credentials, and the door.
import type { Clock } from '../../clock.ts';
import type { Caller, Cause, Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Provider, ProviderContext } from '../../providers/define.ts';
import type { Secret } from '../../secret.ts';
import { tokenFields } from '../tokens/grant.ts';
import { attaching, type Bearer } from './attach.ts';

export interface ContextParts {
  egress: Egress;
  clock: Clock;
  log: Log;
  orgId: string;
  provider: Provider;
  /** Undefined while the account is being connected. */
  connectionId: string | undefined;
  operation: string;
  cause: Cause;
  fields: Readonly<Record<string, unknown>>;
  secrets: ReadonlyMap<string, Secret>;
  /** Absent while an account is being connected: then its first token is among the secrets. */
  bearer?: Bearer | undefined;
  /** Where the connection is reached by the provider's own MCP server. */
  mcpServerUrl?: string | undefined;
  signal?: AbortSignal | undefined;
}

export function providerContext(parts: ContextParts): ProviderContext {
  const { egress, provider, connectionId, operation, signal } = parts;
  const caller: Caller = {
    orgId: parts.orgId,
    provider: provider.id,
    connectionId,
    operation,
    cause: parts.cause,
    limit: provider.limit,
    ...(provider.appLimit === undefined ? {} : { app: { name: provider.id, limit: provider.appLimit } }),
  };
  const secret = (name: string): Secret => {
    const found = parts.secrets.get(name);
    if (found !== undefined) return found;
    throw new DrawbridgeError(
      'auth_expired',
      `${provider.title} has no ${name} stored. Connect the account again: drawbridge connect ${provider.id}`,
    );
  };
  const bearer: Bearer = parts.bearer ?? { fresh: async () => secret(tokenFields.access) };
  const { fields, mcpServerUrl } = parts;
  const call = attaching(egress.fetchFor(caller), { provider, fields, secret, bearer, mcpServerUrl });
  return {
    connectionId: connectionId ?? '',
    fields,
    secret(name) {
      if (provider.auth.kind === 'oauth2' && Object.values<string>(tokenFields).includes(name)) {
        // A copy that a provider keeps would be renewed by nobody.
        throw new DrawbridgeError('internal', 'A bearer is had by token(), and a refresh token by nobody.');
      }
      return secret(name);
    },
    token: async () => {
      if (provider.auth.kind === 'oauth2') return bearer.fresh();
      throw new DrawbridgeError('auth_expired', `${provider.title} has no bearer token.`);
    },
    within: (work) => egress.within(caller, work, call),
    fetch: (input, init = {}) => {
      const joined = join(signal, init.signal ?? undefined);
      return call(input, joined === undefined ? init : { ...init, signal: joined });
    },
    dial: (host, port) => egress.dial(caller, host, port),
    converse: (work, options) =>
      egress.converse(
        caller,
        (limit) => {
          signal?.throwIfAborted();
          return work(join(signal, limit) ?? limit);
        },
        options,
      ),
    clock: parts.clock,
    log: parts.log.child({ provider: provider.id, connection: connectionId, operation }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function join(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return AbortSignal.any([one, other]);
}
