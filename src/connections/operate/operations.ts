// The operations of connections, by name: those that the provider declares, and those that an account's own
// MCP server has. What runs one stands here too, so that no way to an operation passes by its gate.
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import type { Cause } from '../../egress/egress.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { inputFaults } from '../../input-faults.ts';
import type { Log } from '../../log.ts';
import type { Provider, ProviderContext, ReadOperation, WriteOperation } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import { isGranted } from '../connect/scopes.ts';
import type { Connection, FoundOperation, OperationsFound } from '../connections.ts';
import { isUsable } from '../states.ts';
import { leadTo } from './lead-to.ts';
import { type Asked, asked } from './read.ts';

type Operation = ReadOperation | WriteOperation;

/** How long what a server said it can do is believed. */
const discoveryLastsMs = 60_000;
const discoveryTimeoutMs = 15_000;
/** Servers asked at a time. */
const atOnce = 4;
/** Characters of JSON that one answer may have: more is the provider's paging to narrow. */
const longestAnswer = 2_000_000;

export interface OperationParts {
  clock: Clock;
  log: Log;
  list(org: OrgStore): Promise<Connection[]>;
  load(connection: Connection): Promise<Provider>;
  context(
    org: OrgStore,
    connection: Connection,
    operation: string,
    cause: Cause,
    signal?: AbortSignal,
  ): Promise<ProviderContext>;
  report(
    org: OrgStore,
    connection: Connection,
    result: { answered: true } | { error: unknown },
  ): Promise<void>;
}

export interface Operations {
  find(org: OrgStore, connectionId?: string): Promise<OperationsFound>;
  /** @throws DrawbridgeError `not_found` */
  named(org: OrgStore, connection: Connection, name: string): Promise<Operation>;
  /** @throws DrawbridgeError `not_found`, `invalid_request` with `field`, and what the provider said */
  read(
    org: OrgStore,
    connection: Connection,
    name: string,
    input: unknown,
    options?: Asked,
  ): Promise<unknown>;
}

export function createOperations(parts: OperationParts): Operations {
  const { clock, log } = parts;
  const discovered = new Map<string, { at: number; found: Promise<Readonly<Record<string, Operation>>> }>();

  /** What the account's own server offers; asked once a minute. */
  function discover(org: OrgStore, connection: Connection, provider: Provider) {
    const known = discovered.get(connection.id);
    if (known !== undefined && clock.elapsed() - known.at < discoveryLastsMs) return known.found;
    const found = (async () => {
      const context = await parts.context(
        org,
        connection,
        'discover',
        'status',
        AbortSignal.timeout(discoveryTimeoutMs),
      );
      return (await provider.discover?.(context)) ?? {};
    })();
    discovered.set(connection.id, { at: clock.elapsed(), found });
    found.catch(() => discovered.delete(connection.id));
    return found;
  }

  async function allOf(org: OrgStore, connection: Connection): Promise<[string, Operation][]> {
    const provider = await parts.load(connection);
    const own = Object.entries(provider.operations);
    if (provider.discover === undefined) return own;
    return [...own, ...Object.entries(await discover(org, connection, provider))];
  }

  async function named(org: OrgStore, connection: Connection, name: string): Promise<Operation> {
    const provider = await parts.load(connection);
    if (Object.hasOwn(provider.operations, name)) return provider.operations[name] as Operation;
    if (provider.discover !== undefined) {
      const offered = await discover(org, connection, provider);
      if (Object.hasOwn(offered, name)) return offered[name] as Operation;
    }
    throw new DrawbridgeError('not_found', `${connection.label} (${provider.title}) has no ${name}.`, {
      field: 'operation',
    });
  }

  return {
    named,

    async find(org, connectionId) {
      const all = await parts.list(org);
      const usable = all.filter(
        ({ id, state }) => isUsable(state) && (connectionId === undefined || id === connectionId),
      );
      const operations: FoundOperation[] = [];
      const unreachable: OperationsFound['unreachable'] = [];
      for (let from = 0; from < usable.length; from += atOnce) {
        await Promise.all(
          usable.slice(from, from + atOnce).map(async (connection) => {
            try {
              for (const [name, operation] of await allOf(org, connection)) {
                const granted =
                  (connection.access === 'write' || operation.effect === 'read') &&
                  isGranted(connection.scopes, operation.scopes);
                operations.push({
                  connection,
                  name,
                  operation: operation as FoundOperation['operation'],
                  granted,
                });
              }
            } catch (thrown) {
              const error = toDrawbridgeError(thrown);
              log.info({ err: thrown, connection: connection.id }, 'its operations could not be asked for');
              unreachable.push({ connection, error });
              await parts.report(org, connection, { error });
            }
          }),
        );
      }
      return { operations, unreachable };
    },

    async read(org, connection, name, input, options = {}) {
      const operation = await named(org, connection, name);
      if (operation.effect !== 'read') {
        throw new DrawbridgeError('invalid_request', `${name} changes something: it is proposed, not read.`, {
          field: 'operation',
        });
      }
      const given = parseInput(operation.input, input);
      const title = connection.providerTitle;
      return asked(
        { title, clock, options, report: (result) => parts.report(org, connection, result) },
        async (signal) => {
          const context = await parts.context(org, connection, name, 'tool', signal);
          const provider = await parts.load(connection);
          const output = await operation.run(context, given).catch((thrown: unknown) => {
            throw leadTo(thrown, provider.operations, name, input);
          });
          return bounded(output, operation, title);
        },
      );
    },
  };
}

/** @throws DrawbridgeError `invalid_request` with `field`, as `input.…` */
export function parseInput(schema: z.ZodType, input: unknown): unknown {
  const strict = schema instanceof z.ZodObject ? schema.strict() : schema;
  const parsed = strict.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const faults = inputFaults(strict, parsed.error, input, { under: 'input', whole: 'input' });
  throw new DrawbridgeError('invalid_request', faults.map(({ text }) => text).join('\n'), {
    field: faults[0]?.field ?? 'input',
  });
}

function bounded(output: unknown, operation: ReadOperation, title: string): unknown {
  const parsed = operation.output?.safeParse(output);
  if (parsed?.success === false) {
    const at = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new DrawbridgeError(
      'malformed_response',
      `${title} answered with something unexpected at "${at}".`,
    );
  }
  const answer = parsed?.data ?? output;
  const length = JSON.stringify(answer)?.length ?? 0;
  if (length > longestAnswer) {
    throw new DrawbridgeError(
      'malformed_response',
      `${title} answered with ${length} characters, more than ${longestAnswer}. Ask for less.`,
    );
  }
  return answer;
}
