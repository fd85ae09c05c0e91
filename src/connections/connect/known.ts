// The providers that this installation knows: found by their id, and each as one connection reaches it.
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import type { CatalogEntry } from '../../providers/entry.ts';
import type { Connection } from '../connections.ts';
import { assertProgram, overMcp, reachedBy } from './reached.ts';

export interface KnownProviders {
  /** Without loading it; undefined where there is none. */
  entryOf(provider: string): CatalogEntry | undefined;
  /** As it declares itself. @throws DrawbridgeError `not_found` with `field` */
  load(provider: string): Promise<Provider>;
  /** As that connection reaches it. @throws DrawbridgeError also as `reachedBy` and `assertProgram` */
  loadFor(connection: Pick<Connection, 'provider' | 'fields' | 'mcpServerUrl'>): Promise<Provider>;
  /** A provider, spoken to through an MCP server of its own. */
  overMcp(declared: Provider): Promise<Provider>;
}

export function knownProviders(
  catalog: readonly CatalogEntry[],
  { allowPrograms }: { allowPrograms: boolean },
): KnownProviders {
  function entryOf(provider: string): CatalogEntry | undefined {
    return catalog.find((entry) => entry.id === provider);
  }

  async function load(provider: string): Promise<Provider> {
    const entry = entryOf(provider);
    if (entry !== undefined) return entry.load();
    const known = catalog.filter(({ connectable }) => connectable).map(({ id }) => id);
    throw new DrawbridgeError(
      'not_found',
      `There is no provider ${provider}. There are: ${known.join(', ')}.`,
      {
        field: 'provider',
      },
    );
  }

  const through = async (declared: Provider) => overMcp(declared, await load('mcp'));

  return {
    entryOf,
    load,
    overMcp: through,
    async loadFor(connection) {
      const declared = await load(connection.provider);
      const provider = connection.mcpServerUrl === undefined ? declared : await through(declared);
      assertProgram(connection.fields, allowPrograms);
      return reachedBy(provider, connection);
    },
  };
}
