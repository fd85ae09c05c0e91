// What Mailchimp answers, as far as it is read, and how it is shown.
import { z } from 'zod';

export const statuses = [
  'subscribed',
  'unsubscribed',
  'cleaned',
  'pending',
  'transactional',
  'archived',
] as const;

/** A time, or nothing where there was none: Mailchimp writes an empty text. */
const time = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text === '' ? undefined : text));
const text = z.string().optional().catch(undefined);
const count = z.number().int().optional().catch(undefined);

export const listId = z.string().regex(/^[A-Za-z0-9]{1,40}$/);
export const campaignId = z.string().regex(/^[A-Za-z0-9]{1,40}$/);

export const rawList = z.object({
  id: listId,
  name: z.string(),
  date_created: time,
  double_optin: z.boolean().optional().catch(undefined),
  stats: z
    .object({ member_count: count, unsubscribe_count: count, cleaned_count: count })
    .optional()
    .catch(undefined),
});
export const rawLists = z.object({ lists: z.array(rawList), total_items: count });

export const rawMember = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  email_address: z.string(),
  full_name: text,
  status: z.enum(statuses),
  unsubscribe_reason: text,
  merge_fields: z.record(z.string(), z.unknown()).optional().catch(undefined),
  language: text,
  vip: z.boolean().optional().catch(undefined),
  tags: z
    .array(z.object({ name: z.string() }))
    .optional()
    .catch(undefined),
  last_changed: time,
  timestamp_opt: time,
  web_id: count,
  list_id: listId,
});
export type RawMember = z.infer<typeof rawMember>;
/** Integer ms; 0 where it does not say. */
export function changedAt({ last_changed }: Pick<RawMember, 'last_changed'>): number {
  const at = Date.parse(last_changed ?? '');
  return Number.isNaN(at) ? 0 : at;
}
export const rawMembers = z.object({ members: z.array(rawMember), total_items: count });
/** Of every list of members: what is read and no more, as the whole of one is some kilobytes. */
export const memberNames = Object.keys(rawMember.shape);
export const memberFields = [...memberNames.map((name) => `members.${name}`), 'total_items'].join(',');

export const member = z.object({
  audience: z.string(),
  email: z.string(),
  name: z.string().optional(),
  status: z.enum(statuses),
  reason: z.string().optional().describe('Why they left'),
  mergeFields: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()),
  language: z.string().optional(),
  vip: z.boolean().optional(),
  /** ISO 8601. */
  joined: z.string().optional(),
  changed: z.string().optional(),
});

export function memberOf(raw: RawMember): z.infer<typeof member> {
  return {
    audience: raw.list_id,
    email: raw.email_address,
    name: raw.full_name === '' ? undefined : raw.full_name,
    status: raw.status,
    reason: raw.unsubscribe_reason === '' ? undefined : raw.unsubscribe_reason,
    mergeFields: filled(raw.merge_fields),
    tags: (raw.tags ?? []).map(({ name }) => name),
    language: raw.language === '' ? undefined : raw.language,
    vip: raw.vip,
    joined: raw.timestamp_opt,
    changed: raw.last_changed,
  };
}

/** Its page inside Mailchimp. */
export function memberPage(
  { fields }: { fields: Readonly<Record<string, unknown>> },
  { web_id }: RawMember,
): { url?: string } {
  if (web_id === undefined) return {};
  return { url: `https://${fields['dc']}.admin.mailchimp.com/lists/members/view?id=${web_id}` };
}

/** Those that hold something. */
export function filled(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== null));
}

export const rawCampaign = z.object({
  id: campaignId,
  web_id: count,
  type: z.string(),
  status: z.string(),
  create_time: time,
  send_time: time,
  archive_url: text,
  emails_sent: count,
  recipients: z.object({ list_id: text, list_name: text }).optional().catch(undefined),
  settings: z
    .object({ subject_line: text, preview_text: text, title: text, from_name: text, reply_to: text })
    .optional()
    .catch(undefined),
  report_summary: z
    .object({ opens: count, unique_opens: count, clicks: count, subscriber_clicks: count })
    .optional()
    .catch(undefined),
});
export type RawCampaign = z.infer<typeof rawCampaign>;
export const rawCampaigns = z.object({ campaigns: z.array(rawCampaign), total_items: count });
export const campaignNames = Object.keys(rawCampaign.shape);
export const campaignFields = [...campaignNames.map((name) => `campaigns.${name}`), 'total_items'].join(',');
export const rawContent = z.object({ plain_text: text, html: text, archive_html: text });

export const campaign = z.object({
  id: z.string(),
  title: z.string().optional().describe('Its name inside Mailchimp'),
  subject: z.string().optional(),
  preview: z.string().optional(),
  status: z.string().describe('save: a draft'),
  kind: z.string(),
  audience: z.string().optional(),
  audienceName: z.string().optional(),
  from: z.string().optional(),
  replyTo: z.string().optional(),
  /** ISO 8601. */
  created: z.string().optional(),
  sent: z.string().optional(),
  emailsSent: z.number().int().optional(),
  url: z.string().optional().describe('Its page for everybody'),
});

export function campaignOf(raw: RawCampaign): z.infer<typeof campaign> {
  const { subject_line, preview_text, title, from_name, reply_to } = raw.settings ?? {};
  const said = (words: string | undefined) => (words === '' ? undefined : words);
  return {
    id: raw.id,
    title: said(title),
    subject: said(subject_line),
    preview: said(preview_text),
    status: raw.status,
    kind: raw.type,
    audience: said(raw.recipients?.list_id),
    audienceName: said(raw.recipients?.list_name),
    from: said(from_name),
    replyTo: said(reply_to),
    created: raw.create_time,
    sent: raw.send_time,
    emailsSent: raw.emails_sent,
    url: publicPage(raw.archive_url),
  };
}

/** A link is passed on only where it is one of the web. */
function publicPage(address: string | undefined): string | undefined {
  const url = URL.parse(address ?? '');
  return url !== null && /^https?:$/.test(url.protocol) ? url.href : undefined;
}
