// What is asked of HubSpot: one object, a search, and what an object is associated with.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ReadOperation, readOperation } from '../define.ts';
import { asked, operator, readingClient } from './client.ts';
import { type Kind, objectTypes } from './kinds.ts';
import {
  objectId,
  pageToken,
  propertyName,
  rawObject,
  rawPage,
  type ShownObject,
  shown,
  shownObject,
} from './objects.ts';

/** A search finds no more, however it is paged. https://developers.hubspot.com/docs/api-reference/search/guide */
const mostFound = 10_000;

const value = z.string().max(3000).describe('Times as milliseconds since 1970');
const values = z.array(value).min(1).max(100);
const filter = z.discriminatedUnion('operator', [
  z.strictObject({
    property: propertyName,
    operator: z.enum(['EQ', 'NEQ', 'LT', 'LTE', 'GT', 'GTE', 'CONTAINS_TOKEN', 'NOT_CONTAINS_TOKEN']),
    value,
  }),
  z.strictObject({ property: propertyName, operator: z.literal('BETWEEN'), value, highValue: value }),
  z.strictObject({ property: propertyName, operator: z.enum(['IN', 'NOT_IN']), values }),
  z.strictObject({ property: propertyName, operator: z.enum(['HAS_PROPERTY', 'NOT_HAS_PROPERTY']) }),
]);
type Filter = z.infer<typeof filter>;

const more = z.array(propertyName).max(100).optional().describe('Further properties to answer with');

const getInput = z.strictObject({ id: objectId, properties: more });
const searchInput = z.strictObject({
  query: z.string().max(3000).optional().describe('Words to look for in the usual properties'),
  anyOf: z
    .array(z.array(filter).min(1).max(6))
    .max(5)
    .optional()
    .describe('Groups of filters: a record fits when all filters of one group fit'),
  sort: z.strictObject({ property: propertyName, descending: z.boolean().default(false) }).optional(),
  properties: more,
  limit: z.number().int().min(1).max(100).default(20),
  after: pageToken.optional().describe('`after` of the last answer'),
});
type SearchInput = z.infer<typeof searchInput>;
const associationsInput = z.strictObject({
  id: objectId,
  to: z.enum(objectTypes),
  limit: z.number().int().min(1).max(500).default(100),
  after: pageToken.optional(),
});

const searchAnswer = z.object({
  total: z.number().int(),
  results: z.array(shownObject),
  after: z.string().optional(),
});
type SearchAnswer = z.infer<typeof searchAnswer>;

/** v4 gives ids as numbers where its own specification says text. */
export const associatedId = z
  .union([z.string(), z.number().int()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,20}$/));
const associationTypes = z
  .array(z.object({ typeId: z.number().int(), label: z.string().nullish(), category: z.string() }))
  .transform((types) =>
    types.map(({ typeId, label, category }) => ({ typeId, category, ...(label == null ? {} : { label }) })),
  );
const rawAssociations = z.object({
  results: z.array(z.object({ toObjectId: associatedId, associationTypes })),
  paging: z.object({ next: z.object({ after: z.string() }).optional() }).optional(),
});
const associationsAnswer = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      types: z.array(z.object({ typeId: z.number(), category: z.string(), label: z.string().optional() })),
    }),
  ),
  after: z.string().optional(),
});
type AssociationsAnswer = z.infer<typeof associationsAnswer>;

export function getOperation(kind: Kind): ReadOperation<z.infer<typeof getInput>, ShownObject> {
  return readOperation({
    effect: 'read',
    title: `Look up a ${kind.one}`,
    description: `One ${kind.one} of HubSpot by its number, with its properties.`,
    scopes: kind.scopes.read,
    input: getInput,
    output: shownObject,
    async run(context, { id, properties = [] }) {
      const client = await readingClient(context);
      const call = client.objects.getById(kind.type, id, [...new Set([...kind.shown, ...properties])]);
      return shown(context, kind, await asked(context, call, rawObject));
    },
  });
}

export function searchOperation(kind: Kind): ReadOperation<SearchInput, SearchAnswer> {
  return readOperation({
    effect: 'read',
    title: `Search ${kind.many}`,
    description: `Finds ${kind.many} in HubSpot by words or by the values of their properties.`,
    scopes: kind.scopes.read,
    input: searchInput,
    output: searchAnswer,
    async run(context, input) {
      checkSearch(input);
      const client = await readingClient(context);
      const {
        total = 0,
        results,
        paging,
      } = await asked(context, client.search.doSearch(kind.type, searchRequest(kind, input)), rawPage);
      const after = paging?.next?.after;
      return {
        total,
        results: results.map((raw) => shown(context, kind, raw)),
        ...(after === undefined ? {} : { after }),
      };
    },
  });
}

export function associationsOperation(
  kind: Kind,
): ReadOperation<z.infer<typeof associationsInput>, AssociationsAnswer> {
  return readOperation({
    effect: 'read',
    title: `List what a ${kind.one} is associated with`,
    description: `The contacts, companies, deals, notes or tickets that belong to a ${kind.one} of HubSpot.`,
    scopes: kind.scopes.read,
    input: associationsInput,
    output: associationsAnswer,
    async run(context, { id, to, limit, after }) {
      const client = await readingClient(context);
      const call = client.associations.getPage(kind.type, id, to, after, limit);
      const { results, paging } = await asked(context, call, rawAssociations);
      const next = paging?.next?.after;
      return {
        results: results.map((one) => ({ id: one.toObjectId, types: one.associationTypes })),
        ...(next === undefined ? {} : { after: next }),
      };
    },
  });
}

function checkSearch({ anyOf = [], after, limit }: SearchInput): void {
  if (anyOf.flat().length > 18) {
    throw new DrawbridgeError('invalid_request', 'anyOf: at most 18 filters in all', { field: 'anyOf' });
  }
  // The token of a search is the number of records before it.
  if (after !== undefined && /^\d+$/.test(after) && Number(after) + limit > mostFound) {
    throw new DrawbridgeError(
      'invalid_request',
      `after: HubSpot gives the first ${mostFound} records of a search; narrow it by a filter`,
      { field: 'after' },
    );
  }
}

function searchRequest(kind: Kind, input: SearchInput) {
  return {
    limit: input.limit,
    properties: [...new Set([...kind.shown, ...(input.properties ?? [])])],
    ...(input.query === undefined ? {} : { query: input.query }),
    ...(input.after === undefined ? {} : { after: input.after }),
    // A property's name sorts upwards, with a minus before it downwards.
    ...(input.sort === undefined
      ? {}
      : { sorts: [`${input.sort.descending ? '-' : ''}${input.sort.property}`] }),
    ...(input.anyOf === undefined
      ? {}
      : { filterGroups: input.anyOf.map((filters) => ({ filters: filters.map(filterOf) })) }),
  };
}

function filterOf({ property, operator: name, ...rest }: Filter) {
  return { propertyName: property, operator: operator(name), ...rest };
}
