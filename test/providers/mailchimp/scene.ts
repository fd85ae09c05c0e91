// A Mailchimp account of the sandbox behind the real door: what the provider's code asks is seen as Mailchimp would
// have got it.
import { createMailchimp, type Mailchimp, mailchimpKey } from '../../../sandbox/mailchimp/index.ts';
import { fillWithNewsletters } from '../../../sandbox/mailchimp/story.ts';
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import type {
  FeedPage,
  LiveRecord,
  WriteContext,
  WriteOperation,
  WriteOutcome,
} from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/mailchimp/index.ts';
import type { SourceRecord } from '../../../src/providers/record.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  mailchimp: Mailchimp;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Requests since the last call of this, `METHOD /path?query body`. */
  asked(): string[];
  /** How often a write said that it is about to send. */
  announced(): number;
}

export const news = 'a1b2c3d4e5';

/** @param given.story with the contacts and newsletters of the story; else two empty audiences */
export async function openScene(given: { story?: boolean } = {}): Promise<Scene> {
  const clock = manualClock();
  const mailchimp = createMailchimp({ clock });
  if (given.story === true) fillWithNewsletters(mailchimp, loadWorld(clock.now()));
  else {
    mailchimp.contacts.addAudience(news, 'News', clock.now());
    mailchimp.contacts.addAudience('f6e5d4c3b2', 'Clients', clock.now());
  }
  const stage = await openStage([mailchimp], clock);
  const { hosts } = stage;
  const base = stage.context({
    clock,
    provider,
    fields: { dc: 'us14' },
    bearer: { fresh: async () => new Secret(mailchimpKey) },
  });
  let announced = 0;
  return {
    mailchimp,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      return stage
        .calls()
        .map(({ method, path, query, body }) =>
          `${method} ${path}${query.size === 0 ? '' : `?${query}`} ${body}`.trim(),
        );
    },
    context: {
      ...base,
      effectKey: 'eff_01test',
      attachment: () => Promise.reject(new Error('no attachment here')),
      async aboutToSend() {
        announced += 1;
      },
    },
  };
}

/** As the queue does it: what is live is read, held against the payload, and given to the run. */
export async function carriedOut(
  { context }: Scene,
  name: string,
  given: unknown,
): Promise<{ payload: unknown; before: LiveRecord | undefined; outcome: WriteOutcome }> {
  const operation = write(name);
  const payload = operation.input.parse(given);
  operation.validate?.(payload);
  const before = await operation.before?.(context, payload);
  if (before !== undefined) operation.checkMeant?.(payload, before);
  return { payload, before, outcome: await operation.run({ ...context, before }, payload) };
}

/** What takes it back, carried out; undefined where nothing does. */
export async function takenBack(
  scene: Scene,
  name: string,
  { payload, outcome }: { payload: unknown; outcome: WriteOutcome },
): Promise<WriteOutcome | undefined> {
  const { compensation } = write(name);
  const undoing = compensation?.payload(payload, outcome);
  if (compensation === undefined || undoing === undefined) return undefined;
  return (await carriedOut(scene, compensation.operation, undoing)).outcome;
}

export function write(name: string): WriteOperation {
  return (provider.operations as Readonly<Record<string, unknown>>)[name] as WriteOperation;
}

/** A feed to its end, or to so many pages. */
export async function read(
  { context }: Scene,
  name: 'contacts' | 'campaigns',
  cursor?: unknown,
  most = 1_000,
): Promise<{
  records: Map<string, SourceRecord>;
  complete: NonNullable<FeedPage['complete']>[];
  cursor: unknown;
  pages: number;
}> {
  const found = {
    records: new Map<string, SourceRecord>(),
    complete: [] as NonNullable<FeedPage['complete']>[],
  };
  let pages = 0;
  let at = cursor;
  for await (const page of provider.feeds[name].pages(context, cursor)) {
    pages += 1;
    for (const record of page.records) found.records.set(record.externalId, record);
    if (page.complete !== undefined) found.complete.push(page.complete);
    at = JSON.parse(JSON.stringify(page.cursor));
    if (pages === most) break;
  }
  return { ...found, cursor: at, pages };
}

export const bodyOf = (record: SourceRecord | undefined): Record<string, unknown> =>
  JSON.parse(Buffer.from(record?.raw ?? Buffer.from('{}')).toString('utf8')) as Record<string, unknown>;
