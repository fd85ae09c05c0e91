// JSON lines: `{id, kind, title, text, at, people, thread, url}`, with `turns` of a conversation and
// `facts` where there are some. A line that is not such an object is reported and passed over.
import { z } from 'zod';
import {
  type DocumentKind,
  documentKinds,
  type Person,
  personRoles,
  type Structured,
} from '../../providers/record.ts';
import { decodeText } from './byte-source.ts';
import { type Item, largestRecord, mebibytes, type ReadRequest, sha256, structuredBytes } from './item.ts';
import { readLines } from './lines.ts';
import { personOf } from './people.ts';

const time = z.union([
  z.number().int(),
  z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is not a time (ISO 8601)'),
]);
const person = z.union([
  z.string(),
  z.object({
    name: z.string().optional(),
    address: z.string().optional(),
    email: z.string().optional(),
    role: z.enum(personRoles).optional(),
  }),
]);
const turn = z.object({ speaker: z.string().optional(), at: time.optional(), text: z.string() });

const line = z
  .object({
    id: z.union([z.string().min(1), z.number()]).optional(),
    kind: z.enum(documentKinds).default('note'),
    title: z.string().optional(),
    text: z.string().optional(),
    at: time.nullish(),
    people: z.array(person).optional(),
    thread: z.string().nullish(),
    url: z.string().nullish(),
    turns: z.array(turn).optional(),
    facts: z.record(z.string(), z.unknown()).optional(),
  })
  .refine(
    (value) =>
      value.title !== undefined ||
      value.text !== undefined ||
      value.turns !== undefined ||
      value.facts !== undefined,
    {
      message: 'has none of title, text, turns and facts',
    },
  );

const defaultRole: Partial<Record<DocumentKind, Person['role']>> = {
  mail: 'from',
  event: 'attendee',
  chat: 'speaker',
  transcript: 'speaker',
  listing: 'agent',
};

const records: ReadonlySet<DocumentKind> = new Set([
  'contact',
  'company',
  'deal',
  'invoice',
  'payment',
  'ticket',
  'order',
  'metric',
]);

function structuredOf(value: z.infer<typeof line>): Structured {
  const role = defaultRole[value.kind] ?? 'contact';
  // The facts of a record are said in words, and its text stands beside them.
  const isRecord = value.facts !== undefined && records.has(value.kind);
  const people = (value.people ?? []).flatMap((entry) => {
    const found =
      typeof entry === 'string'
        ? personOf(entry, role)
        : personOf(`${entry.name ?? ''} <${entry.address ?? entry.email ?? ''}>`, entry.role ?? role);
    return found === undefined ? [] : [found];
  });
  return {
    ...(value.title === undefined ? {} : { title: value.title }),
    ...(value.text === undefined ? {} : { [isRecord ? 'notes' : 'text']: value.text }),
    ...(people.length === 0 ? {} : { people }),
    ...(value.thread == null ? {} : { thread: value.thread }),
    ...(value.url == null ? {} : { url: value.url }),
    ...(value.at == null ? {} : { at: value.at }),
    ...(value.turns === undefined
      ? {}
      : {
          turns: value.turns.map((each) => ({
            text: each.text,
            ...(each.speaker === undefined ? {} : { speaker: each.speaker }),
            ...(each.at === undefined ? {} : { at: each.at }),
          })),
        }),
    ...(value.facts === undefined ? {} : { facts: value.facts }),
  };
}

function reasonOf(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ');
}

/** The number of lines before `from`: places stay right when an import goes on in the middle. */
async function linesBefore(request: ReadRequest): Promise<number> {
  let count = 0;
  if (request.from === 0) return 0;
  for await (const piece of request.source.pieces(0, request.from)) {
    for (let at = piece.indexOf(0x0a); at !== -1; at = piece.indexOf(0x0a, at + 1)) count += 1;
  }
  return count;
}

export async function* readJsonLines(request: ReadRequest): AsyncIterable<Item> {
  let number = await linesBefore(request);
  for await (const { bytes, end } of readLines(request.source, request.from, largestRecord)) {
    number += 1;
    const at = { place: `${request.file}: line ${number}`, next: end };
    if (bytes === undefined) {
      yield { ...at, reason: `larger than ${mebibytes(largestRecord)}` };
      continue;
    }
    const text = decodeText(bytes).trim();
    if (text === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      yield { ...at, reason: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
      continue;
    }
    const parsed = line.safeParse(value);
    if (!parsed.success) {
      yield { ...at, reason: reasonOf(parsed.error) };
      continue;
    }
    const structured = structuredOf(parsed.data);
    const raw = structuredBytes(structured);
    const { id, kind } = parsed.data;
    // Its own id names the record across imports: a later line of the same id and kind replaces it.
    const externalId = id === undefined ? `${kind}:${sha256(raw)}` : `${kind}:${id}`;
    yield { ...at, record: { externalId, kind, mediaType: 'application/json', raw } };
  }
}
