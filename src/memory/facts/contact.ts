// A contact or a company as an address book, the CRM or the books have it: how to reach it, what it is.
import { domainOf, isFreeMail } from '../clients/mail-domains.ts';
import { type Claim, type Claims, lineWith, type ReadRecord, textFact, textsFact } from './claim.ts';
import { e164 } from './phone.ts';

const confidence = 0.95;
const postal = ['address', 'city', 'state', 'zip', 'country'] as const;

function addressOf({ facts }: ReadRecord): string | undefined {
  const parts = postal.flatMap((name) => textFact(facts, name) ?? []);
  return parts.length > 0 ? parts.join(', ') : textsFact(facts, 'addresses')[0];
}

/** The host of a site or a domain, without `www.`. */
function hostOf(said: string | undefined): string | undefined {
  if (said === undefined) return undefined;
  const host = said
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//u, '')
    .replace(/^www\./u, '')
    .replace(/[/?#:].*$/u, '');
  return /^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/u.test(host) ? host : undefined;
}

export function contactClaims(record: ReadRecord): Claims {
  const { text, facts, externalId, people, kind } = record;
  const subject = `crm:${externalId}`;
  const country = textFact(facts, 'country');
  const claims: Claim[] = [];
  const say = (name: string, slot: string, value: string, labels: string[] = [name]) => {
    claims.push({
      subject,
      family: 'contact',
      name,
      slot,
      value,
      confidence,
      ...lineWith(text, value, labels),
    });
  };
  const addresses = new Set([
    ...people.flatMap(({ role, address }) => (role === 'contact' && address !== undefined ? [address] : [])),
  ]);
  for (const address of addresses) say('e-mail', `email:${address}`, address, ['email', 'e-mail']);
  const written = new Set([
    ...['phone', 'mobile', 'mobilephone'].flatMap((name) => textFact(facts, name) ?? []),
    ...textsFact(facts, 'phones'),
  ]);
  const keys: string[] = [];
  for (const phone of written) {
    const number = e164(phone, country);
    if (number !== undefined) keys.push(`tel:${number}`);
    say('phone', `phone:${number ?? phone.replace(/[^\d+]/gu, '')}`, number ?? phone, [
      'phone',
      'mobile',
      'mobile phone',
    ]);
  }
  const company = textFact(facts, 'company');
  if (company !== undefined && kind === 'contact') say('company', 'company', company);
  const role = textFact(facts, 'jobTitle', 'jobtitle');
  if (role !== undefined) say('role', 'role', role, ['job title', 'role']);
  const address = addressOf(record);
  if (address !== undefined) say('address', 'address', address);
  const birthday = textFact(facts, 'birthday');
  if (birthday !== undefined) say('birthday', 'birthday', birthday);
  const status = textFact(facts, 'lifecyclestage', 'lifecycleStage');
  if (status !== undefined) say('status', 'status', status, ['lifecycle stage']);
  const industry = textFact(facts, 'industry');
  if (industry !== undefined) say('industry', 'industry', industry);
  const domain = hostOf(textFact(facts, 'domain', 'website'));
  if (kind === 'company') {
    const own = [domain, ...[...addresses].map(domainOf)].filter(
      (one): one is string => one !== undefined && !isFreeMail(one),
    );
    for (const one of new Set(own)) keys.push(`dom:${one}`);
    if (domain !== undefined) say('domain', 'domain', domain, ['domain', 'website']);
  }
  const register = textFact(facts, 'registerNumber', 'companyNumber', 'company_number', 'registrationNumber');
  if (register !== undefined) {
    const number = register.toUpperCase().replace(/[^\p{L}\p{N}]/gu, '');
    if (/\d{4}/u.test(number)) keys.push(`reg:${(country ?? '').toLowerCase()}:${number}`);
    say('register number', 'register', register, [
      'register number',
      'company number',
      'registration number',
    ]);
  }
  const name = people.find((one) => one.role === 'contact' && one.name !== undefined)?.name ?? record.title;
  say('name', `name:${externalId}`, name);
  return { facts: claims, keys: [...new Set(keys)] };
}
