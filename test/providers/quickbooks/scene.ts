// A QuickBooks company of the sandbox behind the real door: what the provider's code asks is seen as Intuit
// would have got it.
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import {
  createQuickbooks,
  type QuickbooksEmulator,
  type QuickbooksOptions,
  quickbooksApp,
} from '../../../sandbox/quickbooks/index.ts';
import { fillBooks } from '../../../sandbox/quickbooks/story.ts';
import { emptyWorld } from '../../../sandbox/world.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { LookUp, Provider, WriteContext, WriteOutcome } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/quickbooks/index.ts';
import { Secret } from '../../../src/secret.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  quickbooks: QuickbooksEmulator;
  hosts: ProviderHosts;
  /** Of the company; sleeping on it moves it. */
  clock: Clock & { advance(ms: number): void };
  context: WriteContext;
  /** Requests since the last call of this, as a person reads them. */
  asked(): string[];
  /** Calls that had left when the gate was opened; -1: it was not. */
  gateOpenedAfter(): number;
  read(operation: string, input: unknown): Promise<unknown>;
  write(operation: string, input: unknown): Promise<WriteOutcome>;
  lookUp(operation: string, input: unknown): Promise<LookUp>;
}

export const account = 'Tidewell Homes (QuickBooks 9341453908872241)';

export async function openScene(
  given: Partial<QuickbooksOptions> & {
    story?: boolean;
    environment?: 'production' | 'sandbox';
    effectKey?: string;
    aboutToSend?: () => Promise<void>;
    signal?: AbortSignal;
  } = {},
): Promise<Scene> {
  const clock = passingClock();
  // One bearer for the whole test, whatever time passes in it.
  const quickbooks = createQuickbooks({ clock, accessLivesS: 10 * 365 * 86_400, ...given });
  if (given.story === true) fillBooks(quickbooks, emptyWorld(clock.now()));
  const stage = await openStage([quickbooks], systemClock);
  const { hosts } = stage;
  const bearer = new Secret(bearerFor(quickbooks));
  const environment = given.environment ?? 'production';
  const base = stage.context({
    clock,
    provider,
    fields: { ...provider.fields.parse({ environment }), realm: quickbooks.realm },
    bearer: { fresh: async () => bearer },
    signal: given.signal,
  });
  let opened = -1;
  const context: WriteContext = {
    ...base,
    effectKey: given.effectKey ?? 'eff_01test',
    attachment: () => Promise.reject(new Error('QuickBooks takes no attachments here')),
    async aboutToSend() {
      if (opened === -1) opened = hosts.calls().length;
      await given.aboutToSend?.();
    },
  };
  return {
    quickbooks,
    hosts,
    clock,
    context,
    gateOpenedAfter: () => opened,
    asked() {
      return stage
        .calls()
        .map(({ method, host, path, query, body }) =>
          [
            `${method} https://${host}${path}`,
            ...[...query].map(([name, value]) => `  ${name}=${value}`),
            body,
          ]
            .filter((part) => part !== '')
            .join('\n'),
        );
    },
    async read(name, input) {
      const operation = operationOf(name);
      if (operation.effect !== 'read') throw new Error(`${name} writes`);
      const answer = await operation.run(context, operation.input.parse(input));
      return operation.output?.parse(answer);
    },
    async write(name, input) {
      const { operation, payload } = writing(name, input);
      return operation.run(context, payload);
    },
    async lookUp(name, input) {
      const { operation, payload } = writing(name, input);
      if (operation.idempotency === 'none') throw new Error(`${name} has no look-up`);
      return operation.lookUp(context, payload);
    },
  };
}

export function operationOf(name: string) {
  const operations: Provider['operations'] = provider.operations;
  const found = operations[name];
  if (found === undefined) throw new Error(`QuickBooks has no operation ${name}`);
  return found;
}

function writing(name: string, input: unknown) {
  const operation = operationOf(name);
  if (operation.effect === 'read') throw new Error(`${name} reads`);
  const payload = operation.input.parse(input);
  operation.validate?.(payload);
  return { operation, payload };
}

/** What a person reads before it is written. */
export function summaryOf(name: string, input: unknown): string {
  const { operation, payload } = writing(name, input);
  return operation.summary(payload, account);
}

/** Time passes by sleeping alone, and then at once. */
function passingClock(): Scene['clock'] {
  let elapsed = 0;
  return {
    now: () => Date.UTC(2026, 0, 5, 12) + elapsed,
    elapsed: () => elapsed,
    sleep: async (ms) => {
      elapsed += ms;
    },
    advance: (ms) => {
      elapsed += ms;
    },
  };
}

/** The bearer that a person's consent brings. */
function bearerFor(quickbooks: QuickbooksEmulator): string {
  const redirect = 'http://localhost:7331/callback';
  const scope = 'com.intuit.quickbooks.accounting';
  const back = quickbooks.handle({
    host: 'appcenter.intuit.com',
    method: 'POST',
    path: '/connect/oauth2',
    query: new URLSearchParams({
      client_id: quickbooksApp.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope,
      state: 'state',
    }),
    headers: {},
    body: new URLSearchParams({ decision: 'allow', scope }).toString(),
  });
  const pair = Buffer.from(`${quickbooksApp.clientId}:${quickbooksApp.clientSecret}`).toString('base64');
  const token = quickbooks.handle({
    host: 'oauth.platform.intuit.com',
    method: 'POST',
    path: '/oauth2/v1/tokens/bearer',
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${pair}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(back.headers?.['location'] ?? '').searchParams.get('code') ?? '',
      redirect_uri: redirect,
    }).toString(),
  });
  return (JSON.parse(token.body ?? '{}') as { access_token: string }).access_token;
}
