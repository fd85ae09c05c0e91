// A workspace of Notion in the sandbox behind the real door: what the provider's code asks is seen as Notion would
// have got it.
import { createNotion, internalSecret, type NotionSandbox } from '../../../sandbox/notion/index.ts';
import { fillWorkspace } from '../../../sandbox/notion/story.ts';
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type {
  FeedPage,
  LiveRecord,
  LookUp,
  Provider,
  ProviderContext,
  WriteContext,
  WriteOutcome,
} from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/notion/index.ts';
import { Secret } from '../../../src/secret.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  notion: NotionSandbox;
  hosts: ProviderHosts;
  clock: Clock & { advance(ms: number): void };
  context: WriteContext;
  /** Id of the story's page that has a bit of everything; without the story none. */
  home: string;
  /** Requests since the last call of this, as a person reads them. */
  asked(): string[];
  /** Times that the gate was asked to open. */
  announced(): number;
  read<Output = Record<string, unknown>>(operation: string, input: unknown): Promise<Output>;
  /** As the queue does it: the record as it stands, whether it is meant, and then the write with it. */
  write(operation: string, input: unknown): Promise<WriteOutcome>;
  before(operation: string, input: unknown): Promise<LiveRecord | undefined>;
  /** @param before the record as it was approved */
  lookUp(operation: string, input: unknown, before?: LiveRecord): Promise<LookUp>;
  sync(cursor?: unknown): Promise<Synced>;
}

export interface Synced {
  pages: FeedPage[];
  /** External id → what memory gets. */
  texts: Map<string, string>;
  deleted: string[];
  complete: string[] | undefined;
  cursor: unknown;
}

export async function openScene(given: { story?: boolean } = {}): Promise<Scene> {
  const clock = passingClock();
  const notion = createNotion({ clock });
  const home =
    given.story === true ? fillWorkspace(notion.store, loadWorld(clock.now()), clock.now()).id : '';
  const stage = await openStage([notion], systemClock);
  const { hosts } = stage;
  const base: ProviderContext = stage.context({
    clock,
    provider,
    fields: {},
    bearer: { fresh: async () => new Secret(internalSecret) },
  });
  let announced = 0;
  const context: WriteContext = {
    ...base,
    effectKey: 'eff_01test',
    attachment: () => Promise.reject(new Error('Notion takes no attachments here')),
    async aboutToSend() {
      announced += 1;
    },
  };
  const before = async (name: string, input: unknown) => {
    const { operation, payload } = writing(name, input);
    const live = await operation.before?.(context, payload);
    if (live !== undefined) operation.checkMeant?.(payload, live);
    return live;
  };
  return {
    notion,
    hosts,
    clock,
    context,
    home,
    announced: () => announced,
    asked() {
      return stage
        .calls()
        .map(({ method, path, query, body }) =>
          [`${method} ${path}${query.size === 0 ? '' : `?${query}`}`, body]
            .filter((part) => part !== '')
            .join(' '),
        );
    },
    async read<Output>(name: string, input: unknown) {
      const operation = operationOf(name);
      if (operation.effect !== 'read') throw new Error(`${name} writes`);
      const answer = await operation.run(context, operation.input.parse(input));
      return operation.output?.parse(answer) as Output;
    },
    before,
    async write(name, input) {
      const { operation, payload } = writing(name, input);
      return operation.run({ ...context, before: await before(name, input) }, payload);
    },
    async lookUp(name, input, live) {
      const { operation, payload } = writing(name, input);
      if (operation.idempotency === 'none') throw new Error(`${name} has no look-up`);
      return operation.lookUp({ ...context, before: live }, payload);
    },
    async sync(cursor) {
      const pages: FeedPage[] = [];
      for await (const page of provider.feeds.pages.pages(context, cursor)) pages.push(page);
      return {
        pages,
        texts: new Map(
          pages.flatMap(({ records }) =>
            records.map(({ externalId, raw }): [string, string] => [
              externalId,
              Buffer.from(raw).toString('utf8'),
            ]),
          ),
        ),
        deleted: pages.flatMap(({ deleted }) => deleted),
        complete: pages.find(({ complete }) => complete !== undefined)?.complete?.ids,
        cursor: JSON.parse(JSON.stringify(pages.at(-1)?.cursor ?? null)) as unknown,
      };
    },
  };
}

export function operationOf(name: string): Provider['operations'][string] {
  const found = (provider.operations as Provider['operations'])[name];
  if (found === undefined) throw new Error(`Notion has no operation ${name}`);
  return found;
}

export function writing(name: string, input: unknown) {
  const operation = operationOf(name);
  if (operation.effect === 'read') throw new Error(`${name} reads`);
  const payload = operation.input.parse(input);
  operation.validate?.(payload);
  return { operation, payload };
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

export const paragraph = (words: string) => ({
  type: 'paragraph',
  content: { rich_text: [{ text: { content: words } }] },
});
