// The values of a page as text, a line each, as people read them in a table of Notion.
import { z } from 'zod';
import type { Person } from '../record.ts';
import { pageAddress } from './http.ts';
import { plain } from './rich-text.ts';
import { type Page, type Property, property, richTexts, user } from './shapes.ts';

/** Values that change though nobody writes, or that stand elsewhere in the record. */
const left = new Set(['title', 'last_edited_time', 'last_edited_by', 'button']);

export function titleOf(one: Pick<Page, 'properties'>): string {
  const found = Object.values(one.properties ?? {}).find(({ type }) => type === 'title');
  const title = plain(richTexts.safeParse(found?.['title']).data).trim();
  return title === '' ? 'Untitled' : title;
}

/** Name → value in words; what is empty is left out. */
export function propertiesOf(one: Pick<Page, 'properties'>): Record<string, string> {
  const named = Object.entries(one.properties ?? {})
    .filter(([, value]) => !left.has(value.type))
    .map(([name, value]): [string, string] => [name, wordsOf(value)]);
  return Object.fromEntries(named.filter(([, words]) => words !== ''));
}

const text = z.string().nullish();
const named = z.object({ name: text });
const date = z.object({ start: z.string(), end: text }).nullish();

/** A value under the name of its type, of the shape that this has; undefined where it is of another one. */
function read<T>(value: Property, schema: z.ZodType<T>): T | undefined {
  return schema.safeParse(value[value.type]).data;
}

function wordsOf(value: Property): string {
  switch (value.type) {
    case 'title':
    case 'rich_text':
      return plain(read(value, richTexts));
    case 'number':
      return String(read(value, z.number().nullable()) ?? '');
    case 'checkbox':
    case 'boolean':
      return yesOrNo(read(value, z.boolean().nullable()));
    case 'select':
    case 'status':
      return read(value, named.nullable())?.name ?? '';
    case 'multi_select':
    case 'files':
      return list(read(value, z.array(named))?.map(({ name }) => name));
    case 'date': {
      const found = read(value, date);
      return [found?.start, found?.end].filter((part) => part != null).join(' → ');
    }
    case 'url':
    case 'email':
    case 'phone_number':
    case 'string':
    case 'created_time':
      return read(value, z.string().nullable()) ?? '';
    case 'people':
      return list(read(value, z.array(user))?.map(({ name, person }) => name ?? person?.email));
    case 'created_by':
      return read(value, user)?.name ?? '';
    case 'relation':
      return list(read(value, z.array(z.object({ id: z.string() })))?.map(({ id }) => pageAddress(id)));
    case 'formula': {
      // A value of its own kind once more.
      const found = read(value, property);
      return found === undefined ? '' : wordsOf(found);
    }
    case 'rollup': {
      const found = read(value, property);
      if (found?.type !== 'array') return found === undefined ? '' : wordsOf(found);
      return list(read(found, z.array(property))?.map(wordsOf));
    }
    case 'unique_id': {
      const found = read(value, z.object({ prefix: text, number: z.number().nullable() }));
      return [found?.prefix, found?.number].filter((part) => part != null).join('-');
    }
    case 'verification':
      return read(value, z.object({ state: z.string() }).nullable())?.state ?? '';
    case 'place': {
      const found = read(value, z.object({ name: text, address: text }).nullable());
      return list([found?.name, found?.address]);
    }
    default:
      return '';
  }
}

const yesOrNo = (told: boolean | null | undefined): string => (told == null ? '' : told ? 'Yes' : 'No');
const list = (texts: readonly (string | null | undefined)[] = []): string =>
  texts.filter((one) => one != null && one !== '').join(', ');

/** Whom the values name: people of the workspace, and addresses in columns for them. */
export function peopleOf(one: Pick<Page, 'properties'>): Person[] {
  return Object.values(one.properties ?? {}).flatMap((value): Person[] => {
    if (value.type === 'email') {
      const address = read(value, z.email());
      return address === undefined ? [] : [{ address: address.toLowerCase(), role: 'contact' }];
    }
    if (value.type !== 'people') return [];
    return (read(value, z.array(user)) ?? []).flatMap(({ name, person }): Person[] => {
      const known = {
        ...(name == null || name === '' ? {} : { name }),
        ...(person?.email === undefined ? {} : { address: person.email.toLowerCase() }),
      };
      return Object.keys(known).length === 0 ? [] : [{ ...known, role: 'contact' }];
    });
  });
}
