// Which scopes a connection is asked for, what each is for in words, and what it may do with those that were
// granted.
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import type { Connection } from '../connections.ts';

export type Access = 'read' | 'write';

interface Asking {
  title: string;
  scopes: readonly string[];
}

/** What asks for scopes, in the order of its declaration: feeds and reads, then writes where they are enabled. */
function asking(provider: Provider, access: Access): Asking[] {
  const feeds = Object.entries(provider.feeds).map(([name, feed]) => ({
    title: `keep ${name} in memory`,
    scopes: feed.scopes ?? [],
  }));
  const operations = Object.values(provider.operations);
  const of = (write: boolean): Asking[] =>
    operations
      .filter(({ effect }) => (effect !== 'read') === write)
      .map(({ title, scopes }) => ({ title, scopes: scopes ?? [] }));
  return [...feeds, ...of(false), ...(access === 'write' ? of(true) : [])];
}

/** The scopes that consent is asked for, each once. */
export function consentScopes(provider: Provider, access: Access): string[] {
  const own = provider.auth.kind === 'oauth2' ? provider.auth.scopes : [];
  return [...new Set([...own, ...asking(provider, access).flatMap(({ scopes }) => scopes)])];
}

/** The same for a person: each scope with what needs it. */
export function scopesInWords(provider: Provider, access: Access): { scope: string; needed: string[] }[] {
  const all = asking(provider, access);
  return consentScopes(provider, access).map((scope) => ({
    scope,
    needed: all.filter(({ scopes }) => scopes.includes(scope)).map(({ title }) => title),
  }));
}

/** Whether what needs `needed` may run. `granted` undefined: the provider knows no scopes. */
export function isGranted(
  granted: readonly string[] | undefined,
  needed: readonly string[] | undefined,
): boolean {
  return granted === undefined || (needed ?? []).every((scope) => granted.includes(scope));
}

/**
 * @param reconnect how a person connects again, as the end of a sentence
 * @throws DrawbridgeError `permission_denied`
 */
export function assertGranted(
  connection: Pick<Connection, 'access' | 'scopes' | 'label'>,
  operation: { title: string; effect: string; scopes?: readonly string[] },
  reconnect: string,
): void {
  // Where reading and writing share a scope, or there are none, the person's choice alone tells.
  const refused = connection.access === 'read' && operation.effect !== 'read';
  if (!refused && isGranted(connection.scopes, operation.scopes)) return;
  throw new DrawbridgeError(
    'permission_denied',
    `${connection.label} was connected without the permission for "${operation.title}". A person connects it again with that permission: ${reconnect}`,
    { retry: 'reconnect' },
  );
}
