// Objects of the CRM as HubSpot gives them, and as they are handed on: ids and property names of the
// characters that HubSpot's own have, and nothing that could leave a path.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { Kind, ObjectType } from './kinds.ts';

export const objectId = z
  .string()
  .regex(/^\d{1,20}$/, 'must be the number of the record')
  .describe('Number of the record in HubSpot (hs_object_id)');
export const propertyName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, 'must be the internal name of a property')
  .describe('Internal name of a property: lower-case letters, digits and _');
/** Where the next page begins, as the last answer said. */
export const pageToken = z.string().regex(/^[\w.~=+/%-]{1,500}$/, 'must be the `after` of an earlier answer');

/** An object as the official client gives it: times are made into dates there. */
export const rawObject = z.object({
  id: z.string().regex(/^\d{1,20}$/),
  properties: z.record(z.string(), z.string().nullable()),
  createdAt: z.date().refine(isTime).optional(),
  updatedAt: z.date().refine(isTime).optional(),
  archived: z.boolean().optional(),
});
export type RawObject = z.infer<typeof rawObject>;

function isTime(date: Date): boolean {
  return !Number.isNaN(date.getTime());
}

export const rawPage = z.object({
  total: z.number().int().min(0).optional(),
  results: z.array(rawObject),
  paging: z.object({ next: z.object({ after: z.string() }).optional() }).optional(),
});

export function externalId(type: ObjectType, id: string): string {
  return `${type}/${id}`;
}

/** An object in an answer. */
export const shownObject = z.object({
  id: z.string(),
  /** Only those that have a value. */
  properties: z.record(z.string(), z.string()),
  archived: z.boolean(),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
  url: z.string().optional(),
});
export type ShownObject = z.infer<typeof shownObject>;

export function shown(context: ProviderContext, kind: Kind, raw: RawObject): ShownObject {
  const url = pageOf(context, kind, raw.id);
  return {
    id: raw.id,
    properties: valuesOf(raw),
    archived: raw.archived ?? false,
    ...(raw.createdAt === undefined ? {} : { createdAt: raw.createdAt.toISOString() }),
    ...(raw.updatedAt === undefined ? {} : { updatedAt: raw.updatedAt.toISOString() }),
    ...(url === undefined ? {} : { url }),
  };
}

export function valuesOf({ properties }: RawObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) =>
      value === null || value === '' ? [] : [[name, value]],
    ),
  );
}

/** The page of a record in HubSpot's own interface; undefined where the account's address is not known. */
export function pageOf(context: ProviderContext, kind: Kind, id: string): string | undefined {
  const { portal, ui_domain: domain } = context.fields;
  if (typeof portal !== 'string' || typeof domain !== 'string' || kind.pageId === undefined) return undefined;
  if (!/^\d{1,15}$/.test(portal) || !/^app(-[a-z0-9]{1,10})?\.hubspot\.com$/.test(domain)) return undefined;
  return `https://${domain}/contacts/${portal}/record/${kind.pageId}/${id}`;
}
