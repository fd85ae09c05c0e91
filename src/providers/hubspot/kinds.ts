// The five kinds of CRM objects that are read and written, and what differs between them: names, scopes,
// the properties that are common to every account, and what they are associated with.
import { z } from 'zod';
import type { DocumentKind } from '../record.ts';

/** As they stand in HubSpot's paths. */
export const objectTypes = ['contacts', 'companies', 'deals', 'notes', 'tickets'] as const;
export type ObjectType = (typeof objectTypes)[number];

/** A property that is written by its own name in an input; others go through `properties`. */
export interface CommonProperty {
  name: string;
  /** In HubSpot, where the input has it under another name. */
  as?: string;
  schema: z.ZodType<string>;
  /** The same, or nothing: an empty value clears a property. */
  clearable: z.ZodType<string>;
}

export interface Kind {
  type: ObjectType;
  /** One of them, as people say it. */
  one: string;
  many: string;
  /** The kind of document it becomes. HubSpot's tickets are kept as notes: text about a person, with a state. */
  document: DocumentKind;
  /** When it was last changed: contacts have a name of their own for it. */
  modified: 'lastmodifieddate' | 'hs_lastmodifieddate';
  scopes: { read: readonly string[]; write: readonly string[] };
  /** Asked for when nothing else is said: HubSpot answers with what is asked for and no more. */
  shown: readonly string[];
  writable: readonly CommonProperty[];
  /** What a new one must have. */
  required: readonly string[];
  /** Followed when it is brought into memory. */
  about: readonly ObjectType[];
  /** The properties that say where in a pipeline it is. */
  stage?: { pipeline: string; stage: string };
  /** In the address of its page; undefined: it has none of its own. */
  pageId: string | undefined;
}

const text = (name: string, description: string, most = 65_536, as?: string): CommonProperty => ({
  name,
  schema: z.string().min(1).max(most).describe(description),
  clearable: z.string().max(most).describe(description),
  ...(as === undefined ? {} : { as }),
});
const patterned = (pattern: RegExp, form: string) => (name: string, description: string, as?: string) => ({
  name,
  schema: z.string().regex(pattern, form).describe(description),
  clearable: z
    .string()
    .regex(new RegExp(`^$|${pattern.source}`), form)
    .describe(description),
  ...(as === undefined ? {} : { as }),
});
const decimal = patterned(/^-?\d{1,15}(\.\d{1,6})?$/, 'must be a plain decimal number');
const date = patterned(
  /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/,
  'must be ISO 8601, in UTC',
);
const email: CommonProperty = {
  name: 'email',
  schema: z.email().max(254).describe('E-mail address; no two contacts have the same'),
  clearable: z.union([z.email().max(254), z.literal('')]).describe('E-mail address'),
};
const objectsScopes = (name: string) => ({
  read: [`crm.objects.${name}.read`],
  write: [`crm.objects.${name}.write`],
});
const owner = text('hubspot_owner_id', 'Number of the owner in HubSpot', 20);
const address = ['address', 'city', 'state', 'zip', 'country'].map((name) =>
  text(name, `Postal address: ${name}`, 1000),
);

export const kinds: Readonly<Record<ObjectType, Kind>> = {
  contacts: {
    type: 'contacts',
    one: 'contact',
    many: 'contacts',
    document: 'contact',
    modified: 'lastmodifieddate',
    scopes: objectsScopes('contacts'),
    shown: [
      'email',
      'firstname',
      'lastname',
      'phone',
      'mobilephone',
      'company',
      'jobtitle',
      'website',
      'address',
      'city',
      'state',
      'zip',
      'country',
      'lifecyclestage',
      'hs_lead_status',
      'hubspot_owner_id',
      'createdate',
      'lastmodifieddate',
    ],
    writable: [
      email,
      text('firstname', 'First name', 1000),
      text('lastname', 'Last name', 1000),
      text('phone', 'Telephone number', 1000),
      text('mobilephone', 'Mobile number', 1000),
      text('company', 'Name of the company, as text', 1000),
      text('jobtitle', 'Job title', 1000),
      text('website', 'Web site', 2000),
      ...address,
      text('lifecyclestage', 'Stage: lead, customer, …', 100),
      text('hs_lead_status', 'Lead status: NEW, OPEN, …', 100),
      owner,
    ],
    required: [],
    about: ['companies'],
    pageId: '0-1',
  },
  companies: {
    type: 'companies',
    one: 'company',
    many: 'companies',
    document: 'company',
    modified: 'hs_lastmodifieddate',
    scopes: objectsScopes('companies'),
    shown: [
      'name',
      'domain',
      'phone',
      'website',
      'industry',
      'description',
      'address',
      'city',
      'state',
      'zip',
      'country',
      'numberofemployees',
      'annualrevenue',
      'lifecyclestage',
      'hubspot_owner_id',
      'createdate',
      'hs_lastmodifieddate',
    ],
    writable: [
      text('name', 'Name', 1000),
      text('domain', 'Domain of its web site: example.com', 253),
      text('phone', 'Telephone number', 1000),
      text('website', 'Web site', 2000),
      text('industry', 'Industry, as HubSpot lists them: REAL_ESTATE, …', 100),
      text('description', 'Description'),
      ...address,
      decimal('numberofemployees', 'Number of employees'),
      decimal('annualrevenue', 'Revenue of a year, in the currency of the account'),
      text('lifecyclestage', 'Stage: lead, customer, …', 100),
      owner,
    ],
    required: ['name'],
    about: [],
    pageId: '0-2',
  },
  deals: {
    type: 'deals',
    one: 'deal',
    many: 'deals',
    document: 'deal',
    modified: 'hs_lastmodifieddate',
    scopes: objectsScopes('deals'),
    shown: [
      'dealname',
      'amount',
      'deal_currency_code',
      'dealstage',
      'pipeline',
      'closedate',
      'dealtype',
      'description',
      'hubspot_owner_id',
      'createdate',
      'hs_lastmodifieddate',
    ],
    writable: [
      text('dealname', 'Name', 1000),
      decimal('amount', 'Amount, in the currency of the deal'),
      text('deal_currency_code', 'Currency, ISO 4217', 3),
      text('dealstage', 'Id of the stage in its pipeline', 100),
      text('pipeline', 'Id of the pipeline', 100),
      date('closedate', 'Day on which it is or was closed'),
      text('dealtype', 'newbusiness or existingbusiness', 100),
      text('description', 'Description'),
      owner,
    ],
    required: ['dealname', 'dealstage'],
    about: ['contacts', 'companies'],
    stage: { pipeline: 'pipeline', stage: 'dealstage' },
    pageId: '0-3',
  },
  notes: {
    type: 'notes',
    one: 'note',
    many: 'notes',
    document: 'note',
    modified: 'hs_lastmodifieddate',
    // The published specification asks for the scopes of contacts, for want of its own.
    scopes: objectsScopes('contacts'),
    shown: ['hs_note_body', 'hs_timestamp', 'hubspot_owner_id', 'hs_createdate', 'hs_lastmodifieddate'],
    writable: [
      text('text', 'The note, as plain text', 60_000, 'hs_note_body'),
      date('at', 'When it was; default: when it is written', 'hs_timestamp'),
      owner,
    ],
    required: ['text'],
    about: ['contacts', 'companies', 'deals', 'tickets'],
    pageId: undefined,
  },
  tickets: {
    type: 'tickets',
    one: 'ticket',
    many: 'tickets',
    document: 'note',
    modified: 'hs_lastmodifieddate',
    // One scope reads and writes.
    scopes: { read: ['tickets'], write: ['tickets'] },
    shown: [
      'subject',
      'content',
      'hs_pipeline',
      'hs_pipeline_stage',
      'hs_ticket_priority',
      'hs_ticket_category',
      'hubspot_owner_id',
      'createdate',
      'hs_lastmodifieddate',
    ],
    writable: [
      text('subject', 'Subject', 1000),
      text('content', 'Description'),
      text('hs_pipeline', 'Id of the pipeline', 100),
      text('hs_pipeline_stage', 'Id of the stage in its pipeline', 100),
      text('hs_ticket_priority', 'LOW, MEDIUM, HIGH or URGENT', 100),
      text('hs_ticket_category', 'Category, as the account names it', 1000),
      owner,
    ],
    required: ['subject', 'hs_pipeline_stage'],
    about: ['contacts', 'companies'],
    stage: { pipeline: 'hs_pipeline', stage: 'hs_pipeline_stage' },
    pageId: '0-5',
  },
};
