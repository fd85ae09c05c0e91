// What several providers can do alike. A tool asks for a capability; a provider names the operation that
// fulfils it, and the operation's input is the capability's.
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';

const address = z.object({
  email: z.string().describe('E-mail address, addr-spec only'),
  name: z.string().optional(),
});
export type MailAddress = z.infer<typeof address>;

const localPart = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const domainName =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Admits exactly one plain addr-spec (a dot-atom and a host name, in ASCII) and a display name that cannot
 * pass for something else. Narrower than RFC 5321 allows on purpose: quoted local parts, comments, groups,
 * lists and address literals are the ways to slip in a second recipient. Lengths: RFC 5321, 4.5.3.1.
 * @throws DrawbridgeError `invalid_request` with `field`.
 */
export function checkAddress(given: MailAddress, field: string): void {
  const { email, name } = given;
  const refuse = (why: string) => {
    throw new DrawbridgeError('invalid_request', `${field}.email: ${why}`, { field: `${field}.email` });
  };
  if (email.length > 254) refuse('the address is longer than 254 characters');
  const at = email.indexOf('@');
  const local = email.slice(0, at);
  const domain = email.slice(at + 1);
  if (at < 1 || domain === '') refuse('write one address as user@host, and nothing else');
  if (local.length > 64) refuse('the part before the @ is longer than 64 characters');
  if (!localPart.test(local)) {
    refuse('the part before the @ may hold ASCII letters, digits, dots and the usual marks only');
  }
  if (!domainName.test(domain)) {
    const ascii = /^[^\s@<>,;:()[\]"\\]+$/.test(domain) ? domainToASCII(domain) : '';
    refuse(
      ascii !== '' && ascii !== domain.toLowerCase() && domainName.test(ascii)
        ? `the host name is not ASCII; if ${local}@${ascii} is meant, write that`
        : 'the part after the @ must be a host name',
    );
  }
  if (name === undefined) return;
  const refuseName = (why: string) => {
    throw new DrawbridgeError('invalid_request', `${field}.name: ${why}`, { field: `${field}.name` });
  };
  if (name.length > 200) refuseName('the name is longer than 200 characters');
  if (/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    refuseName('the name holds a line break, a control or a direction-changing character');
  }
  // A name that reads like another address makes people approve the wrong recipient.
  if (/[@<>]/.test(name) && name.toLowerCase() !== email.toLowerCase()) {
    refuseName('the name reads like an address; leave it out, or write a name');
  }
}

/** A connection's own address, in the words of `checkAddress`, as a field called `email`. */
export const addressField = z.string().superRefine((email, context) => {
  try {
    checkAddress({ email }, 'email');
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not an address' });
  }
});

/** Three addresses are named in a summary; of more the first, and how many others. The payload has them all. */
export function fewOf(people: readonly MailAddress[]): string {
  const [first, ...others] = people.map(({ email }) => email);
  return others.length < 3 ? [first, ...others].join(', ') : `${first} and ${others.length} others`;
}

export const mailSend = z.object({
  to: z.array(address).min(1),
  cc: z.array(address),
  bcc: z.array(address),
  subject: z.string(),
  text: z.string(),
  /** Rendered from markdown before it is proposed, so that the person approves what is sent. */
  html: z.string().optional(),
  /** RFC 5322 identifiers with their angle brackets. */
  inReplyTo: z.string().optional(),
  references: z.array(z.string()),
  /** Bytes are held beside the action and fetched by hash. */
  attachments: z.array(
    z.object({ name: z.string(), mediaType: z.string(), size: z.number().int(), sha256: z.string() }),
  ),
});
export type MailSend = z.infer<typeof mailSend>;
/** The same as it may be asked for: a list that is left out is empty. */
export const mailSendInput = mailSend.extend({
  cc: mailSend.shape.cc.default([]),
  bcc: mailSend.shape.bcc.default([]),
  references: mailSend.shape.references.default([]),
  attachments: mailSend.shape.attachments.default([]),
});

export const calendarCreate = z.object({
  title: z.string().min(1),
  /** Local wall time without offset, `2026-03-02T15:00:00`; it means what it says in `timeZone`. */
  start: z.string(),
  end: z.string(),
  timeZone: z.string().describe('IANA time zone'),
  attendees: z.array(address),
  location: z.string().optional(),
  description: z.string().optional(),
  /** Minutes before the start. */
  reminders: z.array(z.number().int().min(0)),
  recurrence: z.string().optional().describe('RRULE value, RFC 5545'),
});
export type CalendarCreate = z.infer<typeof calendarCreate>;
export const calendarCreateInput = calendarCreate.extend({
  attendees: calendarCreate.shape.attendees.default([]),
  reminders: calendarCreate.shape.reminders.default([]),
});

export const freeBusyQuery = z.object({
  from: z.number().int().describe('Milliseconds since 1970, UTC'),
  to: z.number().int().describe('Likewise, itself excluded'),
  /** Of what names no zone (a whole day, say) in a calendar that names none; left out: the machine's. IANA. */
  timeZone: z.string().optional(),
});
export type FreeBusyQuery = z.infer<typeof freeBusyQuery>;
export const freeBusyAnswer = z.object({
  /** Integer ms, half-open; merged and sorted. */
  busy: z.array(z.object({ start: z.number().int(), end: z.number().int(), title: z.string().optional() })),
});
export type FreeBusyAnswer = z.infer<typeof freeBusyAnswer>;

export const listing = z.object({
  id: z.string(),
  url: z.string().optional(),
  address: z.string(),
  /** Number in a multiple listing service, and of the parcel at the county or land registry. */
  mlsNumber: z.string().optional(),
  parcel: z.string().optional(),
  city: z.string().optional(),
  region: z.string().optional(),
  postalCode: z.string().optional(),
  status: z.string().optional().describe('for_sale, for_rent, pending, sold, off_market'),
  homeType: z.string().optional(),
  price: z.number().optional(),
  currency: z.string().optional(),
  beds: z.number().optional(),
  baths: z.number().optional(),
  areaSqft: z.number().optional(),
  latitude: z.number().optional(),
  longitude: z.number().optional(),
  description: z.string().optional(),
  yearBuilt: z.number().optional(),
  lotSqft: z.number().optional(),
  photos: z.array(z.string()).optional(),
  agent: z
    .object({ name: z.string(), phone: z.string().optional(), office: z.string().optional() })
    .optional(),
  priceHistory: z.array(z.object({ at: z.number().int(), event: z.string(), price: z.number() })).optional(),
  taxHistory: z
    .array(z.object({ year: z.number().int(), tax: z.number().optional(), value: z.number().optional() }))
    .optional(),
  /** Lines that its source wants shown wherever the listing is. */
  attribution: z.array(z.string()).optional(),
  /** Its source does not let the address be shown. */
  addressHidden: z.boolean().optional(),
  /** What the source knows beside all this, by what it calls it there. */
  local: z.record(z.string(), z.string()).optional(),
});
export type Listing = z.infer<typeof listing>;

export const listingSearch = z.object({
  location: z.string().min(1),
  status: z.enum(['for_sale', 'for_rent', 'sold']).default('for_sale'),
  minPrice: z.number().min(0).optional(),
  maxPrice: z.number().min(0).optional(),
  minBeds: z.number().min(0).optional(),
  maxBeds: z.number().min(0).optional(),
  minBaths: z.number().min(0).optional(),
  maxBaths: z.number().min(0).optional(),
  homeType: z.string().optional(),
  page: z.number().int().min(1).default(1),
});
export type ListingSearch = z.infer<typeof listingSearch>;
export const listingSearchAnswer = z.object({
  listings: z.array(listing),
  total: z.number().int().optional(),
  nextPage: z.number().int().optional(),
});
export type ListingSearchAnswer = z.infer<typeof listingSearchAnswer>;

export const listingGet = z.object({
  id: z.string().optional(),
  url: z.string().optional(),
  address: z.string().optional(),
});
export type ListingGet = z.infer<typeof listingGet>;

export interface CapabilityInputs {
  'mail.send': MailSend;
  'calendar.create': CalendarCreate;
  'calendar.free-busy': FreeBusyQuery;
  'listing.search': ListingSearch;
  'listing.get': ListingGet;
}
export interface CapabilityOutputs {
  'mail.send': unknown;
  'calendar.create': unknown;
  'calendar.free-busy': FreeBusyAnswer;
  'listing.search': ListingSearchAnswer;
  'listing.get': Listing;
}
export type Capability = keyof CapabilityInputs;

/** Those that change something: a connection that is only to be read has none of them. */
export function isWrite(capability: Capability): boolean {
  return !reads.has(capability);
}

const reads: ReadonlySet<Capability> = new Set(['calendar.free-busy', 'listing.search', 'listing.get']);
