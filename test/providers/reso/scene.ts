// An MLS of the sandbox behind the real door: what the provider's code asks is seen as the MLS would have got it.
import { createMls, type Manner, type Mls, type MlsOptions } from '../../../sandbox/reso/server.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import { provider as bridge } from '../../../src/providers/bridge/index.ts';
import type { FeedPage, Provider, ProviderContext } from '../../../src/providers/define.ts';
import type { SourceRecord } from '../../../src/providers/record.ts';
import { provider as reso } from '../../../src/providers/reso/index.ts';
import { provider as spark } from '../../../src/providers/spark/index.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { openStage, type Stage } from '../stage.ts';

export interface Scene {
  mls: Mls;
  clock: ManualClock;
  context: ProviderContext;
  /** Requests since the last call of this, as paths with their options in clear. */
  asked(): { host: string; path: string; query: URLSearchParams; headers: Record<string, string> }[];
  fail: Stage['hosts']['faults'];
  /** A run of the feed from a cursor, to its end or for so many pages. */
  run(cursor?: unknown, pages?: number): Promise<Run>;
}

export interface Run {
  records: Map<string, SourceRecord>;
  deleted: string[];
  complete: string[] | undefined;
  cursor: unknown;
}

const manners: Record<Manner, { provider: Provider; hosts: [string, ...string[]]; root: string }> = {
  plain: { provider: reso, hosts: ['api.mls.example'], root: '/reso/odata' },
  bridge: { provider: bridge, hosts: ['api.bridgedataoutput.com'], root: '/api/v2/OData/test' },
  spark: {
    provider: spark,
    hosts: ['sparkapi.com', 'replication.sparkapi.com'],
    root: '/Version/3/Reso/OData',
  },
};
const fieldsOf: Record<Manner, Record<string, string>> = {
  plain: { host: 'api.mls.example', path: '/reso/odata' },
  bridge: { dataset: 'test' },
  spark: { role: 'usual', host: 'sparkapi.com' },
};

let made = 0;

export async function openScene(
  manner: Manner = 'plain',
  given: Partial<MlsOptions> & { fields?: Record<string, string>; empty?: boolean } = {},
): Promise<Scene> {
  const clock = manualClock();
  const world = given.empty === true ? emptyWorld(clock.now()) : loadWorld(clock.now());
  const { provider, hosts: names, root } = manners[manner];
  const token = given.token ?? 'token-of-the-test';
  const { fields: own, empty: _empty, ...options } = given;
  const mls = createMls({
    clock,
    listings: world.listings,
    provider: provider.id,
    manner,
    hosts: names,
    root,
    token,
    ...options,
  });
  const stage = await openStage([mls.emulator], clock);
  const { hosts } = stage;
  made += 1;
  const connectionId = `con_${made}`;
  const contextWith = (fields: Record<string, unknown>) =>
    stage.context({
      clock,
      provider,
      connectionId,
      fields,
      secrets: new Map([['token', new Secret(token)]]),
    });
  const typed = { currency: 'USD', days: '365', ...fieldsOf[manner], ...own };
  const learned = await provider.probe?.(contextWith(typed));
  const context = contextWith({ ...typed, ...learned });
  stage.calls();
  const feed = provider.feeds['listings'];
  return {
    mls,
    clock,
    context,
    fail: hosts.faults,
    asked() {
      return stage.calls().map(({ host, path, query, headers }) => ({ host, path, query, headers }));
    },
    async run(cursor, most = 1_000) {
      const run: Run = { records: new Map(), deleted: [], complete: undefined, cursor };
      let pages = 0;
      for await (const page of feed?.pages(context, cursor) ?? ([] as unknown as AsyncIterable<FeedPage>)) {
        pages += 1;
        for (const record of page.records) run.records.set(record.externalId, record);
        run.deleted.push(...page.deleted);
        run.complete = page.complete?.ids ?? run.complete;
        // Stored between two runs, as a cursor is.
        run.cursor = JSON.parse(JSON.stringify(page.cursor));
        if (pages === most) break;
      }
      return run;
    },
  };
}

/** The facts of a record, as memory reads them. */
export function factsOf(record: SourceRecord | undefined): Record<string, unknown> {
  const { facts } = JSON.parse(new TextDecoder().decode(record?.raw)) as { facts: Record<string, unknown> };
  return facts;
}
