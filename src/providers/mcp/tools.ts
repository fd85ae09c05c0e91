// A server's tools as operations under our gate. What a tool says of itself is a hint: one that does not call
// itself read-only is a write, and a person decides.
import { createHash } from 'node:crypto';
import type { CallToolResult, Tool } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { visible, visibleLine } from '../../untrusted.ts';
import type { ProviderContext, ReadOperation, WriteEffect, WriteOperation } from '../define.ts';
import { withServer } from './client.ts';

type Operation = ReadOperation | WriteOperation;

/** Operations of a server carry it in front: none can pass for one of ours. */
const prefix = 'mcp:';
const nameShape = /^[A-Za-z0-9_.\-/]{1,128}$/;
const mostTools = 500;
const largestSchema = 50_000;

/** Every tool of the server, by its operation's name. */
export async function discover(context: ProviderContext): Promise<Readonly<Record<string, Operation>>> {
  const tools = await withServer(context, async (client) => {
    const listed: Tool[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      listed.push(...page.tools);
      if (page.nextCursor === cursor && cursor !== undefined) break;
      cursor = page.nextCursor;
    } while (cursor !== undefined && listed.length < mostTools);
    return listed.slice(0, mostTools);
  });
  const names = new Map<string, number>();
  for (const { name } of tools) names.set(name, (names.get(name) ?? 0) + 1);
  const operations: [string, Operation][] = [];
  for (const tool of tools) {
    // Which of two tools of one name is meant, nobody could say.
    if (!nameShape.test(tool.name) || names.get(tool.name) !== 1) {
      context.log.warn({ tool: visibleLine(tool.name, 80) }, 'a tool of the server is left out: its name');
      continue;
    }
    operations.push([`${prefix}${tool.name}`, operationOf(tool)]);
  }
  return Object.fromEntries(operations);
}

function operationOf(tool: Tool): Operation {
  const base = {
    title: visibleLine(tool.title ?? tool.annotations?.title ?? tool.name, 120),
    description: visible(tool.description ?? '').slice(0, 1_000),
    input: inputOf(tool),
  };
  const effect = effectOf(tool);
  if (effect === 'read') {
    return { ...base, effect, run: (context, input) => call(context, tool.name, input) };
  }
  return {
    ...base,
    effect,
    version: versionOf(tool),
    idempotency: 'none',
    summary: (payload, account) =>
      `Run ${tool.name} at ${account} with ${visibleLine(JSON.stringify(payload), 400)}`,
    async run(context, payload) {
      await context.aboutToSend();
      const answer = await call(context, tool.name, payload);
      return { reference: tool.name, details: { answer } };
    },
  };
}

/** The spec's own defaults where a tool says nothing: not read-only, destructive, open to the world. */
function effectOf({ annotations }: Tool): 'read' | WriteEffect {
  if (annotations?.readOnlyHint === true) return 'read';
  if (annotations?.destructiveHint !== false) return 'delete';
  return annotations.openWorldHint === false ? 'update' : 'send';
}

/** Changes with anything that the tool says of itself: an approval does not hold for what was altered since. */
function versionOf(tool: Tool): number {
  const { name, description, inputSchema, annotations } = tool;
  const told = JSON.stringify([name, description ?? '', inputSchema, annotations ?? {}]);
  return createHash('sha256').update(told).digest().readUInt32BE(0);
}

function inputOf({ inputSchema }: Tool): z.ZodType {
  const open = z.looseObject({});
  if (JSON.stringify(inputSchema).length > largestSchema) return open;
  try {
    const schema = z.fromJSONSchema(withoutPatterns(inputSchema) as Parameters<typeof z.fromJSONSchema>[0]);
    return schema instanceof z.ZodObject ? schema : open;
  } catch {
    // A schema in words that zod lacks: the server judges the input itself, as it does in any case.
    return open.meta({ description: 'The server did not give a schema that can be checked here.' });
  }
}

/** A pattern of theirs, run on text of others, could hold this process for ever. */
function withoutPatterns(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutPatterns);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(
        ([key, value]) => !(key === 'pattern' && typeof value === 'string') && key !== 'patternProperties',
      )
      .map(([key, value]) => [key, withoutPatterns(value)]),
  );
}

/** @throws DrawbridgeError `invalid_request` with the server's words where the tool failed */
async function call(context: ProviderContext, name: string, input: unknown): Promise<unknown> {
  const result = (await withServer(context, (client) =>
    client.callTool({ name, arguments: input as Record<string, unknown> }),
  )) as CallToolResult;
  const text = result.content
    .map((part) => (part.type === 'text' ? part.text : `[${part.type}, not shown]`))
    .join('\n');
  if (result.isError === true) {
    throw new DrawbridgeError('invalid_request', `${name} failed. It says: ${visibleLine(text, 300)}`);
  }
  return result.structuredContent ?? { text };
}
