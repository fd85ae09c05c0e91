// The part of the demo's story that is memory's: what it answers says where it stands, how old it is and who else
// says so; what changed at a provider is read anew, and what was deleted there is gone.
import { z } from 'zod';
import { hit } from './demo-agent.ts';
import { must, oneLine, type Step, type Walk } from './demo-walk.ts';

const dollars = (amount: number) => `$${amount.toLocaleString('en-US')}`;
const heron = '20010014';

const answered = z.object({
  hits: z.array(hit.extend({ freshness: z.string(), age: z.string(), account: z.string() })),
  receiptId: z.string().optional(),
  notes: z.array(z.string()).optional(),
});

export function memoryReads(walk: Walk): Step[] {
  const { house, agent } = walk;
  const { rooms } = house.serving;
  const ask = (question: string, kinds: string[], more: Record<string, unknown> = {}) =>
    agent.call('search', { question, kinds, limit: 10, ...more }, answered);
  const idOf = async (provider: string): Promise<string> => {
    const one = (await rooms.connections.list(rooms.org)).find((each) => each.provider === provider);
    must(one !== undefined, `${provider} must be connected`);
    return one.id;
  };
  return [
    {
      title: 'It briefs itself on Elena, and says which sources each section stands on',
      async run() {
        const profile = await agent.call(
          'client-profile',
          { client: 'Elena Vasquez' },
          z.object({
            lines: z.array(z.looseObject({ text: z.string(), uri: z.string().optional() })),
            receiptId: z.string().optional(),
          }),
        );
        must(profile.lines.length >= 3, 'the profile must have lines');
        must(
          profile.lines.some(({ uri }) => uri !== undefined),
          'lines of the profile must name their source',
        );
        const needs = await ask('What does Elena need? Stairs, budget', ['mail'], {
          client: 'Elena Vasquez',
        });
        must(needs.receiptId !== undefined, 'an answer must carry a receipt');
        const output = 'brief-elena-vasquez';
        const title = 'Brief: Elena Vasquez';
        for (const [section, receiptId, used] of [
          ['Who she is', profile.receiptId, [1, 2]],
          ['What she needs', needs.receiptId, [1, 2, 3]],
        ] as const) {
          if (receiptId === undefined) continue;
          await agent.call(
            'record-attribution',
            { receiptId, output, title, section, role: 'researcher', used },
            z.object({ recorded: z.number() }),
          );
        }
        const informed = await agent.call(
          'informed-by',
          { output },
          z.object({
            sources: z.array(z.looseObject({ section: z.string(), state: z.string() })),
            flagged: z.number(),
          }),
        );
        must(informed.sources.length >= 3, 'the brief must have at least three sources');
        must(informed.flagged === 0, 'every source must still say what it said');
        return [
          ...profile.lines.slice(0, 4).map(({ text }) => oneLine(text, 140)),
          `informed by ${informed.sources.length} sources, all unchanged: ${house.web.url}/outputs/${output}`,
        ];
      },
    },
    {
      title: 'A price of the same home, from the portal and from mail, is one price that names both',
      async run() {
        const detail = await agent.call(
          'property-detail',
          { id: heron },
          z.object({
            priceHistory: z.array(
              z.object({
                at: z.string(),
                event: z.string(),
                price: z.number(),
                seenIn: z.array(z.looseObject({ source: z.string(), uri: z.string().optional() })),
              }),
            ),
            mentionedIn: z.array(z.object({ title: z.string() })),
          }),
        );
        const cuts = detail.priceHistory.filter(({ seenIn }) => seenIn.length > 1);
        must(cuts.length >= 3, 'three prices must be told by two sources');
        must(
          cuts.every(({ seenIn }) => seenIn.some(({ source }) => source.includes('Zillow'))),
          'one of the two must be the portal',
        );
        must(
          new Set(detail.priceHistory.map(({ price }) => price)).size === detail.priceHistory.length,
          'no price may stand there twice',
        );
        return [
          ...cuts.map(
            ({ at, event, price, seenIn }) =>
              `${at} ${event.toLowerCase()} ${dollars(price)}: ${seenIn.map(({ source }) => oneLine(source, 70)).join(' and ')}`,
          ),
          `mentioned in ${detail.mentionedIn.length} mails, among them “${detail.mentionedIn.at(-1)?.title}”`,
        ];
      },
    },
    {
      title:
        'The MLS says otherwise of that home than the portal: both are told, each with its age and its lines',
      async run() {
        const { market } = house.sandbox.mls;
        market.change(market.keyAt('14 Heron Court'), { LivingArea: 1_488 });
        const mls = await rooms.connections.get(rooms.org, await idOf('reso'));
        await house.sync(mls, () => undefined);
        const { sources } = await agent.call(
          'property-detail',
          { id: heron },
          z.object({
            sources: z.array(
              z.looseObject({
                source: z.string(),
                age: z.string(),
                says: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
                attribution: z.array(z.string()).optional(),
              }),
            ),
          }),
        );
        const areas = sources.flatMap(({ source, age, says, attribution = [] }) =>
          says?.['areaSqft'] === undefined ? [] : [{ source, age, area: says['areaSqft'], attribution }],
        );
        must(
          areas.some(({ area, attribution }) => area === 1_488 && attribution.length > 0),
          'the MLS must say 1,488 square feet, under its own lines',
        );
        must(
          areas.some(({ source, area }) => source.includes('Zillow') && area !== 1_488),
          'and the portal what it said before',
        );
        return areas.map(
          ({ source, age, area, attribution }) =>
            `${source}, ${age} old: ${area} square feet${attribution.length === 0 ? '' : ` (${oneLine(attribution.join(' · '), 110)})`}`,
        );
      },
    },
    {
      title: 'A deal changes in HubSpot: an old memory is not good enough, and the deal is read anew',
      async run() {
        const { state } = house.accounts.hubspot;
        const deal = state
          .all('deals')
          .find(({ properties }) => properties['dealname']?.startsWith('One-level home') === true);
        must(deal !== undefined, 'the deal must be in the CRM');
        const find = async (more: Record<string, unknown>) =>
          (await ask('Elena Vasquez one-level home deal amount', ['deal'], more)).hits.find(({ title }) =>
            title.includes('One-level home'),
          );
        const before = await find({});
        must(before?.snippet.includes('640000') === true, 'memory must know the amount of 640,000');
        state.update(deal, { amount: '629000', dealstage: 'presentationscheduled' });
        const remembered = await find({});
        const after = await find({ maxAge: 0 });
        must(after !== undefined && after.freshness === 'live', 'the answer must be live');
        must(after.snippet.includes('629000'), 'and must hold the new amount');
        const again = await find({});
        must(again?.snippet.includes('629000') === true, 'memory must know it from then on');
        const amount = (snippet = '') => oneLine(snippet.slice(Math.max(0, snippet.indexOf('amount'))), 60);
        return [
          `memory, ${remembered?.age} old: ${amount(remembered?.snippet)}`,
          `live, and in memory from now on: ${amount(after.snippet)}`,
        ];
      },
    },
    {
      title: 'A mail is deleted in the mailbox, and is in no answer after the next sync',
      async run() {
        const question = 'Chamber summer evening in the Boathouse hall';
        const title = 'Chamber summer evening';
        const isThere = async () => (await ask(question, ['mail'])).hits.filter((one) => one.title === title);
        const found = await isThere();
        const [gone] = found;
        must(gone !== undefined, 'the mail must be there');
        const account = house.sandbox.mailboxes.byUser(house.sandbox.mail.user);
        let removed = 0;
        for (const folder of account?.folders.values() ?? []) {
          const meant = folder.messages.filter(({ raw }) => raw.includes(`Subject: ${title}\r\n`));
          for (const message of meant) folder.remove(message);
          removed += meant.length;
        }
        must(removed > 0, 'the mail must be deleted in the mailbox');
        const mailbox = await rooms.connections.get(rooms.org, await idOf('mailbox'));
        await house.sync(mailbox, () => undefined);
        must((await isThere()).length === 0, 'no answer may hold it');
        const read = await agent
          .call('read-source', { uri: gone.uri }, z.object({ text: z.string() }))
          .then(() => 'read', String);
        must(read !== 'read', 'nor may it be read by its address');
        return [`“${title}”: found before, ${removed} deleted, in no answer now`];
      },
    },
  ];
}
