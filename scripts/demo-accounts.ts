// The part of the demo's story that happens at other providers: Gmail, Google Calendar, Outlook, Slack, HubSpot,
// QuickBooks.
// What they hold is in memory like everything else; what is to change there waits for the person, too.
import { z } from 'zod';
import { places } from '../sandbox/slack/story.ts';
import { hit, proposal } from './demo-agent.ts';
import { must, oneLine, type Step, type Walk } from './demo-walk.ts';

const found = z.object({
  operations: z.array(z.object({ operation: z.string(), connection: z.string(), effect: z.string() })),
});
const ran = z.object({ effect: z.string(), result: z.unknown().optional(), proposal: proposal.optional() });

/** The account at a provider. @throws Error where there is none */
async function accountAt({ house }: Walk, provider: string): Promise<string> {
  const { connections, org } = house.serving.rooms;
  const one = (await connections.list(org)).find((connection) => connection.provider === provider);
  must(one !== undefined, `${provider} must be connected`);
  return one.id;
}

export function accountReads(walk: Walk): Step[] {
  const { agent } = walk;
  const idOf = (provider: string) => accountAt(walk, provider);
  return [
    {
      title: 'It asks what the CRM and the books say',
      async run() {
        const ask = async (question: string, kinds: string[]) =>
          (
            await agent.call(
              'search',
              { question, kinds, limit: 5 },
              z.object({ hits: z.array(hit.extend({ account: z.string() })) }),
            )
          ).hits;
        const deals = await ask('Elena Vasquez one-level home', ['deal']);
        must(
          deals.some(({ title }) => title.includes('One-level home')),
          'the deal of Elena and Daniel must be in memory',
        );
        const invoices = await ask('property management 64 Mill Street', ['invoice']);
        must(invoices.length > 0, 'an invoice must be in memory');
        return [...deals.slice(0, 1), ...invoices.slice(0, 2)].map(
          ({ title, snippet, account }) => `${oneLine(title, 60)}: ${oneLine(snippet, 80)}  (${account})`,
        );
      },
    },
    {
      title: 'It asks what the team says in Slack, and what the front desk has in Outlook',
      async run() {
        const schema = z.object({ hits: z.array(hit.extend({ account: z.string() })) });
        const talk = await agent.call(
          'search',
          { question: 'who has the keys to 14 Bellwether', kinds: ['chat'], limit: 3 },
          schema,
        );
        const [said] = talk.hits;
        must(said?.snippet.includes('Lockbox') === true, 'the answer in the thread must be found with it');
        const desk = await agent.call(
          'search',
          {
            question: 'sign riders keys paperwork',
            kinds: ['mail'],
            account: await idOf('outlook'),
            limit: 2,
          },
          schema,
        );
        must(desk.hits.length > 0, 'the front desk must have mail');
        return [said, ...desk.hits].map(
          ({ title, snippet, account }) => `${oneLine(title, 60)}: ${oneLine(snippet, 110)}  (${account})`,
        );
      },
    },
    {
      title: 'It finds an operation that is no tool, and asks HubSpot itself',
      async run() {
        const { operations } = await agent.call('find-operation', { query: 'search deals' }, found);
        const search = operations.find(({ operation }) => operation === 'search-deals');
        must(search !== undefined && search.effect === 'read', 'searching deals must be found');
        const { result } = await agent.call(
          'run-operation',
          { operation: search.operation, account: search.connection, input: { query: 'One-level' } },
          ran,
        );
        const text = JSON.stringify(result);
        must(text.includes('One-level home'), 'HubSpot must answer with the deal');
        return [`${search.operation} of ${search.connection}: ${oneLine(text, 120)}`];
      },
    },
  ];
}

export function accountWrites(walk: Walk): Step[] {
  const { agent, visitor, house } = walk;
  const { accounts } = house;
  const proposals: z.output<typeof proposal>[] = [];
  const idOf = (provider: string) => accountAt(walk, provider);
  const books = () => accounts.quickbooks.books.all('Invoice').length;
  const notes = () => accounts.hubspot.state.all('notes').length;
  const messages = () => accounts.slack.state.shown(places.general).length;
  let before = { invoices: 0, notes: 0, mails: 0, events: 0, letters: 0, messages: 0 };
  const now = () => ({
    invoices: books(),
    notes: notes(),
    mails: accounts.google.delivered().length,
    events: accounts.google.calendars[0]?.events().length ?? 0,
    letters: accounts.microsoft.delivered().length,
    messages: messages(),
  });
  return [
    {
      title:
        'It proposes a note, an invoice, two mails, an event and a message at the other providers; nothing changes',
      async run() {
        before = now();
        const run = async (operation: string, account: string, input: object) => {
          const answer = await agent.call('run-operation', { operation, account, input }, ran);
          must(answer.proposal !== undefined, `${operation} must be proposed`);
          return answer.proposal;
        };
        const [hubspot, quickbooks] = [await idOf('hubspot'), await idOf('quickbooks')];
        const contact = accounts.hubspot.state.all('contacts')[0];
        const customer = accounts.quickbooks.books.all('Customer')[0];
        const item = accounts.quickbooks.books.all('Item')[0];
        proposals.push(
          await run('create-note', hubspot, {
            text: 'Elena wants to see 14 Heron Court this week.',
            associations: [{ to: 'contacts', id: contact?.id ?? '' }],
          }),
          await run('create-invoice', quickbooks, {
            customer: { id: customer?.Id ?? '', name: customer?.['DisplayName'] },
            currency: 'USD',
            date: walk.viewing.date,
            lines: [
              {
                item: { id: item?.Id ?? '', name: item?.['Name'] },
                description: 'Two rooms and the garden',
                quantity: 2,
                unitPrice: 240,
              },
            ],
          }),
          await agent.call(
            'send-email',
            {
              account: await idOf('gmail'),
              to: ['Elena Vasquez <elena.vasquez@mail.example>'],
              subject: 'Keys for Heron Court',
              text: 'Maren has the keys from noon.\n\nTobias',
            },
            proposal,
          ),
          await agent.call(
            'schedule-event',
            {
              account: await idOf('google-calendar'),
              title: 'Keys to Maren: 14 Heron Court',
              start: `${walk.viewing.date}T12:00`,
              durationMinutes: 15,
              timeZone: 'America/Los_Angeles',
            },
            proposal,
          ),
          await agent.call(
            'send-email',
            {
              account: await idOf('outlook'),
              to: ['Tobias Reyes <tobias@tidewell.example>'],
              subject: 'Sign for Heron Court',
              text: 'The rider goes up tomorrow.\n\nPriya',
            },
            proposal,
          ),
          await run('post-message', await idOf('slack'), {
            channel: { id: places.general, name: '#general' },
            text: 'Elena sees 14 Heron Court on Monday at three.',
          }),
        );
        must(JSON.stringify(now()) === JSON.stringify(before), 'nothing may have changed');
        return proposals.map(({ summary }) => oneLine(summary, 130));
      },
    },
    {
      title: 'The person approves the six, and each happens once',
      async run() {
        for (const { actionId, payloadHash } of proposals) await visitor.approve(actionId, payloadHash);
        const schema = z.object({ status: z.string(), outcome: z.string().optional() });
        for (const { actionId } of proposals) {
          let answer = { status: 'approved' } as z.output<typeof schema>;
          for (let moves = 0; moves < 5 && ['approved', 'executing'].includes(answer.status); moves += 1) {
            answer = await agent.call('action-status', { actionId, waitSeconds: 10 }, schema);
          }
          must(answer.status === 'completed', `${actionId} is ${answer.status}: ${answer.outcome ?? ''}`);
        }
        const after = now();
        for (const [what, count] of Object.entries(before)) {
          must(after[what as keyof typeof after] === count + 1, `exactly one of ${what} must have come`);
        }
        return [
          'a note in HubSpot, an invoice in QuickBooks, a mail from Gmail, an event in Google Calendar, a mail from Outlook, a message in Slack',
        ];
      },
    },
  ];
}
