// Office files as other programs write them: what stands beside the text is found, too.
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import type { RecordMediaType } from '../../src/providers/record.ts';
import { docx, paragraph, pptx, relations, zip } from './office-files.ts';

const office = 'application/vnd.openxmlformats-officedocument.';
async function read(type: string, raw: Uint8Array): Promise<string> {
  const mediaType = `${office}${type}` as RecordMediaType;
  return (await normalise({ externalId: 'x', kind: 'file', mediaType, raw })).text;
}
const document = (body: string, more: Record<string, string>) =>
  read('wordprocessingml.document', docx(body, more));

test('a workbook’s notes, text boxes, charts, hours and line ends are read as XlsxWriter writes them', async () => {
  const raw = await readFile(new URL('foreign/offers.xlsx', import.meta.url));
  expect(await read('spreadsheetml.sheet', raw)).toBe(
    'Sheet: Offers\nClient | Text | Hours\nClient: Anna Berg | Text: one two | Hours: 30:00\n\n' +
      'Note at A2 by Bob: Called twice about parking\n\nBoathouse first\n\n[chart: Viewings by client | Viewings | Anna Berg]',
  );
});

test('a letterhead and a footer are read once, whatever the number of sections that show them', async () => {
  const margin = (name: string, words: string) => `<w:${name} xmlns:w="w">${paragraph(words)}</w:${name}>`;
  const text = await document(paragraph('Dear Anna'), {
    'word/_rels/document.xml.rels': relations(
      ['rId1', 'header', 'header1.xml'],
      ['rId2', 'header', 'header2.xml'],
      ['rId3', 'footer', 'footer1.xml'],
      ['rId4', 'footer', 'footer2.xml'],
    ),
    'word/header1.xml': margin('hdr', 'Lake Realty, Oak St 7'),
    'word/header2.xml': margin('hdr', 'Lake Realty, Oak St 7'),
    'word/footer1.xml': margin('ftr', 'IBAN DE00 1234'),
    'word/footer2.xml': margin('ftr', '7'),
  });
  expect(text).toBe('Dear Anna\n\nHeader and footer\n\nLake Realty, Oak St 7\n\nIBAN DE00 1234');
});

test('text that is hidden in a header, a footnote or a comment is not read', async () => {
  const hidden = '<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>ORDER</w:t></w:r><w:r><w:t>seen</w:t></w:r></w:p>';
  const text = await document('<w:p><w:r><w:t>a</w:t><w:footnoteReference w:id="2"/></w:r></w:p>', {
    'word/_rels/document.xml.rels': relations(['rId1', 'header', 'header1.xml']),
    'word/header1.xml': `<w:hdr xmlns:w="w">${hidden}</w:hdr>`,
    'word/footnotes.xml': `<w:footnotes xmlns:w="w"><w:footnote w:id="2">${hidden}</w:footnote></w:footnotes>`,
  });
  expect(text).toBe('a [note: seen]\n\nHeader and footer\n\nseen');
});

const diagram =
  '<dgm:dataModel><dgm:pt><dgm:t><a:p><a:r><a:t>Offer</a:t></a:r></a:p></dgm:t></dgm:pt><dgm:pt><dgm:t><a:p><a:r><a:t>Lease</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:dataModel>';
const chart =
  '<c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Rents</a:t></a:r></a:p></c:rich></c:tx></c:title><c:cat><c:strRef><c:strCache><c:pt><c:v>Berlin</c:v></c:pt></c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:pt><c:v>1250</c:v></c:pt></c:numCache></c:numRef></c:val></c:chart>';

test('a diagram and a chart of a Word document say their words where they stand', async () => {
  const drawn = (inner: string) =>
    `<w:p><w:r><w:drawing><a:graphicData>${inner}</a:graphicData></w:drawing></w:r></w:p>`;
  const text = await document(
    paragraph('before') + drawn('<dgm:relIds r:dm="rId1" r:lo="rId9"/>') + drawn('<c:chart r:id="rId2"/>'),
    {
      'word/_rels/document.xml.rels': relations(
        ['rId1', 'diagramData', 'diagrams/data1.xml'],
        ['rId2', 'chart', 'charts/chart1.xml'],
      ),
      'word/diagrams/data1.xml': diagram,
      'word/charts/chart1.xml': chart,
    },
  );
  expect(text).toBe('before\n\n[diagram: Offer | Lease]\n\n[chart: Rents | Berlin]');
});

test('and so do those of a slide', async () => {
  const body = '<p:graphicFrame><a:graphicData><c:chart r:id="rId7"/></a:graphicData></p:graphicFrame>';
  const parts = unzipSync(pptx([{ title: 'Market', body }]));
  const text = await read(
    'presentationml.presentation',
    zip({
      ...parts,
      'ppt/slides/_rels/slide1.xml.rels': relations(['rId7', 'chart', '../charts/chart1.xml']),
      'ppt/charts/chart1.xml': chart,
    }),
  );
  expect(text).toBe('Slide 1: Market\n\n[chart: Rents | Berlin]');
});
