// A CRM search as HubSpot does it: groups of filters, words, one order, pages up to a cap.
// https://developers.hubspot.com/docs/api-reference/search/guide
import { z } from 'zod';
import type { CrmObject, CrmState, ObjectType } from './state.ts';

const operators = [
  'EQ',
  'NEQ',
  'LT',
  'LTE',
  'GT',
  'GTE',
  'BETWEEN',
  'IN',
  'NOT_IN',
  'HAS_PROPERTY',
  'NOT_HAS_PROPERTY',
  'CONTAINS_TOKEN',
  'NOT_CONTAINS_TOKEN',
] as const;

export const searchBody = z.object({
  query: z.string().max(3000).optional(),
  limit: z.number().int().min(1).max(200).default(10),
  after: z.string().optional(),
  sorts: z.array(z.string()).max(1).optional(),
  properties: z.array(z.string()).optional(),
  filterGroups: z
    .array(
      z.object({
        filters: z
          .array(
            z.object({
              propertyName: z.string(),
              operator: z.enum(operators),
              value: z.string().optional(),
              highValue: z.string().optional(),
              values: z.array(z.string()).optional(),
            }),
          )
          .max(6),
      }),
    )
    .max(5)
    .optional(),
});
export type SearchBody = z.infer<typeof searchBody>;
type Filter = NonNullable<SearchBody['filterGroups']>[number]['filters'][number];

/** Properties whose words a `query` finds. */
const searchable: Record<ObjectType, readonly string[]> = {
  contacts: ['firstname', 'lastname', 'email', 'phone', 'company'],
  companies: ['name', 'domain', 'phone', 'website'],
  deals: ['dealname'],
  notes: ['hs_note_body'],
  tickets: ['subject', 'content'],
};

/** Every object that fits, in order. @param seenUntil integer ms: what changed later is not in the index yet */
export function found(state: CrmState, type: ObjectType, body: SearchBody, seenUntil: number): CrmObject[] {
  const words = (body.query ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (object: CrmObject): boolean => {
    const text = searchable[type].map((name) => state.value(object, name) ?? '').join(' ');
    const groups = body.filterGroups ?? [];
    return (
      words.every((word) => text.toLowerCase().includes(word)) &&
      (groups.length === 0 ||
        groups.some(({ filters }) =>
          filters.every((filter) => passes(filter, state.value(object, filter.propertyName))),
        ))
    );
  };
  const [sort = 'hs_object_id'] = body.sorts ?? [];
  const by = sort.replace(/^-/, '');
  const order = sort.startsWith('-') ? -1 : 1;
  return state
    .all(type)
    .filter((object) => object.updatedAt <= seenUntil && fits(object))
    .sort((a, b) => order * compare(state.value(a, by) ?? '', state.value(b, by) ?? ''));
}

function passes(filter: Filter, has: string | undefined): boolean {
  const { operator, value = '', highValue = '', values = [] } = filter;
  if (operator === 'HAS_PROPERTY') return has !== undefined;
  if (operator === 'NOT_HAS_PROPERTY') return has === undefined;
  if (operator === 'NEQ') return has === undefined || compare(has, value) !== 0;
  if (operator === 'NOT_IN') return has === undefined || values.every((one) => compare(has, one) !== 0);
  if (operator === 'NOT_CONTAINS_TOKEN') return has === undefined || !holds(has, value);
  if (has === undefined) return false;
  switch (operator) {
    case 'EQ':
      return compare(has, value) === 0;
    case 'LT':
      return compare(has, value) < 0;
    case 'LTE':
      return compare(has, value) <= 0;
    case 'GT':
      return compare(has, value) > 0;
    case 'GTE':
      return compare(has, value) >= 0;
    case 'BETWEEN':
      return compare(has, value) >= 0 && compare(has, highValue) <= 0;
    case 'IN':
      return values.some((one) => compare(has, one) === 0);
    case 'CONTAINS_TOKEN':
      return holds(has, value);
  }
}

/** Times and numbers as numbers, anything else as text without regard to case. */
function compare(a: string, b: string): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}

function numberOf(text: string): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
}

/** A word, with `*` for any rest of it. */
function holds(text: string, token: string): boolean {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const wanted = token.toLowerCase();
  return wanted.endsWith('*')
    ? words.some((word) => word.startsWith(wanted.slice(0, -1)))
    : words.includes(wanted);
}
