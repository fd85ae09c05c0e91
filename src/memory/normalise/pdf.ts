// A PDF page by page, in the reading order that the file gives. Where there are no words to read (a scan, a
// password) the document is kept with its title and says so.
import { isMainThread } from 'node:worker_threads';
import { constants, inflateSync } from 'node:zlib';
import { cleanBlock, cleanLine } from './clean.ts';
import { type Normalised, type Span, UnreadableRecord } from './normalised.ts';
import { createOutline } from './outline.ts';
import { type Line, linesOf } from './pdf-lines.ts';
import { notesOf } from './pdf-notes.ts';

const mostPages = 1_000;
/** Pages that cannot be read before the file is given up: each may cost seconds. */
const mostBroken = 50;
/** Bytes that one compressed stream may inflate to. */
const largestStream = 96 * 1024 * 1024;
/** Deflate makes at most 1,032 bytes of one (RFC 1951's longest match in two bits): a shorter stream is harmless. */
const smallestBomb = Math.floor(largestStream / 1032);

type PdfModule = typeof import('unpdf/pdfjs');
type PdfDocument = Awaited<ReturnType<PdfModule['getDocument']>['promise']>;

/** @throws UnreadableRecord where a stream inflates beyond the bound: the parser itself has none */
function refuseBombs(bytes: Buffer): void {
  // Filters may be named one after another; two of them inflate what was inflated.
  if (/\/Filter\s*\[[^\]]*(?:FlateDecode|\/Fl\b)[^\]]*(?:FlateDecode|\/Fl\b)/u.test(bytes.toString('latin1')))
    throw new UnreadableRecord('holds a stream that is compressed twice: not opened');
  for (let at = bytes.indexOf('stream'); at !== -1; at = bytes.indexOf('stream', at + 6)) {
    if (bytes.toString('latin1', at - 3, at) === 'end') continue;
    let from = at + 6;
    if (bytes[from] === 0x0d) from += 1;
    if (bytes[from] === 0x0a) from += 1;
    const found = bytes.indexOf('endstream', from);
    const to = found === -1 ? bytes.length : found;
    // A zlib header (RFC 1950): method 8, and a multiple of 31.
    const isDeflate =
      ((bytes[from] ?? 0) & 0x0f) === 8 && bytes.length > from + 1 && bytes.readUInt16BE(from) % 31 === 0;
    if (to - from < smallestBomb || !isDeflate) continue;
    try {
      inflateSync(bytes.subarray(from, to), {
        maxOutputLength: largestStream,
        finishFlush: constants.Z_SYNC_FLUSH,
      });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') continue;
      throw new UnreadableRecord(
        `holds a stream that inflates beyond ${largestStream / 1024 / 1024} MiB: not opened`,
      );
    }
  }
}

/** Lines as paragraphs: an empty line where the page leaves a gap; words that were parted are joined. */
function paragraphsOf(lines: readonly Line[]): string {
  let text = '';
  lines.forEach(({ words, y, height }, i) => {
    const before = lines[i - 1];
    if (before === undefined) text = words;
    else {
      const step = before.y - y;
      const isApart = step < -1 || step > 1.9 * Math.max(height, before.height);
      text += `${isApart ? '\n\n' : '\n'}${words}`;
    }
  });
  return cleanBlock(text).replace(/(\p{Ll})[-\u2010\u00ad]\n(\p{Ll})/gu, '$1$2');
}

const noTitle =
  /^(?:\(?(?:untitled|unspecified|anonymous)\)?$|enscript output$|untitled|(?:microsoft )?(?:word|excel|powerpoint)\b|document\d*$|doc\d+$)|\.(?:docx?|pdf|indd|xlsx?|pptx?|rtf|odt)$/iu;

/** The title that the file gives itself, where it is one; else the largest words of the first page. */
function titleOf(own: string, first: readonly Line[]): string {
  if (own !== '' && !noTitle.test(own)) return own.slice(0, 200);
  const largest = Math.max(0, ...first.map((line) => line.height));
  const words = first.filter((line) => line.height >= largest * 0.98).map((line) => line.words);
  const isHeading = words.length < first.length && words.length <= 3;
  const title = isHeading ? cleanLine(words.join(' ')) : '';
  return title.length <= 150 ? title : '';
}

/** Times as PDF writes them (ISO 32000-1, 7.9.4): `D:20260302101500+01'00'`. Integer ms. */
function timeOf(written: unknown): number | undefined {
  const form = /^D:(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?)?/u;
  const match = typeof written === 'string' ? form.exec(written) : null;
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const ahead = (match[7] === '-' ? -1 : 1) * (Number(match[8] ?? 0) * 60 + Number(match[9] ?? 0));
  const at = Date.UTC(year, month - 1, day, hour, minute, second) - ahead * 60_000;
  return at > 0 && at < Date.UTC(2100, 0) ? at : undefined;
}

function wordless(note: string, facts: Record<string, unknown>, title = ''): Normalised {
  return { title, text: `[${note}]`, spans: [], cut: 'sections', people: [], facts };
}

/** Where each page begins in the text, UTF-16 units, page 1 first; a page without words is passed over. */
function pageStarts(spans: readonly Span[]): [page: number, start: number][] {
  const starts = new Map<number, number>();
  for (const { heading, start } of spans) {
    const page = Number(heading?.slice('Page '.length));
    if (!starts.has(page)) starts.set(page, start);
  }
  return [...starts];
}

/** What the file says of itself: in its information dictionary, else in XMP, as PDF 2.0 wants it (ISO 32000-2, 14.3). */
async function metadataOf(pdf: PdfDocument) {
  const found = await pdf.getMetadata().catch(() => undefined);
  const info = (found?.info ?? {}) as Record<string, unknown>;
  const xmp = (name: string): string => {
    const value: unknown = found?.metadata?.get(name);
    return [value].flat().find((one) => typeof one === 'string') ?? '';
  };
  const words = (own: unknown, name: string): string =>
    cleanLine(typeof own === 'string' && own.trim() !== '' ? own : xmp(name));
  const time = (own: unknown, name: string): number | undefined => {
    const at = timeOf(own) ?? Date.parse(xmp(name));
    return Number.isNaN(at) ? undefined : at;
  };
  return {
    title: words(info['Title'], 'dc:title'),
    author: words(info['Author'], 'dc:creator').replace(/^\(?(?:anonymous|unspecified|unknown)\)?$/iu, ''),
    writtenAt: time(info['ModDate'], 'xmp:modifydate') ?? time(info['CreationDate'], 'xmp:createdate'),
  };
}

interface PageRead {
  lines: Line[];
  notes: string[];
}

async function readPage(pdf: PdfDocument, number: number): Promise<PageRead> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  const notes = notesOf(await page.getAnnotations());
  page.cleanup();
  return { lines: linesOf(items.flatMap((item) => ('str' in item ? [item] : []))), notes };
}

/** Notes which tables of characters a font asks for; the parser has none of them. */
function tablesAsked() {
  const names = new Set<string>();
  return {
    names,
    factory: class {
      fetch({ kind, filename }: { kind: string; filename: string }): Promise<never> {
        if (kind === 'cMapUrl') names.add(filename.replace(/\.bcmap$/u, ''));
        return Promise.reject(new Error(`is not here: ${filename}`));
      }
    },
  };
}

/** @param asked the tables of characters that its fonts asked for and that are not there */
async function readPages(pdf: PdfDocument, asked: ReadonlySet<string>): Promise<Normalised> {
  const outline = createOutline();
  let first: Line[] = [];
  const unreadPages: number[] = [];
  let failure: unknown;
  const read = Math.min(pdf.numPages, mostPages);
  let number = 0;
  while (number < read && !outline.full()) {
    number += 1;
    let page: PageRead;
    try {
      page = await readPage(pdf, number);
    } catch (thrown) {
      failure ??= thrown;
      unreadPages.push(number);
      if (unreadPages.length >= mostBroken) break;
      continue;
    }
    if (number === 1) first = page.lines;
    const words = paragraphsOf(page.lines);
    if (words === '' && page.notes.length === 0) continue;
    outline.heading(1, `Page ${number}`);
    for (const paragraph of words.split('\n\n')) outline.block(paragraph);
    outline.block(page.notes.join('\n'));
  }
  if (failure !== undefined && unreadPages.length === number) throw failure;
  const { text, spans, cut } = outline.finish();
  const own = await metadataOf(pdf);
  const title = titleOf(own.title, first);
  const { author, writtenAt } = own;
  const facts = {
    pages: pdf.numPages,
    ...(author === '' ? {} : { author }),
    ...(unreadPages.length === 0 ? {} : { unreadPages }),
    ...(asked.size === 0 ? {} : { unreadFonts: [...asked] }),
  };
  if (text === '') {
    const pages = `${pdf.numPages} ${pdf.numPages === 1 ? 'page' : 'pages'}`;
    const note =
      asked.size > 0
        ? `This PDF has ${pages}, and its letters can only be read by tables that are not here: ${[...asked].join(', ')}`
        : `This PDF has ${pages} and no text in it: pictures, a scan perhaps`;
    return {
      ...wordless(note, { ...facts, unread: asked.size > 0 ? 'fonts' : 'no text' }, title),
      ...(writtenAt === undefined ? {} : { writtenAt }),
    };
  }
  return {
    title,
    text,
    spans,
    cut: 'sections',
    people: [],
    ...(writtenAt === undefined ? {} : { writtenAt }),
    facts: {
      ...facts,
      pageStarts: pageStarts(spans),
      ...(cut || number < pdf.numPages ? { cutShort: true, pagesRead: number } : {}),
    },
  };
}

let strays = false;

/**
 * The parser leaves promises behind that nobody waits for; of a broken file they fail after the file itself has
 * failed, and would end the worker in the middle of the next record. Every other one still does.
 */
function expectStrays(): void {
  if (strays || isMainThread) return;
  strays = true;
  process.on('unhandledRejection', (reason) => {
    if (!(reason instanceof Error && reason.stack?.includes('pdfjs') === true)) throw reason;
  });
}

/** @throws UnreadableRecord for what is no PDF, is broken beyond reading, or would inflate without bound */
export async function readPdf(raw: Uint8Array): Promise<Normalised> {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (!bytes.subarray(0, 1024).includes('%PDF-')) throw new UnreadableRecord('is not a PDF');
  refuseBombs(bytes);
  const { getDocument } = await import('unpdf/pdfjs');
  expectStrays();
  // The parser takes the bytes away from whoever hands them in: it gets a copy.
  const tables = tablesAsked();
  const loading = getDocument({
    data: new Uint8Array(raw),
    disableFontFace: true,
    useSystemFonts: true,
    verbosity: 0,
    useWorkerFetch: false,
    BinaryDataFactory: tables.factory,
  });
  try {
    return await readPages(await loading.promise, tables.names);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (error.name === 'PasswordException')
      return wordless('This PDF is encrypted: its words cannot be read without the password', {
        unread: 'encrypted',
      });
    throw new UnreadableRecord(`is not a PDF that can be read: ${error.message}`);
  } finally {
    await loading.destroy();
  }
}
