// What a service has, read once from its `$metadata` when it is connected, and kept with the connection: which
// fields and resources, what its own fields are called, and the words of its lookups.
import { Parser } from 'htmlparser2';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { addressOf, exchangeAt } from '../request.ts';
import type { Dialect } from './dialect.ts';
import { ask, askNext, either, quoted, serviceOf } from './odata.ts';

export const catalogueForm = z.object({
  version: z.literal(1),
  /** Integer ms. */
  readAt: z.number(),
  /** Of Property: name → type, as far as it is known here what the field means; and the server's own. */
  fields: z.record(z.string(), z.string()),
  /** The server's own fields → what they are called. */
  local: z.record(z.string(), z.string()),
  /** What Property can be expanded with. */
  links: z.array(z.string()),
  resources: z.array(z.string()),
  /** Field → name of its lookup (an EnumType, or a LookupName). */
  lookups: z.record(z.string(), z.string()),
  /** Lookup → value as it stands in a row → word. */
  words: z.record(z.string(), z.record(z.string(), z.string())),
});
export type Catalogue = z.infer<typeof catalogueForm>;

const longestMetadata = 32 * 1024 * 1024;
const mostLocal = 40;
const mostWords = 400;
const longestWord = 80;
const longestKept = 64 * 1024;
const mostLookupPages = 10;
/** A service that changes is read anew after this, by each process once. */
const keptMs = 7 * 24 * 3_600_000;
const mostKept = 100;

const readAnew = new Map<string, Catalogue>();

/** @param wanted fields whose meaning is known @throws DrawbridgeError */
export async function catalogueOf(
  context: ProviderContext,
  dialect: Dialect,
  wanted: readonly string[],
): Promise<Catalogue> {
  const { connectionId, fields, clock } = context;
  const stored = parsed(fields['catalogue']);
  const again = readAnew.get(connectionId);
  // Connected again, it was read then.
  const newest = (again?.readAt ?? 0) > (stored?.readAt ?? 0) ? again : stored;
  if (newest !== undefined && clock.now() - newest.readAt <= keptMs) return newest;
  const fresh = await readCatalogue(context, dialect, wanted);
  if (readAnew.size >= mostKept) readAnew.clear();
  if (connectionId !== '') readAnew.set(connectionId, fresh);
  return fresh;
}

function parsed(text: unknown): Catalogue | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return catalogueForm.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Reads it from the service. @throws DrawbridgeError `malformed_response` for what describes no listings */
export async function readCatalogue(
  context: ProviderContext,
  dialect: Dialect,
  wanted: readonly string[],
): Promise<Catalogue> {
  const service = serviceOf(context, dialect);
  const url = addressOf(context, service, { path: '/$metadata' });
  const { output } = await exchangeAt(context, service, url, {
    method: 'GET',
    headers: { accept: 'application/xml' },
    output: z.string(),
    maxBytes: longestMetadata,
  }).catch((thrown: unknown) => {
    if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'not_found') throw thrown;
    const advice = `${url.hostname} has no $metadata there: is the address the service root?`;
    throw new DrawbridgeError('not_found', advice, { cause: thrown });
  });
  const catalogue = readMetadata(output, wanted, context.clock.now());
  if (catalogue.fields['ListingKey'] === undefined) {
    throw new DrawbridgeError(
      'malformed_response',
      `${url.hostname} describes no Property resource there: is the address the service root?`,
    );
  }
  await addLookups(context, dialect, catalogue);
  return bounded(catalogue);
}

/** EDMX as it is needed here. https://docs.oasis-open.org/odata/odata/v4.0/ part 3 (CSDL) */
export function readMetadata(xml: string, wanted: readonly string[], now: number): Catalogue {
  const known = new Set(wanted);
  const found: Catalogue = {
    version: 1,
    readAt: now,
    fields: {},
    local: {},
    links: [],
    resources: [],
    lookups: {},
    words: {},
  };
  const enums = new Map<string, Record<string, string>>();
  let namespace = '';
  let inProperty = false;
  let field: string | undefined;
  let members: Record<string, string> | undefined;
  let member: string | undefined;
  const parser = new Parser(
    {
      onopentag(name, given) {
        const called = given['Name'] ?? '';
        const type = given['Type'] ?? '';
        if (name === 'Schema') namespace = given['Namespace'] ?? '';
        else if (name === 'EntityType') inProperty = called === 'Property';
        else if (name === 'EntitySet') found.resources.push(called);
        else if (name === 'EnumType') {
          members = {};
          enums.set(`${namespace}.${called}`, members);
        } else if (name === 'Member' && members !== undefined) {
          member = called;
          members[called] = inWords(called);
        } else if (name === 'NavigationProperty' && inProperty) found.links.push(called);
        else if (name === 'Property' && inProperty) {
          const own = isLocal(called);
          if (!known.has(called) && !(own && Object.keys(found.local).length < mostLocal)) return;
          field = called;
          found.fields[called] = type;
          if (own) found.local[called] = inWords(called.slice(called.indexOf('_') + 1));
          if (!/^(Collection\()?Edm\./.test(type))
            found.lookups[called] = type.replace(/^Collection\((.*)\)$/, '$1');
        } else if (name === 'Annotation') annotate(given);
      },
      onclosetag(name) {
        if (name === 'EntityType') inProperty = false;
        else if (name === 'Property') field = undefined;
        else if (name === 'EnumType') members = undefined;
        else if (name === 'Member') member = undefined;
      },
    },
    { xmlMode: true },
  );
  const annotate = (given: Record<string, string>): void => {
    const term = (given['Term'] ?? '').split('.').at(-1) ?? '';
    const says = (given['String'] ?? '').slice(0, longestWord);
    if (says === '') return;
    if (member !== undefined && members !== undefined) {
      if (term === 'StandardName' || term === 'DisplayName') members[member] = says;
    } else if (field !== undefined) {
      if (term === 'LookupName') found.lookups[field] = says;
      if ((term === 'DisplayName' || term === 'StandardName') && found.local[field] !== undefined)
        found.local[field] = says;
    }
  };
  parser.end(xml);
  for (const lookup of new Set(Object.values(found.lookups))) {
    const own = enums.get(lookup);
    if (own !== undefined && Object.keys(own).length <= mostWords) found.words[lookup] = own;
  }
  return found;
}

/** No field of the Data Dictionary has an underscore; a server's own bear a prefix (`X_`, `ABC_`). */
function isLocal(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9]*_\w+$/.test(name);
}

/** `SingleFamilyResidence` and `boat_slip` as words. */
function inWords(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .slice(0, longestWord)
    .trim();
}

const lookupRow = z.object({
  LookupName: z.string(),
  LookupValue: z.string(),
  StandardLookupValue: z.string().nullish(),
  LegacyODataValue: z.string().nullish(),
});

/** Fields whose standard word is needed to know what is meant. */
const byStandard = new Set(['StandardStatus', 'PropertyType', 'PropertySubType']);

/** Words of the Lookup resource, where the service has it. */
async function addLookups(context: ProviderContext, dialect: Dialect, catalogue: Catalogue): Promise<void> {
  const names = [...new Set(Object.values(catalogue.lookups))].filter((name) => !name.includes('.'));
  if (!catalogue.resources.includes('Lookup') || names.length === 0) return;
  const rows = dialect.rows(context.fields);
  try {
    let page = await ask(context, dialect, '/Lookup', {
      filter: either(...names.map((name) => `LookupName eq ${quoted(name)}`)),
      top: rows,
    });
    for (let read = 1; ; read += 1) {
      for (const row of page.rows) {
        const { data } = lookupRow.safeParse(row);
        if (data === undefined) continue;
        const { LookupName: name, LookupValue: value, StandardLookupValue, LegacyODataValue } = data;
        const word = (byStandard.has(name) ? (StandardLookupValue ?? value) : value).slice(0, longestWord);
        const words = catalogue.words[name] ?? {};
        catalogue.words[name] = words;
        if (word !== value) words[value] = word;
        if (LegacyODataValue != null && LegacyODataValue !== word) words[LegacyODataValue] = word;
      }
      if (page.next === undefined && page.rows.length < rows) return;
      if (read === mostLookupPages) return;
      page =
        page.next !== undefined
          ? await askNext(context, dialect, page.next, rows)
          : await ask(context, dialect, '/Lookup', {
              filter: either(...names.map((name) => `LookupName eq ${quoted(name)}`)),
              top: rows,
              skip: read * rows,
            });
    }
  } catch (error) {
    const refused =
      error instanceof DrawbridgeError && /^(not_found|permission_denied|invalid_request)$/.test(error.code);
    if (!refused) throw error;
    context.log.warn({ err: error }, 'the words of lookups could not be read: they are shown as they stand');
  }
}

/** Small enough to be kept with a connection: the longest lists of words go first. */
function bounded(catalogue: Catalogue): Catalogue {
  const words = { ...catalogue.words };
  const kept = { ...catalogue, words };
  const bySize = Object.keys(words).toSorted(
    (a, b) => Object.keys(words[b] ?? {}).length - Object.keys(words[a] ?? {}).length,
  );
  for (const lookup of bySize) {
    if (JSON.stringify(kept).length <= longestKept) break;
    delete words[lookup];
  }
  return kept;
}

/** A lookup's value in words; several become one line. */
export function wordOf(catalogue: Catalogue, field: string, value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const words = value.flatMap((one) => wordOf(catalogue, field, one) ?? []);
    return words.length === 0 ? undefined : words.join(', ');
  }
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const words = catalogue.words[catalogue.lookups[field] ?? ''];
  const said = String(value).trim();
  if (said === '') return undefined;
  if (words === undefined) return typeof value === 'boolean' ? (value ? 'yes' : 'no') : said;
  const whole = words[said];
  if (whole !== undefined) return whole;
  // Flags of an EnumType come as one text.
  return said
    .split(',')
    .map((part) => words[part.trim()] ?? part.trim())
    .join(', ');
}

/** A field compared with a word, in the form that its type takes; undefined where the service has no such field. */
export function fieldIs(catalogue: Catalogue, field: string, word: string): string | undefined {
  const type = catalogue.fields[field];
  if (type === undefined) return undefined;
  if (type.startsWith('Edm.')) return `${field} eq ${quoted(word)}`;
  const squeezed = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const lookup = catalogue.lookups[field] ?? '';
  const member = Object.entries(catalogue.words[lookup] ?? {}).find(
    ([, said]) => squeezed(said) === squeezed(word),
  )?.[0];
  return member === undefined ? undefined : `${field} eq ${lookup}${quoted(member)}`;
}
