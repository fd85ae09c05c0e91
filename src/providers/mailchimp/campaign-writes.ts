// A campaign is drafted, and a draft deleted. Nothing here sends one: that is done by a person at Mailchimp.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  EffectRefused,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { ifThere, send, sendWrite } from '../request.ts';
import { audienceName } from './contact.ts';
import { http } from './http.ts';
import { audience, email } from './reads.ts';
import {
  campaignFields,
  campaignId,
  campaignNames,
  type RawCampaign,
  rawCampaign,
  rawCampaigns,
  rawContent,
} from './shapes.ts';

const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(
      /^[^\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u,
      'must be one line without control characters',
    );
const draft = z.strictObject({
  audience,
  subject: line(150),
  preview: line(150).optional().describe('What inboxes show behind the subject'),
  title: line(100).optional().describe('Its name inside Mailchimp; default: the subject'),
  fromName: line(100),
  replyTo: email.describe('Address that it comes from and that answers go to'),
  text: z.string().min(1).max(200_000).describe('The plain text'),
  html: z
    .string()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('The page; without it the campaign is plain text'),
});
type Draft = z.infer<typeof draft>;

/** https://mailchimp.com/developer/marketing/api/campaigns/add-campaign/ and …/campaign-content/set-campaign-content/ */
export const createDraft = writeOperation<Draft>({
  effect: 'create',
  version: 1,
  title: 'Draft a campaign',
  description: 'Lays a campaign ready for an audience, with subject, sender and text; it is not sent.',
  input: draft,
  summary: ({ audience, subject, fromName, replyTo, text, html }, account) =>
    `Draft in ${account} the campaign “${subject}” for audience ${audience}, from ${fromName} <${replyTo}> (${text.length} characters${html === undefined ? '' : ', with a page'}); it is not sent`,
  /** Nothing stands there yet: it says by its name whom the campaign is for. */
  async before(context, payload) {
    const name = await audienceName(context, payload.audience);
    return { title: `Audience ${name}`, fields: { audience: name }, after: { audience: name } };
  },
  async run(context, payload) {
    const made = await sendWrite(context, http, {
      method: 'POST',
      path: '/campaigns',
      body: {
        type: payload.html === undefined ? 'plaintext' : 'regular',
        recipients: { list_id: payload.audience },
        settings: settingsOf(payload),
      },
      output: rawCampaign,
    });
    const outcome = outcomeOf(context, made);
    try {
      await send(context, http, {
        method: 'PUT',
        path: '/campaigns/{id}/content',
        params: { id: made.id },
        body: { plain_text: payload.text, ...(payload.html === undefined ? {} : { html: payload.html }) },
        output: rawContent,
        idempotent: true,
      });
      return outcome;
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError) && !(thrown instanceof EffectRefused)) throw thrown;
      return { ...outcome, warning: `The draft is there, without its text: ${thrown.message}` };
    }
  },
  compensation: {
    title: 'Delete the draft',
    operation: 'delete-campaign-draft',
    payload: ({ subject }, { reference }) => ({ id: reference, subject }),
  },
  idempotency: 'look-up',
  /** One that is the same in everything, text and all. That there is none does not prove it: lists may lag behind. */
  async lookUp(context, payload) {
    const { campaigns } = await send(context, http, {
      method: 'GET',
      path: '/campaigns',
      query: {
        status: 'save',
        list_id: payload.audience,
        count: 50,
        sort_field: 'create_time',
        sort_dir: 'DESC',
        fields: campaignFields,
      },
      output: rawCampaigns,
    });
    const wanted = Object.entries(settingsOf(payload));
    const alike = campaigns.filter(({ settings = {} }) =>
      wanted.every(([name, value]) => settings[name as keyof typeof settings] === value),
    );
    for (const one of alike) {
      const { plain_text } = await send(context, http, {
        method: 'GET',
        path: '/campaigns/{id}/content',
        params: { id: one.id },
        query: { fields: 'plain_text' },
        output: rawContent,
      });
      if (plain_text?.trim() === payload.text.trim())
        return { found: true, outcome: outcomeOf(context, one) };
    }
    const evidence =
      alike.length === 0
        ? `No draft of audience ${payload.audience} is called “${payload.subject}”.`
        : `A draft “${payload.subject}” is there with another text, or none.`;
    return { found: false, conclusive: false, evidence };
  },
});

function settingsOf({ subject, preview, title, fromName, replyTo }: Draft): Record<string, string> {
  return {
    subject_line: subject,
    ...(preview === undefined ? {} : { preview_text: preview }),
    title: title ?? subject,
    from_name: fromName,
    reply_to: replyTo,
  };
}

const which = z.strictObject({
  id: campaignId.describe('Id of the draft (list-campaigns, status save)'),
  subject: z.string().max(500).describe('Its subject, as it stands: the person approves by it'),
});

/** https://mailchimp.com/developer/marketing/api/campaigns/delete-campaign/ */
export const deleteDraft = writeOperation<z.infer<typeof which>>({
  effect: 'delete',
  version: 1,
  title: 'Delete a campaign’s draft',
  description: 'Deletes a campaign that was never sent, for ever.',
  input: which,
  summary: ({ id, subject }, account) => `Delete in ${account} the draft “${subject}” (${id}), for ever`,
  async before(context, { id }) {
    const found = await campaignAt(context, id);
    if (found === undefined)
      throw new DrawbridgeError('not_found', `There is no campaign ${id}.`, { field: 'id' });
    if (found.status !== 'save') {
      throw new DrawbridgeError(
        'conflict',
        `The campaign ${id} is ${found.status}: only drafts are deleted here.`,
      );
    }
    const { subject_line: subject = '', title = '' } = found.settings ?? {};
    const page = outcomeOf(context, found);
    return {
      title: `Draft ${id}, ${subject}`,
      ...(page.url === undefined ? {} : { url: page.url }),
      fields: { status: found.status, subject, title, audience: found.recipients?.list_name ?? '' },
      after: {},
    };
  },
  checkMeant({ subject }, live) {
    if (live.fields['subject'] === subject) return;
    throw new DrawbridgeError('invalid_request', `subject: the draft is called “${live.fields['subject']}”`, {
      field: 'subject',
    });
  },
  async run(context, { id }) {
    await sendWrite(context, http, {
      method: 'DELETE',
      path: '/campaigns/{id}',
      params: { id },
      output: z.unknown(),
    });
    return { reference: id, details: { id, deleted: true } };
  },
  idempotency: 'look-up',
  async lookUp(context, { id }) {
    const found = await campaignAt(context, id);
    if (found === undefined)
      return { found: true, outcome: { reference: id, details: { id, deleted: true } } };
    return {
      found: false,
      conclusive: true,
      evidence: `The campaign ${id} is still there (${found.status}).`,
    };
  },
});

function campaignAt(context: ProviderContext, id: string): Promise<RawCampaign | undefined> {
  const query = { fields: campaignNames.join(',') };
  return ifThere(
    send(context, http, {
      method: 'GET',
      path: '/campaigns/{id}',
      params: { id },
      query,
      output: rawCampaign,
    }),
  );
}

function outcomeOf(
  context: Pick<WriteContext, 'fields'>,
  { id, web_id, settings }: RawCampaign,
): WriteOutcome {
  return {
    reference: id,
    ...(web_id === undefined
      ? {}
      : { url: `https://${context.fields['dc']}.admin.mailchimp.com/campaigns/edit?id=${web_id}` }),
    details: { id, subject: settings?.subject_line ?? '', status: 'draft' },
  };
}
