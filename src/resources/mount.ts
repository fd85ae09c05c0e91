// Puts the resource kinds on an MCP server: list, templates, completion, read.
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { ResourceContext, ResourceKind } from './define.ts';
import { readUri, resourceKinds } from './surface.ts';

const listed = 50;
const completed = 20;

/** `open` gives the rooms; asked only when a resource is listed, completed or read. */
export function mountResources(server: McpServer, open: () => Promise<ResourceContext>): void {
  for (const kind of resourceKinds) {
    const template = new ResourceTemplate(`${kind.prefix}{id}`, {
      list: async () => ({ resources: await entries(kind, await open()) }),
      complete: { id: async (typed) => complete(kind, await open(), typed) },
    });
    server.registerResource(
      kind.name,
      template,
      { title: kind.title, description: kind.description, mimeType: kind.mimeType },
      async (uri) => {
        try {
          const found = await readUri(await open(), uri.href);
          return {
            contents: [
              { uri: found.uri, mimeType: found.mimeType, text: found.text, _meta: { trust: found.trust } },
            ],
          };
        } catch (thrown) {
          const error = toDrawbridgeError(thrown);
          if (error.code === 'not_found') throw new ResourceNotFoundError(uri.href);
          throw new DrawbridgeError(error.code, error.message);
        }
      },
    );
  }
}

async function entries(kind: ResourceKind, context: ResourceContext) {
  return (await kind.list(context, listed)).map((entry) => ({
    uri: `${kind.prefix}${entry.id}`,
    name: entry.name,
    mimeType: kind.mimeType,
    ...(entry.description === undefined ? {} : { description: entry.description }),
  }));
}

async function complete(kind: ResourceKind, context: ResourceContext, typed: string): Promise<string[]> {
  const wanted = typed.toLowerCase();
  const found = await kind.list(context, 500);
  return found
    .filter(
      (entry) => entry.id.startsWith(typed) || (wanted !== '' && entry.name.toLowerCase().includes(wanted)),
    )
    .slice(0, completed)
    .map((entry) => entry.id);
}
