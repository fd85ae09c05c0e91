// run-operation: one operation of one account by name. A read is asked live; anything else is proposed, and a
// person decides.
import { z } from 'zod';
import { parseInput } from '../connections/operate/operations.ts';
import { DrawbridgeError } from '../errors.ts';
import { iso } from '../time.ts';
import { framed, visible } from '../untrusted.ts';
import { rowRoom } from './answers/pages.ts';
import { defineTool, type ToolContext } from './define.ts';
import { accountsNamed } from './names/accounts.ts';
import { proposalInputs, propose, toldOf } from './propose/proposal.ts';

const output = z.object({
  effect: z.string(),
  account: z.string(),
  result: z.unknown().optional().describe('Of a read: what the provider answered, written by others'),
  cut: z.boolean().optional().describe('The result was too long: ask for less'),
  fetchedAt: z.string().optional(),
  proposal: z.looseObject({ actionId: z.string(), status: z.string() }).optional(),
});

export const runOperation = defineTool({
  name: 'run-operation',
  title: 'Run an operation',
  description:
    'Runs an operation that find-operation named. A read answers now; anything else is queued for a person to approve, and nothing has happened yet.',
  kind: 'either',
  live: true,
  input: z.object({
    operation: z.string(),
    account: z.string().describe('Connection id, or label'),
    input: z.looseObject({}).default({}).describe('As its schema says'),
    ...proposalInputs,
  }),
  output,
  async run(context, input) {
    const { rooms, org, agent, signal } = context;
    const { connection, operation } = await meant(context, input.operation, input.account);
    const { effect } = operation;
    if (effect !== 'read') {
      // A misspelt field must not be taken for one left out: the queue would drop it.
      if (agent.scopes.includes('propose')) parseInput(operation.input, input.input);
      const proposed = await propose(context, {
        connectionId: connection.id,
        operation: input.operation,
        payload: input.input,
        ...(await toldOf(context, input)),
      });
      return {
        ...proposed,
        data: { effect, account: connection.label, proposal: proposed.data },
      };
    }
    const answer = await rooms.connections.runRead(org, connection, input.operation, input.input, { signal });
    const { value, cut } = clean(answer);
    const fetchedAt = iso(rooms.clock.now());
    return {
      data: { effect, account: connection.label, result: value, ...(cut ? { cut } : {}), fetchedAt },
      text: [
        framed(JSON.stringify(value, undefined, 1), `${input.operation} of ${connection.id}`),
        ...(cut ? ['The answer was longer than fits: ask for less (a limit, a narrower question).'] : []),
      ].join('\n'),
    };
  },
});

/** The one connection that is meant, and what the operation does there. @throws DrawbridgeError */
async function meant({ rooms, org }: ToolContext, name: string, account: string) {
  const named = accountsNamed(await rooms.connections.list(org), account);
  const found = (await Promise.all(named.map(({ id }) => rooms.connections.operations(org, id)))).flatMap(
    ({ operations }) => operations.filter((one) => one.name === name),
  );
  const [first, ...others] = found;
  if (first === undefined) {
    // Says why: the account must be connected again, or its server cannot be asked, or there is no such operation.
    for (const connection of named) {
      const { unreachable } = await rooms.connections.operations(org, connection.id);
      if (unreachable[0] !== undefined) throw unreachable[0].error;
    }
    throw new DrawbridgeError(
      'not_found',
      `operation: ${named.map(({ label }) => label).join(', ')} has no ${name.slice(0, 120)}, or cannot be used now. find-operation names what there is, list-connections the state.`,
      { field: 'operation' },
    );
  }
  if (others.length > 0) {
    throw new DrawbridgeError(
      'invalid_request',
      `account: several accounts of that name have ${name}. Give the connection id: ${found.map(({ connection }) => connection.id).join(', ')}.`,
      { field: 'account', retry: 'ask' },
    );
  }
  return first;
}

/** Text without what cannot be seen, and not more of it than an answer holds. */
function clean(answer: unknown): { value: unknown; cut: boolean } {
  let room = rowRoom;
  let cut = false;
  const walk = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') {
      const text = visible(value);
      const kept = text.slice(0, Math.max(0, room));
      room -= kept.length + 2;
      cut ||= kept.length < text.length;
      return kept;
    }
    if (Array.isArray(value) || (typeof value === 'object' && value !== null)) {
      if (depth > 40) {
        cut = true;
        return null;
      }
      const isList = Array.isArray(value);
      const kept: [string, unknown][] = [];
      for (const [key, one] of Object.entries(value)) {
        if (room <= 0) {
          cut = true;
          break;
        }
        room -= isList ? 1 : key.length + 4;
        kept.push([isList ? key : visible(key), walk(one, depth + 1)]);
      }
      return isList ? kept.map(([, one]) => one) : Object.fromEntries(kept);
    }
    room -= 8;
    return value ?? null;
  };
  return { value: walk(answer, 0), cut };
}
