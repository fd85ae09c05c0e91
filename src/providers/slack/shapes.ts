// What is read of Slack's objects. Whatever is not named here is left alone.
import { z } from 'zod';
import { metadata } from './http.ts';

const text = z.string().nullish().catch(undefined);
const flag = z.boolean().nullish().catch(undefined);

/** Seconds and microseconds: the id of a message in its channel. */
export const timestamp = z.string().regex(/^\d{1,12}\.\d{6}$/, 'must be a ts of Slack: 1767614400.000100');
export const channelId = z.string().regex(/^[CDG][A-Z0-9]{2,20}$/, 'must be the id of a channel: C0123ABCD');
export const userId = z.string().regex(/^[UW][A-Z0-9]{2,20}$/, 'must be the id of a person: U0123ABCD');
export const fileId = z.string().regex(/^F[A-Z0-9]{2,20}$/, 'must be the id of a file: F0123ABCD');

export const rawFile = z.object({
  id: fileId,
  name: text,
  title: text,
  mimetype: text,
  size: z.number().nullish().catch(undefined),
  mode: text,
  is_external: flag,
  file_access: text,
  created: z.number().nullish().catch(undefined),
  url_private: text,
  permalink: text,
});
export type RawFile = z.infer<typeof rawFile>;

/** One that is not as it should be (hidden by the plan's limit, say) hides no other. */
const files = z
  .array(z.unknown())
  .optional()
  .catch(undefined)
  .transform((all) => (all ?? []).flatMap((one) => rawFile.safeParse(one).data ?? []));

export const rawMessage = z.object({
  ts: timestamp,
  subtype: text,
  user: text,
  bot_id: text,
  username: text,
  bot_profile: z.object({ name: text }).nullish().catch(undefined),
  text: z.string().nullish().catch(undefined),
  thread_ts: text,
  reply_count: z.number().nullish().catch(undefined),
  latest_reply: text,
  edited: z.object({ ts: text }).nullish().catch(undefined),
  attachments: z
    .array(z.object({ title: text, text, fallback: text }))
    .nullish()
    .catch(undefined),
  blocks: z
    .array(z.object({ type: text }))
    .nullish()
    .catch(undefined),
  metadata: z
    .object({ event_type: text, event_payload: z.record(z.string(), z.unknown()).nullish() })
    .nullish()
    .catch(undefined),
  files,
});
export type RawMessage = z.infer<typeof rawMessage>;

export const messagesAnswer = metadata.extend({ messages: z.array(rawMessage), has_more: flag });

export const rawChannel = z.object({
  id: channelId,
  name: text,
  is_im: flag,
  is_mpim: flag,
  is_private: flag,
  is_archived: flag,
  /** Of a direct message: the other one. */
  user: text,
  topic: z.object({ value: text }).nullish().catch(undefined),
  purpose: z.object({ value: text }).nullish().catch(undefined),
  num_members: z.number().nullish().catch(undefined),
});
export type RawChannel = z.infer<typeof rawChannel>;

export const rawUser = z.object({
  id: z.string(),
  name: text,
  deleted: flag,
  is_bot: flag,
  real_name: text,
  tz: text,
  profile: z
    .object({ real_name: text, display_name: text, email: text, title: text, phone: text })
    .nullish()
    .catch(undefined),
});
export type RawUser = z.infer<typeof rawUser>;
