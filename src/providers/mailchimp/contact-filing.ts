// Contacts filed: tagged, and archived. Both say how it stood before, and are taken back to it.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type WriteContext, type WriteOutcome, writeOperation } from '../define.ts';
import { sendWrite } from '../request.ts';
import {
  absent,
  at,
  memberAt,
  memberPath,
  quoted,
  reference,
  shown,
  standing,
  tagsOf,
  type Who,
  who,
} from './contact.ts';
import { http } from './http.ts';

const tag = z.string().trim().min(1).max(100);
const tagInput = who.extend({
  add: z.array(tag).max(50).default([]),
  remove: z.array(tag).max(50).default([]),
  startAutomations: z
    .boolean()
    .default(false)
    .describe('Whether automations that wait for a tag begin (they send mail)'),
});

/** https://mailchimp.com/developer/marketing/api/list-member-tags/add-or-remove-member-tags/ */
export const tagContact = writeOperation<z.infer<typeof tagInput>>({
  effect: 'update',
  version: 1,
  title: 'Tag a contact',
  description: 'Puts tags on a contact of an audience, and takes others off.',
  input: tagInput,
  summary: ({ audience, email, add, remove, startAutomations }, account) =>
    [
      `Tag in ${account} the contact ${email} of audience ${audience}`,
      ...(add.length === 0 ? [] : [`on: ${add.map(quoted).join(', ')}`]),
      ...(remove.length === 0 ? [] : [`off: ${remove.map(quoted).join(', ')}`]),
      ...(startAutomations ? ['automations that wait for it begin'] : []),
    ].join('; '),
  concerns: ({ email }) => ({ recipients: [email] }),
  validate({ add, remove }) {
    const both = add.find((name) => remove.includes(name));
    if (both !== undefined) throw invalid('remove', `“${both}” is to be put on, too`);
    if (add.length + remove.length === 0) throw invalid('add', 'say which tags to put on or take off');
  },
  async before(context, payload) {
    const found = await standing(context, payload);
    const now = tagsOf(found);
    const after = [...new Set([...now, ...payload.add])].filter((name) => !payload.remove.includes(name));
    return { ...(await shown(context, found)), fields: { tags: now }, after: { tags: after.sort() } };
  },
  compensation: {
    title: 'Put the tags back',
    operation: 'tag-contact',
    payload: ({ audience, email, add, remove }, { details }) => {
      const was = z.array(z.string()).safeParse(details['was']).data;
      if (was === undefined) return undefined;
      const back = {
        add: remove.filter((name) => was.includes(name)),
        remove: add.filter((name) => !was.includes(name)),
      };
      return back.add.length + back.remove.length === 0 ? undefined : { audience, email, ...back };
    },
  },
  async run(context, payload) {
    const tags = [
      ...payload.add.map((name) => ({ name, status: 'active' })),
      ...payload.remove.map((name) => ({ name, status: 'inactive' })),
    ];
    await sendWrite(context, http, {
      method: 'POST',
      path: '/lists/{list}/members/{hash}/tags',
      params: at(payload),
      body: { tags, is_syncing: !payload.startAutomations },
      output: z.unknown(),
    });
    return tagOutcome(context, payload);
  },
  idempotency: 'look-up',
  async lookUp(context, payload) {
    const found = await memberAt(context, payload);
    if (found === undefined) return absent(payload);
    const now = tagsOf(found);
    const done =
      payload.add.every((name) => now.includes(name)) && !payload.remove.some((name) => now.includes(name));
    if (done) return { found: true, outcome: tagOutcome(context, payload) };
    return {
      found: false,
      conclusive: true,
      evidence: `The tags of ${payload.email} are: ${now.join(', ') || 'none'}.`,
    };
  },
});

function tagOutcome(context: WriteContext, payload: z.infer<typeof tagInput>): WriteOutcome {
  const { email, add, remove } = payload;
  return {
    reference: reference(payload),
    details: { email, add, remove, was: context.before?.fields['tags'] },
  };
}

/** https://mailchimp.com/developer/marketing/api/list-members/archive-list-member/ */
export const archiveContact = writeOperation<Who>({
  effect: 'delete',
  version: 1,
  title: 'Archive a contact',
  description: 'Takes a contact out of an audience; Mailchimp keeps what it knows of them.',
  input: who,
  summary: ({ audience, email }, account) =>
    `Archive in ${account} the contact ${email} of audience ${audience}`,
  async before(context, payload) {
    const found = await standing(context, payload);
    return {
      ...(await shown(context, found)),
      fields: { status: found.status },
      after: { status: 'archived' },
    };
  },
  checkMeant({ email }, live) {
    if (live.fields['status'] === 'archived') throw invalid('email', `${email} is archived already`);
  },
  compensation: {
    title: 'Take them out of the archive',
    operation: 'set-contact-status',
    payload: ({ audience, email }, { details: { was } }) =>
      was === 'subscribed' || was === 'unsubscribed'
        ? { audience, email, status: was, again: true }
        : undefined,
  },
  async run(context, payload) {
    await sendWrite(context, http, {
      method: 'DELETE',
      path: memberPath,
      params: at(payload),
      output: z.unknown(),
    });
    return archivedOutcome(context, payload);
  },
  idempotency: 'look-up',
  async lookUp(context, payload) {
    const found = await memberAt(context, payload);
    if (found === undefined || found.status === 'archived') {
      return { found: true, outcome: archivedOutcome(context, payload) };
    }
    return { found: false, conclusive: true, evidence: `${payload.email} is ${found.status}.` };
  },
});

function archivedOutcome(context: WriteContext, payload: Who): WriteOutcome {
  const was = context.before?.fields['status'];
  return { reference: reference(payload), details: { email: payload.email, status: 'archived', was } };
}

function invalid(field: string, why: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `${field}: ${why}`, { field });
}
