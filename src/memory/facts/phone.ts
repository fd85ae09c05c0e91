// Telephone numbers as they are compared: E.164. A national number counts only where its country is known.
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

const named: Readonly<Record<string, CountryCode>> = {
  usa: 'US',
  'united states': 'US',
  'united states of america': 'US',
  'united kingdom': 'GB',
  uk: 'GB',
  england: 'GB',
  germany: 'DE',
  deutschland: 'DE',
  austria: 'AT',
  switzerland: 'CH',
  france: 'FR',
  spain: 'ES',
  italy: 'IT',
  netherlands: 'NL',
  ireland: 'IE',
  canada: 'CA',
};

function countryOf(said: string | undefined): CountryCode | undefined {
  if (said === undefined) return undefined;
  const code = said.trim().toUpperCase();
  return isSupportedCountry(code) ? code : named[said.trim().toLowerCase()];
}

/** `+44 20 7946 0018`, `0044 …` and, with the country, `020 7946 0018` as `+442079460018`; undefined for what is none. */
export function e164(written: string, country?: string): string | undefined {
  const text = written.trim().replace(/^00(?=[1-9])/u, '+');
  if (text.length < 6 || text.length > 40) return undefined;
  const parsed = parsePhoneNumberFromString(text, countryOf(country));
  // An extension is a desk of an office: the number alone would be everybody's there.
  return parsed?.isPossible() === true && parsed.ext === undefined ? parsed.number : undefined;
}
