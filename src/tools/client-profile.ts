// client-profile: what is known of a client in a screenful, each line with its source, its place there and its age.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import { fittingLines } from '../memory/clients/profile-lines.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { candidatesLine, clientOf } from './clients.ts';
import { defineTool } from './define.ts';
import { receiptLine } from './receipts.ts';

/** What stands around the lines: the frame, the client, the receipt. Characters. */
const around = 420;

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
    const now = rooms.clock.now();
    const shown = fittingLines(profile, now, around);
    const items = shown.flatMap(({ line }) => line.receipt ?? []);
    // A receipt names its items by their place: it is given only where every line has one.
    const receiptId =
      items.length === 0 || items.length < shown.length
        ? undefined
        : rooms.receipts.issue(org, agent, { tool: 'client-profile', question: words, items });
    const left = profile.lines.length - shown.length;
    const { client } = profile;
    const head = `${visibleLine(client.name, 80)} (${client.kind})`;
    return {
      data: {
        client: {
          uri: `ime://clients/${client.id}`,
          name: visibleLine(client.name, 80),
          emails: client.emails.slice(0, 2),
        },
        lines: shown.map(({ told }) => told),
        ...(receiptId === undefined ? {} : { receiptId }),
        trust: 'untrusted',
      },
      text: [
        framed(
          [head, ...shown.map(({ text }, i) => `${i + 1}. ${text}`)].join('\n'),
          `ime://clients/${client.id}`,
        ),
        ...(left === 0 ? [] : [`${left} more: ime://clients/${client.id}`]),
        ...receiptLine(receiptId),
      ].join('\n'),
    };
  },
});
