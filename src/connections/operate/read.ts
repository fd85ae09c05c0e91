// One live read: its input checked, its time bounded, its answer held against the capability's contract,
// its outcome told to the connection.
import type { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { withDeadline } from '../../egress/deadline.ts';
import { DrawbridgeError } from '../../errors.ts';
import {
  type Capability,
  type CapabilityInputs,
  type CapabilityOutputs,
  freeBusyAnswer,
  listing,
  listingSearchAnswer,
} from '../../providers/capabilities.ts';
import type { Provider, ProviderContext, ReadOperation } from '../../providers/define.ts';

const defaultTimeoutMs = 15_000;
const outputs: Partial<{ [C in Capability]: z.ZodType<CapabilityOutputs[C]> }> = {
  'calendar.free-busy': freeBusyAnswer,
  'listing.search': listingSearchAnswer,
  'listing.get': listing,
};

export interface ReadParts<C extends Capability> {
  provider: Provider;
  capability: C;
  input: CapabilityInputs[C];
  clock: Clock;
  signal?: AbortSignal;
  timeoutMs?: number;
  context(operation: string, signal: AbortSignal): Promise<ProviderContext>;
  report(result: { answered: true } | { error: unknown }): Promise<void>;
}

/** @throws DrawbridgeError, or the caller's own abort reason */
export async function runRead<C extends Capability>(parts: ReadParts<C>): Promise<CapabilityOutputs[C]> {
  const { provider, capability, clock } = parts;
  const name = provider.capabilities[capability];
  const operation = name === undefined ? undefined : provider.operations[name];
  if (name === undefined || operation?.effect !== 'read') {
    throw new DrawbridgeError('not_found', `${provider.title} cannot read ${capability}.`);
  }
  const input = operation.input.safeParse(parts.input);
  if (!input.success) {
    const issue = input.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new DrawbridgeError('invalid_request', `${field}: ${issue?.message ?? 'is not usable'}`, { field });
  }

  return asked({ title: provider.title, clock, options: parts, report: parts.report }, async (signal) => {
    const context = await parts.context(name, signal);
    // The registry's types lose the input; it has just passed the operation's own schema.
    return checkOutput(provider, capability, await (operation as ReadOperation).run(context, input.data));
  });
}

export interface Asked {
  signal?: AbortSignal;
  /** Default 15,000. */
  timeoutMs?: number;
}

/** One question to a provider: bounded in time, its outcome told to the connection. */
export async function asked<Result>(
  parts: {
    title: string;
    clock: Clock;
    options: Asked;
    report(result: { answered: true } | { error: unknown }): Promise<void>;
  },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { clock, options } = parts;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const expired = (): DrawbridgeError =>
    new DrawbridgeError('timeout', `${parts.title} did not answer within ${timeoutMs / 1000} s.`);
  try {
    const result = await withDeadline({ clock, timeoutMs, signal: options.signal, expired }, work);
    await parts.report({ answered: true });
    return result;
  } catch (thrown) {
    if (options.signal?.aborted !== true) await parts.report({ error: thrown });
    throw thrown;
  }
}

/** What a provider's code returned, held against the capability's contract. */
function checkOutput<C extends Capability>(
  provider: Provider,
  capability: C,
  output: unknown,
): CapabilityOutputs[C] {
  const schema: z.ZodType<CapabilityOutputs[C]> | undefined = outputs[capability];
  if (schema === undefined) {
    throw new DrawbridgeError('internal', `${capability} has no contract for what is read.`);
  }
  const parsed = schema.safeParse(output);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new DrawbridgeError(
    'malformed_response',
    `${provider.title} answered with something unexpected at "${at}".`,
  );
}
