// Files that are not what their names say, and texts whose encoding nothing tells: what can be read is read, and of
// the rest it is said why not.
import { expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import { docx, paragraph, pptx, xlsx, zip } from '../memory/office-files.ts';
import { pdf, streamObject } from '../memory/pdf-files.ts';
import { reading } from './import-readers.ts';

/** The words of a file's only document, or the reason that it has none. */
async function read(name: string, content: string | Uint8Array): Promise<string> {
  const { items } = await reading(name, content);
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`${items.length} items`);
  if ('reason' in item) return item.reason;
  return normalise(item.record).then(
    ({ text }) => text,
    (thrown: Error) => thrown.message,
  );
}

const word = docx(paragraph('Lease'));
const workbook = xlsx([{ name: 'Rents', rows: '<row><c><v>7</v></c></row>' }]);

test.each<[string, string | Uint8Array, string]>([
  ['a.docx', pdf({ pages: [['Lease']] }), 'Page 1\n\nLease'],
  ['scan', pdf({ pages: [['Lease']] }), 'Page 1\n\nLease'],
  ['a.pdf', word, 'Lease'],
  ['a.xlsx', word, 'Lease'],
  ['a.docx', workbook, 'Sheet: Rents\n7'],
  ['export.xls', '<html><table><tr><td>Rent</td><td>7</td></tr></table></html>', 'Rent | 7'],
  ['export.doc', '<!DOCTYPE html><p>Lease</p>', 'Lease'],
  ['letter.dotx', word, 'Lease'],
  ['rents.xltx', workbook, 'Sheet: Rents\n7'],
  ['show.ppsx', pptx([{ title: 'Loft' }]), 'Slide 1: Loft'],
  ['page.xhtml', '<?xml version="1.0"?><html><body><p>Lease</p></body></html>', 'Lease'],
])('%s is read as what it is', async (name, content, words) => {
  expect(await read(name, content)).toBe(words);
});

test.each<[string, string | Uint8Array, string]>([
  [
    'old.doc',
    Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    'is in an Office format from before 2007: save it as docx, xlsx or pptx',
  ],
  ['rich.doc', '{\\rtf1 Lease}', 'is no Office file, whatever its name says'],
  ['list.xlsx', 'a;b\n1;2\n', 'is no Office file, whatever its name says'],
  ['other.docx', zip({ 'x.txt': 'x' }), 'is not a Word document: its main part is missing'],
])('%s is refused with its reason', async (name, content, reason) => {
  expect(await read(name, content)).toBe(reason);
});

const letter =
  'Return-Path: <ada@example.com>\nFrom: ada@example.com\nSubject: Lease\n\nThe keys are here.\n';

test.each(['Maildir/cur/1717236000.M1P1.host,S=200:2,S', 'Maildir/new/1717236001.M2P1.host', 'mh/inbox/17'])(
  '%s is read as a mail',
  async (name) => {
    expect(await read(name, letter)).toBe('The keys are here.');
  },
);

test.each([
  ['Maildir/cur/cover.bin', 'no header'],
  ['mh/inbox/17', '17,4\n'],
  ['inbox/letter', letter],
])('%s is passed over where nothing says that it is a mail', async (name, content) => {
  await expect(read(name, content)).rejects.toThrow('no reader');
});

test('a PDF whose letters need a table that is not here says so, and is not called a scan', async () => {
  const font = `<< /Type /Font /Subtype /Type0 /BaseFont /Ryumin-Light /Encoding /90ms-RKSJ-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Ryumin-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /FontDescriptor << /Type /FontDescriptor /FontName /Ryumin-Light /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /StemV 80 >> >>] >>`;
  const drawing = streamObject(
    '/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /Font << /J 10001 0 R >> >>',
    Buffer.from('BT /J 10 Tf 72 700 Td <8ec096> Tj ET'),
  );
  const file = pdf({
    pages: [[]],
    more: [drawing, font],
    resources: '/XObject << /A 10000 0 R >>',
    drawn: '/A Do',
  });
  expect(await read('lease.pdf', file)).toBe(
    '[This PDF has 1 page, and its letters can only be read by tables that are not here: 90ms-RKSJ-H]',
  );
});

test.each([
  [
    'Shift_JIS',
    '938c8b9e82cc95a88c8f82c982c282a282c482cc82a8926d82e782b982c582b78142',
    '東京の物件についてのお知らせです。',
  ],
  ['EUC-JP', 'c5ecb5fea4cecaaab7efa4cba4c4a4a4a4c6a4cea4aac3cea4e9a4bb', '東京の物件についてのお知らせ'],
  [
    'GB 18030',
    'b9d8d3dab1b1bea9b7bfb2fab5c4cda8d6aaa3acc7ebb2e9cad5d7e2c1debacfcdaca1a3',
    '关于北京房产的通知，请查收租赁合同。',
  ],
  [
    'Big5',
    'c3f6a9f3a578a55fa9d0b2a3aabab371aabea141bdd0ac64a6acafb2b8eea658acf9a143',
    '關於台北房產的通知，請查收租賃合約。',
  ],
  [
    'EUC-KR',
    'bcadbfef20baceb5bfbbea20c0d3b4eb20b0e8bee0bcadb8a620bab8b3bbb5e5b8b3b4cfb4d92e',
    '서울 부동산 임대 계약서를 보내드립니다.',
  ],
  [
    'Windows-1251',
    'c4eee3eee2eef020e0f0e5ede4fb20eae2e0f0f2e8f0fb20e220cceef1eae2e52e',
    'Договор аренды квартиры в Москве.',
  ],
  [
    'KOI8-R',
    'e4cfc7cfd7cfd220c1d2c5cec4d920cbd7c1d2d4c9d2d920d720edcfd3cbd7c52e',
    'Договор аренды квартиры в Москве.',
  ],
  [
    'Windows-1252',
    '4dfc6c6c657220262053f6686e6520962093416e6765626f74942066fc7220312e3235302080',
    'Müller & Söhne – “Angebot” für 1.250 €',
  ],
  [
    'Windows-1252, accents beside each other',
    '44e9e77565732c206e61ef7665733a20ab6372e9e965bb',
    'Déçues, naïves: «créée»',
  ],
])('a text in %s is read by the letters that are common in its language', async (_name, hex, words) => {
  expect(await read('note.txt', Buffer.from(hex, 'hex'))).toBe(words);
});

test('a text in Polish, two of whose letters look like one of the East, is not taken for Chinese', async () => {
  const bytes = Buffer.from(
    '74656c65666f6e2073b375bf626f77792c206b6f6e74616b742073b375bf626f77792c2061647265732073b375bf626f77792c2066616b732073b375bf626f7779',
    'hex',
  );
  expect(await read('note.txt', bytes)).toMatch(/^telefon s[^\u3000-\uffff]+bowy$/u);
});

test.each(['utf-16le', 'utf-16be'])('a text in %s without a mark is read', async (encoding) => {
  const bytes = Buffer.from('Müller, Oak St 7\nsecond line', 'utf16le');
  expect(await read('note.txt', encoding === 'utf-16le' ? bytes : bytes.swap16())).toBe(
    'Müller, Oak St 7\nsecond line',
  );
});

test('zero bytes that are no UTF-16 are no text', async () => {
  expect(await read('note.txt', Buffer.from('a\0b\0\0\0c\0\0d', 'latin1'))).toBe(
    'not text: it holds zero bytes',
  );
});
