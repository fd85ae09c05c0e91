// The story that `npm run demo -- --once` walks: an agent with a key on one side, a person with a browser on
// the other, and between them nothing but what any client would use. Each step says what must be true.
import { createHash } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ImapFlow } from 'imapflow';
import { z } from 'zod';
import { zone } from '../sandbox/dates.ts';
import type { House } from './demo-house.ts';
import { Visitor } from './demo-person.ts';

export interface Step {
  title: string;
  /** Does it; the lines it returns are what a person should see. @throws Error when something is not as it must be */
  run(): Promise<string[]>;
}

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

const passage = z.object({
  uri: z.string(),
  title: z.string(),
  people: z.array(z.string()).optional(),
  writtenAt: z.string().optional(),
  text: z.string(),
  citation: z.object({ document: z.string(), start: z.number(), end: z.number(), sha256: z.string() }),
  trust: z.literal('untrusted'),
});
const hit = z.object({
  uri: z.string(),
  title: z.string(),
  snippet: z.string(),
  writtenAt: z.string().optional(),
  listingId: z.string().optional(),
  price: z.number().optional(),
});
const proposal = z.object({
  actionId: z.string(),
  status: z.string(),
  summary: z.string(),
  approveUrl: z.string(),
  payloadHash: z.string(),
  warnings: z.array(z.string()).optional(),
});
type Proposal = z.output<typeof proposal>;

const dollars = (amount: number) => `$${amount.toLocaleString('en-US')}`;
const oneLine = (text: string, length = 150) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
};

/** The words of a wall time: `Thursday at 15:00`. */
const spoken = (ms: number) =>
  new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'long',
    hour: 'numeric',
    minute: '2-digit',
  }).format(ms);

/** The steps of the story, in order; each builds on those before it. Call `close` at the end. */
export function story(house: House): { steps: Step[]; close(): Promise<void> } {
  const { sandbox, web } = house;
  const { dates } = sandbox.world;
  const viewing = { date: dates.isoDate(183), at: dates.at(183, '15:00') };
  const client = new Client({ name: 'drawbridge-demo', version: '1.0.0' });
  const visitor = new Visitor(web.programUrl);
  const found = {
    newest: '',
    mail: undefined as Proposal | undefined,
    event: undefined as Proposal | undefined,
  };

  async function call<Schema extends z.ZodType>(
    name: string,
    input: Record<string, unknown>,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const result = await client.callTool({ name, arguments: input });
    const [first] = Array.isArray(result.content) ? result.content : [];
    if (result.isError === true)
      throw new Error(`${name}: ${first?.type === 'text' ? first.text : 'failed'}`);
    return schema.parse(result.structuredContent);
  }

  const proposals = () => {
    const { mail, event } = found;
    if (mail === undefined || event === undefined) throw new Error('nothing was proposed');
    return [mail, event] as const;
  };

  const steps: Step[] = [
    {
      title: 'An agent comes in with its key and lists the tools',
      async run() {
        const transport = new StreamableHTTPClientTransport(new URL('/mcp', web.programUrl), {
          requestInit: { headers: { authorization: `Bearer ${house.key}` } },
        });
        await client.connect(transport);
        const { tools } = await client.listTools();
        must(tools.length >= 10, 'the ten tools must be there');
        return [`${tools.length} tools: ${tools.map((tool) => tool.name).join(', ')}`];
      },
    },
    {
      title: 'It asks memory what Elena Vasquez needs in a house',
      async run() {
        const { passages } = await call(
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
        const { hits } = await call(
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
        const { text } = await call('read-source', { uri: newest.uri }, z.object({ text: z.string() }));
        must(text.includes('629,000'), 'her newest mail speaks of 629,000');
        found.newest = newest.uri;
        return [`“${oneLine(text.slice(text.indexOf('I saw')), 210)}”`];
      },
    },
    {
      title: 'It searches the listings for what she asked',
      async run() {
        const { hits } = await call(
          'search',
          {
            property: { location: 'Port Ansel, OR', maxPrice: 640_000, minBeds: 3, homeType: 'house' },
            limit: 25,
          },
          z.object({ hits: z.array(hit) }),
        );
        must(
          hits.some(({ listingId }) => listingId === '20010014'),
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
        const detail = await call(
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
        const { passages } = await call(
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
        const { free } = await call(
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
    {
      title: 'It proposes an answer and a viewing; neither happens',
      async run() {
        found.mail = await call(
          'send-email',
          {
            replyTo: found.newest,
            cc: ['Daniel Brandt <daniel@brandtpiano.example>'],
            markdown: `Dear Elena,\n\nYes: **14 Heron Court** is down to $629,000, and the shower has no threshold; Celeste slid a coin across it. Let us meet there ${spoken(viewing.at)}.\n\nI will ask about the garden tools.\n\nMaren`,
            note: 'She asks for a viewing this week, from three.',
          },
          proposal,
        );
        found.event = await call(
          'schedule-event',
          {
            title: 'Viewing: 14 Heron Court (Vasquez/Brandt)',
            start: `${viewing.date}T15:00`,
            durationMinutes: 45,
            timeZone: zone,
            attendees: ['Elena Vasquez <elena.vasquez@mail.example>'],
            location: '14 Heron Court, Port Ansel',
            reminders: [30],
          },
          proposal,
        );
        const both = proposals();
        must(
          both.every(({ status }) => status === 'pending'),
          'both must be pending',
        );
        must(sandbox.smtp.received().length === 0, 'nothing may have been sent');
        return both.map(
          ({ summary, approveUrl }) => `${oneLine(summary, 110)}\n      waits at ${approveUrl}`,
        );
      },
    },
    {
      title: 'A person signs in, reads both pages, and approves on the hash that is shown',
      async run() {
        await visitor.signIn(await house.signInLink());
        for (const { actionId, payloadHash } of proposals()) await visitor.approve(actionId, payloadHash);
        return proposals().map(
          ({ actionId, payloadHash }) => `${actionId} approved on ${payloadHash.slice(0, 16)}…`,
        );
      },
    },
    {
      title: 'The agent asks what became of them',
      async run() {
        const lines: string[] = [];
        for (const { actionId } of proposals()) {
          const schema = z.object({
            status: z.string(),
            summary: z.string(),
            outcome: z.string().optional(),
          });
          const ask = (waitSeconds: number) => call('action-status', { actionId, waitSeconds }, schema);
          let answer = await ask(10);
          // The wait ends at each move, and there are two of them.
          for (let moves = 0; moves < 4 && ['approved', 'executing'].includes(answer.status); moves += 1) {
            answer = await ask(10);
          }
          must(answer.status === 'completed', `${actionId} is ${answer.status}: ${answer.outcome ?? ''}`);
          lines.push(`completed: ${oneLine(answer.outcome ?? '', 120)}`);
        }
        return lines;
      },
    },
    {
      title: 'The mail arrived over SMTP, in its thread',
      async run() {
        const [sent] = sandbox.smtp.received();
        must(
          sent !== undefined && sandbox.smtp.received().length === 1,
          'exactly one mail must have been sent',
        );
        must(
          sent.to.toSorted().join() === 'daniel@brandtpiano.example,elena.vasquez@mail.example',
          'it must go to Elena and Daniel, and to nobody else',
        );
        const box = new ImapFlow({
          host: sandbox.imap.host,
          port: sandbox.imap.port,
          secure: false,
          auth: { user: sandbox.clients.user, pass: sandbox.clients.password },
          logger: false,
        });
        await box.connect();
        await box.mailboxOpen('INBOX');
        const [arrived] = await box.fetchAll('*', { envelope: true });
        await box.logout();
        must(arrived?.envelope?.inReplyTo !== undefined, 'it must answer her mail');
        return [`“${arrived.envelope.subject}” in Elena’s mailbox, answering ${arrived.envelope.inReplyTo}`];
      },
    },
    {
      title: 'The viewing stands in the calendar',
      async run() {
        const booked = sandbox.caldav.events().filter((ics) => ics.includes('14 Heron Court (Vasquez'));
        must(booked.length === 1, 'exactly one event must stand there');
        const [ics = ''] = booked;
        must(ics.includes(`${viewing.date.replaceAll('-', '')}T150000`), 'it must begin at three');
        return [`${/SUMMARY:(.*)/.exec(ics)?.[1]?.trim().replaceAll('\\', '')}, ${spoken(viewing.at)}`];
      },
    },
  ];
  return { steps, close: () => client.close() };
}
