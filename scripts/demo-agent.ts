// The agent of the demo: a real MCP client with a key, and the shapes of the answers that it relies on.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';

export const passage = z.object({
  uri: z.string(),
  title: z.string(),
  people: z.array(z.string()).optional(),
  writtenAt: z.string().optional(),
  text: z.string(),
  citation: z.object({ document: z.string(), start: z.number(), end: z.number(), sha256: z.string() }),
  trust: z.literal('untrusted'),
});
export const hit = z.object({
  uri: z.string(),
  title: z.string(),
  snippet: z.string(),
  writtenAt: z.string().optional(),
  listingId: z.string().optional(),
  price: z.number().optional(),
});
export const proposal = z.object({
  actionId: z.string(),
  status: z.string(),
  summary: z.string(),
  approveUrl: z.string(),
  payloadHash: z.string(),
  warnings: z.array(z.string()).optional(),
});
export type Proposal = z.output<typeof proposal>;

export class Agent {
  readonly #client = new Client({ name: 'drawbridge-demo', version: '1.0.0' });

  /** Comes in over streamable HTTP. @returns the names of the tools */
  async connect(origin: string, key: string): Promise<string[]> {
    const transport = new StreamableHTTPClientTransport(new URL('/mcp', origin), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    });
    await this.#client.connect(transport);
    const { tools } = await this.#client.listTools();
    return tools.map(({ name }) => name);
  }

  /** The structured answer of a tool. @throws Error with the tool's own words when it refuses */
  async call<Schema extends z.ZodType>(
    name: string,
    input: Record<string, unknown>,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const result = await this.#client.callTool({ name, arguments: input });
    const [first] = Array.isArray(result.content) ? result.content : [];
    if (result.isError === true)
      throw new Error(`${name}: ${first?.type === 'text' ? first.text : 'failed'}`);
    return schema.parse(result.structuredContent);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
