// Look-alike domains: what the eye would take for a known domain is told from it, and what merely is another
// domain is left alone.
import { expect, test } from 'vitest';
import { lettersOf, lookAlike, skeleton } from '../../src/dashboard/payload/look-alikes.ts';

const known = new Set(['lakeside.example', 'northgate.example', 'harbor-mill.example', 'abc.example']);

test.each([
  ['lakes1de.example', 'lakeside.example'],
  ['Iakeside.example', 'lakeside.example'],
  ['lakesicle.example', 'lakeside.example'],
  ['lakside.example', 'lakeside.example'],
  ['lakesidee.example', 'lakeside.example'],
  ['laekside.example', 'lakeside.example'],
  ['northgаte.example', 'northgate.example'],
  ['xn--northgte-66g.example', 'northgate.example'],
  ['nortngate.example', 'northgate.example'],
  ['harbormill.example', 'harbor-mill.example'],
  ['harbor-rnill.example', 'harbor-mill.example'],
  ['lakeside.test', 'lakeside.example'],
  // Of Unicode's table alone: Armenian, Cherokee-like and mathematical letters, a dotless one, an old digit.
  ['ոorthgate.example', 'northgate.example'],
  ['nорthgаtе.example', 'northgate.example'],
  ['ꮮakeside.example', 'lakeside.example'],
  ['lakesıde.example', 'lakeside.example'],
  ['𝗅akeside.example', 'lakeside.example'],
  ['lɑkeside.example', 'lakeside.example'],
  ['laƙeside.example', 'lakeside.example'],
  ['nortһgate.example', 'northgate.example'],
  ['harbor-mıll.example', 'harbor-mill.example'],
])('%s is told from %s', (domain, like) => {
  expect(lookAlike(domain, known)).toBe(like);
});

test.each([
  'lakeside.example',
  'LAKESIDE.example',
  'mail.lakeside.example',
  'river.example',
  'abd.example',
  'example',
])('%s is left alone', (domain) => {
  expect(lookAlike(domain, known)).toBeUndefined();
});

test('marks and wide letters do not make another shape', () => {
  expect(skeleton('lákeside.example')).toBe(skeleton('lakeside.example'));
});

test.each([
  ['northgаte.example', 'Mixes Latin and Cyrillic letters', 'xn--northgte-66g.example'],
  ['аррӏе.example', 'Reads like apple in Cyrillic letters', 'xn--80ak6aa92e.example'],
  ['xn--80ak6aa92e.example', 'Reads like apple in Cyrillic letters', 'xn--80ak6aa92e.example'],
  ['shop.αpple.example', 'Mixes Greek and Latin letters', 'shop.xn--pple-zld.example'],
])('attack: %s is pointed out by its letters alone, and shown in full', (domain, odd, ascii) => {
  expect(lettersOf(domain)).toEqual({ ascii, odd });
});

test.each([
  ['bücher.example', 'xn--bcher-kva.example'],
  ['東京タワーtokyo.example', undefined],
  ['россия.example', undefined],
  ['서울.example', undefined],
])('%s is shown in full and not called odd', (domain, ascii) => {
  const letters = lettersOf(domain);
  expect(letters?.odd).toBeUndefined();
  expect(letters?.ascii).toMatch(/xn--/);
  if (ascii !== undefined) expect(letters?.ascii).toBe(ascii);
});

test('a domain of plain letters has nothing to say of them', () => {
  expect(lettersOf('Lakeside-2.example')).toBeUndefined();
});
