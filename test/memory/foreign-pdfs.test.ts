// PDFs as other programs leave them: forms that were filled in, comments, pages put together from drawings, pages
// that are broken, letters under wrong names.
import { expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import { linesOf } from '../../src/memory/normalise/pdf-lines.ts';
import { pdf, streamObject } from './pdf-files.ts';

const read = (raw: Uint8Array) =>
  normalise({ externalId: 'x', kind: 'file', mediaType: 'application/pdf', raw, fileName: 'x.pdf' });

/** A PDF of one page with these annotations, the first of them object 10000; fields are in its form. */
function annotated(...annotations: string[]): Uint8Array {
  const all = annotations.map((_, i) => `${10_000 + i} 0 R`).join(' ');
  return pdf({
    pages: [['Lease']],
    more: annotations.map(
      (one, i) => `<< /Type /Annot /Rect [100 ${600 - 30 * i} 300 ${620 - 30 * i}] ${one} >>`,
    ),
    page: `/Annots [${all}]`,
    catalog: `/AcroForm << /Fields [${all}] >>`,
  });
}

test('a form says what was filled in, field by field, and not what is empty, hidden or a password', async () => {
  const field = (name: string, type: string, more: string) =>
    `/Subtype /Widget /FT /${type} /T (${name}) /F 4 ${more}`;
  const states = (on: string) => `/AP << /N << /${on} << >> /Off << >> >> >>`;
  const { text } = await read(
    annotated(
      field('form[0].Tenant[0]', 'Tx', '/V (Anna Berg)'),
      field('f1', 'Tx', '/V (12,500) /TU (Deposit in euro)'),
      field('Empty', 'Tx', '/V ()'),
      field('Secret', 'Tx', '/V (hush) /Ff 8192'),
      field('Hidden', 'Tx', '/V (ORDER) /F 2'),
      field('Unviewed', 'Tx', '/V (ORDER) /F 32'),
      field('Pets', 'Btn', `/V /On /AS /On ${states('On')}`),
      field('Smoker', 'Btn', `/V /Off /AS /Off ${states('On')}`),
      field('Town', 'Ch', '/V (b) /Opt [[(b) (Berlin)] [(p) (Paris)]] /Ff 131072'),
    ),
  );
  expect(text).toBe('Page 1\n\nLease\n\nTenant: Anna Berg\nDeposit in euro: 12,500\nPets: yes\nTown: Berlin');
});

test('comments stand behind the words of their page, with who wrote them; a form alone is no empty page', async () => {
  const { text } = await read(
    annotated(
      '/Subtype /Text /Contents (Too high?) /T (Bob)',
      '/Subtype /FreeText /Contents (Agreed) /DA (/F1 9 Tf)',
    ),
  );
  expect(text).toBe('Page 1\n\nLease\n\n[comment by Bob: Too high?]\n[comment: Agreed]');
  const alone = await read(
    pdf({
      pages: [[]],
      more: ['<< /Type /Annot /Subtype /Widget /FT /Tx /T (Name) /V (Zoe) /Rect [0 0 9 9] /F 4 >>'],
      page: '/Annots [10000 0 R]',
      catalog: '/AcroForm << /Fields [10000 0 R] >>',
    }),
  );
  expect(alone.text).toBe('Page 1\n\nName: Zoe');
});

test('drawings inside of a page do not run into each other', async () => {
  const drawing = (words: string, x: number, y: number) =>
    streamObject(
      '/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>',
      Buffer.from(`BT /F1 10 Tf ${x} ${y} Td (${words}) Tj ET`),
    );
  const { text } = await read(
    pdf({
      pages: [[]],
      more: [drawing('Invoice', 72, 700), drawing('2026-17', 200, 700), drawing('Total', 72, 600)],
      resources: '/XObject << /A 10000 0 R /B 10001 0 R /C 10002 0 R >>',
      drawn: '/A Do /B Do /C Do',
    }),
  );
  expect(text).toBe('Page 1\n\nInvoice 2026-17\n\nTotal');
});

test('a page that cannot be read costs no other page, and the document says which it was', async () => {
  // The second page's words are compressed: behind the head stands a block whose codes are none.
  const broken = Buffer.from(pdf({ pages: [['One'], ['Two'], ['Three']] }));
  const from = broken.indexOf('stream\n', broken.indexOf('13 0 obj')) + 9;
  broken.fill(0xff, from, broken.indexOf('endstream', from) - 1);
  broken[from] = 5;
  const found = await read(broken);
  expect(found.text).toBe('Page 1\n\nOne\n\nPage 3\n\nThree');
  expect(found.facts).toMatchObject({ pages: 3, unreadPages: [2] });
});

test('title, author and time of a PDF that has them in XMP alone are read', async () => {
  const xmp =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">The Loft</rdf:li></rdf:Alt></dc:title><dc:creator><rdf:Seq><rdf:li>Anna Berg</rdf:li></rdf:Seq></dc:creator><xmp:ModifyDate>2026-03-02T10:15:00Z</xmp:ModifyDate></rdf:Description></rdf:RDF></x:xmpmeta>';
  const found = await read(
    pdf({
      pages: [['words']],
      more: [streamObject('/Type /Metadata /Subtype /XML', Buffer.from(xmp))],
      catalog: '/Metadata 10000 0 R',
    }),
  );
  expect(found).toMatchObject({
    title: 'The Loft (x.pdf)',
    facts: { author: 'Anna Berg' },
    writtenAt: Date.UTC(2026, 2, 2, 10, 15),
  });
});

test('what a program writes where nobody named a title or an author is neither', async () => {
  const info = { Title: '(anonymous)', Author: '(anonymous)' };
  const found = await read(pdf({ pages: [['# Survey', '', 'of the loft']], info }));
  expect(found.title).toBe('Survey (x.pdf)');
  expect(found.facts).not.toHaveProperty('author');
});

/** A piece of text at a place, written to the right. */
const piece = (str: string, x: number, y: number, width = 10 * str.length) => ({
  str,
  transform: [10, 0, 0, 10, x, y],
  width,
  height: 10,
  hasEOL: false,
});
const words = (...pieces: ReturnType<typeof piece>[]) => linesOf(pieces).map((line) => line.words);

test('pieces are parted where the page parts them, in either direction of writing', () => {
  expect(words(piece('12', 0, 0), piece('th', 20, 3), piece('floor', 50, 0))).toEqual(['12th floor']);
  expect(words(piece('סעיף', 100, 0), piece('15', 70, 0))).toEqual(['סעיף 15']);
  expect(words(piece('Header', 0, 700), piece('Body', 0, 600))).toEqual(['Header', 'Body']);
  const turned = { ...piece('side', 0, 0), transform: [0, 10, -10, 0, 60, 0] };
  expect(words(piece('Body', 0, 0), turned)).toEqual(['Body', 'side']);
});

test.each([
  [
    'Ghostscript 10.00, ligatures with turned bytes',
    'o昀昀ice, indemni昀椀cation, a昀툀uent, 昀氀ow, 琀椀me',
    'office, indemnification, affluent, flow, time',
  ],
  ['Chrome, radicals in place of letters', '⽇本語 ⼈', '日本語 人'],
])('letters under wrong names are put right: %s', (_program, written, meant) => {
  expect(words(piece(written, 0, 0))).toEqual([meant]);
});

test('the sign that a turned letter looks like stays where no Latin letter is beside it', () => {
  expect(words(piece('お椀の昀 琀', 0, 0))).toEqual(['お椀の昀 琀']);
});
