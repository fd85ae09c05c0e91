// What the parts of the conformance suite share: what a provider can be asked, and where its credential went.
import type { Call } from '../../sandbox/providers.ts';
import type { Connection } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import type { Provider, ProviderContext, ReadOperation } from '../../src/providers/define.ts';
import { leastInput } from './inputs.ts';
import type { ProviderWorld } from './provider-world.ts';

/** More orders to fail than any operation makes calls. */
export const many = 40;
export const json = { headers: { 'content-type': 'application/json' } };

/** Those that are declared, and those that its account's own server has. */
export async function readsOf(
  world: ProviderWorld,
  connection: Connection,
): Promise<[string, ReadOperation][]> {
  const { operations, unreachable } = await world.connections.operations(world.org, connection.id);
  if (unreachable[0] !== undefined) throw unreachable[0].error;
  return operations.flatMap(({ name, operation }) =>
    operation.effect === 'read' ? [[name, operation as ReadOperation]] : [],
  );
}

/** Anything that a provider can be asked without an effect: reads, else feeds, and whose account it is. */
export async function questionsOf(
  world: ProviderWorld,
  provider: Provider,
  connection: Connection,
): Promise<[string, (context: ProviderContext) => Promise<unknown>][]> {
  const reads = (await readsOf(world, connection)).slice(0, mostReads);
  return [
    ...reads.map(([name, operation]): [string, (context: ProviderContext) => Promise<unknown>] => {
      const input = inputOf(world, name, operation);
      return [name, (context) => operation.run(context, input)];
    }),
    ...Object.entries(provider.feeds)
      .slice(0, mostFeeds)
      .map(([name, feed]): [string, (context: ProviderContext) => Promise<unknown>] => [
        `feed ${name}`,
        async (context) => {
          let records = 0;
          for await (const page of feed.pages(context, undefined)) records += page.records.length;
          return records;
        },
      ]),
  ];
}

/** Of one provider those that are tried with every failure: the others are made alike. */
const mostReads = 4;
const mostFeeds = 1;

/** An input of a read that its emulator answers well. */
export function inputOf(world: ProviderWorld, name: string, operation: ReadOperation): unknown {
  return operation.input.parse(world.emulated.samples[name] ?? leastInput(operation.input));
}

/**
 * Where its credential went: host and first segment, as the sign-in may have its paths on the same host; the second
 * one, too, where they share the first.
 */
export function apiPlaces({ hosts, emulated, provider }: ProviderWorld): string[] {
  if (emulated.way.kind !== 'browser')
    return emulated.emulators.flatMap((one) => one.hosts.map((host) => `/${host}/`));
  const own = provider.auth.kind === 'oauth2' ? provider.auth.bearerHeader : undefined;
  const bears = ({ headers }: Call) =>
    own === undefined ? /^Bearer /.test(headers['authorization'] ?? '') : headers[own] !== undefined;
  const placeOf = ({ host, path }: Call, depth: number) => `/${host}${path.split('/', depth + 1).join('/')}`;
  const calls = hosts.calls();
  const signingIn = new Set(calls.filter((call) => !bears(call)).map((call) => placeOf(call, 1)));
  return [
    ...new Set(calls.filter(bears).map((call) => placeOf(call, signingIn.has(placeOf(call, 1)) ? 2 : 1))),
  ];
}

/** Members of the body of a token request, be it a form or JSON. */
export function tokenRequest(body: string): URLSearchParams {
  return new URLSearchParams(body.startsWith('{') ? (JSON.parse(body) as Record<string, string>) : body);
}

export async function failure(work: Promise<unknown>): Promise<DrawbridgeError> {
  const thrown = await work.then(
    (value) => new Error(`it went well: ${JSON.stringify(value)?.slice(0, 200)}`),
    (error: unknown) => error,
  );
  if (thrown instanceof DrawbridgeError) return thrown;
  throw thrown;
}
