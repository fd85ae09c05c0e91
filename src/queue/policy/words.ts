// A rule in words, for people: the same on the terminal and on the page.
import type { Rule, RuleMatch } from './rules.ts';

/** "effects send or money; by agents", or "every write". */
export function matchInWords(match: RuleMatch): string {
  const any = (items: readonly string[]) => items.join(' or ');
  const parts: string[] = [];
  if (match.providers !== undefined) parts.push(`at ${any(match.providers)}`);
  if (match.operations !== undefined) parts.push(`operation ${any(match.operations)}`);
  if (match.effects !== undefined) parts.push(`effect ${any(match.effects)}`);
  if (match.connections !== undefined) parts.push(`with the connection ${any(match.connections)}`);
  if (match.recipientDomains !== undefined) parts.push(`to ${any(match.recipientDomains)}`);
  if (match.amountAbove !== undefined) {
    parts.push(`above ${match.amountAbove.value.toLocaleString('en')} ${match.amountAbove.currency}`);
  }
  if (match.hours !== undefined) {
    const { from, to, days, timeZone } = match.hours;
    parts.push(`from ${from} to ${to}${days === undefined ? '' : ` on ${any(days)}`} (${timeZone})`);
  }
  if (match.principals !== undefined) {
    const who = match.principals.map(({ kind, id }) => (id === undefined ? `any ${kind}` : `${kind} ${id}`));
    parts.push(`proposed by ${any(who)}`);
  }
  return parts.length === 0 ? 'every write' : parts.join('; ');
}

export const outcomeWords: Readonly<Record<Rule['outcome'], string>> = {
  deny: 'refused',
  ask: 'a person is asked',
  auto: 'approved by the rule',
};
