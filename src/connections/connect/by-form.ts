// Connecting an account by what a person gave, where nobody is sent to a browser: checked, tried with a real log-in,
// then stored.
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import type { Mover } from '../states.ts';
import type { AuthorizeParts } from './authorize.ts';
import { storeConnection } from './connect.ts';
import { openServer } from './discovered.ts';
import { checkGiven } from './given.ts';
import { assertProgram, isDiscovered, isPasted, reachedBy, type Standing } from './reached.ts';

export interface ByFormParts extends AuthorizeParts {
  mover?: Mover | undefined;
  allowPrograms: boolean;
  pageUrl(path: string): string;
}

export interface GivenByForm {
  fields: Record<string, string>;
  secrets: Record<string, string>;
  /** Of a bearer that was pasted in place of a sign-in. */
  access?: 'read' | 'write';
}

/** Returns the connection's id. @throws DrawbridgeError `invalid_request` with `field`, and what the provider said */
export async function connectByForm(
  org: OrgStore,
  parts: ByFormParts,
  provider: Provider,
  given: GivenByForm,
): Promise<string> {
  const pasted = isPasted(provider, given.secrets);
  if (provider.auth.kind === 'oauth2' && !pasted) {
    throw new DrawbridgeError(
      'invalid_request',
      `${provider.title} is connected in a browser: ${parts.pageUrl(`/connect/${provider.id}`)}`,
      { field: 'provider', retry: 'ask' },
    );
  }
  const asGiven = checkGiven(provider, given, parts.defaults(provider.id));
  assertProgram(asGiven.fields, parts.allowPrograms);
  const opened = isDiscovered(provider)
    ? await openServer(org, parts, provider, asGiven)
    : pasted
      ? { ...asGiven, fields: { ...asGiven.fields, standing: { way: 'token' } satisfies Standing } }
      : asGiven;
  const reached = reachedBy(provider, opened);
  const probed = (await reached.probe?.(parts.context(org, reached, opened))) ?? {};
  const checked = { ...opened, fields: { ...opened.fields, ...probed } };
  const who = await reached.identity(parts.context(org, reached, checked));
  return storeConnection(org, parts, {
    ...checked,
    provider: provider.id,
    account: who.id,
    label: who.label,
    ...(pasted && given.access !== undefined ? { access: given.access } : {}),
  });
}
