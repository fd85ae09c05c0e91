// Rules in the terminal: said as they are stored, tried before they bite, changed by a person alone.
import { expect, onTestFinished, test } from 'vitest';
import { newProgram } from './program.ts';

interface Rule {
  id: string;
  name: string;
  outcome: string;
  match: object;
}

test('rules are added by flags, listed, tried and removed; what is signed is chosen', async () => {
  const program = await newProgram();
  onTestFinished(() => program.remove());
  const added = await program.json<Rule>([
    ...['policy', 'add', 'deny', '--name', 'No money', '--effect', 'money,delete', '--by', 'agent:stdio'],
    ...['--to-domain', 'a.example', '--to-domain', '*.b.example', '--above', '10.5 eur', '--mine', '--json'],
    ...['--between', '09:00-17:00', '--days', 'mon,tue', '--time-zone', 'Europe/Berlin'],
  ]);
  expect(added).toMatchObject({
    name: 'No money',
    outcome: 'deny',
    of: expect.stringMatching(/^mbr_/),
    match: {
      effects: ['money', 'delete'],
      recipientDomains: ['a.example', '*.b.example'],
      amountAbove: { value: 10.5, currency: 'EUR' },
      hours: { from: '09:00', to: '17:00', days: ['mon', 'tue'], timeZone: 'Europe/Berlin' },
      principals: [{ kind: 'agent', id: 'stdio' }],
    },
  });
  await program.json(['policy', 'add', 'deny', '--name', 'No notes', '--provider', 'hubspot', '--json']);
  const tried = ['policy', 'test', '--operation', 'x', '--effect', 'create', '--json', '--provider'];
  expect(await program.json([...tried, 'hubspot'])).toMatchObject({
    outcome: 'deny',
    why: expect.stringContaining('No notes'),
  });
  expect(await program.json([...tried, 'gmail'])).toMatchObject({ outcome: 'ask', rule: null });
  expect((await program.run(['policy', 'remove', added.id])).code).toBe(0);
  const { rules } = await program.json<{ rules: Rule[] }>(['policy', 'list', '--json']);
  expect(rules.map(({ name }) => name)).toEqual(['No notes']);
  expect(await program.json(['policy', 'presence', 'send,money', '--json'])).toEqual({
    presence: ['send', 'money'],
  });
  expect((await program.run(['policy', 'list'])).stdout).toContain('Approvals of send, money are signed');
  expect(await program.json(['policy', 'presence', 'none', '--json'])).toEqual({ presence: [] });
});

test('what is no rule is refused, and nothing is stored', async () => {
  const program = await newProgram();
  onTestFinished(() => program.remove());
  for (const [args, said, code] of [
    [['add', 'allow', '--name', 'x'], 'outcome', 1],
    [['add', 'deny', '--name', 'x', '--above', 'much'], '--above', 2],
    [['add', 'deny', '--name', 'x', '--days', 'mon'], '--between', 2],
    [['test', '--provider', 'x', '--operation', 'x', '--effect', 'read'], '--effect', 2],
    [['remove', 'pol_1'], 'no rule', 1],
  ] as const) {
    const refused = await program.run(['policy', ...args]);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringContaining(said)]);
  }
  expect(await program.json(['policy', 'list', '--json'])).toEqual({ rules: [], presence: [] });
});
