// What the parts of the conformance suite share: inputs of reads, and where a provider's credential went.
import { DrawbridgeError } from '../../src/errors.ts';
import type { Provider, ReadOperation } from '../../src/providers/define.ts';
import { leastInput } from './inputs.ts';
import type { ProviderWorld } from './provider-world.ts';

/** More orders to fail than any operation makes calls. */
export const many = 40;
export const json = { headers: { 'content-type': 'application/json' } };

export const readsOf = (provider: Provider): [string, ReadOperation][] =>
  Object.entries(provider.operations).filter(
    (pair): pair is [string, ReadOperation] => pair[1].effect === 'read',
  );

/** An input of a read that its emulator answers well. */
export function inputOf(world: ProviderWorld, name: string, operation: ReadOperation): unknown {
  return operation.input.parse(world.emulated.samples[name] ?? leastInput(operation.input));
}

/** Where its credential went: host and first segment, as the sign-in may have its paths on the same host. */
export function apiPlaces({ hosts, emulated }: ProviderWorld): string[] {
  if (emulated.way.kind === 'form')
    return emulated.emulators.flatMap((one) => one.hosts.map((host) => `/${host}/`));
  const bearing = hosts.calls().filter(({ headers }) => /^Bearer /.test(headers['authorization'] ?? ''));
  return [...new Set(bearing.map(({ host, path }) => `/${host}/${path.split('/')[1]}`))];
}

export async function failure(work: Promise<unknown>): Promise<DrawbridgeError> {
  const thrown = await work.then(
    (value) => new Error(`it went well: ${JSON.stringify(value)?.slice(0, 200)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof DrawbridgeError) return thrown;
  throw thrown;
}
