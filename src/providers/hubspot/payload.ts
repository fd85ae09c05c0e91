// What a write of HubSpot is made of: common properties by their own names, further ones as a map, and what
// the record is to be associated with. Everything that is sent stands in the payload, and in its summary.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type Kind, kinds, type ObjectType, objectTypes } from './kinds.ts';
import { objectId, propertyName } from './objects.ts';

const propertyMap = z
  .record(propertyName, z.string().max(65_536))
  .optional()
  .describe('Further properties by their internal names; an empty value clears one');

export interface Association {
  to: ObjectType;
  id: string;
}

/** Common properties, each under its own name; their values are text. */
export interface Written {
  properties?: Record<string, string> | undefined;
  associations?: Association[] | undefined;
  [name: string]: unknown;
}
export type Changed = Written & { id: string };

export function createInput(kind: Kind): z.ZodType<Written> {
  const own = kind.writable.map(
    ({ name, schema }) => [name, kind.required.includes(name) ? schema : schema.optional()] as const,
  );
  return z.strictObject({
    ...Object.fromEntries(own),
    properties: propertyMap,
    associations: z
      .array(z.strictObject({ to: z.enum(objectTypes), id: objectId }))
      .max(50)
      .optional()
      .describe('Records that it is to belong to'),
  });
}

export function updateInput(kind: Kind): z.ZodType<Changed> {
  const own = kind.writable.map(({ name, clearable }) => [name, clearable.optional()] as const);
  return z.strictObject({ id: objectId, ...Object.fromEntries(own), properties: propertyMap });
}

/** The properties as HubSpot is sent them. */
export function propertiesOf(kind: Kind, payload: Written): Record<string, string> {
  const own = kind.writable.flatMap(({ name, as }) => {
    const value = payload[name];
    return typeof value === 'string' ? [[as ?? name, toHubspot(as ?? name, value)] as const] : [];
  });
  return { ...Object.fromEntries(own), ...payload.properties };
}

/** The payload that writes these properties; undefined for one of HTML, which only HubSpot can write again. */
export function payloadOf(kind: Kind, values: Record<string, string>): Written | undefined {
  if ('hs_note_body' in values) return undefined;
  const named = Object.entries(values).map(([property, value]) => {
    const own = kind.writable.find(({ name, as }) => (as ?? name) === property);
    return { name: own?.name ?? property, own: own !== undefined, value };
  });
  const pick = (ours: boolean) =>
    Object.fromEntries(named.flatMap(({ name, own, value }) => (own === ours ? [[name, value]] : [])));
  const further = pick(false);
  return { ...pick(true), ...(Object.keys(further).length === 0 ? {} : { properties: further }) };
}

/** A note's body is HTML at HubSpot: what a person approved is its plain text, and is shown as such. */
function toHubspot(name: string, value: string): string {
  if (name !== 'hs_note_body') return value;
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\r\n?|\n/g, '<br>');
}

/** @throws DrawbridgeError `invalid_request` with `field` */
export function checkWritten(kind: Kind, payload: Written, at: 'create' | 'update'): void {
  for (const name of Object.keys(payload.properties ?? {})) {
    const twin = kind.writable.find((property) => property.name === name || property.as === name);
    if (twin === undefined) continue;
    throw invalid(`properties.${name}`, `write it as ${twin.name}`);
  }
  if (Object.keys(propertiesOf(kind, payload)).length === 0) {
    throw invalid('properties', `say what the ${kind.one} is to have`);
  }
  if (at === 'create' && kind.type === 'contacts') {
    const { email, firstname, lastname } = payload;
    if (email === undefined && firstname === undefined && lastname === undefined) {
      throw invalid('email', 'a contact needs an e-mail address or a name');
    }
  }
  const seen = new Set<string>();
  for (const [index, { to, id }] of (payload.associations ?? []).entries()) {
    if (kind.type === 'notes' && to === 'notes') {
      throw invalid(`associations.${index}.to`, 'a note does not belong to a note');
    }
    if (seen.has(`${to}/${id}`)) throw invalid(`associations.${index}`, 'is there twice');
    seen.add(`${to}/${id}`);
  }
}

function invalid(field: string, why: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `${field}: ${why}`, { field });
}

/** Each property with its whole value, and each association: what is approved is what is sent. */
export function inWords(kind: Kind, payload: Written): string {
  const values = kind.writable.flatMap(({ name }) => {
    const value = payload[name];
    return typeof value === 'string' ? [`${name} ${quoted(value)}`] : [];
  });
  const further = Object.entries(payload.properties ?? {}).map(([name, value]) => `${name} ${quoted(value)}`);
  const about = (payload.associations ?? []).map(({ to, id }) => `${kinds[to].one} ${id}`);
  return [
    [...values, ...further].join(', '),
    ...(about.length === 0 ? [] : [`associated with ${about.join(', ')}`]),
  ].join('; ');
}

function quoted(value: string): string {
  return value === '' ? '(cleared)' : `“${value.replace(/\s*[\r\n]+\s*/g, ' ⏎ ').trim()}”`;
}
