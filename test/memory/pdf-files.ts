// PDF files made by hand (ISO 32000-1): pages of text in Helvetica, plain or compressed.
import { deflateSync } from 'node:zlib';

interface PdfParts {
  /** The lines of each page; an empty one leaves a gap. */
  pages: readonly (readonly string[])[];
  info?: Record<string, string>;
  /** Objects more, each after its number; the first is number 100. */
  more?: readonly (string | Buffer)[];
  /** Entries of the trailer, of the catalogue, of each page and of its resources. */
  trailer?: string;
  catalog?: string;
  page?: string;
  resources?: string;
  /** Operators behind the lines of each page. */
  drawn?: string;
}

const escaped = (text: string) => text.replace(/[\\()]/g, '\\$&');

export function streamObject(dictionary: string, content: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${content.length} >>\nstream\n`),
    content,
    Buffer.from('\nendstream'),
  ]);
}

export function pdf(parts: PdfParts): Uint8Array {
  const { pages, info = {}, more = [], trailer = '', catalog = '', page = '', resources = '' } = parts;
  const objects = new Map<number, string | Buffer>();
  const kids = pages.map((_, i) => `${10 + 2 * i} 0 R`).join(' ');
  objects.set(1, `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`);
  objects.set(2, `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`);
  objects.set(3, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>');
  const entries = Object.entries(info).map(([name, value]) => `/${name} (${escaped(value)})`);
  objects.set(4, `<< ${entries.join(' ')} >>`);
  pages.forEach((lines, i) => {
    const drawn = lines.map((line, n) => {
      const size = line.startsWith('# ') ? 24 : 11;
      return line === ''
        ? ''
        : `BT /F1 ${size} Tf 72 ${720 - 14 * n} Td (${escaped(line.replace(/^# /, ''))}) Tj ET`;
    });
    const content = Buffer.from([...drawn, parts.drawn ?? ''].join('\n'), 'latin1');
    objects.set(
      10 + 2 * i,
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> ${resources} >> ${page} /Contents ${11 + 2 * i} 0 R >>`,
    );
    objects.set(
      11 + 2 * i,
      i % 2 === 0 ? streamObject('', content) : streamObject('/Filter /FlateDecode', deflateSync(content)),
    );
  });
  more.forEach((content, i) => {
    objects.set(10_000 + i, content);
  });
  const pieces: Buffer[] = [Buffer.from('%PDF-1.7\n%%%%\n')];
  let length = pieces[0]?.length ?? 0;
  const offsets: [number, number][] = [];
  for (const [number, content] of objects) {
    const whole = Buffer.concat([
      Buffer.from(`${number} 0 obj\n`),
      typeof content === 'string' ? Buffer.from(content, 'latin1') : content,
      Buffer.from('\nendobj\n'),
    ]);
    offsets.push([number, length]);
    pieces.push(whole);
    length += whole.length;
  }
  const rows = offsets.map(([number, at]) => `${number} 1\n${String(at).padStart(10, '0')} 00000 n \n`);
  pieces.push(
    Buffer.from(
      `xref\n0 1\n0000000000 65535 f \n${rows.join('')}trailer\n<< /Size ${20_000} /Root 1 0 R /Info 4 0 R ${trailer} >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(pieces);
}
