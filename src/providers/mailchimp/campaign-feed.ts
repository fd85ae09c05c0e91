// The feed `campaigns`: each with its words and, as facts that may change by themselves, its numbers. What was sent
// stays as it is and is read once, and in its first days again where the list tells of it otherwise; a draft is read
// each time, as nothing tells that it changed.
//
// The list itself is short and read whole each run, so that what is gone shows at once.
// https://mailchimp.com/developer/marketing/api/campaigns/list-campaigns/
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord, Structured } from '../record.ts';
import { send } from '../request.ts';
import { http } from './http.ts';
import {
  campaignFields,
  campaignId,
  campaignNames,
  campaignOf,
  type RawCampaign,
  rawCampaign,
  rawCampaigns,
  rawContent,
} from './shapes.ts';
import { wholeList } from './whole.ts';

const listPage = 1000;
const atOnce = 5;
/** What was sent in the days before the newest is read again where it may have been under way. */
const settlesMs = 7 * 24 * 3_600_000;

const cursorForm = z.object({
  version: z.literal(1),
  /** Integer ms: what was sent until then is read. */
  sentUntil: z.number().int().min(0),
  /** Of what was sent in the days before that, by id, what the list told of it when it was read. */
  recent: z.record(z.string(), z.string()).default({}),
});
type Cursor = z.infer<typeof cursorForm>;

export const campaignFeed: Feed = {
  kinds: ['page'],
  pages: campaignPages,
  record: {
    owns: (id) => campaignId.safeParse(id).success,
    async read(context, id) {
      try {
        const found = await send(context, http, {
          method: 'GET',
          path: '/campaigns/{id}',
          params: { id },
          query: { fields: campaignNames.join(',') },
          output: rawCampaign,
        });
        return await recordOf(context, found);
      } catch (thrown) {
        if (thrown instanceof DrawbridgeError && thrown.code === 'not_found') return undefined;
        throw thrown;
      }
    },
  },
};

async function* campaignPages(context: ProviderContext, stored: unknown): AsyncGenerator<FeedPage> {
  const { sentUntil: known = 0, recent: told = {} } = cursorForm.safeParse(stored).data ?? {};
  const { all: found, isWhole } = await everyCampaign(context);
  const all = [...found.values()];
  const sentAt = new Map(
    all.map((one) => [one.id, one.status === 'sent' ? Date.parse(one.send_time ?? '') : Number.NaN]),
  );
  const sent = (one: RawCampaign) => sentAt.get(one.id) ?? Number.NaN;
  const isFinal = (one: RawCampaign) =>
    sent(one) <= known - settlesMs || (one.status === 'sent' && told[one.id] === markOf(one));
  // Sent ones in the order of their sending, so that a kill goes on behind the last; the others after them.
  const due = all
    .filter((one) => !isFinal(one))
    .sort((a, b) => (sent(a) || Number.POSITIVE_INFINITY) - (sent(b) || Number.POSITIVE_INFINITY));
  let sentUntil = known;
  const marks = new Map(Object.entries(told));
  // Those that are gone, or final by their age, are dropped.
  const cursor = (): Cursor => {
    const recent = [...marks].filter(([id]) => (sentAt.get(id) ?? 0) > sentUntil - settlesMs);
    return { version: 1, sentUntil, recent: Object.fromEntries(recent) };
  };
  for (let start = 0; start < due.length; start += atOnce) {
    const some = due.slice(start, start + atOnce);
    const read = await Promise.allSettled(some.map((one) => recordOf(context, one)));
    // Nothing may be under way any more when the run ends with what one of them threw.
    const records = read.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    for (const [at, one] of some.entries()) {
      if (sent(one) > sentUntil) sentUntil = sent(one);
      if (records[at] !== undefined) marks.set(one.id, markOf(one));
    }
    yield {
      records: records.filter((record) => record !== undefined),
      // Gone between the list and now.
      deleted: some.flatMap(({ id }, at) => (records[at] === undefined ? [id] : [])),
      cursor: cursor(),
      remaining: Math.max(0, due.length - start - some.length),
    };
  }
  const ids = all.map(({ id }) => id);
  yield { records: [], deleted: [], cursor: cursor(), ...(isWhole ? { complete: { ids } } : {}) };
}

/** Of all that the list tells but how often it was opened. */
function markOf({ report_summary: _numbers, ...raw }: RawCampaign): string {
  return createHash('sha256').update(JSON.stringify(raw)).digest('base64url').slice(0, 22);
}

function everyCampaign(
  context: ProviderContext,
): Promise<{ all: Map<string, RawCampaign>; isWhole: boolean }> {
  return wholeList(async (offset) => {
    const { campaigns, total_items = 0 } = await send(context, http, {
      method: 'GET',
      path: '/campaigns',
      query: { count: listPage, offset, sort_field: 'create_time', sort_dir: 'ASC', fields: campaignFields },
      output: rawCampaigns,
      maxBytes: 16 * 1024 * 1024,
    });
    return { some: campaigns, total: total_items };
  });
}

/** Undefined: gone meanwhile. */
async function recordOf(context: ProviderContext, raw: RawCampaign): Promise<SourceRecord | undefined> {
  const words = await contentOf(context, raw.id);
  if (words === undefined) return undefined;
  const { title, subject, preview, audienceName, from, sent, created, url } = campaignOf(raw);
  const { opens, unique_opens, clicks, subscriber_clicks } = raw.report_summary ?? {};
  const numbers = {
    emailsSent: raw.emails_sent,
    opens,
    uniqueOpens: unique_opens,
    clicks,
    clickers: subscriber_clicks,
  };
  const at = Date.parse(sent ?? created ?? '');
  const body: Structured = {
    title: subject ?? title ?? 'Campaign without a subject',
    // The plain text is Mailchimp's own rendering; without one, the page.
    ...(words.text === '' && words.html !== '' ? { html: words.html } : { text: words.text }),
    facts: {
      ...(preview === undefined ? {} : { preview }),
      ...(audienceName === undefined ? {} : { audience: audienceName }),
      ...(from === undefined ? {} : { from }),
      status: raw.status === 'save' ? 'draft' : raw.status,
      ...(sent === undefined ? {} : { sent }),
      numbers,
    },
  };
  return {
    externalId: raw.id,
    kind: 'page',
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(body)),
    ...(Number.isNaN(at) ? {} : { writtenAt: at }),
    volatile: Object.keys(numbers).map((name) => `facts.numbers.${name}`),
    ...(url === undefined ? {} : { url }),
  };
}

async function contentOf(
  context: ProviderContext,
  id: string,
): Promise<{ text: string; html: string } | undefined> {
  try {
    const { plain_text, html } = await send(context, http, {
      method: 'GET',
      path: '/campaigns/{id}/content',
      params: { id },
      query: { fields: 'plain_text,html' },
      output: rawContent,
      maxBytes: 8 * 1024 * 1024,
    });
    return { text: plain_text ?? '', html: html ?? '' };
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError && thrown.code === 'not_found') return undefined;
    throw thrown;
  }
}
