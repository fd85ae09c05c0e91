// Look-alike domains: what the eye would take for a known domain is told from it, and what merely is another
// domain is left alone.
import { expect, test } from 'vitest';
import { lookAlike, skeleton } from '../../src/dashboard/look-alikes.ts';

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
