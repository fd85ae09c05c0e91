// A provider's context over the real egress, with loopback admitted, for tests.
import { createHash } from 'node:crypto';
import { systemClock } from '../../../src/clock.ts';
import { createEgress } from '../../../src/egress/door.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import type {
  Feed,
  FeedPage,
  LookUp,
  ProviderContext,
  WriteContext,
  WriteOperation,
} from '../../../src/providers/define.ts';
import { Secret } from '../../../src/secret.ts';

const log = createLog({ level: 'silent' });

export interface TestContext extends WriteContext {
  /** How often `aboutToSend` was called. */
  announced(): number;
}

export function contextFor(options: {
  fields: Record<string, unknown>;
  secrets: Record<string, string>;
  attachments?: Uint8Array[];
  effectKey?: string;
  aboutToSend?: () => Promise<void>;
  /** Stands in for the policy that demands TLS away from loopback. */
  tlsRequired?: boolean;
}): TestContext {
  const egress = createEgress({ allowLoopback: true, clock: systemClock, log });
  const caller = {
    orgId: 'org_1',
    provider: 'test',
    connectionId: 'con_1',
    operation: 'test',
    cause: 'tool' as const,
    limit: { perSecond: 1000, burst: 1000, concurrent: 4 },
  };
  let announced = 0;
  const base: ProviderContext = {
    connectionId: 'con_1',
    fields: options.fields,
    secret(name) {
      const value = options.secrets[name];
      if (value === undefined) throw new DrawbridgeError('auth_expired', `There is no ${name}.`);
      return new Secret(value);
    },
    token: () => Promise.reject(new Error('a mailbox has no bearer here')),
    fetch: egress.fetchFor(caller),
    within: (work) => egress.within(caller, work),
    async dial(host, port) {
      const dialled = await egress.dial(caller, host, port);
      return options.tlsRequired === undefined ? dialled : { ...dialled, tlsRequired: options.tlsRequired };
    },
    converse: (work, limits) => egress.converse(caller, work, limits),
    clock: systemClock,
    log,
  };
  return {
    ...base,
    effectKey: options.effectKey ?? 'eff_01test',
    async attachment(sha256) {
      const found = options.attachments?.find(
        (bytes) => createHash('sha256').update(bytes).digest('hex') === sha256,
      );
      if (found === undefined) throw new DrawbridgeError('not_found', 'no such attachment');
      return found;
    },
    async aboutToSend() {
      announced += 1;
      await options.aboutToSend?.();
    },
    announced: () => announced,
  };
}

/** What memory would hold after a run: records by external id, and the cursor of the last page. */
export class Shelf {
  readonly records = new Map<string, string>();
  cursor: unknown;
  pages: FeedPage[] = [];

  /** One run; `stopAfter` breaks off after so many pages, as a killed process does. */
  async run(feed: Feed, context: ProviderContext, stopAfter = Number.POSITIVE_INFINITY): Promise<void> {
    this.pages = [];
    for await (const page of feed.pages(context, this.cursor)) {
      this.pages.push(page);
      for (const record of page.records) {
        this.records.set(record.externalId, Buffer.from(record.raw).toString('utf8'));
      }
      for (const id of page.deleted) this.records.delete(id);
      if (page.complete !== undefined) {
        const { ids, prefix = '' } = page.complete;
        const exists = new Set(ids);
        for (const id of [...this.records.keys()]) {
          if (id.startsWith(prefix) && !exists.has(id)) this.records.delete(id);
        }
      }
      // A cursor goes through JSON on its way to the database.
      this.cursor = JSON.parse(JSON.stringify(page.cursor));
      if (this.pages.length >= stopAfter) break;
    }
  }
}

/** The look-up of an operation that claims one. */
export function lookUp<Payload>(
  operation: WriteOperation<Payload>,
  context: WriteContext,
  payload: Payload,
): Promise<LookUp> {
  if (operation.idempotency === 'none') throw new Error('this operation has no look-up');
  return operation.lookUp(context, payload);
}
