// The rules by kind of record. Pure: one record in, what it says of clients out; runs where records are read.
import type { Claim, Claims, ReadRecord, Rule } from './claim.ts';
import { contactClaims } from './contact.ts';
import { dealClaims } from './deal.ts';
import { invoiceClaims } from './invoice.ts';
import { mailClaims } from './mail.ts';
import { meetingClaims } from './meeting.ts';
import { homesIn } from './property.ts';

/** The home that a deal is about, where its name says so. */
const dealHomes: Rule = (record) => {
  const stages = dealClaims(record);
  const [home] = homesIn(record.title);
  if (home === undefined) return stages;
  const whose = new Map(stages.map((claim) => [claim.subject, claim]));
  const homes = [...whose.values()].map(
    ({ subject, as, start, end }): Claim => ({
      subject,
      as,
      start,
      end,
      family: 'property',
      name: 'property',
      slot: `property:${home.key}`,
      value: home.address,
      confidence: 0.9,
    }),
  );
  return [...stages, ...homes];
};

const rules: Partial<Record<ReadRecord['kind'], Rule>> = {
  deal: dealHomes,
  invoice: invoiceClaims,
  payment: invoiceClaims,
  event: meetingClaims,
  mail: mailClaims,
};

const nothing: Claims = { facts: [], keys: [] };

export function claimsOf(record: ReadRecord): Claims {
  if (record.kind === 'contact' || record.kind === 'company') return contactClaims(record);
  const rule = rules[record.kind];
  return rule === undefined ? nothing : { facts: rule(record), keys: [] };
}
