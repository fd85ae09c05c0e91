// What rules say of a write: the strictest wins, doubt asks, and no rule lets an agent send, pay or delete.
import { describe, expect, test } from 'vitest';
import { judgeBy, type Rule, ruleSchema, type StoredRule } from '../../src/queue/policy/rules.ts';
import type { PolicySubject } from '../../src/queue/room.ts';

let made = 0;
function rule(outcome: Rule['outcome'], match: unknown = {}, memberId?: string): StoredRule {
  made += 1;
  const parsed = ruleSchema.parse({ name: `rule ${made}`, match, outcome });
  return { id: `pol_${made}`, memberId, rule: parsed, text: JSON.stringify(parsed) };
}

const agent = { kind: 'agent', id: 'stdio', name: 'local client' };
const mail: PolicySubject = {
  provider: 'gmail',
  operation: 'send',
  effect: 'send',
  connectionId: 'con_1',
  account: 'ann@lakeside.example',
  told: true,
  recipients: ['maya@lakeside.example'],
  amount: undefined,
  principal: agent,
  // A Wednesday, 10:30 in Berlin.
  at: Date.parse('2026-03-04T09:30:00Z'),
};
const invoice: PolicySubject = {
  ...mail,
  provider: 'quickbooks',
  operation: 'create-invoice',
  effect: 'create',
  recipients: [],
  amount: { value: 500, currency: 'EUR' },
};
const said = (rules: StoredRule[], subject: PolicySubject, signed?: string[]) =>
  judgeBy(rules, subject, signed).outcome;

describe('policy rules', () => {
  test('without a rule a person is asked', () => {
    expect(judgeBy([], invoice)).toMatchObject({ outcome: 'ask', rule: undefined });
  });

  test('the strictest rule that matches wins, whatever their order', () => {
    const [deny, ask, auto] = [rule('deny'), rule('ask'), rule('auto')];
    expect(said([auto], invoice)).toBe('auto');
    expect(said([auto, ask], invoice)).toBe('ask');
    expect(said([deny, ask, auto], invoice)).toBe('deny');
    expect(said([auto, ask, deny], invoice)).toBe('deny');
    expect(judgeBy([auto, ask, deny], invoice)).toMatchObject({ rule: deny.id });
    expect(judgeBy([deny], invoice).why).toContain(deny.rule?.name);
  });

  const neverAuto = ['send', 'money', 'delete'];
  test.each(neverAuto)('a rule never approves what an agent proposes with effect %s', (effect) => {
    const subject = { ...invoice, effect };
    expect(said([rule('auto')], subject)).toBe('ask');
    expect(judgeBy([rule('auto')], subject).why).toContain(effect);
    expect(said([rule('auto')], { ...subject, principal: { kind: 'executor', id: 'x', name: 'N' } })).toBe(
      'ask',
    );
    expect(said([rule('auto')], { ...subject, principal: { kind: 'person', id: 'mbr_1', name: 'N' } })).toBe(
      'auto',
    );
  });

  test('a rule approves nothing whose approval a passkey has to sign', () => {
    expect(said([rule('auto')], invoice, ['create'])).toBe('ask');
    expect(said([rule('auto')], invoice, ['send'])).toBe('auto');
  });

  test('a broken rule asks and is named, and hides no refusal', () => {
    const broken: StoredRule = { id: 'pol_broken', memberId: undefined, rule: undefined, text: '{"x":' };
    expect(judgeBy([rule('auto'), broken], invoice)).toMatchObject({ outcome: 'ask', rule: 'pol_broken' });
    expect(judgeBy([broken], invoice).why).toContain('pol_broken');
    expect(said([broken, rule('deny')], invoice)).toBe('deny');
  });

  test('a person’s own rules only make it stricter, and refuse only what is that person’s', () => {
    const mine = (outcome: Rule['outcome']) => rule(outcome, {}, 'mbr_1');
    expect(said([mine('auto')], invoice)).toBe('ask');
    expect(said([rule('auto'), mine('ask')], invoice)).toBe('ask');
    expect(said([rule('auto'), mine('deny')], invoice)).toBe('ask');
    expect(said([mine('deny')], { ...invoice, decidedBy: 'mbr_1' })).toBe('deny');
    expect(said([mine('deny')], { ...invoice, decidedBy: 'mbr_2' })).toBe('ask');
    expect(said([mine('deny')], { ...invoice, principal: { kind: 'person', id: 'mbr_1', name: 'N' } })).toBe(
      'deny',
    );
    expect(said([rule('deny'), mine('auto')], invoice)).toBe('deny');
  });

  test.each([
    [{ providers: ['gmail'] }, 'deny'],
    [{ providers: ['hubspot'] }, 'ask'],
    [{ operations: ['send'] }, 'deny'],
    [{ operations: ['gmail.send'] }, 'deny'],
    [{ operations: ['hubspot.send'] }, 'ask'],
    [{ effects: ['send', 'money'] }, 'deny'],
    [{ effects: ['money'] }, 'ask'],
    [{ connections: ['con_1'] }, 'deny'],
    [{ connections: ['con_2'] }, 'ask'],
    [{ principals: [{ kind: 'agent' }] }, 'deny'],
    [{ principals: [{ kind: 'agent', id: 'key_1' }] }, 'ask'],
    [{ providers: ['gmail'], effects: ['money'] }, 'ask'],
  ])('a rule about %j', (match, outcome) => {
    expect(said([rule('deny', match)], mail)).toBe(outcome);
  });

  test('to refuse, one recipient of the domain is enough; to approve, all must be of it', () => {
    const to = (...recipients: string[]): PolicySubject => ({ ...invoice, recipients });
    const ours = { recipientDomains: ['lakeside.example'] };
    expect(said([rule('deny', ours)], to('a@evil.example', 'b@Lakeside.Example'))).toBe('deny');
    expect(said([rule('auto', ours)], to('b@lakeside.example', 'a@evil.example'))).toBe('ask');
    expect(said([rule('auto', ours)], to('b@lakeside.example'))).toBe('auto');
    expect(said([rule('auto', ours)], to())).toBe('ask');
    expect(said([rule('auto', ours)], to('b@sub.lakeside.example'))).toBe('ask');
    expect(
      said([rule('auto', { recipientDomains: ['*.lakeside.example'] })], to('b@sub.lakeside.example')),
    ).toBe('auto');
    expect(
      said([rule('auto', { recipientDomains: ['*.lakeside.example'] })], to('b@evillakeside.example')),
    ).toBe('ask');
    expect(
      said([rule('deny', { recipientDomains: ['xn--bcher-kva.example'] })], to('a@bücher.example')),
    ).toBe('deny');
  });

  test.each([
    'maya@evil.example, ann@lakeside.example',
    '<maya@evil.example> ann@lakeside.example',
    '"maya@evil.example"@lakeside.example',
    'no address',
  ])('attack: %j passes for no address of our own domain', (recipient) => {
    const subject = { ...invoice, recipients: [recipient] };
    expect(said([rule('auto', { recipientDomains: ['lakeside.example'] })], subject)).toBe('ask');
  });

  test('what cannot be told asks, and approves nothing', () => {
    const silent = { ...invoice, told: false, amount: undefined };
    const far = { recipientDomains: ['lakeside.example'] };
    const high = { amountAbove: { value: 100, currency: 'EUR' } };
    expect(judgeBy([rule('auto'), rule('deny', high)], silent).why).toContain('cannot be told');
    expect(said([rule('auto'), rule('deny', far)], silent)).toBe('ask');
    expect(said([rule('auto', far)], silent)).toBe('ask');
    const dollars = { ...invoice, amount: { value: 1, currency: 'USD' } };
    expect(said([rule('auto'), rule('deny', high)], dollars)).toBe('ask');
    expect(said([rule('auto'), rule('deny', high)], { ...invoice, amount: undefined })).toBe('auto');
    expect(said([rule('deny', high)], invoice)).toBe('deny');
    expect(
      said([rule('auto'), rule('deny', high)], {
        ...invoice,
        amount: { value: 100, currency: 'eur' },
      }),
    ).toBe('auto');
  });

  test('hours are the zone’s own, and pass midnight with the day they began on', () => {
    const hours = (from: string, to: string, days?: string[]) => ({
      hours: { from, to, timeZone: 'Europe/Berlin', ...(days === undefined ? {} : { days }) },
    });
    expect(said([rule('deny', hours('10:30', '18:00'))], mail)).toBe('deny');
    expect(said([rule('deny', hours('10:31', '18:00'))], mail)).toBe('ask');
    expect(said([rule('deny', hours('09:00', '10:30'))], mail)).toBe('ask');
    expect(said([rule('deny', hours('09:00', '18:00', ['thu']))], mail)).toBe('ask');
    const night = { ...mail, at: Date.parse('2026-03-05T01:00:00Z') };
    expect(said([rule('deny', hours('22:00', '06:00', ['wed']))], night)).toBe('deny');
    expect(said([rule('deny', hours('22:00', '06:00', ['thu']))], night)).toBe('ask');
  });

  test('each change of the rules is another version, and the subject has no say in it', () => {
    const rules = [rule('ask')];
    const { version } = judgeBy(rules, mail);
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    expect(judgeBy(rules, invoice).version).toBe(version);
    expect(judgeBy([...rules, rule('ask')], mail).version).not.toBe(version);
    expect(judgeBy([], mail).version).not.toBe(version);
  });

  test.each([
    { name: 'x', outcome: 'allow', match: {} },
    { name: '', outcome: 'ask', match: {} },
    { name: 'x', outcome: 'ask', match: { provider: ['gmail'] } },
    { name: 'x', outcome: 'ask', match: { providers: [] } },
    { name: 'x', outcome: 'ask', match: { effects: ['read'] } },
    { name: 'x', outcome: 'ask', match: { amountAbove: { value: -1, currency: 'EUR' } } },
    { name: 'x', outcome: 'ask', match: { hours: { from: '9', to: '10:00', timeZone: 'UTC' } } },
    { name: 'x', outcome: 'ask', match: { hours: { from: '09:00', to: '10:00', timeZone: 'Mars/One' } } },
    { name: 'x', outcome: 'ask', match: { recipientDomains: ['a@b.example'] } },
  ])('%j is no rule', (given) => {
    expect(ruleSchema.safeParse(given).success).toBe(false);
  });
});
