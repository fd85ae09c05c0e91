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
  schema: z.ZodType<string | undefined>;
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
  /** In the address of its page; undefined: it has none of its own. */
  pageId: string | undefined;
}

const text = (description: string, most = 65_536) => z.string().max(most).optional().describe(description);
const decimal = (description: string) =>
  z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,6})?$/, 'must be a plain decimal number')
    .optional()
    .describe(description);
const date = (description: string) =>
  z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/, 'must be ISO 8601, in UTC')
    .optional()
    .describe(description);
const objectsScopes = (name: string) => ({
  read: [`crm.objects.${name}.read`],
  write: [`crm.objects.${name}.write`],
});
const owner = { name: 'hubspot_owner_id', schema: text('Number of the owner in HubSpot', 20) };
const address = ['address', 'city', 'state', 'zip', 'country'].map((name) => ({
  name,
  schema: text(`Postal address: ${name}`, 1000),
}));

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
      { name: 'email', schema: z.email().max(254).optional().describe('E-mail address: one contact has it') },
      { name: 'firstname', schema: text('First name', 1000) },
      { name: 'lastname', schema: text('Last name', 1000) },
      { name: 'phone', schema: text('Telephone number', 1000) },
      { name: 'mobilephone', schema: text('Mobile number', 1000) },
      { name: 'company', schema: text('Name of the company, as text', 1000) },
      { name: 'jobtitle', schema: text('Job title', 1000) },
      { name: 'website', schema: text('Web site', 2000) },
      ...address,
      { name: 'lifecyclestage', schema: text('Stage: lead, customer, …', 100) },
      { name: 'hs_lead_status', schema: text('Lead status: NEW, OPEN, …', 100) },
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
      { name: 'name', schema: text('Name', 1000) },
      { name: 'domain', schema: text('Domain of its web site: example.com', 253) },
      { name: 'phone', schema: text('Telephone number', 1000) },
      { name: 'website', schema: text('Web site', 2000) },
      { name: 'industry', schema: text('Industry, as HubSpot lists them: REAL_ESTATE, …', 100) },
      { name: 'description', schema: text('Description') },
      ...address,
      { name: 'numberofemployees', schema: decimal('Number of employees') },
      { name: 'annualrevenue', schema: decimal('Revenue of a year, in the currency of the account') },
      { name: 'lifecyclestage', schema: text('Stage: lead, customer, …', 100) },
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
      { name: 'dealname', schema: text('Name', 1000) },
      { name: 'amount', schema: decimal('Amount, in the currency of the deal') },
      { name: 'deal_currency_code', schema: text('Currency, ISO 4217', 3) },
      { name: 'dealstage', schema: text('Id of the stage in its pipeline', 100) },
      { name: 'pipeline', schema: text('Id of the pipeline', 100) },
      { name: 'closedate', schema: date('Day on which it is or was closed') },
      { name: 'dealtype', schema: text('newbusiness or existingbusiness', 100) },
      { name: 'description', schema: text('Description') },
      owner,
    ],
    required: ['dealname', 'dealstage'],
    about: ['contacts', 'companies'],
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
      { name: 'text', as: 'hs_note_body', schema: text('The note, as plain text', 60_000) },
      { name: 'at', as: 'hs_timestamp', schema: date('When it was; default: when it is written') },
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
      { name: 'subject', schema: text('Subject', 1000) },
      { name: 'content', schema: text('Description') },
      { name: 'hs_pipeline', schema: text('Id of the pipeline', 100) },
      { name: 'hs_pipeline_stage', schema: text('Id of the stage in its pipeline', 100) },
      { name: 'hs_ticket_priority', schema: text('LOW, MEDIUM, HIGH or URGENT', 100) },
      { name: 'hs_ticket_category', schema: text('Category, as the account names it', 1000) },
      owner,
    ],
    required: ['subject', 'hs_pipeline_stage'],
    about: ['contacts', 'companies'],
    pageId: '0-5',
  },
};
