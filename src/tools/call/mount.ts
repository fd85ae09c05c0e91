// Puts the tools on an MCP server. Our own check of the input stands before each call, so that a bad one is
// answered with its field and its mend; the SDK only carries the schemas.
import {
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { annotations, type Tool, type ToolContext } from '../define.ts';
import { AskFirst, capabilitiesOf } from './asks.ts';
import { callTool } from './call.ts';
import { plain } from './plain-schema.ts';

export function mountTools(
  server: McpServer,
  tools: readonly Tool[],
  open: (request: ServerContext) => Promise<ToolContext>,
): void {
  for (const tool of tools) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: carried(tool, 'input'),
        outputSchema: carried(tool, 'output'),
        annotations: annotations(tool),
      },
      async (input: unknown, request: ServerContext) => {
        try {
          return await callTool(
            tool,
            input,
            () => open(request),
            (page) => leadTo(server, request, page),
            takesLinks(server),
          );
        } catch (thrown) {
          if (thrown instanceof AskFirst) return thrown.result;
          throw thrown;
        }
      },
    );
  }
}

/**
 * URL elicitation, on both eras: the client shows the address, and opens it when the person agrees. That says
 * nothing of what the person then does there.
 */
function leadTo(
  server: McpServer,
  request: ServerContext,
  page: { url: string; message: string },
): { instead: InputRequiredResult } | { note: string } | undefined {
  if (capabilitiesOf(server, request)?.elicitation?.url === undefined) return undefined;
  const answered = inputResponse(request.mcpReq.inputResponses, 'page');
  if (answered.kind === 'missing') {
    return { instead: inputRequired({ inputRequests: { page: inputRequired.elicitUrl(page) } }) };
  }
  const accepted = answered.kind === 'elicit' && answered.action === 'accept';
  return { note: accepted ? 'The person was led to the page.' : 'The person did not open the page.' };
}

// Clients of an older revision refuse an answer with a content type that they do not know. The text names every URI.
const linksSince = '2025-06-18';

function takesLinks(server: McpServer): boolean {
  const spoken = server.server.getNegotiatedProtocolVersion();
  return spoken === undefined || spoken >= linksSince;
}

const schemas = new WeakMap<Tool, { input?: object; output?: object }>();

/**
 * The tool's JSON Schema, 2020-12, made when first asked for and kept for the life of the process. It names no dialect:
 * MCP's default is this one, and a client whose checker knows draft 7 alone refuses a name that it does not know.
 */
export function jsonSchema(tool: Tool, side: 'input' | 'output'): Record<string, unknown> {
  const kept = schemas.get(tool) ?? {};
  schemas.set(tool, kept);
  kept[side] ??= plain(
    z.toJSONSchema(side === 'input' ? tool.input : tool.output, {
      io: side,
      target: 'draft-2020-12',
    }),
    side,
  );
  return kept[side] as Record<string, unknown>;
}

function carried(tool: Tool, side: 'input' | 'output'): StandardSchemaWithJSON<unknown, unknown> {
  return {
    '~standard': {
      version: 1,
      vendor: 'drawbridge',
      validate: (value) => ({ value }),
      jsonSchema: { input: () => jsonSchema(tool, side), output: () => jsonSchema(tool, side) },
    },
  };
}
