// `policy`: the rules for what agents propose, and which approvals a passkey signs. Only a person changes them.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import type { ListedRule } from '../../queue/policy/policy.ts';
import { writeEffects } from '../../queue/policy/rules.ts';
import { matchInWords, outcomeWords } from '../../queue/policy/words.ts';
import type { PolicySubject } from '../../queue/room.ts';
import type { Rooms } from '../../rooms.ts';
import { iso, parseInstant } from '../../time.ts';
import { openSession, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

interface Common {
  json?: boolean;
}

interface Described {
  provider?: string[];
  operation?: string[];
  effect?: string[];
  connection?: string[];
  toDomain?: string[];
  above?: { value: number; currency: string };
  between?: { from: string; to: string };
  days?: string[];
  timeZone?: string;
  by?: { kind: string; id?: string }[];
}

/** An agent that changes the rules would approve its own proposals by them. */
async function asPerson(session: Session, act: string, work: (rooms: Rooms) => Promise<void>): Promise<void> {
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(act, await stdioServers(rooms.store));
    await work(rooms);
  });
}

function jsonOf({ id, memberId, rule, createdBy, createdAt }: ListedRule): object {
  return {
    id,
    of: memberId ?? 'org',
    broken: rule === undefined,
    ...(rule ?? {}),
    createdBy,
    createdAt: iso(createdAt),
  };
}

async function list(options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ policy, org }) => {
    const [rules, signed] = await Promise.all([policy.list(org), policy.signedEffects(org)]);
    if (output.json) {
      output.value({ rules: rules.map(jsonOf), presence: signed });
      return;
    }
    if (rules.length === 0) output.line('No rules: a person is asked about every write.');
    for (const { id, memberId, rule } of rules) {
      const whose = memberId === undefined ? '' : ' (a person’s own)';
      if (rule === undefined) {
        output.line(
          `${id}  ${output.style('red', 'broken: asks about everything until it is removed')}${whose}`,
        );
        continue;
      }
      output.line(
        `${id}  ${output.style('bold', shownLine(rule.name))}${whose}  ${rule.outcome}: ${shownLine(matchInWords(rule.match))}`,
      );
    }
    output.line(
      signed.length === 0
        ? 'No approval has to be signed by a passkey.'
        : `Approvals of ${signed.join(', ')} are signed by a passkey, once one is enrolled.`,
    );
  });
}

function matchOf(given: Described): object {
  const { between, timeZone, days } = given;
  if (between === undefined && (timeZone !== undefined || days !== undefined)) {
    throw usageError('--days and --time-zone belong to --between.');
  }
  const parts = {
    providers: given.provider,
    operations: given.operation,
    effects: given.effect,
    connections: given.connection,
    recipientDomains: given.toDomain,
    amountAbove: given.above,
    principals: given.by,
    hours:
      between === undefined
        ? undefined
        : {
            ...between,
            timeZone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
            ...(days === undefined ? {} : { days }),
          },
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

async function add(
  outcome: string,
  options: Common & Described & { name: string; mine?: boolean },
): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const rule = { name: options.name, outcome, match: matchOf(options) };
  await asPerson(session, 'policy add', async ({ policy, org, owner }) => {
    const added = await policy.add(org, owner, { rule, mine: options.mine === true, channel: 'terminal' });
    if (output.json) output.value(jsonOf(added));
    else if (added.rule !== undefined) {
      const { match } = added.rule;
      output.line(`${added.id}: ${shownLine(matchInWords(match))}: ${outcomeWords[added.rule.outcome]}.`);
    }
  });
}

async function remove(id: string, options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await asPerson(session, 'policy remove', async ({ policy, org, owner }) => {
    await policy.remove(org, owner, { id, channel: 'terminal' });
    if (output.json) output.value({ id, removed: true });
    else output.line(`${shownLine(id)} is in force no more.`);
  });
}

async function presence(effects: string, options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const chosen = effects === 'none' ? [] : effects.split(',').map((effect) => effect.trim());
  await asPerson(session, 'policy presence', async ({ policy, org, owner, pageUrl }) => {
    const signed = await policy.setSignedEffects(org, owner, { effects: chosen, channel: 'terminal' });
    if (output.json) {
      output.value({ presence: signed });
      return;
    }
    if (signed.length === 0) output.line('No approval has to be signed by a passkey any more.');
    else {
      output.line(`Approvals of ${signed.join(', ')} are signed by a passkey, once one is enrolled.`);
      output.aside(`Passkeys are enrolled here: ${pageUrl('/passkeys')}`);
    }
  });
}

async function passkeys(options: Common & { remove?: string }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const { remove: lost } = options;
  if (lost !== undefined) {
    await asPerson(session, 'policy passkeys', async (rooms) => {
      await rooms.passkeys.forget(rooms.org, rooms.owner, lost);
      if (output.json) output.value({ id: lost, removed: true });
      else output.line(`${shownLine(lost)} signs nothing any more.`);
    });
    return;
  }
  await withRooms(session, async ({ passkeys: kept, org, pageUrl }) => {
    const all = await kept.all(org);
    if (output.json) {
      output.value(
        all.map(({ id, name, memberId, createdAt }) => ({ id, name, memberId, createdAt: iso(createdAt) })),
      );
      return;
    }
    for (const { id, name, memberId } of all) output.line(`${id}  ${shownLine(name)}  of ${memberId}`);
    if (all.length === 0) output.line(`No passkeys. They are enrolled here: ${pageUrl('/passkeys')}`);
  });
}

interface Tried extends Common {
  provider: string;
  operation: string;
  effect: string;
  connection?: string;
  to?: string[];
  amount?: { value: number; currency: string };
  by?: { kind: string; id?: string }[];
  at?: number;
}

async function test(options: Tried): Promise<void> {
  if (!writeEffects.some((effect) => effect === options.effect)) {
    throw usageError(`--effect: "${options.effect}" is none of ${writeEffects.join(', ')}.`);
  }
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async ({ policy, org }) => {
    const [who] = options.by ?? [];
    const subject: PolicySubject = {
      provider: options.provider,
      operation: options.operation,
      effect: options.effect,
      connectionId: options.connection ?? '',
      account: '',
      told: true,
      recipients: options.to ?? [],
      amount: options.amount,
      at: options.at ?? clock.now(),
      principal: { kind: who?.kind ?? 'agent', id: who?.id ?? 'stdio', name: '' },
    };
    const verdict = await policy.judge(org, subject);
    if (output.json) output.value({ ...verdict, rule: verdict.rule ?? null });
    else output.line(`${output.style('bold', verdict.outcome)}: ${shownLine(verdict.why)}`);
  });
}

/** Comma-separated, and repeated flags add up. */
function words(text: string, former: string[] | undefined): string[] {
  return [...(former ?? []), ...text.split(',').map((word) => word.trim())];
}

function amountOf(flag: string): (text: string) => { value: number; currency: string } {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]{3})$/.exec(text.trim());
    if (match === null) throw usageError(`${flag}: "${text}" is no amount such as "1000 EUR".`);
    return { value: Number(match[1]), currency: (match[2] ?? '').toUpperCase() };
  };
}

function hoursOf(text: string): { from: string; to: string } {
  const match = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text.trim());
  if (match === null) throw usageError(`--between: "${text}" is not like 09:00-17:00.`);
  return { from: match[1] ?? '', to: match[2] ?? '' };
}

function principals(text: string): { kind: string; id?: string }[] {
  return words(text, undefined).map((word) => {
    const [kind = '', ...rest] = word.split(':');
    return rest.length === 0 ? { kind } : { kind, id: rest.join(':') };
  });
}

export function declare(command: Command): void {
  command
    .command('list')
    .description('the rules in force, and which approvals a passkey signs')
    .option('--json', 'answer as JSON')
    .action(list);
  command
    .command('add')
    .description('add a rule; without conditions it is about every write')
    .argument('<outcome>', 'deny, ask, or auto (never for send, money or delete proposed by an agent)')
    .requiredOption('--name <name>', 'what the rule is called')
    .option('--provider <list>', 'providers, with commas between', words)
    .option('--operation <list>', 'operations: send, or gmail.send', words)
    .option('--effect <list>', `${writeEffects.join(', ')}`, words)
    .option('--connection <list>', 'ids of connections', words)
    .option('--to-domain <list>', 'domains of recipients: example.com, or *.example.com', words)
    .option('--above <amount>', 'amounts above "1000 EUR"', amountOf('--above'))
    .option('--between <hours>', 'hours of the day: 09:00-17:00', hoursOf)
    .option('--days <list>', 'mon, tue, wed, thu, fri, sat, sun', words)
    .option('--time-zone <zone>', 'of --between; this machine’s if not given')
    .option('--by <list>', 'who proposes: agent, person, or agent:ID', principals)
    .option(
      '--mine',
      'only for what you propose or approve yourself; it can only make the org’s rules stricter',
    )
    .option('--json', 'answer as JSON')
    .action(add);
  command
    .command('remove')
    .description('end a rule; what was judged by it keeps its record')
    .argument('<id>')
    .option('--json', 'answer as JSON')
    .action(remove);
  command
    .command('test')
    .description('say what would become of such a proposal; nothing is proposed')
    .requiredOption('--provider <provider>', 'gmail, say')
    .requiredOption('--operation <operation>', 'send, say')
    .requiredOption('--effect <effect>', writeEffects.join(', '))
    .option('--connection <id>', 'with which connection')
    .option('--to <list>', 'addresses of recipients', words)
    .option('--amount <amount>', '"1000 EUR"', amountOf('--amount'))
    .option('--by <principal>', 'agent (if not given), person, or agent:ID', principals)
    .option('--at <time>', 'when; now if not given', (text) => parseInstant(text, '--at'))
    .option('--json', 'answer as JSON')
    .action(test);
  command
    .command('presence')
    .description('choose the effects whose approval a passkey signs')
    .argument('<effects>', `${writeEffects.join(', ')} with commas between, or none`)
    .option('--json', 'answer as JSON')
    .action(presence);
  command
    .command('passkeys')
    .description('the passkeys that may sign, and the removal of one that is lost')
    .option('--remove <id>', 'from now on it signs nothing')
    .option('--json', 'answer as JSON')
    .action(passkeys);
}
