// What stands on a terminal beside the payload: the step from the live record, what a person changed, what policy
// said. All of it by others, and none of it obeyed by the terminal.
import { expect, test } from 'vitest';
import { writeAction } from '../../src/commands/actions/text.ts';
import type { Output } from '../../src/commands/terminal/output.ts';
import type { Action } from '../../src/queue/queue.ts';

function written(differs: Partial<Action>): string {
  const lines: string[] = [];
  const plain = (_style: unknown, text: string) => text;
  const output = { line: (text = '') => lines.push(text), style: plain } as unknown as Output;
  const action: Action = {
    id: 'act_1',
    status: 'pending',
    operation: 'update-contact',
    effect: 'update',
    provider: 'hubspot',
    connectionId: 'con_1',
    accountLabel: 'Northgate',
    summary: 'Change Bo',
    payload: { id: '7', phone: '2' },
    payloadHash: 'a'.repeat(64),
    warnings: [],
    attachments: [],
    proposedBy: { kind: 'agent', name: 'Agent' },
    note: undefined,
    proposedAt: 0,
    expiresAt: 86_400_000,
    decidedAt: undefined,
    decidedBy: undefined,
    decisionChannel: undefined,
    decisionReason: undefined,
    finishedAt: undefined,
    outcome: undefined,
    before: undefined,
    policy: undefined,
    proposed: undefined,
    snoozedUntil: undefined,
    assignedTo: undefined,
    holdUntil: undefined,
    undoOf: undefined,
    undo: undefined,
    citations: [],
    conversation: undefined,
    erasedAt: undefined,
    proof: undefined,
    ...differs,
  };
  writeAction(output, action, 0);
  return lines.join('\n');
}

test('the live record stands there field by field, what changes with its old and its new value', () => {
  const text = written({
    before: {
      title: 'Bo\u001b[2J Byron',
      fields: { phone: '1', city: 'Ulm', note: 'one\ntwo' },
      after: { phone: '2', note: 'one\nthree' },
    },
  });
  expect(text).toContain('  Bo<U+001B>[2J Byron');
  expect(text).toContain('  phone:\n  - 1\n  + 2');
  expect(text).toContain('  city: Ulm');
  expect(text).toContain('  note:\n  - one\n  - two\n  + one\n  + three');
});

test('what a person changed stands beside what was proposed, with the reason', () => {
  const text = written({
    proposed: { payload: { id: '7', phone: '9' }, payloadHash: 'b'.repeat(64), reason: 'typo' },
  });
  expect(text).toContain('Changed by a person (typo):\n  phone:\n  - 9\n  + 2');
});

test('policy, citations, the hold and what it takes back are said', () => {
  const text = written({
    status: 'approved',
    policy: { outcome: 'ask', why: 'Rule "sends": asks.', rule: 'r', version: 'v' },
    citations: ['ime://documents/doc_1'],
    conversation: 'About\nElm Street',
    holdUntil: 10_000,
    undoOf: 'act_0',
  });
  for (const words of [
    'Rule "sends": asks.',
    'ime://documents/doc_1',
    'About<U+000A>Elm Street',
    '1970-01-01T00:00:10.000Z; until then: drawbridge actions cancel act_1',
    'act_0',
  ]) {
    expect(text).toContain(words);
  }
});
