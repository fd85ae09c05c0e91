// Calendars (.ics): one record an event, with its overrides and the time zones that it names, from a file
// of any length. RFC 5545.
import { type ByteSource, decodeText } from './byte-source.ts';
import { type Item, largestRecord, mebibytes, type ReadRequest, sha256 } from './item.ts';
import { readLines } from './lines.ts';

const longestLine = 4 * 1024 * 1024;

interface Span {
  from: number;
  to: number;
}

interface EventGroup {
  uid: string | undefined;
  spans: Span[];
  zones: Map<string, Span>;
  line: number;
}

interface Outline {
  groups: EventGroup[];
  problems: { line: number; reason: string; at: number }[];
}

/** Where each event and each time zone stands in the file; only positions are kept. */
async function outline(source: ByteSource): Promise<Outline> {
  const groups: EventGroup[] = [];
  const byUid = new Map<string, EventGroup>();
  const problems: Outline['problems'] = [];
  let zones = new Map<string, Span>();
  let open: { name: string; from: number; line: number; id: string } | undefined;
  let depth = 0;
  let number = 0;
  let unfolding: 'id' | undefined;

  function close(to: number): void {
    if (open === undefined) return;
    const span = { from: open.from, to };
    const id = open.id.trim();
    if (open.name === 'VTIMEZONE') zones.set(id, span);
    else if (id === '') groups.push({ uid: undefined, spans: [span], zones, line: open.line });
    else {
      const group = byUid.get(id);
      if (group !== undefined) group.spans.push(span);
      else {
        const made = { uid: id, spans: [span], zones, line: open.line };
        byUid.set(id, made);
        groups.push(made);
      }
    }
    open = undefined;
  }

  for await (const line of readLines(source, 0, longestLine)) {
    number += 1;
    if (line.bytes === undefined) {
      problems.push({ line: number, reason: `a line longer than ${mebibytes(longestLine)}`, at: line.start });
      open = undefined;
      depth = 0;
      continue;
    }
    // Component and property names are ASCII whatever the encoding; a byte order mark is dropped.
    const text = line.bytes.toString('latin1').replace(/^\xef\xbb\xbf/, '');
    if (/^[ \t]/.test(text)) {
      if (open !== undefined && unfolding === 'id') open.id += text.slice(1);
      continue;
    }
    unfolding = undefined;
    const mark = /^(BEGIN|END):[ \t]*([A-Z-]+)[ \t]*$/i.exec(text);
    const name = mark?.[2]?.toUpperCase();
    if (mark !== null && name === 'VCALENDAR') {
      if (open !== undefined)
        problems.push({ line: open.line, reason: `${open.name} has no END`, at: open.from });
      open = undefined;
      depth = 0;
      if (mark[1]?.toUpperCase() === 'BEGIN') zones = new Map();
    } else if (open === undefined) {
      if (mark?.[1]?.toUpperCase() === 'BEGIN' && (name === 'VEVENT' || name === 'VTIMEZONE')) {
        open = { name, from: line.start, line: number, id: '' };
        depth = 1;
      }
    } else if (mark !== null) {
      depth += mark[1]?.toUpperCase() === 'BEGIN' ? 1 : -1;
      if (depth === 0) close(line.end);
    } else if (depth === 1 && open.id === '') {
      const id = (open.name === 'VEVENT' ? /^UID[^:]*:(.*)$/i : /^TZID[^:]*:(.*)$/i).exec(text);
      if (id !== null) {
        open.id = id[1] ?? '';
        unfolding = 'id';
      }
    }
  }
  if (open !== undefined)
    problems.push({ line: open.line, reason: `${open.name} has no END`, at: open.from });
  return { groups, problems };
}

async function compose(source: ByteSource, group: EventGroup): Promise<string> {
  const blocks: string[] = [];
  for (const span of group.spans) blocks.push(decodeText(await source.read(span.from, span.to)));
  const named = new Set<string>();
  for (const found of blocks.join('').matchAll(/;TZID=(?:"([^"\r\n]+)"|([^:;\r\n]+))/gi)) {
    named.add((found[1] ?? found[2] ?? '').trim());
  }
  const zones: string[] = [];
  for (const name of named) {
    const span = group.zones.get(name);
    if (span !== undefined) zones.push(decodeText(await source.read(span.from, span.to)));
  }
  const body = [...zones, ...blocks].map((block) =>
    block.replace(/\r?\n/g, '\r\n').replace(/[\r\n]*$/, '\r\n'),
  );
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Drawbridge//import//EN\r\n${body.join('')}END:VCALENDAR\r\n`;
}

/** Goes on at an event whose first byte is at or after `from`. */
export async function* readIcs({ file, source, from }: ReadRequest): AsyncIterable<Item> {
  const { groups, problems } = await outline(source);
  for (const problem of problems) {
    yield { place: `${file}: line ${problem.line}`, reason: problem.reason, next: from };
  }
  for (const group of groups) {
    const start = group.spans[0]?.from ?? 0;
    if (start < from) continue;
    const place = `${file}: line ${group.line}`;
    const next = start + 1;
    const size = group.spans.reduce((sum, span) => sum + span.to - span.from, 0);
    if (size > largestRecord) {
      yield { place, reason: `larger than ${mebibytes(largestRecord)}`, next };
      continue;
    }
    const text = await compose(source, group);
    const raw = Buffer.from(text);
    const externalId = `event:${group.uid ?? sha256(text)}`;
    yield { record: { externalId, kind: 'event', mediaType: 'text/calendar', raw }, place, next };
  }
}
