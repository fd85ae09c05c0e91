// What a call to a token endpoint runs in: the door, as the connection that it is for, once and no more.
import type { Caller, Egress, FetchOptions } from '../../egress/egress.ts';
import type { TokenCall } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';

/** A slow answer may hold the only valid refresh token there is: it is waited for. */
const tokenCallMs = 120_000;

/** What a token call of an account that is being connected runs in. */
export function tokenCall(
  org: OrgStore,
  { egress }: { egress: Egress },
  provider: Provider,
  given: Pick<TokenCall, 'app' | 'fields'> & { connectionId?: string },
): TokenCall {
  const caller: Caller = {
    orgId: org.orgId,
    provider: provider.id,
    connectionId: given.connectionId,
    operation: 'authorize',
    cause: 'connect',
    limit: provider.limit,
  };
  const leave = egress.fetchFor(caller);
  const once = (input: string | URL | Request, init?: FetchOptions) =>
    leave(input, { ...init, once: true, timeoutMs: tokenCallMs });
  return {
    app: given.app,
    fields: given.fields,
    fetch: once,
    within: (work) => egress.within(caller, work, once),
  };
}
