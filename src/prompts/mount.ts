// Puts the prompts on an MCP server.
import type { McpServer } from '@modelcontextprotocol/server';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { dailyBrief } from './daily-brief.ts';
import type { Prompt, PromptContext } from './define.ts';
import { researchBrief } from './research-brief.ts';

const prompts = [researchBrief, dailyBrief] as unknown as readonly Prompt[];

/** `open` gives the rooms; asked only when a prompt is used. */
export function mountPrompts(server: McpServer, open: () => Promise<PromptContext>): void {
  for (const prompt of prompts) {
    const { name, title, description } = prompt;
    server.registerPrompt(name, { title, description, argsSchema: prompt.arguments }, async (given) => {
      try {
        const text = await prompt.text(await open(), given);
        return { description, messages: [{ role: 'user', content: { type: 'text', text } }] };
      } catch (thrown) {
        const { code, message } = toDrawbridgeError(thrown);
        throw new DrawbridgeError(code, message);
      }
    });
  }
}
