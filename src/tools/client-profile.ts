// client-profile: what is known of a client in a screenful, each line with its source, its place there and its age.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import { fittingLines } from '../memory/clients/profile-lines.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { receiptLine } from './answers/receipts.ts';
import { defineTool } from './define.ts';
import { candidatesLine, clientOf } from './names/clients.ts';

/** Of the receipt and of how many lines are left out, where the answer says so. Characters. */
const closing = 140;

export const clientProfile = defineTool({
  name: 'client-profile',
  title: 'Client',
  description: 'What is known of a client (name, address, phone or uri), with sources.',
  kind: 'read',
  live: false,
  input: z.object({ client: z.string().max(300) }),
  output: z.object({
    lines: z.array(z.looseObject({ text: z.string(), uri: z.string().optional() })),
  }),
  async run({ rooms, org, agent }, { client: words }) {
    const found = await rooms.memory.clientsCalled(org, words);
    if (found.length > 1) {
      const several = found.slice(0, 6);
      return {
        data: { lines: [], candidates: several.map((one) => clientOf(one)) },
        text: candidatesLine(several),
      };
    }
    const [one] = found;
    if (one === undefined) {
      throw new DrawbridgeError(
        'not_found',
        `client: nobody is called "${visibleLine(words, 80)}". Try an e-mail address, or ime-search.`,
        { field: 'client' },
      );
    }
    const profile = await rooms.memory.profile(org, one.id);
    const { client } = profile;
    const uri = `ime://clients/${client.id}`;
    const named = { uri, name: visibleLine(client.name, 80), emails: client.emails.slice(0, 2) };
    const head = `${named.name} (${client.kind})`;
    const around = closing + Math.max(JSON.stringify(named).length, framed(head, uri).length);
    const shown = fittingLines(profile, rooms.clock.now(), around);
    const items = shown.flatMap(({ line }) => line.receipt ?? []);
    // A receipt names its items by their place: it is given only where every line has one.
    const receiptId =
      items.length === 0 || items.length < shown.length
        ? undefined
        : rooms.receipts.issue(org, agent, { tool: 'client-profile', question: words, items });
    const left = profile.lines.length - shown.length;
    return {
      data: {
        client: named,
        lines: shown.map(({ told }) => told),
        ...(receiptId === undefined ? {} : { receiptId }),
        trust: 'untrusted',
      },
      text: [
        framed([head, ...shown.map(({ text }, i) => `${i + 1}. ${text}`)].join('\n'), uri),
        ...(left === 0 ? [] : [`${left} more: ${uri}`]),
        ...receiptLine(receiptId),
      ].join('\n'),
    };
  },
});
