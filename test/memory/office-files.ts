// Office files made by hand: the parts that a reader looks at, in a zip.
import { strToU8, zipSync } from 'fflate';

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const officeType = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const namespaces =
  'xmlns:w="w" xmlns:a="a" xmlns:p="p" xmlns:r="r" xmlns:mc="mc" xmlns:dc="dc" xmlns:dcterms="dcterms" xmlns:cp="cp"';

/** A zip of parts by their paths. */
export function zip(parts: Record<string, string | Uint8Array>): Uint8Array {
  return zipSync(
    Object.fromEntries(
      Object.entries(parts).map(([name, content]) => [
        name,
        typeof content === 'string' ? strToU8(content) : content,
      ]),
    ),
  );
}

/** `[id, type, target]`; a target with a scheme is outside of the file. */
export function relations(...entries: [id: string, type: string, target: string][]): string {
  const each = entries.map(([id, type, target]) => {
    const mode = target.includes('://') ? ' TargetMode="External"' : '';
    return `<Relationship Id="${id}" Type="${officeType}/${type}" Target="${target}"${mode}/>`;
  });
  return `${xml}<Relationships>${each.join('')}</Relationships>`;
}

export function coreProperties(title: string, author: string, modified: string): string {
  return `${xml}<cp:coreProperties ${namespaces}><dc:title>${title}</dc:title><dc:creator>${author}</dc:creator><dcterms:modified>${modified}</dcterms:modified></cp:coreProperties>`;
}

const styles = `${xml}<w:styles ${namespaces}><w:style w:styleId="Titel"><w:name w:val="Title"/></w:style><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style><w:style w:styleId="Own"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style><w:style w:styleId="Unseen"><w:name w:val="Unseen"/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>`;

/** A Word document of this body; headings are styled `berschrift1`, `berschrift2`. */
export function docx(body: string, more: Record<string, string> = {}): Uint8Array {
  return zip({
    '_rels/.rels': relations(['rId1', 'officeDocument', 'word/document.xml']),
    'word/document.xml': `${xml}<w:document ${namespaces}><w:body>${body}</w:body></w:document>`,
    'word/styles.xml': styles,
    ...more,
  });
}

/** A paragraph of one run. */
export function paragraph(words: string, { style = '', run = '', list = '' } = {}): string {
  const styled = style === '' ? '' : `<w:pStyle w:val="${style}"/>`;
  const listed = list === '' ? '' : `<w:numPr><w:ilvl w:val="${list}"/><w:numId w:val="1"/></w:numPr>`;
  return `<w:p><w:pPr>${styled}${listed}</w:pPr><w:r><w:rPr>${run}</w:rPr><w:t xml:space="preserve">${words}</w:t></w:r></w:p>`;
}

export function table(rows: readonly (readonly string[])[]): string {
  const cell = (words: string) => `<w:tc>${paragraph(words)}</w:tc>`;
  return `<w:tbl>${rows.map((row) => `<w:tr>${row.map(cell).join('')}</w:tr>`).join('')}</w:tbl>`;
}

interface Sheet {
  name: string;
  /** The rows' XML. */
  rows: string;
  state?: string;
}

/** A workbook; styles: 1 is a date, 2 a share of a hundred, 3 date and time, 4 a time, 5 `"d"0.00`. */
export function xlsx(
  sheets: readonly Sheet[],
  strings: readonly string[] = [],
  from1904 = false,
): Uint8Array {
  const listed = sheets.map(
    ({ name, state }, i) =>
      `<sheet name="${name}" sheetId="${i + 1}" r:id="rId${i + 1}"${state === undefined ? '' : ` state="${state}"`}/>`,
  );
  const formats = [0, 14, 9, 165, 20, 166].map((id) => `<xf numFmtId="${id}"/>`).join('');
  return zip({
    '_rels/.rels': relations(['rId1', 'officeDocument', '/xl/workbook.xml']),
    'xl/workbook.xml': `${xml}<workbook ${namespaces}><workbookPr date1904="${from1904}"/><sheets>${listed.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations(
      ...sheets.map((_, i): [string, string, string] => [
        `rId${i + 1}`,
        'worksheet',
        `worksheets/sheet${i + 1}.xml`,
      ]),
      ['rIdS', 'sharedStrings', 'sharedStrings.xml'],
      ['rIdT', 'styles', 'styles.xml'],
    ),
    'xl/sharedStrings.xml': `${xml}<sst>${strings.map((words) => `<si><t>${words}</t></si>`).join('')}</sst>`,
    'xl/styles.xml': `${xml}<styleSheet><numFmts><numFmt numFmtId="165" formatCode="dd/mm/yyyy\\ hh:mm"/><numFmt numFmtId="166" formatCode="&quot;d&quot;0.00"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${formats}</cellXfs></styleSheet>`,
    ...Object.fromEntries(
      sheets.map(({ rows }, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        `${xml}<worksheet><sheetData>${rows}</sheetData></worksheet>`,
      ]),
    ),
  });
}

interface SlideParts {
  title?: string;
  /** More shapes, as XML. */
  body?: string;
  notes?: string;
  links?: Record<string, string>;
  hidden?: boolean;
}

export function shape(words: string, placeholder = 'body'): string {
  const paragraphs = words.split('\n').map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`);
  return `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${placeholder}"/></p:nvPr></p:nvSpPr><p:txBody>${paragraphs.join('')}</p:txBody></p:sp>`;
}

/** A presentation whose slides lie in the archive in the reverse of their order. */
export function pptx(slides: readonly SlideParts[]): Uint8Array {
  const file = (index: number) => slides.length - index;
  const parts: Record<string, string> = {
    '_rels/.rels': relations(['rId1', 'officeDocument', 'ppt/presentation.xml']),
    'ppt/presentation.xml': `${xml}<p:presentation ${namespaces}><p:sldIdLst>${slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i}"/>`).join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relations(
      ...slides.map((_, i): [string, string, string] => [`rId${i}`, 'slide', `slides/slide${file(i)}.xml`]),
    ),
  };
  slides.forEach(({ title, body = '', notes, links = {}, hidden }, i) => {
    const number = file(i);
    const titled = title === undefined ? '' : shape(title, 'title');
    parts[`ppt/slides/slide${number}.xml`] =
      `${xml}<p:sld ${namespaces}${hidden === true ? ' show="0"' : ''}><p:cSld><p:spTree>${body}${titled}${shape('7', 'sldNum')}</p:spTree></p:cSld></p:sld>`;
    const related: [string, string, string][] = Object.entries(links).map(([id, target]) => [
      id,
      'hyperlink',
      target,
    ]);
    if (notes !== undefined) {
      related.push(['rIdN', 'notesSlide', `../notesSlides/notesSlide${number}.xml`]);
      parts[`ppt/notesSlides/notesSlide${number}.xml`] =
        `${xml}<p:notes ${namespaces}><p:cSld><p:spTree>${shape(notes)}${shape('7', 'sldNum')}</p:spTree></p:cSld></p:notes>`;
    }
    parts[`ppt/slides/_rels/slide${number}.xml.rels`] = relations(...related);
  });
  return zip(parts);
}
