// What a policy rule is, and what a set of rules says of one write. Pure: no store, no clock. When in doubt a
// rule asks a person; it never lets through what it cannot judge.
import { createHash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { canonicalJson } from '../../canonical-json.ts';
import type { WriteEffect } from '../../providers/define.ts';
import { checkTimeZone } from '../../time.ts';
import type { PolicyVerdict } from '../queue.ts';
import type { PolicySubject } from '../room.ts';

export const writeEffects = ['create', 'update', 'delete', 'send', 'money'] as const satisfies WriteEffect[];
export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const name = z.string().min(1).max(200);
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(100);
const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'is no time of day such as 09:00');

function isTimeZone(zone: string): boolean {
  try {
    checkTimeZone(zone, 'timeZone');
    return true;
  } catch {
    return false;
  }
}

/** All of what is given must hold; of a list, one. Nothing given: every write. */
const matchSchema = z.strictObject({
  providers: some(name).optional(),
  /** `send`, or with its provider `gmail.send`. */
  operations: some(name).optional(),
  effects: some(z.enum(writeEffects)).optional(),
  /** Ids of connections. */
  connections: some(name).optional(),
  /** `lakeside.example`, or `*.lakeside.example` for it and everything below it. */
  recipientDomains: some(
    z
      .string()
      .max(255)
      .regex(/^(?:\*\.)?[^\s@*,/]+$/, 'is no domain such as example.com or *.example.com'),
  ).optional(),
  amountAbove: z
    .strictObject({
      value: z.number().nonnegative(),
      currency: z.string().regex(/^[A-Z]{3}$/, 'is no currency such as EUR'),
    })
    .optional(),
  /** From `from` until before `to`, past midnight when `to` is earlier; the day is the one it begins on. */
  hours: z
    .strictObject({
      from: timeOfDay,
      to: timeOfDay,
      days: some(z.enum(days)).optional(),
      timeZone: z.string().refine(isTimeZone, 'is no time zone such as Europe/Berlin'),
    })
    .optional(),
  principals: some(z.strictObject({ kind: z.enum(['agent', 'person']), id: name.optional() })).optional(),
});

export const ruleSchema = z.strictObject({
  name: z.string().trim().min(1).max(120),
  match: matchSchema,
  outcome: z.enum(['deny', 'ask', 'auto']),
});

export type RuleMatch = z.infer<typeof matchSchema>;
export type Rule = z.infer<typeof ruleSchema>;
export type Outcome = Rule['outcome'];

/** A rule as it is stored. `rule` undefined: what stands there is no rule (any more). */
export interface StoredRule {
  id: string;
  /** The member whose own it is; undefined: of the org. */
  memberId: string | undefined;
  rule: Rule | undefined;
  /** As stored: what the version is made of. */
  text: string;
}

type Held = 'yes' | 'no' | 'cannot tell';

/** Never by policy alone when an agent proposed it: an agent has always read something untrusted. */
const neverAuto: readonly string[] = ['send', 'money', 'delete'];
const strictness: Record<Outcome, number> = { auto: 0, ask: 1, deny: 2 };

/**
 * The most restrictive of what the org's rules and the person's own say. Without a rule that matches, and
 * where a rule is broken, a person is asked. A person's own rules make it stricter and never looser; they bind
 * what that person proposes or decides, and ask about everything else.
 * @param signed effects whose approval a passkey has to sign, so that no rule can approve them
 */
export function judgeBy(
  rules: readonly StoredRule[],
  subject: PolicySubject,
  signed: readonly string[] = [],
): PolicyVerdict {
  const version = versionOf(rules);
  const opinions = rules.flatMap((stored) => opinionOf(stored, subject) ?? []);
  // A person's own "auto" frees nothing that the org did not free.
  const counted = opinions.filter(({ mine, outcome }) => !mine || outcome !== 'auto');
  const strictest = counted.reduce<Opinion | undefined>(
    (worst, one) =>
      worst === undefined || strictness[one.outcome] > strictness[worst.outcome] ? one : worst,
    undefined,
  );
  if (strictest === undefined) {
    return { outcome: 'ask', why: 'No rule speaks of it, so a person is asked.', rule: undefined, version };
  }
  const { outcome, why, rule } = strictest;
  if (outcome === 'auto') {
    const barred = barredFromAuto(subject, signed);
    if (barred !== undefined) {
      return { outcome: 'ask', why: `${why} ${barred}`, rule, version };
    }
  }
  return { outcome, why, rule, version };
}

/** Why this can never be approved by a rule alone; undefined where it can. */
function barredFromAuto(subject: PolicySubject, signed: readonly string[]): string | undefined {
  if (subject.principal.kind !== 'person' && neverAuto.includes(subject.effect)) {
    return `But what an agent proposes is never approved by a rule when its effect is ${subject.effect}: a person is asked.`;
  }
  if (signed.includes(subject.effect)) {
    return `But approvals of the effect ${subject.effect} are signed by a passkey, which no rule has: a person is asked.`;
  }
  return undefined;
}

interface Opinion {
  outcome: Outcome;
  why: string;
  rule: string;
  mine: boolean;
}

function opinionOf(stored: StoredRule, subject: PolicySubject): Opinion | undefined {
  const mine = stored.memberId !== undefined;
  const { id, rule } = stored;
  if (rule === undefined) {
    return {
      outcome: 'ask',
      why: `The rule ${id} is broken, so a person is asked. Remove it and add it anew.`,
      rule: id,
      mine,
    };
  }
  const held = holds(rule.match, subject, rule.outcome);
  if (held === 'no') return undefined;
  const whose = mine ? 'a person’s own rule' : 'the rule';
  if (held === 'cannot tell') {
    return rule.outcome === 'auto'
      ? undefined
      : {
          outcome: 'ask',
          why: `Whether ${whose} “${rule.name}” applies cannot be told from this proposal, so a person is asked.`,
          rule: id,
          mine,
        };
  }
  const bound =
    !mine ||
    subject.decidedBy === stored.memberId ||
    (subject.principal.kind === 'person' && subject.principal.id === stored.memberId);
  const outcome = rule.outcome === 'deny' && !bound ? 'ask' : rule.outcome;
  const verb = { deny: 'refuses it', ask: 'asks a person', auto: 'approves it' }[outcome];
  return {
    outcome,
    why: `${mine ? 'A person’s own rule' : 'The rule'} “${rule.name}” ${verb}.`,
    rule: id,
    mine,
  };
}

function holds(match: RuleMatch, subject: PolicySubject, outcome: Outcome): Held {
  const { provider, operation, effect, connectionId, principal } = subject;
  const plain =
    (match.providers?.includes(provider) ?? true) &&
    (match.operations?.some((one) => one === operation || one === `${provider}.${operation}`) ?? true) &&
    (match.effects?.some((one) => one === effect) ?? true) &&
    (match.connections?.includes(connectionId) ?? true) &&
    (match.principals?.some(
      (one) => one.kind === principal.kind && (one.id === undefined || one.id === principal.id),
    ) ??
      true) &&
    (match.hours === undefined || within(match.hours, subject.at));
  if (!plain) return 'no';
  const rest = [
    recipientsHold(match.recipientDomains, subject, outcome),
    amountHolds(match.amountAbove, subject),
  ];
  if (rest.includes('no')) return 'no';
  return rest.includes('cannot tell') ? 'cannot tell' : 'yes';
}

/** To approve, every recipient has to be of these domains; to ask or refuse, one is enough. */
function recipientsHold(
  domains: readonly string[] | undefined,
  { told, recipients }: PolicySubject,
  outcome: Outcome,
): Held {
  if (domains === undefined) return 'yes';
  if (!told) return 'cannot tell';
  const found = recipients.map(domainOf);
  const meets = found.map((domain) => domain !== undefined && domains.some((one) => isOf(domain, one)));
  if (outcome === 'auto') return meets.length > 0 && meets.every(Boolean) ? 'yes' : 'no';
  if (meets.includes(true)) return 'yes';
  return found.includes(undefined) ? 'cannot tell' : 'no';
}

/** The domain of one bare address, as DNS writes it; undefined for anything that is not exactly one. */
function domainOf(recipient: string): string | undefined {
  const match = /^[^\s@<>,;:"()[\]\\]+@([^\s@<>,;:"()[\]\\]+)$/u.exec(recipient.trim());
  const domain = match?.[1] === undefined ? '' : domainToASCII(match[1]).toLowerCase().replace(/\.$/, '');
  return domain === '' ? undefined : domain;
}

function isOf(domain: string, pattern: string): boolean {
  const below = pattern.startsWith('*.');
  const wanted = domainToASCII(below ? pattern.slice(2) : pattern).toLowerCase();
  if (wanted === '') return false;
  return domain === wanted || (below && domain.endsWith(`.${wanted}`));
}

function amountHolds(above: RuleMatch['amountAbove'], { told, amount, effect }: PolicySubject): Held {
  if (above === undefined) return 'yes';
  if (!told) return 'cannot tell';
  if (amount === undefined) return effect === 'money' ? 'cannot tell' : 'no';
  // There is no rate of exchange here that a limit could rest on.
  if (amount.currency.toUpperCase() !== above.currency || !Number.isFinite(amount.value))
    return 'cannot tell';
  return amount.value > above.value ? 'yes' : 'no';
}

function within({ from, to, days: wanted, timeZone }: NonNullable<RuleMatch['hours']>, at: number): boolean {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  const now = `${part('hour')}:${part('minute')}`;
  const today = (days as readonly string[]).indexOf(part('weekday').toLowerCase());
  const isDay = (index: number) =>
    wanted === undefined || wanted.some((day) => day === days[(index + 7) % 7]);
  if (from < to) return isDay(today) && now >= from && now < to;
  return (now >= from && isDay(today)) || (now < to && isDay(today - 1));
}

/** SHA-256 (hex) of the rules that are in force: any change is another version. */
function versionOf(rules: readonly StoredRule[]): string {
  const said = rules.map(({ id, memberId, text }) => [id, memberId ?? null, text]);
  return createHash('sha256')
    .update(canonicalJson({ v: 1, rules: said }))
    .digest('hex');
}
