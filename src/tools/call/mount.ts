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
  kept[side] ??= compact(
    z.toJSONSchema(side === 'input' ? tool.input : tool.output, {
      io: side,
      target: 'draft-2020-12',
    }),
    side,
  );
  return kept[side] as Record<string, unknown>;
}

/**
 * Bounds that only say "a safe integer" or "not empty", and whether an answer of ours may have other fields, cost
 * tokens and tell a client nothing: what comes in is checked here in full.
 */
function compact(value: unknown, side: 'input' | 'output'): object {
  const within = (item: unknown) => (typeof item === 'object' && item !== null ? compact(item, side) : item);
  if (Array.isArray(value)) return value.map(within);
  const entries = Object.entries(value as object).filter(
    ([key, item]) =>
      !((key === 'maximum' || key === 'minimum') && Math.abs(Number(item)) === Number.MAX_SAFE_INTEGER) &&
      !(key === 'minLength' && item === 1) &&
      key !== '$schema' &&
      !(key === 'additionalProperties' && side === 'output'),
  );
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      // Any field, said as every converter reads it: some take the empty schema for no further field.
      key === 'additionalProperties' && Object.keys(Object(item)).length === 0
        ? item !== false
        : within(item),
    ]),
  );
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
