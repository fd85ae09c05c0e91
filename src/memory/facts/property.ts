// Homes that a text speaks of by a house number and the name of a street. What has no street's word in it is none.

const street =
  'Street|St|Lane|Ln|Avenue|Ave|Road|Rd|Drive|Dr|Court|Ct|Way|Row|Place|Pl|Close|Crescent|Terrace|Boulevard|Blvd|Square|Gardens|Mews|Hill|Grove|Parkway|Pkwy|Circle|Cir|Trail';
const form = new RegExp(
  `(?<![\\p{L}\\p{N}.,#-])\\d{1,5}[A-Za-z]?\\s+(?:[NSEW]\\.?\\s+)?(?:\\p{Lu}[\\p{L}'’-]+\\s+){1,3}(?:${street})\\b(?:,?\\s*(?:#|Apt\\.?|Unit|Flat)\\s?[\\p{L}\\p{N}]{1,5})?`,
  'gu',
);
const short: Readonly<Record<string, string>> = {
  street: 'st',
  lane: 'ln',
  avenue: 'ave',
  road: 'rd',
  drive: 'dr',
  court: 'ct',
  place: 'pl',
  boulevard: 'blvd',
  parkway: 'pkwy',
  circle: 'cir',
};

export function homesIn(text: string): { address: string; key: string }[] {
  return [...text.slice(0, 2000).matchAll(form)].map(([found]) => {
    const address = found.replace(/\s+/gu, ' ');
    const key = address
      .toLowerCase()
      .replace(/[.,]/gu, '')
      .replace(/\b\p{L}+\b/gu, (word) => short[word] ?? word)
      .replace(/\s*(?:#|\bapt\b|\bunit\b|\bflat\b)\s*/gu, ' #');
    return { address, key };
  });
}
