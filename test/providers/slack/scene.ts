// A Slack workspace of the sandbox behind the real door: what the provider's code asks is seen as Slack would have
// got it, by the token of a person or of the app.
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import {
  createSlack,
  type SlackEmulator,
  type SlackOptions,
  slackApp,
} from '../../../sandbox/slack/index.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import type { FeedPage, WriteContext } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/slack/index.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  slack: SlackEmulator;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  announced(): number;
  /** Methods of Slack's API that were called since the last call of this. */
  asked(): string[];
}

export const reading = [
  ...['channels', 'groups', 'im', 'mpim'].flatMap((area) => [`${area}:read`, `${area}:history`]),
  'users:read',
  'users:read.email',
  'files:read',
];
const all = [...reading, 'chat:write'];

/** As Slack's consent and its token method give it. */
function bearerOf(slack: SlackEmulator, as: 'user' | 'bot', scopes: readonly string[]): string {
  const call = (path: string, query: Record<string, string>, body: URLSearchParams) =>
    slack.handle({
      host: 'slack.com',
      method: 'POST',
      path,
      query: new URLSearchParams(query),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of scopes) consented.append('scope', scope);
  const { clientId: client_id, clientSecret: client_secret } = slackApp;
  const asked = { client_id, redirect_uri: 'http://localhost:7331/callback', response_type: 'code' };
  const name = as === 'bot' ? 'scope' : 'user_scope';
  const back = call('/oauth/v2/authorize', { ...asked, [name]: scopes.join(','), state: 's' }, consented);
  const code = new URL(back.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, client_id, client_secret };
  const answer = call(
    '/api/oauth.v2.access',
    {},
    new URLSearchParams({ ...form, redirect_uri: asked.redirect_uri }),
  );
  const told = JSON.parse(answer.body ?? '{}');
  return as === 'bot' ? told.access_token : told.authed_user.access_token;
}

export async function openScene(
  given: Partial<SlackOptions> & {
    as?: 'user' | 'bot';
    scopes?: readonly string[];
    before?: WriteContext['before'];
  } = {},
): Promise<Scene> {
  const { as = 'user', scopes = all, before, ...options } = given;
  const clock = manualClock();
  const slack = createSlack({ clock, world: loadWorld(clock.now()), rotates: false, ...options });
  const stage = await openStage([slack], clock);
  const { hosts } = stage;
  const bearer = new Secret(bearerOf(slack, as, scopes));
  const base = stage.context({
    clock,
    provider,
    fields: {
      as,
      app: options.distributed === true ? 'distributed' : 'internal',
      workspace: 'tidewell.slack.com',
      me: as === 'bot' ? 'U0DRAWBRIDGE' : 'U0MAREN',
    },
    bearer: { fresh: async () => bearer },
  });
  let announced = 0;
  return {
    slack,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      return stage.calls().map(({ path }) => path.replace('/api/', ''));
    },
    context: {
      ...base,
      before,
      effectKey: 'eff_01test',
      attachment: () => Promise.reject(new Error('no attachment here')),
      async aboutToSend() {
        announced += 1;
      },
    },
  };
}

/** What a run of a feed brought, as memory would hold it. */
export interface Read {
  records: Map<string, FeedPage['records'][number]>;
  deleted: string[];
  complete: NonNullable<FeedPage['complete']>[];
  cursor: unknown;
  error: unknown;
}

export async function readFeed(
  { context }: Scene,
  name: 'messages' | 'users',
  cursor?: unknown,
): Promise<Read> {
  const read: Read = { records: new Map(), deleted: [], complete: [], cursor, error: undefined };
  const stored = cursor === undefined ? undefined : JSON.parse(JSON.stringify(cursor));
  try {
    for await (const page of provider.feeds[name].pages(context, stored)) {
      for (const record of page.records) read.records.set(record.externalId, record);
      read.deleted.push(...page.deleted);
      if (page.complete !== undefined) read.complete.push(page.complete);
      read.cursor = page.cursor;
    }
  } catch (error) {
    read.error = error;
  }
  return read;
}

/** The JSON of a record. */
export const bodyOf = (record: { raw: Uint8Array } | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(record?.raw ?? Buffer.from('{}')).toString('utf8'));
