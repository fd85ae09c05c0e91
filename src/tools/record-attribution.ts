// record-attribution: says which hits of an answer informed which section of what the agent made of them.
import { z } from 'zod';
import { defineTool } from './define.ts';

export const recordAttribution = defineTool({
  name: 'record-attribution',
  title: 'Record sources',
  description:
    'Says which hits of a search informed a section of what you make (a brief, a mail). People see it as "Informed by".',
  kind: 'read',
  records: true,
  live: false,
  input: z.object({
    receiptId: z.string().max(64).describe('Of that search'),
    output: z.string().describe('Your name for it: letters, digits, - and _'),
    title: z.string().trim().min(1).max(200).optional(),
    section: z.string().trim(),
    role: z.string().trim().default('agent'),
    used: z.array(z.int().min(1)).min(1).max(50).describe('Hit numbers, from 1'),
  }),
  output: z.object({ uri: z.string(), recorded: z.int() }),
  async run({ rooms, org, agent }, { receiptId, output, title, section, role, used }) {
    const ids = await rooms.receipts.record(org, agent, {
      receiptId,
      outputId: output,
      section,
      role,
      hits: used,
      ...(title === undefined ? {} : { title }),
    });
    const uri = `ime://outputs/${output}`;
    return {
      data: { uri, recorded: ids.length },
      text: `${ids.length} ${ids.length === 1 ? 'source' : 'sources'} recorded for ${uri}. People see them at ${rooms.pageUrl(`/outputs/${output}`)}`,
      links: [{ uri, name: 'Informed by' }],
    };
  },
});
