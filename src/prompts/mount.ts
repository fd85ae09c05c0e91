// Puts the prompts on an MCP server. As with tools, our own check of the arguments names the field and its mend; the
// SDK only carries the schemas.
import {
  completable,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { inputFaults } from '../input-faults.ts';
import { dailyBrief } from './daily-brief.ts';
import type { Prompt, PromptContext } from './define.ts';
import { researchBrief } from './research-brief.ts';

const prompts = [researchBrief, dailyBrief] as unknown as readonly Prompt[];

/** `open` gives the rooms; asked only when a prompt is used. */
export function mountPrompts(server: McpServer, open: () => Promise<PromptContext>): void {
  for (const prompt of prompts) {
    const { name, title, description } = prompt;
    server.registerPrompt(name, { title, description, argsSchema: carried(prompt, open) }, async (given) => {
      try {
        const checked = check(prompt, given);
        const text = await prompt.text(await open(), checked);
        return { description, messages: [{ role: 'user', content: { type: 'text', text } }] };
      } catch (thrown) {
        const { code, message } = toDrawbridgeError(thrown);
        if (code === 'invalid_request') throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
        throw new DrawbridgeError(code, message);
      }
    });
  }
}

/** @throws DrawbridgeError `invalid_request` naming every argument at fault */
function check(prompt: Prompt, given: unknown): z.output<Prompt['arguments']> {
  const parsed = prompt.arguments.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = inputFaults(prompt.arguments, parsed.error, given).map(({ text }) => text);
  throw new DrawbridgeError('invalid_request', faults.join('\n'));
}

/** With `shape`, in which the SDK looks for what completes an argument. */
function carried(
  prompt: Prompt,
  open: () => Promise<PromptContext>,
): StandardSchemaWithJSON<unknown, unknown> & { shape: Record<string, object> } {
  const schema = () => z.toJSONSchema(prompt.arguments, { io: 'input' }) as Record<string, unknown>;
  const standard = {
    '~standard': {
      version: 1 as const,
      vendor: 'drawbridge',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: schema, output: schema },
    },
  };
  const shape = Object.entries(prompt.suggest ?? {}).map(([name, suggest]) => [
    name,
    completable({ ...standard }, async (typed) => (await suggest?.(await open(), String(typed))) ?? []),
  ]);
  return { ...standard, shape: Object.fromEntries(shape) };
}
