// The shape of a prompt: what it asks for, and the text that it gives a model to begin with.
import type { z } from 'zod';
import type { Agent } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import type { Memory } from '../memory/memory.ts';
import type { Receipts } from '../memory/receipts/receipts.ts';
import type { Queue } from '../queue/queue.ts';
import type { OrgStore } from '../store/store.ts';

export interface PromptContext {
  org: OrgStore;
  agent: Agent;
  rooms: { memory: Memory; receipts: Receipts; queue: Queue; connections: Connections; clock: Clock };
}

export interface Prompt<Arguments extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  description: string;
  arguments: Arguments;
  /** Of an argument: values that memory knows and that fit what was typed so far, likeliest first. */
  suggest?: {
    [Name in keyof z.output<Arguments>]?: (context: PromptContext, typed: string) => Promise<string[]>;
  };
  /** What the person asks of the model, with what memory holds of it. @throws DrawbridgeError */
  text(context: PromptContext, given: z.output<Arguments>): Promise<string>;
}

export function definePrompt<Arguments extends z.ZodObject>(prompt: Prompt<Arguments>): Prompt<Arguments> {
  return prompt;
}
