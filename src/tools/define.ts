// The shape of a tool: what it is called, what goes in, what comes out, and whether it reads or proposes.
// The annotations that clients see are derived here and typed nowhere else.
import type { z } from 'zod';
import type { Agent } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import type { Log } from '../log.ts';
import type { Memory } from '../memory/memory.ts';
import type { Receipts } from '../memory/receipts/receipts.ts';
import type { Queue } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';
import type { UnderWay } from '../under-way.ts';
import type { Asks } from './call/asks.ts';

/** The rooms that a tool may enter. */
export interface ToolRooms {
  clock: Clock;
  log: Log;
  connections: Connections;
  memory: Memory;
  receipts: Receipts;
  queue: Queue;
  refresh(org: OrgStore, connectionId: string, signal?: AbortSignal): Promise<void>;
  /** What goes on though nobody waits for its answer any more. */
  underWay: UnderWay;
  /** Where a person decides on an action; carries no credential. */
  approveUrl(actionId: string): string;
  /** Address of a page of ours; carries no credential. */
  pageUrl(path: string): string;
}

export interface ToolContext {
  rooms: ToolRooms;
  org: OrgStore;
  agent: Agent;
  signal: AbortSignal;
  /** Tells the client how far a long call is; a no-op where it did not ask. */
  progress(message: string, done: number, total?: number): Promise<void>;
  /** Questions to the person through the client; undefined where it can put none. */
  asks?: Asks | undefined;
}

/** A link to a resource, given beside the result. */
export interface ToolLink {
  uri: string;
  name: string;
}

export interface ToolAnswer<Output> {
  data: Output;
  /** Compact text for clients that do not read structured results. */
  text: string;
  links?: ToolLink[];
  /** A page that the person is led to, where the client can do that: it asks them first. */
  lead?: { url: string; message: string };
}

export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  description: string;
  /** A `propose` tool queues a write for a person; it causes nothing by itself. `either`: as what it is asked to run. */
  kind: 'read' | 'propose' | 'either';
  /** A `read` tool that keeps what it is told. */
  records?: boolean;
  /** Whether it may ask a live provider. */
  live: boolean;
  input: Input;
  output: Output;
  run(context: ToolContext, input: z.output<Input>): Promise<ToolAnswer<z.input<Output>>>;
}

/** Unknown fields are refused: a misspelt one must not be taken for one left out. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  tool: Tool<Input, Output>,
): Tool<Input, Output> {
  // The strict schema is made once: making it anew for each call compiles it anew. Its type is the same.
  return { ...tool, input: tool.input.strict() as unknown as Input };
}

/** MCP tool annotations (hints for clients), from what the tool declares. */
export function annotations(tool: Pick<Tool, 'kind' | 'records' | 'live'>) {
  return {
    readOnlyHint: tool.kind === 'read' && tool.records !== true,
    // A proposal destroys nothing: a person decides on it, and asking twice gives the same action.
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: tool.live,
  };
}
