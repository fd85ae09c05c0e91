// The second half of the demo's story: the agent proposes, the person decides, and it happens once.
import { ImapFlow } from 'imapflow';
import { z } from 'zod';
import { zone } from '../sandbox/dates.ts';
import { proposal } from './demo-agent.ts';
import { must, oneLine, type Step, spoken, type Walk } from './demo-walk.ts';

export function writes(walk: Walk): Step[] {
  const { house, agent, visitor, viewing } = walk;
  const { sandbox } = house;
  const accountOf = async (provider: string): Promise<string> => {
    const { connections, org } = house.serving.rooms;
    const all = await connections.list(org);
    return all.find((connection) => connection.provider === provider)?.id ?? '';
  };
  return [
    {
      title: 'It proposes an answer and a viewing; neither happens',
      async run() {
        const mail = await agent.call(
          'send-email',
          {
            account: await accountOf('mailbox'),
            replyTo: walk.newest,
            cc: ['Daniel Brandt <daniel@brandtpiano.example>'],
            markdown: `Dear Elena,\n\nYes: **14 Heron Court** is down to $629,000, and the shower has no threshold; Celeste slid a coin across it. Let us meet there ${spoken(viewing.at)}.\n\nI will ask about the garden tools.\n\nMaren`,
            note: 'She asks for a viewing this week, from three.',
          },
          proposal,
        );
        const event = await agent.call(
          'schedule-event',
          {
            account: await accountOf('caldav'),
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
        const both = [mail, event];
        walk.proposals = both;
        must(
          both.every(({ status }) => status === 'pending'),
          'both must be pending',
        );
        must(sandbox.smtp.received().length === 0, 'nothing may have been sent');
        return both.map(
          ({ summary, approveUrl }) => `${oneLine(summary, 160)}\n      waits at ${approveUrl}`,
        );
      },
    },
    {
      title: 'A person signs in, reads both pages, and approves on the hash that is shown',
      async run() {
        await visitor.signIn(await house.signInLink());
        must(walk.proposals.length === 2, 'two proposals must wait');
        for (const { actionId, payloadHash } of walk.proposals) {
          const page = await visitor.read(`/actions/${actionId}`);
          must(page.includes('elena.vasquez@mail.example'), 'the page must show whom it concerns');
          await visitor.approve(actionId, payloadHash);
        }
        return walk.proposals.map(
          ({ actionId, payloadHash }) => `${actionId} approved on ${payloadHash.slice(0, 16)}…`,
        );
      },
    },
    {
      title: 'The agent asks what became of them',
      async run() {
        const lines: string[] = [];
        for (const { actionId } of walk.proposals) {
          const schema = z.object({
            status: z.string(),
            summary: z.string(),
            outcome: z.string().optional(),
          });
          const ask = (waitSeconds: number) => agent.call('action-status', { actionId, waitSeconds }, schema);
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
        const hers = sandbox.world.mail.findLast(({ raw }) => /^From: Elena Vasquez </m.test(raw.toString()));
        must(
          arrived?.envelope?.inReplyTo !== undefined && arrived.envelope.inReplyTo === hers?.messageId,
          'it must answer her newest mail',
        );
        const copies = sandbox.mailboxes
          .byUser(sandbox.mail.user)
          ?.folder('Sent')
          ?.messages.filter(({ raw }) => raw.includes(arrived.envelope?.messageId ?? 'no id'));
        must(copies?.length === 1, 'one copy must lie in Sent');
        return [
          `“${arrived.envelope.subject}” in Elena’s mailbox, answering ${hers.messageId}; a copy in Sent`,
        ];
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
}
