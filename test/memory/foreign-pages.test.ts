// Pages as Word, Google Docs, LibreOffice and browsers save them.
import { expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';

const read = (html: string | Uint8Array) =>
  normalise({ externalId: 'x', kind: 'file', mediaType: 'text/html', raw: Buffer.from(html) });
const text = async (html: string) => (await read(html)).text;

test.each([
  [
    'Word, a paragraph a cell',
    '<p class=MsoNormal><b>Rent</b></p>',
    '<p class=MsoNormal>1,250</p>',
    'Rent | 1,250',
  ],
  ['Google Docs, two paragraphs', '<p><span>Owner</span></p>', '<p>Anna</p><p>Berg</p>', 'Owner | Anna Berg'],
  ['lists and breaks in cells', '<ul><li>a</li><li>b</li></ul>', 'c<br>d', 'a b | c d'],
])('a table of %s is read a line a row', async (_whose, one, other, line) => {
  expect(await text(`<table><tr><td>\n${one}</td><td>\n${other}</td></tr><tr><td>x<td>y</tr></table>`)).toBe(
    `${line}\nx | y`,
  );
});

test('a cell that is a place on the page keeps its headings and paragraphs', async () => {
  const column = `<h2>News</h2><p>first</p><p>second</p>`;
  const long = `<p>${'long words '.repeat(50)}</p><p>behind</p>`;
  const found = await text(`<table><tr><td>${column}</td><td>${long}</td></tr></table>`);
  expect(found).toContain('## News\n\nfirst\n\nsecond');
  expect(found).toContain('long words\n\nbehind');
});

test('words of neighbouring elements do not run into each other', async () => {
  const found = await text(
    '<details><summary>More</summary>about it</details><dl><dt>Term</dt><dd>Meaning</dd></dl><figure><figcaption>Plan</figcaption></figure><address>Oak St 7</address>',
  );
  expect(found.split(/\n+/u)).toEqual(['More', 'about it', 'Term', 'Meaning', 'Plan', 'Oak St 7']);
});

test('what stands in for a player, and readings beside signs, are no words of the page', async () => {
  expect(
    await text(
      '<p><ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby></p><video>no player</video><iframe>no frame</iframe>',
    ),
  ).toBe('東京');
});

test('links are shown as they lead, from the base that the page names; scripts are no targets', async () => {
  const page =
    '<html><head><base href="https://a.test/docs/"></head><body><a href="p/q.html">plan</a> <a href="javascript:void(0)">menu</a> <a href="file:///C:/Users/x/y.html">own</a></body></html>';
  expect(await text(page)).toBe('plan <https://a.test/docs/p/q.html> menu own');
});

test('a page that names its letters in XML’s way is read by them', async () => {
  const head = Buffer.from('<?xml version="1.0" encoding="windows-1251"?><html><body><p>');
  const words = Buffer.from('c4eee3eee2eef0', 'hex');
  expect((await read(Buffer.concat([head, words]))).text).toBe('Договор');
});

test('a page that Chromium saved in one file is read, with where it came from', async () => {
  const saved = [
    'From: <Saved by Blink>',
    'Snapshot-Content-Location: https://a.test/loft',
    'Subject: Loft',
    'Date: Mon, 2 Mar 2026 10:00:00 GMT',
    'MIME-Version: 1.0',
    'Content-Type: multipart/related;',
    '\ttype="text/html";',
    '\tboundary="----M--7ZRG----"',
    '',
    '',
    '------M--7ZRG----',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: quoted-printable',
    'Content-Location: https://a.test/loft',
    '',
    '<!DOCTYPE html><html><head><title>Loft</title></head><body><p>M=C3=BCller, O=',
    'ak St</p></body></html>',
    '------M--7ZRG----',
    'Content-Type: text/css',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'p { color: red }',
    '------M--7ZRG------',
    '',
  ].join('\r\n');
  expect(await read(saved)).toMatchObject({
    title: 'Loft',
    text: 'Müller, Oak St',
    url: 'https://a.test/loft',
    writtenAt: Date.UTC(2026, 2, 2, 10),
  });
});
