// What is asked of Mailchimp: audiences and their fields, contacts, campaigns with their text, reports.
import { z } from 'zod';
import { readRequest } from '../declared.ts';
import { readOperation } from '../define.ts';
import { send } from '../request.ts';
import { hashOf, http } from './http.ts';
import {
  campaign,
  campaignFields,
  campaignId,
  campaignNames,
  campaignOf,
  listId,
  member,
  memberFields,
  memberOf,
  rawCampaign,
  rawCampaigns,
  rawContent,
  rawLists,
  rawMember,
  rawMembers,
  statuses,
} from './shapes.ts';

export const audience = listId.describe('Id of the audience (list-audiences)');
export const email = z.email().max(254).describe('Address of the contact');
const limit = z.number().int().min(1).max(100).default(20);
const offset = z
  .number()
  .int()
  .min(0)
  .default(0)
  .describe('How many to pass over: nextOffset of the answer before');
const mostText = 100_000;

/** Where a list goes on; undefined at its end. */
function nextOffset(at: number, found: number, total: number | undefined): number | undefined {
  return found > 0 && at + found < (total ?? 0) ? at + found : undefined;
}
const whole = z.object({ total: z.number().int().optional(), nextOffset: z.number().int().optional() });

export const listAudiences = readRequest(http, {
  title: 'List audiences',
  description: 'The audiences (lists) of the account with how many contacts each has.',
  input: z.object({ limit, offset }),
  output: whole.extend({
    audiences: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        created: z.string().optional(),
        contacts: z.number().int().optional(),
        unsubscribed: z.number().int().optional(),
        cleaned: z.number().int().optional(),
        doubleOptIn: z.boolean().optional(),
      }),
    ),
  }),
  method: 'GET',
  path: '/lists',
  query: (input) => ({
    count: input.limit,
    offset: input.offset,
    fields: 'lists.id,lists.name,lists.date_created,lists.double_optin,lists.stats,total_items',
  }),
  answer: rawLists,
  result: ({ lists, total_items }, input) => ({
    audiences: lists.map((list) => ({
      id: list.id,
      name: list.name,
      created: list.date_created,
      contacts: list.stats?.member_count,
      unsubscribed: list.stats?.unsubscribe_count,
      cleaned: list.stats?.cleaned_count,
      doubleOptIn: list.double_optin,
    })),
    total: total_items,
    nextOffset: nextOffset(input.offset, lists.length, total_items),
  }),
});

export const listMergeFields = readRequest(http, {
  title: 'List an audience’s fields',
  description:
    'The merge fields that contacts of an audience have: tag, name, kind, whether it must be filled.',
  input: z.object({ audience }),
  output: z.object({
    fields: z.array(z.object({ tag: z.string(), name: z.string(), kind: z.string(), required: z.boolean() })),
  }),
  method: 'GET',
  path: '/lists/{audience}/merge-fields',
  query: () => ({
    count: 100,
    fields: 'merge_fields.tag,merge_fields.name,merge_fields.type,merge_fields.required',
  }),
  answer: z.object({
    merge_fields: z.array(
      z.object({ tag: z.string(), name: z.string(), type: z.string(), required: z.boolean().optional() }),
    ),
  }),
  result: ({ merge_fields }) => ({
    fields: merge_fields.map(({ tag, name, type, required = false }) => ({
      tag,
      name,
      kind: type,
      required,
    })),
  }),
});

export const listMembers = readRequest(http, {
  title: 'List contacts',
  description: 'Contacts of an audience, those changed last first; of one status where it is named.',
  input: z.object({ audience, status: z.enum(statuses).optional(), limit, offset }),
  output: whole.extend({ contacts: z.array(member) }),
  method: 'GET',
  path: '/lists/{audience}/members',
  query: (input) => ({
    count: input.limit,
    offset: input.offset,
    status: input.status,
    sort_field: 'last_changed',
    sort_dir: 'DESC',
    fields: memberFields,
  }),
  answer: rawMembers,
  result: ({ members, total_items }, input) => ({
    contacts: members.map(memberOf),
    total: total_items,
    nextOffset: nextOffset(input.offset, members.length, total_items),
  }),
});

const matches = z.object({ members: z.array(rawMember) });

export const searchMembers = readRequest(http, {
  title: 'Search contacts',
  description: 'Finds contacts by words of their name or address, in one audience or in all.',
  input: z.object({ query: z.string().trim().min(1).max(200), audience: audience.optional() }),
  output: z.object({ contacts: z.array(member) }),
  method: 'GET',
  path: '/search-members',
  query: (input) => ({ query: input.query, list_id: input.audience }),
  answer: z.object({ exact_matches: matches, full_search: matches }),
  result: ({ exact_matches, full_search }) => {
    const all = [...exact_matches.members, ...full_search.members];
    return { contacts: [...new Map(all.map((one) => [`${one.list_id}/${one.id}`, memberOf(one)])).values()] };
  },
});

export const getMember = readOperation({
  effect: 'read',
  title: 'Read a contact',
  description: 'Status, fields and tags of one contact in an audience.',
  input: z.object({ audience, email }),
  output: member,
  async run(context, input) {
    const found = await send(context, http, {
      method: 'GET',
      path: '/lists/{list}/members/{hash}',
      params: { list: input.audience, hash: hashOf(input.email) },
      output: rawMember,
    });
    return memberOf(found);
  },
});

export const listCampaigns = readRequest(http, {
  title: 'List campaigns',
  description: 'Campaigns (newsletters), newest first: drafts (save), scheduled and sent ones.',
  input: z.object({
    status: z.enum(['save', 'paused', 'schedule', 'sending', 'sent']).optional(),
    audience: audience.optional(),
    limit,
    offset,
  }),
  output: whole.extend({ campaigns: z.array(campaign) }),
  method: 'GET',
  path: '/campaigns',
  query: (input) => ({
    count: input.limit,
    offset: input.offset,
    status: input.status,
    list_id: input.audience,
    sort_field: 'create_time',
    sort_dir: 'DESC',
    fields: campaignFields,
  }),
  answer: rawCampaigns,
  result: ({ campaigns, total_items }, input) => ({
    campaigns: campaigns.map(campaignOf),
    total: total_items,
    nextOffset: nextOffset(input.offset, campaigns.length, total_items),
  }),
});

const id = campaignId.describe('Id of the campaign (list-campaigns)');

export const getCampaign = readOperation({
  effect: 'read',
  title: 'Read a campaign',
  description: 'Subject, sender, audience and text of one campaign.',
  input: z.object({ id }),
  output: campaign.extend({ text: z.string() }),
  async run(context, input) {
    const [found, content] = await Promise.all([
      send(context, http, {
        method: 'GET',
        path: '/campaigns/{id}',
        params: input,
        query: { fields: campaignNames.join(',') },
        output: rawCampaign,
      }),
      send(context, http, {
        method: 'GET',
        path: '/campaigns/{id}/content',
        params: input,
        query: { fields: 'plain_text' },
        output: rawContent,
      }),
    ]);
    const words = content.plain_text ?? '';
    const cut =
      words.length > mostText
        ? `${words.slice(0, mostText)}\n[cut: ${words.length} characters in all]`
        : words;
    return { ...campaignOf(found), text: cut };
  },
});

const number = z.number().optional().catch(undefined);
const when = z.string().optional();

export const getReport = readRequest(http, {
  title: 'Read a campaign’s report',
  description:
    'How a sent campaign or newsletter did: how many got, opened and clicked it, bounces, how many left.',
  input: z.object({ id }),
  output: z.object({
    id: z.string(),
    subject: z.string().optional(),
    audience: z.string().optional(),
    sent: z.string().optional(),
    emailsSent: z.number(),
    opens: z.number().optional(),
    uniqueOpens: z.number().optional(),
    openRate: z.number().optional().describe('0 to 1'),
    clicks: z.number().optional(),
    clickers: z.number().optional(),
    clickRate: z.number().optional().describe('0 to 1'),
    hardBounces: z.number().optional(),
    softBounces: z.number().optional(),
    unsubscribed: z.number().optional(),
    abuseReports: z.number().optional(),
  }),
  method: 'GET',
  path: '/reports/{id}',
  query: () => ({
    fields: 'id,subject_line,list_name,send_time,emails_sent,abuse_reports,unsubscribed,bounces,opens,clicks',
  }),
  answer: z.object({
    id: z.string(),
    subject_line: when,
    list_name: when,
    send_time: when,
    emails_sent: z.number(),
    abuse_reports: number,
    unsubscribed: number,
    bounces: z.object({ hard_bounces: number, soft_bounces: number }).optional(),
    opens: z.object({ opens_total: number, unique_opens: number, open_rate: number }).optional(),
    clicks: z
      .object({ clicks_total: number, unique_subscriber_clicks: number, click_rate: number })
      .optional(),
  }),
  result: (raw) => ({
    id: raw.id,
    subject: raw.subject_line,
    audience: raw.list_name,
    sent: raw.send_time,
    emailsSent: raw.emails_sent,
    opens: raw.opens?.opens_total,
    uniqueOpens: raw.opens?.unique_opens,
    openRate: raw.opens?.open_rate,
    clicks: raw.clicks?.clicks_total,
    clickers: raw.clicks?.unique_subscriber_clicks,
    clickRate: raw.clicks?.click_rate,
    hardBounces: raw.bounces?.hard_bounces,
    softBounces: raw.bounces?.soft_bounces,
    unsubscribed: raw.unsubscribed,
    abuseReports: raw.abuse_reports,
  }),
});
