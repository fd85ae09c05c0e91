// Audiences and their contacts: added and changed by the MD5 of their address, archived, tagged; whoever left
// comes back by their own consent alone.
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { bodyOf, json, missing, page, problem, stamp, textOf, thinned, unfit } from './answers.ts';

export type Status = 'subscribed' | 'unsubscribed' | 'cleaned' | 'pending' | 'transactional' | 'archived';

export interface Contact {
  email: string;
  status: Status;
  mergeFields: Record<string, unknown>;
  tags: Map<string, number>;
  reason: string;
  /** Integer ms. */
  joined: number;
  changed: number;
  webId: number;
}

export interface Audience {
  id: string;
  name: string;
  created: number;
  fields: { tag: string; name: string; type: string; required: boolean }[];
  contacts: Map<string, Contact>;
}

export const hash = (email: string) => createHash('md5').update(email.toLowerCase()).digest('hex');

export class Contacts {
  readonly audiences = new Map<string, Audience>();
  readonly #clock: Clock;
  #made = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addAudience(id: string, name: string, created: number): Audience {
    const fields = [
      { tag: 'FNAME', name: 'First Name', type: 'text', required: false },
      { tag: 'LNAME', name: 'Last Name', type: 'text', required: false },
      { tag: 'PHONE', name: 'Phone Number', type: 'phone', required: false },
    ];
    const audience: Audience = { id, name, created, fields, contacts: new Map() };
    this.audiences.set(id, audience);
    return audience;
  }

  add(audience: Audience, email: string, given: Partial<Contact> = {}): Contact {
    this.#made += 1;
    const now = this.#clock.now();
    const contact: Contact = {
      email,
      status: 'subscribed',
      mergeFields: {},
      tags: new Map(),
      reason: '',
      joined: now,
      changed: now,
      webId: 700_000 + this.#made,
      ...given,
    };
    audience.contacts.set(hash(email), contact);
    return contact;
  }

  /** Changes it now, as a person does in Mailchimp's own pages. */
  change(contact: Contact, given: Partial<Contact>): void {
    Object.assign(contact, given, { changed: this.#clock.now() });
  }

  /** Undefined where the call is about something else. */
  handle(call: Call): Answer | undefined {
    if (call.path === '/3.0/search-members' && call.method === 'GET') return this.#search(call);
    const [, id, rest = ''] = /^\/3\.0\/lists(?:\/([^/]+)(.*))?$/.exec(call.path) ?? [
      undefined,
      undefined,
      undefined,
    ];
    if (!call.path.startsWith('/3.0/lists')) return undefined;
    if (id === undefined) return call.method === 'GET' ? this.#lists(call) : undefined;
    const audience = this.audiences.get(id);
    if (audience === undefined) return missing();
    if (rest === '' && call.method === 'GET') return thinned(call, listBody(audience));
    if (rest === '/merge-fields' && call.method === 'GET') return mergeFields(call, audience);
    if (rest === '/members' && call.method === 'GET') return this.#members(call, audience);
    const [, key = '', tags] = /^\/members\/([0-9a-f]{32})(\/tags)?$/.exec(rest) ?? [];
    if (key === '') return missing();
    return tags === undefined ? this.#member(call, audience, key) : this.#tags(call, audience, key);
  }

  #lists(call: Call): Answer {
    const all = [...this.audiences.values()];
    const lists = page(call, all).map(listBody);
    const constraints = { may_create: true, max_instances: 5, current_total_instances: all.length };
    return unfit(call) ?? thinned(call, { lists, total_items: all.length, constraints });
  }

  #members(call: Call, audience: Audience): Answer {
    const status = call.query.get('status');
    const since = Date.parse(call.query.get('since_last_changed') ?? '');
    const all = [...audience.contacts.values()]
      // What is archived is shown to whoever asks for it.
      .filter((one) => (status === null ? one.status !== 'archived' : one.status === status))
      .filter((one) => Number.isNaN(since) || seconds(one.changed) > seconds(since));
    if (call.query.get('sort_field') === 'last_changed') {
      const down = call.query.get('sort_dir') === 'DESC' ? -1 : 1;
      all.sort((a, b) => down * (seconds(a.changed) - seconds(b.changed)));
    }
    const members = page(call, all).map((one) => memberBody(audience, one));
    return unfit(call) ?? thinned(call, { members, list_id: audience.id, total_items: all.length });
  }

  #member(call: Call, audience: Audience, key: string): Answer {
    const found = audience.contacts.get(key);
    if (call.method === 'PUT') return this.#put(call, audience, key);
    if (found === undefined) return missing();
    if (call.method === 'GET') return thinned(call, memberBody(audience, found));
    if (call.method === 'PATCH') {
      const body = bodyOf(call);
      return body === undefined ? unparsed() : this.#written(audience, found, body);
    }
    if (call.method !== 'DELETE') return problem(405, 'Method Not Allowed', 'The method is not allowed.');
    if (found.status === 'archived') {
      return problem(
        405,
        'Method Not Allowed',
        'This list member cannot be removed. Please contact support.',
      );
    }
    this.change(found, { status: 'archived' });
    return { status: 204 };
  }

  #put(call: Call, audience: Audience, key: string): Answer {
    const body = bodyOf(call);
    if (body === undefined) return unparsed();
    const email = textOf(body['email_address']);
    const found = audience.contacts.get(key);
    if (found !== undefined) return this.#written(audience, found, body);
    if (hash(email) !== key || !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
      return problem(
        400,
        'Invalid Resource',
        `${email} looks fake or invalid, please enter a real email address.`,
      );
    }
    const status = body['status_if_new'];
    if (typeof status !== 'string') {
      return problem(400, 'Invalid Resource', 'The resource submitted could not be validated.', [
        { field: 'status_if_new', message: 'Schema describes string, NULL found instead' },
      ]);
    }
    const fault = this.#fault(audience, body);
    if (fault !== undefined) return fault;
    const mergeFields = (body['merge_fields'] ?? {}) as Record<string, unknown>;
    return json(memberBody(audience, this.add(audience, email, { status: status as Status, mergeFields })));
  }

  #written(audience: Audience, contact: Contact, body: Record<string, unknown>): Answer {
    const status = body['status'] as Status | undefined;
    if (status === 'subscribed' && ['unsubscribed', 'cleaned'].includes(contact.status)) {
      return problem(
        400,
        'Member In Compliance State',
        `${contact.email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed.`,
      );
    }
    const fault = this.#fault(audience, body);
    if (fault !== undefined) return fault;
    const mergeFields = {
      ...contact.mergeFields,
      ...(body['merge_fields'] as Record<string, unknown> | undefined),
    };
    const same =
      JSON.stringify(mergeFields) === JSON.stringify(contact.mergeFields) &&
      (status === undefined || status === contact.status);
    if (!same) this.change(contact, { mergeFields, ...(status === undefined ? {} : { status }) });
    return json(memberBody(audience, contact));
  }

  #fault(audience: Audience, body: Record<string, unknown>): Answer | undefined {
    const given = (body['merge_fields'] ?? {}) as Record<string, unknown>;
    const wrong = audience.fields.find(({ tag, required }) => required && tag in given && given[tag] === '');
    if (wrong === undefined) return undefined;
    return problem(400, 'Invalid Resource', 'Your merge fields were invalid.', [
      { field: wrong.tag, message: 'This value should not be blank.' },
    ]);
  }

  #tags(call: Call, audience: Audience, key: string): Answer {
    const contact = audience.contacts.get(key);
    if (contact === undefined) return missing();
    if (call.method === 'GET') {
      const all = [...contact.tags].map(([name, added], at) => ({
        id: at + 1,
        name,
        date_added: stamp(added),
      }));
      return thinned(call, { tags: page(call, all), total_items: all.length });
    }
    const wanted = (bodyOf(call)?.['tags'] ?? []) as { name: string; status: string }[];
    for (const { name, status } of wanted) {
      if (status === 'active') contact.tags.set(name, contact.tags.get(name) ?? this.#clock.now());
      else contact.tags.delete(name);
    }
    this.change(contact, {});
    return { status: 204 };
  }

  #search(call: Call): Answer {
    const words = (call.query.get('query') ?? '').toLowerCase();
    const list = call.query.get('list_id');
    const all = [...this.audiences.values()]
      .filter(({ id }) => list === null || list === id)
      .flatMap((audience) => [...audience.contacts.values()].map((one) => memberBody(audience, one)));
    const exact = all.filter(({ email_address }) => email_address.toLowerCase() === words);
    const found = all.filter(({ email_address, full_name }) =>
      `${email_address} ${full_name}`.toLowerCase().includes(words),
    );
    const part = (members: typeof all) => ({ members, total_items: members.length });
    return thinned(call, { exact_matches: part(exact), full_search: part(found) });
  }
}

function listBody({ id, name, created, contacts }: Audience): Record<string, unknown> {
  const of = (status: Status) => [...contacts.values()].filter((one) => one.status === status).length;
  return {
    id,
    web_id: 4711,
    name,
    date_created: stamp(created),
    double_optin: false,
    visibility: 'prv',
    stats: {
      member_count: of('subscribed'),
      unsubscribe_count: of('unsubscribed'),
      cleaned_count: of('cleaned'),
    },
  };
}

const seconds = (ms: number) => Math.floor(ms / 1000);
const unparsed = () => problem(400, 'JSON Parse Error', 'We encountered an unspecified JSON parsing error.');

function mergeFields(call: Call, { id, fields }: Audience): Answer {
  const all = fields.map((field, at) => ({
    merge_id: at + 1,
    ...field,
    default_value: '',
    public: false,
    list_id: id,
  }));
  return thinned(call, { merge_fields: page(call, all), list_id: id, total_items: all.length });
}

function memberBody(audience: Audience, contact: Contact) {
  const { FNAME = '', LNAME = '' } = contact.mergeFields;
  return {
    id: hash(contact.email),
    email_address: contact.email,
    unique_email_id: hash(`${audience.id}${contact.email}`).slice(0, 10),
    contact_id: hash(contact.email),
    full_name: `${FNAME} ${LNAME}`.trim(),
    web_id: contact.webId,
    email_type: 'html',
    status: contact.status,
    ...(contact.reason === '' ? {} : { unsubscribe_reason: contact.reason }),
    merge_fields: Object.fromEntries(audience.fields.map(({ tag }) => [tag, contact.mergeFields[tag] ?? ''])),
    stats: { avg_open_rate: 0.4, avg_click_rate: 0.1 },
    ip_signup: '',
    timestamp_signup: stamp(contact.joined),
    timestamp_opt: stamp(contact.joined),
    member_rating: 3,
    last_changed: stamp(contact.changed),
    language: 'en',
    vip: false,
    email_client: '',
    source: 'API - Generic',
    tags_count: contact.tags.size,
    tags: [...contact.tags.keys()].map((name, at) => ({ id: at + 1, name })),
    list_id: audience.id,
  };
}
