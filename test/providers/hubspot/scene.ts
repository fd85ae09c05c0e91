// A HubSpot account of the sandbox behind the real door: what the provider's code asks is seen as HubSpot
// would have got it.
import { createHash } from 'node:crypto';
import {
  createHubspot,
  type HubspotEmulator,
  type HubspotOptions,
  hubspotApp,
} from '../../../sandbox/hubspot/index.ts';
import { fillWithStory } from '../../../sandbox/hubspot/story.ts';
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { LookUp, WriteContext, WriteOutcome } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/hubspot/index.ts';
import { Secret } from '../../../src/secret.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  hubspot: HubspotEmulator;
  hosts: ProviderHosts;
  /** Of the account; sleeping on it moves it. */
  clock: Clock & { advance(ms: number): void };
  context: WriteContext;
  /** Requests since the last call of this, as a person reads them. */
  asked(): string[];
  /** Calls that had left when the gate was opened; -1: it was not. */
  gateOpenedAfter(): number;
  /** @param as in place of the scene's context */
  read(operation: string, input: unknown, as?: WriteContext): Promise<unknown>;
  write(operation: string, input: unknown): Promise<WriteOutcome>;
  lookUp(operation: string, input: unknown): Promise<LookUp>;
}

const everyScope = [
  'oauth',
  ...['contacts', 'companies', 'deals'].flatMap((name) => [
    `crm.objects.${name}.read`,
    `crm.objects.${name}.write`,
  ]),
  'tickets',
];

export async function openScene(
  given: Partial<HubspotOptions> & {
    story?: boolean;
    scopes?: readonly string[];
    aboutToSend?: () => Promise<void>;
    signal?: AbortSignal;
  } = {},
): Promise<Scene> {
  const clock = passingClock();
  const hubspot = createHubspot({ clock, accessLivesS: 365 * 86_400, ...given });
  if (given.story === true) fillWithStory(hubspot.state, loadWorld(clock.now()));
  const stage = await openStage([hubspot], systemClock);
  const { hosts } = stage;
  const bearer = new Secret(bearerFor(hubspot, given.scopes ?? everyScope));
  const base = stage.context({
    clock,
    provider,
    fields: { portal: String(hubspot.portal), ui_domain: 'app.hubspot.com' },
    bearer: { fresh: async () => bearer },
    signal: given.signal,
  });
  let opened = -1;
  const context: WriteContext = {
    ...base,
    effectKey: 'eff_01test',
    attachment: () => Promise.reject(new Error('HubSpot takes no attachments here')),
    async aboutToSend() {
      opened = hosts.calls().length;
      await given.aboutToSend?.();
    },
  };
  return {
    hubspot,
    hosts,
    clock,
    context,
    gateOpenedAfter: () => opened,
    asked() {
      return stage
        .calls()
        .map(({ method, host, path, query, body }) =>
          [`${method} https://${host}${path}${query.size === 0 ? '' : `?${query}`}`, body]
            .filter((part) => part !== '')
            .join('\n'),
        );
    },
    async read(name, input, as = context) {
      const operation = operationOf(name);
      if (operation.effect !== 'read') throw new Error(`${name} writes`);
      const answer = await operation.run(as, operation.input.parse(input));
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
  const found = provider.operations[name];
  if (found === undefined) throw new Error(`HubSpot has no operation ${name}`);
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
  return operation.summary(payload, 'HubSpot 48112233');
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

/** The bearer that a person's consent to these scopes brings. */
function bearerFor(hubspot: HubspotEmulator, scopes: readonly string[]): string {
  const verifier = 'v'.repeat(43);
  const redirect = 'http://localhost:7331/callback';
  const host = 'app.hubspot.com';
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of scopes) consented.append('scope', scope);
  const back = hubspot.handle({
    host,
    method: 'POST',
    path: '/oauth/authorize',
    query: new URLSearchParams({
      client_id: hubspotApp.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope: scopes.join(' '),
      state: 'state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }),
    headers: {},
    body: consented.toString(),
  });
  const token = hubspot.handle({
    host: 'api.hubapi.com',
    method: 'POST',
    path: '/oauth/v3/token',
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(back.headers?.['location'] ?? '').searchParams.get('code') ?? '',
      redirect_uri: redirect,
      code_verifier: verifier,
      client_id: hubspotApp.clientId,
      client_secret: hubspotApp.clientSecret,
    }).toString(),
  });
  return (JSON.parse(token.body ?? '{}') as { access_token: string }).access_token;
}
