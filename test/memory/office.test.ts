// Word, Excel and PowerPoint files as a person reads them; what is damaged, hidden or swollen is refused or
// left out, and never ends the worker.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import { type Normalised, UnreadableRecord } from '../../src/memory/normalise/normalised.ts';
import type { RecordMediaType } from '../../src/providers/record.ts';
import { coreProperties, docx, paragraph, pptx, relations, shape, table, xlsx, zip } from './office-files.ts';

const office = 'application/vnd.openxmlformats-officedocument.';
const types = {
  docx: `${office}wordprocessingml.document`,
  xlsx: `${office}spreadsheetml.sheet`,
  pptx: `${office}presentationml.presentation`,
} as const satisfies Record<string, RecordMediaType>;

function read(type: keyof typeof types, raw: Uint8Array, fileName?: string): Promise<Normalised> {
  const named = fileName === undefined ? {} : { fileName };
  return normalise({ externalId: 'x', kind: 'file', mediaType: types[type], raw, ...named });
}
const headings = ({ spans, text }: Normalised) =>
  spans.map(({ start, end, heading }) => [heading, text.slice(start, end)]);

describe('a Word document', () => {
  test('is read by paragraphs under their headings, whatever language its styles are named in', async () => {
    const found = await read(
      'docx',
      docx(
        paragraph('Lease of the loft', { style: 'Titel' }) +
          paragraph('Rent', { style: 'berschrift1' }) +
          paragraph('1,200 a month.') +
          paragraph('Rise', { style: 'berschrift2' }) +
          paragraph('Two percent.') +
          paragraph('Own', { style: 'Own' }) +
          paragraph('Under own.'),
        { 'docProps/core.xml': coreProperties('', 'Anna Berg', '2026-03-02T10:00:00Z') },
      ),
      'lease-2026.docx',
    );
    expect(found.title).toBe('Lease of the loft (lease-2026.docx)');
    expect(headings(found)).toEqual([
      [undefined, 'Lease of the loft'],
      ['Rent', 'Rent'],
      ['Rent', '1,200 a month.'],
      ['Rent › Rise', 'Rise'],
      ['Rent › Rise', 'Two percent.'],
      ['Rent › Own', 'Own'],
      ['Rent › Own', 'Under own.'],
    ]);
    expect(found.writtenAt).toBe(Date.UTC(2026, 2, 2, 10));
    expect(found.facts).toEqual({ author: 'Anna Berg', fileName: 'lease-2026.docx' });
  });

  test('keeps lists, tables a line a row, links, notes and comments where they stand', async () => {
    const body =
      paragraph('first', { list: '0' }) +
      paragraph('inner', { list: '1' }) +
      table([
        ['Item', 'Price'],
        ['Roof', '12,500'],
      ]) +
      '<w:p><w:r><w:t xml:space="preserve">See the </w:t></w:r><w:hyperlink r:id="rId7"><w:r><w:t>plan</w:t></w:r></w:hyperlink><w:r><w:t>.</w:t><w:footnoteReference w:id="2"/><w:commentReference w:id="0"/></w:r></w:p>' +
      '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>HYPERLINK "https://x.test/old"</w:instrText><w:fldChar w:fldCharType="separate"/><w:t>old plan</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>';
    const note = (id: number, words: string, author = '') =>
      `w:id="${id}"${author === '' ? '' : ` w:author="${author}"`}><w:p><w:r><w:t>${words}</w:t></w:r></w:p>`;
    const { text } = await read(
      'docx',
      docx(body, {
        'word/_rels/document.xml.rels': relations(['rId7', 'hyperlink', 'https://x.test/plan']),
        'word/footnotes.xml': `<w:footnotes xmlns:w="w"><w:footnote ${note(2, 'As of March.')}</w:footnote></w:footnotes>`,
        'word/comments.xml': `<w:comments xmlns:w="w"><w:comment ${note(0, 'Too high?', 'Bob')}</w:comment></w:comments>`,
      }),
    );
    expect(text).toBe(
      '- first\n  - inner\n\nItem | Price\nRoof | 12,500\n\n' +
        'See the plan <https://x.test/plan>. [note: As of March.] [comment by Bob: Too high?]\n\n' +
        'old plan <https://x.test/old>',
    );
  });

  test.each([
    ['hidden by its run', paragraph('ORDER', { run: '<w:vanish/>' })],
    ['hidden by a style', paragraph('ORDER', { style: 'Unseen' })],
    ['of one point', paragraph('ORDER', { run: '<w:sz w:val="2"/>' })],
    ['deleted', '<w:p><w:del><w:r><w:delText>ORDER</w:delText></w:r></w:del></w:p>'],
    ['moved away', '<w:p><w:moveFrom><w:r><w:t>ORDER</w:t></w:r></w:moveFrom></w:p>'],
    [
      'there for old programs',
      '<w:p><w:r><mc:AlternateContent><mc:Fallback><w:t>ORDER</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>',
    ],
  ])('text %s is not read', async (_how, body) => {
    const { text } = await read('docx', docx(paragraph('Hello') + body + paragraph('Regards')));
    expect(text).toBe('Hello\n\nRegards');
  });

  test('what is inserted or says that it is not hidden is read', async () => {
    const inserted =
      '<w:p><w:ins><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>SEEN</w:t></w:r></w:ins></w:p>';
    expect((await read('docx', docx(inserted))).text).toBe('SEEN');
  });
});

describe('a workbook', () => {
  test('is read sheet by sheet, a line a row, each value beside the name of its column', async () => {
    const found = await read(
      'xlsx',
      xlsx(
        [
          {
            name: 'Offers',
            rows:
              '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="D1" t="s"><v>2</v></c></row>' +
              '<row r="2"><c r="A2" t="inlineStr"><is><t>Anna</t></is></c><c r="B2"><f>SUM(1,2)</f><v>0.30000000000000004</v></c><c r="D2" s="1"><v>46083</v></c></row>' +
              '<row r="3"><c r="A3" t="str"><v>Bob</v></c><c r="D3" t="b"><v>1</v></c></row>',
          },
          { name: 'Lists', state: 'hidden', rows: '<row><c><v>1</v></c><c><v>2</v></c></row>' },
        ],
        ['Name', 'Price', 'Viewed'],
      ),
      'offers.xlsx',
    );
    expect(found.text).toBe(
      'Sheet: Offers\nName | Price | Viewed\nName: Anna | Price: 0.3 | Viewed: 2026-03-02\nName: Bob | Viewed: true\n\nSheet: Lists (hidden)\n1 | 2',
    );
    expect(found.title).toBe('offers.xlsx');
    expect(found.facts).toMatchObject({ sheets: ['Offers', 'Lists'] });
    expect(headings(found).at(-1)).toEqual(['Sheet: Lists (hidden)', '1 | 2']);
  });

  test.each([
    ['a date', 1, '46083', '2026-03-02'],
    ['a day before the leap day of 1900 that never was', 1, '59', '1900-02-28'],
    ['a date and a time', 3, '46083.4375', '2026-03-02 10:30'],
    ['a time', 4, '0.4375', '10:30'],
    ['a share', 2, '0.125', '12.5%'],
    ['a number whose format names a letter', 5, '3', '3'],
    ['an amount', 0, '1250000.5', '1250000.5'],
    ['an error', 0, '#N/A', '#N/A'],
  ])('%s is shown as a person sees it', async (_what, style, value, shown) => {
    const rows = `<row><c s="${style}"><v>${value}</v></c></row>`;
    expect((await read('xlsx', xlsx([{ name: 'S', rows }]))).text).toBe(`Sheet: S\n${shown}`);
  });

  test('dates counted from 1904 are told', async () => {
    const rows = '<row><c s="1"><v>44621</v></c></row>';
    expect((await read('xlsx', xlsx([{ name: 'S', rows }], [], true))).text).toContain('2026-03-02');
  });

  test('a table without end is cut, and says so', async () => {
    const row = `<row><c t="inlineStr"><is><t>${'word '.repeat(3000)}</t></is></c></row>`;
    const found = await read('xlsx', xlsx([{ name: 'S', rows: row.repeat(400) }]));
    expect(found.text.length).toBeLessThan(4_600_000);
    expect(found.facts).toMatchObject({ cutShort: true });
  });
});

describe('a presentation', () => {
  test('is read in the order of its slides, with number, title, tables, links and notes', async () => {
    const tbl =
      '<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Roof</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>12,500</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>';
    const linked =
      '<p:sp><p:txBody><a:p><a:r><a:rPr><a:hlinkClick r:id="rIdL"/></a:rPr><a:t>plan</a:t></a:r></a:p></p:txBody></p:sp>';
    const found = await read(
      'pptx',
      pptx([
        {
          title: 'The loft',
          body: shape('first\nsecond') + tbl + linked,
          notes: 'Say it slowly.',
          links: { rIdL: 'https://x.test/plan' },
        },
        { title: 'Backup', hidden: true },
        {},
      ]),
    );
    expect(found.title).toBe('The loft');
    expect(found.text).toBe(
      'Slide 1: The loft\n\nfirst\nsecond\n\nRoof | 12,500\n\nplan <https://x.test/plan>\n\nNotes: Say it slowly.\n\nSlide 2 (hidden): Backup\n\nSlide 3',
    );
    expect(headings(found)[1]).toEqual(['Slide 1: The loft', 'first\nsecond']);
  });
});

describe('what cannot be read', () => {
  const bomb = () => docx(paragraph('a'.repeat(70 * 1024 * 1024)));

  test('a zip bomb is refused by what it would inflate to, before it does', async () => {
    await expect(read('docx', bomb())).rejects.toThrow(/inflates beyond/u);
  });

  test('a zip bomb that lies about its size inflates no further than it says', async () => {
    const raw = Buffer.from(docx(paragraph('a'.repeat(2 * 1024 * 1024))));
    // The declared size stands in the central directory (APPNOTE 4.3.12), 24 bytes from the record's start.
    const name = Buffer.from('word/document.xml');
    const at = raw.lastIndexOf(name) - 46;
    expect(raw.readUInt32LE(at)).toBe(0x02014b50);
    raw.writeUInt32LE(1000, at + 24);
    const found = await read('docx', raw);
    expect(found.text.length).toBeLessThan(1000);
  });

  test('an archive of more parts than a document has is refused', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`p${i}`, '']));
    await expect(read('docx', zip(many))).rejects.toThrow(/more than 10000 parts/u);
  });

  test('entities that a document declares are not expanded: a billion laughs stay a word', async () => {
    const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join(
      '',
    );
    const body = `<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "lol">${laughs}]><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>Hello &l10;</w:t></w:r></w:p></w:body></w:document>`;
    const { text } = await read('docx', docx('', { 'word/document.xml': body }));
    expect(text).toContain('Hello');
    expect(text.length).toBeLessThan(100);
  });

  test('an encrypted file is kept with its name and says so; one from before 2007 is refused', async () => {
    const head = Buffer.from('d0cf11e0a1b11ae1', 'hex');
    const encrypted = Buffer.concat([head, Buffer.alloc(512), Buffer.from('EncryptedPackage', 'utf16le')]);
    const found = await read('xlsx', encrypted, 'prices.xlsx');
    expect(found).toMatchObject({ title: 'prices.xlsx', spans: [], facts: { unread: 'encrypted' } });
    expect(found.text).toContain('encrypted');
    await expect(read('docx', Buffer.concat([head, Buffer.alloc(512)]))).rejects.toThrow(/before 2007/u);
  });

  test('a file that is none under the name of one is refused with what is missing', async () => {
    await expect(read('docx', zip({ 'word/a.txt': 'x' }))).rejects.toThrow(/not a Word document/u);
    await expect(read('pptx', zip({ 'a.txt': 'x' }))).rejects.toThrow(/not a presentation/u);
    await expect(read('xlsx', Buffer.from('hello'))).rejects.toThrow(/no Office file/u);
    await expect(read('xlsx', Buffer.from('PK hello'))).rejects.toThrow(/damaged archive/u);
  });

  test('whatever is broken in it, a file is read or refused with a reason', async () => {
    const whole = [
      ['docx', docx(paragraph('Hello', { style: 'berschrift1' }) + table([['a', 'b']]))],
      ['xlsx', xlsx([{ name: 'S', rows: '<row><c s="1"><v>46083</v></c></row>' }], ['x'])],
      ['pptx', pptx([{ title: 'T', body: shape('x'), notes: 'n' }])],
    ] as const;
    const damage = fc.record({
      which: fc.constantFrom(...whole),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ which: [type, good], cut, bytes }) => {
        const raw = Buffer.from(good.subarray(0, Math.ceil(good.length * (cut < 0.3 ? cut / 0.3 : 1))));
        for (const [at, value] of bytes) if (raw.length > 0) raw[at % raw.length] = value;
        try {
          const found = await read(type, raw);
          expect(found.text.isWellFormed()).toBe(true);
          for (const { end } of found.spans) expect(end).toBeLessThanOrEqual(found.text.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(UnreadableRecord);
        }
      }),
      { numRuns: 300 },
    );
  });
});
