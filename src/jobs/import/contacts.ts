// Delimited files (.csv, .tsv): exports of contacts from Google, Outlook and HubSpot by their column names
// become contacts; any other table becomes a note a row.
import type { Person, Structured } from '../../providers/record.ts';
import { type Item, type ReadRequest, sha256, structuredBytes } from './item.ts';
import { readRows } from './rows.ts';

interface Column {
  name: string;
  role:
    | 'email'
    | 'phone'
    | 'name'
    | 'first'
    | 'middle'
    | 'last'
    | 'company'
    | 'job'
    | 'title'
    | 'time'
    | 'url'
    | 'other';
  index: number;
}

// Column names without case, spaces and signs, as the exports write them:
// Google "E-mail 1 - Value", Outlook "E-mail 2 Address", HubSpot "Work email".
const shapes: [Column['role'], RegExp][] = [
  ['email', /^(work|primary|home|other|personal|contact)?e?mail(address)?\d*(value|address)?$/],
  [
    'phone',
    /^((work|business|mobile|home|main|primary|other|company|cell|car|assistants?)*(tele)?phone(number)?\d*(value)?|mobile|cell)$/,
  ],
  ['name', /^(full|display|contact|file)?name$/],
  ['first', /^(first|given)name$/],
  ['middle', /^(middle|additional)name$/],
  ['last', /^(last|family|sur)name$/],
  [
    'company',
    /^(company|companyname|organi[sz]ation|organi[sz]ation1?name|associatedcompany|primaryassociatedcompany|account(name)?|employer)$/,
  ],
  ['job', /^(jobtitle|organi[sz]ation1?title|position|role)$/],
  ['title', /^(title|subject|summary|heading)$/],
  ['time', /^(date|time|at|when|created|createdat|createdate|timestamp)$/],
  ['url', /^(url|link|website|websiteurl|website1value|webpage)$/],
];

function columnsOf(header: string[]): Column[] {
  return header.map((name, index) => {
    const bare = name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
    const role = shapes.find(([, shape]) => shape.test(bare))?.[0] ?? 'other';
    return { name: name.trim(), role, index };
  });
}

function valuesOf(columns: Column[], row: string[], role: Column['role']): string[] {
  return columns
    .filter((column) => column.role === role)
    .flatMap((column) => (row[column.index] ?? '').split(' ::: '))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

function linesOf(columns: Column[], row: string[], without: readonly Column['role'][]): string {
  return columns
    .filter((column) => !without.includes(column.role))
    .map((column) => ({ name: column.name, value: (row[column.index] ?? '').trim() }))
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => (name === '' ? value : `${name}: ${value}`))
    .join('\n');
}

function contactOf(columns: Column[], row: string[]): Structured | undefined {
  const emails = valuesOf(columns, row, 'email').map((email) => email.toLowerCase());
  const phones = valuesOf(columns, row, 'phone');
  const company = valuesOf(columns, row, 'company')[0];
  const jobTitle = valuesOf(columns, row, 'job')[0];
  const parts = [
    ...valuesOf(columns, row, 'first'),
    ...valuesOf(columns, row, 'middle'),
    ...valuesOf(columns, row, 'last'),
  ];
  const name = valuesOf(columns, row, 'name')[0] ?? (parts.length > 0 ? parts.join(' ') : undefined);
  const title = name ?? company ?? emails[0] ?? phones[0];
  if (title === undefined) return undefined;
  const named = name === undefined ? {} : { name };
  const people: Person[] =
    emails.length === 0 && name !== undefined
      ? [{ name, role: 'contact' }]
      : emails.map((address) => ({ address, ...named, role: 'contact' }));
  return {
    title,
    text: linesOf(columns, row, ['name', 'first', 'middle', 'last']),
    people,
    facts: {
      ...named,
      emails,
      phones,
      ...(company === undefined ? {} : { company }),
      ...(jobTitle === undefined ? {} : { jobTitle }),
    },
  };
}

function noteOf(columns: Column[], row: string[]): Structured | undefined {
  const text = linesOf(columns, row, []);
  if (text === '') return undefined;
  const title =
    [...valuesOf(columns, row, 'title'), ...valuesOf(columns, row, 'name')][0] ??
    row.find((value) => value.trim() !== '');
  const at = valuesOf(columns, row, 'time').find(
    (value) => /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value)),
  );
  const url = valuesOf(columns, row, 'url').find((value) => /^https?:\/\//i.test(value));
  return {
    ...(title === undefined ? {} : { title: title.trim().slice(0, 200) }),
    text,
    ...(at === undefined ? {} : { at }),
    ...(url === undefined ? {} : { url }),
  };
}

/** The first row names the columns; it is read again when an import goes on in the middle. */
export async function* readTable({ file, source, from }: ReadRequest): AsyncIterable<Item> {
  let columns: Column[] | undefined;
  let areContacts = false;
  const seen = new Set<string>();
  for await (const row of readRows(source, 0, 1)) {
    const at = { place: `${file}: line ${row.line}`, next: row.end };
    if ('reason' in row) {
      if (row.end > from) yield { ...at, reason: row.reason };
      continue;
    }
    if (columns === undefined) {
      columns = columnsOf(row.values);
      const roles = new Set(columns.map((column) => column.role));
      areContacts = roles.has('email') || (roles.has('phone') && (roles.has('name') || roles.has('last')));
      continue;
    }
    if (
      row.values.length > columns.length &&
      row.values.slice(columns.length).some((value) => value.trim() !== '')
    ) {
      if (row.end > from) {
        yield { ...at, reason: `${row.values.length} values for ${columns.length} columns` };
      }
      continue;
    }
    const structured = areContacts ? contactOf(columns, row.values) : noteOf(columns, row.values);
    if (structured === undefined) continue;
    const raw = structuredBytes(structured);
    const kind = areContacts ? 'contact' : 'note';
    const address = structured.people?.find((person) => person.address !== undefined)?.address;
    // A contact is known by address and name, so that a newer export of it replaces the older; a second
    // row with both the same is a contact of its own.
    const known =
      address === undefined ? undefined : `contact:${address}:${(structured.title ?? '').toLowerCase()}`;
    const externalId = known === undefined || seen.has(known) ? `${kind}:${sha256(raw)}` : known;
    seen.add(externalId);
    if (row.end <= from) continue;
    yield { ...at, record: { externalId, kind, mediaType: 'application/json', raw } };
  }
}
