// An HTML file: its text as a person sees it, under its headings, with lists, tables a line a row, and
// links with their targets. What is hidden in it, and what only navigates, is left out.
import { Parser } from 'htmlparser2';
import PostalMime from 'postal-mime';
import { cleanBlock, cleanLine } from './clean.ts';
import { pageToText } from './html.ts';
import type { Normalised } from './normalised.ts';
import { decodeText, markdownSpans } from './text.ts';

interface Head {
  title: string;
  author: string;
  url: string;
  /** ISO 8601, where the page is honest. */
  published: string;
}

/** What is looked at for the head of a page: characters. */
const headLength = 200_000;
const publishing = new Set(['article:published_time', 'date', 'dc.date', 'dcterms.date', 'datepublished']);

function headOf(html: string): Head {
  const head: Head = { title: '', author: '', url: '', published: '' };
  let inside = '';
  const parser = new Parser({
    onopentag(name, attributes) {
      inside = name;
      const content = attributes['content'] ?? '';
      const key = (
        attributes['name'] ??
        attributes['property'] ??
        attributes['itemprop'] ??
        ''
      ).toLowerCase();
      if (name === 'meta' && key === 'author') head.author ||= content;
      else if (name === 'meta' && publishing.has(key)) head.published ||= content;
      else if (name === 'link' && attributes['rel'] === 'canonical') head.url ||= attributes['href'] ?? '';
    },
    ontext(words) {
      if (inside === 'title') head.title += words;
    },
    onclosetag() {
      inside = '';
    },
  });
  const end = /<\/head\s*>|<body[\s>]/iu.exec(html.slice(0, headLength));
  parser.end(html.slice(0, end?.index ?? headLength));
  return head;
}

/** Bytes as text: by a byte order mark, else by the page's own word, else UTF-8 or Windows-1252. */
function decodePage(raw: Uint8Array): string {
  const start = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, 2048)).toString('latin1');
  const label = (/<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w-]{2,30})/iu.exec(start) ??
    /^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([\w-]{2,30})/iu.exec(start))?.[1];
  const marked = /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/u.test(start);
  if (label === undefined || marked || /^utf-?(?:8|16)/iu.test(label)) return decodeText(raw);
  try {
    return new TextDecoder(label).decode(raw);
  } catch (thrown) {
    // A label that no one knows: the page is read as any other.
    if (!(thrown instanceof RangeError)) throw thrown;
    return decodeText(raw);
  }
}

/** A page that a browser saved in one file (RFC 2557): the page itself, where it came from and when. */
async function savedPage(raw: Uint8Array): Promise<{ html: string; url: string; at: number } | undefined> {
  const start = Buffer.from(raw.buffer, raw.byteOffset, Math.min(raw.byteLength, 4096)).toString('latin1');
  if (!/^content-type:\s*multipart\/related/imu.test(start.split(/\r?\n\r?\n/u, 1)[0] ?? ''))
    return undefined;
  const { html, headers, date } = await PostalMime.parse(raw);
  const url = headers.find(({ key }) => /^(?:snapshot-)?content-location$/u.test(key))?.value ?? '';
  return html === undefined ? undefined : { html, url, at: Date.parse(date ?? '') };
}

export async function readPage(raw: Uint8Array): Promise<Normalised> {
  const saved = await savedPage(raw);
  const html = saved?.html ?? decodePage(raw);
  const head = headOf(html);
  const read = pageToText(html);
  const text = cleanBlock(read.text);
  const { spans, first } = markdownSpans(text);
  const title = cleanLine(head.title) || (first ?? cleanLine(text.split('\n', 1)[0] ?? ''));
  const author = cleanLine(head.author);
  const published = Date.parse(head.published);
  const at = Number.isNaN(published) ? (saved?.at ?? Number.NaN) : published;
  const url = head.url === '' ? (saved?.url ?? '') : head.url;
  return {
    title: title.slice(0, 200),
    text,
    spans,
    cut: 'sections',
    people: [],
    ...(/^https?:\/\//iu.test(url) ? { url: cleanLine(url) } : {}),
    ...(Number.isNaN(at) ? {} : { writtenAt: at }),
    facts: { ...(author === '' ? {} : { author }), ...(read.cut ? { cutShort: true } : {}) },
  };
}
