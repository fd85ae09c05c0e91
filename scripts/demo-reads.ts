// The first half of the demo's story: the agent reads, and cites what it read.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { zone } from '../sandbox/dates.ts';
import { hit, passage } from './demo-agent.ts';
import { must, oneLine, type Step, spoken, type Walk } from './demo-walk.ts';

const dollars = (amount: number) => `$${amount.toLocaleString('en-US')}`;

export function reads(walk: Walk): Step[] {
  const { house, agent, viewing } = walk;
  const { web } = house;
  return [
    {
      title: 'An agent comes in with its key and lists the tools',
      async run() {
        const tools = await agent.connect(web.programUrl, house.key);
        must(tools.length >= 10, 'the ten tools must be there');
        return [`${tools.length} tools: ${tools.join(', ')}`];
      },
    },
    {
      title: 'It asks memory what Elena Vasquez needs in a house',
      async run() {
        const { passages } = await agent.call(
          'ime-search',
          {
            question: 'Which house does Elena need? Stairs, quiet street, budget',
            clients: ['Elena Vasquez'],
          },
          z.object({ passages: z.array(passage) }),
        );
        const all = passages.map(({ text }) => text.toLowerCase()).join('\n');
        must(
          all.includes('stairs') && all.includes('640'),
          'the answer must hold "no stairs" and the limit of 640,000',
        );
        const [best] = passages;
        must(best !== undefined, 'there must be a passage');
        const holds = createHash('sha256').update(best.text).digest('hex') === best.citation.sha256;
        return [
          ...passages
            .slice(0, 3)
            .map(
              ({ title, writtenAt, text }) => `“${oneLine(text)}”  (${title}, ${writtenAt?.slice(0, 10)})`,
            ),
          `cited: document ${best.citation.document}, characters ${best.citation.start}–${best.citation.end}, sha256 ${best.citation.sha256.slice(0, 12)}…${holds ? ' (checked)' : ''}`,
        ];
      },
    },
    {
      title: 'It looks for her newest mail',
      async run() {
        const { hits } = await agent.call(
          'search',
          {
            question: 'Heron Court price, can we see it this week',
            client: 'Elena Vasquez',
            kinds: ['mail'],
            limit: 10,
          },
          z.object({ hits: z.array(hit) }),
        );
        const newest = hits.toSorted((a, b) => (b.writtenAt ?? '').localeCompare(a.writtenAt ?? ''))[0];
        must(newest !== undefined, 'there must be a mail');
        const { text } = await agent.call('read-source', { uri: newest.uri }, z.object({ text: z.string() }));
        must(text.includes('629,000'), 'her newest mail speaks of 629,000');
        walk.newest = newest.uri;
        return [`“${oneLine(text.slice(text.indexOf('I saw')), 210)}”`];
      },
    },
    {
      title: 'It searches the listings for what she asked',
      async run() {
        const { hits } = await agent.call(
          'search',
          {
            property: { location: 'Port Ansel, OR', maxPrice: 640_000, minBeds: 3, homeType: 'house' },
            limit: 25,
          },
          z.object({ hits: z.array(hit) }),
        );
        must(
          hits.some(({ title }) => title.startsWith('14 Heron Court')),
          '14 Heron Court must be among them',
        );
        must(
          hits.every(({ price }) => price !== undefined && price <= 640_000),
          'none may cost more than 640,000',
        );
        return [
          `${hits.length} homes, among them ${hits.filter(({ title }) => title.includes('Heron')).map(({ title, price }) => `${title} at ${dollars(price ?? 0)}`)}`,
        ];
      },
    },
    {
      title: 'It looks at 14 Heron Court',
      async run() {
        const detail = await agent.call(
          'property-detail',
          { id: '20010014' },
          z.object({
            listing: z.object({ description: z.string(), agent: z.object({ name: z.string() }) }),
            priceHistory: z.array(z.object({ at: z.string(), event: z.string(), price: z.number() })),
            freshness: z.string(),
          }),
        );
        const prices = detail.priceHistory.toSorted((a, b) => a.at.localeCompare(b.at));
        must(prices.at(-1)?.price === 629_000, 'the newest price is 629,000');
        must(
          detail.listing.description.includes('No steps at the front door'),
          'the listing says that there are no steps',
        );
        return [
          prices
            .map(({ at, event, price }) => `${at.slice(0, 10)} ${event.toLowerCase()} ${dollars(price)}`)
            .join(' → '),
          `“${oneLine(detail.listing.description, 120)}”  (${detail.listing.agent.name})`,
        ];
      },
    },
    {
      title: 'It meets a mail that gives orders to assistants',
      async run() {
        const { passages } = await agent.call(
          'ime-search',
          { question: 'updated wire instructions for your closing', limit: 3 },
          z.object({ passages: z.array(passage) }),
        );
        const hostile = passages.find(({ text }) => /ignore\s+your\s+instructions/.test(text));
        must(hostile !== undefined, 'the mail must be found');
        const { queue, org } = house.serving.rooms;
        must((await queue.list(org)).length === 0, 'nothing may be queued');
        const order = oneLine(hostile.text, hostile.text.length);
        return [
          `“${oneLine(order.slice(order.indexOf('ignore your')), 90)}”`,
          'found, and labelled untrusted: data to read, not an order. Nothing is queued.',
        ];
      },
    },
    {
      title: 'It asks when Maren is free',
      async run() {
        const { free } = await agent.call(
          'check-availability',
          { from: `${viewing.date}T13:00`, to: `${viewing.date}T18:00`, timeZone: zone, durationMinutes: 45 },
          z.object({ free: z.array(z.object({ start: z.string(), end: z.string() })) }),
        );
        const fits = free.some(
          ({ start, end }) => start <= `${viewing.date}T15:00` && end >= `${viewing.date}T15:45`,
        );
        must(fits, 'three o’clock must be free');
        return [`${spoken(viewing.at)} is free for 45 minutes`];
      },
    },
  ];
}
