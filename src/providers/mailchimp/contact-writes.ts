// What is written to contacts: added or changed by the hash of their address, subscribed or not.
// Adding never changes the status of somebody who is there: whoever left stays away, and the page says so.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type WriteContext, type WriteOutcome, writeOperation } from '../define.ts';
import { sendWrite } from '../request.ts';
import {
  absent,
  at,
  audienceName,
  fieldOf,
  memberAt,
  memberPath,
  outcomeOf,
  quoted,
  shown,
  standing,
  who,
} from './contact.ts';
import { http } from './http.ts';
import { type RawMember, rawMember } from './shapes.ts';

const mergeFields = z
  .record(z.string().regex(/^[A-Z0-9_]{1,10}$/), z.string().max(1000))
  .default({})
  .describe('Values by tag (FNAME, LNAME …: list-audience-fields); those that are not named stay');
const putInput = who.extend({
  mergeFields,
  ifNew: z
    .enum(['pending', 'subscribed', 'unsubscribed', 'transactional'])
    .default('pending')
    .describe('Status of somebody who is not there yet; pending: Mailchimp asks them by mail'),
});

/** https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/ */
export const putContact = writeOperation<z.infer<typeof putInput>>({
  effect: 'update',
  version: 1,
  title: 'Add or change a contact',
  description: 'Adds somebody to an audience, or changes their fields; whoever has left stays unsubscribed.',
  input: putInput,
  summary: ({ audience, email, mergeFields, ifNew }, account) => {
    const values = Object.entries(mergeFields).map(([tag, value]) => `${tag} ${quoted(value)}`);
    const said = values.length === 0 ? '' : `: ${values.join(', ')}`;
    const asked = ifNew === 'pending' ? 'pending (Mailchimp asks them by mail)' : ifNew;
    return `Add or change in ${account} the contact ${email} of audience ${audience}${said}; if new: ${asked}`;
  },
  concerns: ({ email }) => ({ recipients: [email] }),
  async before(context, payload) {
    const found = await memberAt(context, payload);
    if (found === undefined) {
      return {
        title: `${payload.email}, new in the audience ${await audienceName(context, payload.audience)}`,
        fields: { status: notThere },
        after: { status: payload.ifNew, ...payload.mergeFields },
      };
    }
    const { status } = found;
    const left = status === 'unsubscribed' || status === 'cleaned' || status === 'archived';
    const fields = Object.fromEntries(
      Object.keys(payload.mergeFields).map((tag) => [tag, fieldOf(found, tag)]),
    );
    return {
      ...(await shown(context, found, left ? `is ${status} and stays so` : undefined)),
      fields: { status, ...fields },
      after: { status, ...payload.mergeFields },
    };
  },
  compensation: {
    title: 'Archive the new contact',
    operation: 'archive-contact',
    payload: ({ audience, email }, { details }) =>
      details['isNew'] === true ? { audience, email } : undefined,
  },
  async run(context, payload) {
    const found = await sendWrite(context, http, {
      method: 'PUT',
      path: memberPath,
      params: at(payload),
      body: { email_address: payload.email, status_if_new: payload.ifNew, merge_fields: payload.mergeFields },
      output: rawMember,
      // Mailchimp's own promise of PUT: a repeat finds what the first one made.
      idempotent: true,
    });
    return putOutcome(context, found);
  },
  idempotency: 'look-up',
  async lookUp(context, payload) {
    const found = await memberAt(context, payload);
    if (found === undefined) return absent(payload);
    const other = Object.entries(payload.mergeFields).filter(([tag, value]) => fieldOf(found, tag) !== value);
    if (other.length === 0) return { found: true, outcome: putOutcome(context, found) };
    // Some values (telephone numbers, dates) Mailchimp may write otherwise: a difference proves nothing.
    const evidence = `${payload.email} differs in ${other.map(([tag]) => tag).join(', ')}.`;
    return { found: false, conclusive: false, evidence };
  },
});

const notThere = 'not there';

function putOutcome(context: WriteContext, raw: RawMember): WriteOutcome {
  return outcomeOf(context, raw, { isNew: context.before?.fields['status'] === notThere });
}

const statusInput = who.extend({
  status: z.enum(['subscribed', 'unsubscribed', 'pending']).describe('pending: Mailchimp asks them by mail'),
  again: z.boolean().default(false).describe('True only where somebody who had left has agreed to come back'),
});

/** https://mailchimp.com/developer/marketing/api/list-members/update-list-member/ */
export const setStatus = writeOperation<z.infer<typeof statusInput>>({
  effect: 'update',
  version: 1,
  title: 'Subscribe or unsubscribe a contact',
  description: 'Sets whether a contact of an audience gets its campaigns.',
  input: statusInput,
  summary: ({ audience, email, status, again }, account) => {
    const had = again ? ', who had left and has agreed to come back' : '';
    return `Set in ${account} the contact ${email}${had}, of audience ${audience}, to ${status}`;
  },
  concerns: ({ email }) => ({ recipients: [email] }),
  async before(context, payload) {
    const found = await standing(context, payload);
    const reason = found.unsubscribe_reason ?? '';
    return {
      ...(await shown(context, found, reason === '' ? undefined : `left: ${reason}`)),
      fields: { status: found.status },
      after: { status: payload.status },
    };
  },
  checkMeant({ email, status, again }, live) {
    const now = String(live.fields['status']);
    if (status === 'unsubscribed' || again || !['unsubscribed', 'cleaned', 'archived'].includes(now)) return;
    throw new DrawbridgeError(
      'invalid_request',
      `again: ${email} is ${now}. Set again to true only where they have agreed to come back.`,
      { field: 'again' },
    );
  },
  // Back to "unsubscribed" alone: nobody is subscribed by an undoing.
  compensation: {
    title: 'Unsubscribe them again',
    operation: 'set-contact-status',
    payload: ({ audience, email }, { details }) =>
      details['was'] === 'unsubscribed' ? { audience, email, status: 'unsubscribed' } : undefined,
  },
  async run(context, payload) {
    const found = await sendWrite(context, http, {
      method: 'PATCH',
      path: memberPath,
      params: at(payload),
      body: { status: payload.status },
      output: rawMember,
    });
    return outcomeOf(context, found, { was: context.before?.fields['status'] });
  },
  idempotency: 'look-up',
  async lookUp(context, payload) {
    const found = await memberAt(context, payload);
    if (found === undefined) return absent(payload);
    // Whoever was asked may have agreed meanwhile.
    const stands =
      found.status === payload.status || (payload.status === 'pending' && found.status === 'subscribed');
    if (!stands) return { found: false, conclusive: true, evidence: `${payload.email} is ${found.status}.` };
    return { found: true, outcome: outcomeOf(context, found, { was: context.before?.fields['status'] }) };
  },
});
