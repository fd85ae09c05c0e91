// Objects of the CRM as documents: what a person reads of them, who they are about, and what they belong to.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { Person, SourceRecord, Structured } from '../record.ts';
import { asked, type HubspotClient } from './client.ts';
import { type Kind, kinds, type ObjectType } from './kinds.ts';
import { externalId, pageOf, type RawObject, rawObject, valuesOf } from './objects.ts';
import { type StageNames, stageKey } from './pipelines.ts';
import { associatedId } from './reads.ts';

/** Properties that say when we looked or who handles it, not what it is. */
const silent = new Set([
  'createdate',
  'hs_createdate',
  'lastmodifieddate',
  'hs_lastmodifieddate',
  'hs_object_id',
]);
/** Names that HubSpot writes as one word. */
const words: Record<string, string> = {
  firstname: 'first name',
  lastname: 'last name',
  mobilephone: 'mobile phone',
  jobtitle: 'job title',
  lifecyclestage: 'lifecycle stage',
  numberofemployees: 'number of employees',
  annualrevenue: 'annual revenue',
  dealname: 'deal',
  dealstage: 'deal stage',
  dealtype: 'deal type',
  closedate: 'close date',
};
/** HubSpot takes this many in one batch. */
const batchSize = 100;
/** What names an object of each kind. */
const naming: Record<ObjectType, readonly string[]> = {
  contacts: ['email', 'firstname', 'lastname'],
  companies: ['name', 'domain'],
  deals: ['dealname'],
  notes: ['hs_timestamp'],
  tickets: ['subject'],
};

const batchAnswer = z.object({ results: z.array(rawObject) });
const associationsAnswer = z.object({
  results: z.array(
    z.object({
      _from: z.object({ id: associatedId }),
      to: z.array(z.object({ toObjectId: associatedId })),
    }),
  ),
});

interface Belonging {
  type: ObjectType;
  id: string;
  /** Undefined: it is there no more. */
  object: RawObject | undefined;
}

/** Records of objects, each with the names of what it belongs to. */
export async function describeObjects(
  context: ProviderContext,
  client: HubspotClient,
  kind: Kind,
  objects: readonly RawObject[],
  stages?: StageNames,
): Promise<SourceRecord[]> {
  const about = new Map<string, Belonging[]>(objects.map(({ id }) => [id, []]));
  if (objects.length > 0) {
    for (const type of kind.about) {
      const pairs = await associated(context, client, kind, type, [...about.keys()]);
      const named = await namesOf(context, client, type, [...new Set(pairs.map(({ to }) => to))]);
      for (const { from, to } of pairs) about.get(from)?.push({ type, id: to, object: named.get(to) });
    }
  }
  return objects.map((raw) => recordOf(context, kind, raw, about.get(raw.id) ?? [], stages));
}

async function associated(
  context: ProviderContext,
  client: HubspotClient,
  kind: Kind,
  to: ObjectType,
  ids: readonly string[],
): Promise<{ from: string; to: string }[]> {
  const call = client.associationsBatch.getPage(kind.type, to, { inputs: ids.map((id) => ({ id })) });
  const { results } = await asked(context, call, associationsAnswer);
  return results.flatMap((one) => one.to.map(({ toObjectId }) => ({ from: one._from.id, to: toObjectId })));
}

async function namesOf(
  context: ProviderContext,
  client: HubspotClient,
  type: ObjectType,
  ids: readonly string[],
): Promise<Map<string, RawObject>> {
  const found = new Map<string, RawObject>();
  for (let start = 0; start < ids.length; start += batchSize) {
    const call = client.batch.read(type, {
      inputs: ids.slice(start, start + batchSize).map((id) => ({ id })),
      properties: [...naming[type]],
      propertiesWithHistory: [],
    });
    for (const raw of (await asked(context, call, batchAnswer)).results) found.set(raw.id, raw);
  }
  return found;
}

function recordOf(
  context: ProviderContext,
  kind: Kind,
  raw: RawObject,
  about: readonly Belonging[],
  stages: StageNames | undefined,
): SourceRecord {
  const values = valuesOf(raw);
  const stage = stageOf(kind, values, stages);
  const url = pageOf(context, kind, raw.id);
  const own: Person[] = kind.type === 'contacts' ? [personOf(values)] : [];
  const others = about.flatMap(({ type, object }) =>
    type === 'contacts' && object !== undefined ? [personOf(valuesOf(object))] : [],
  );
  const names = about.map(({ type, id, object }) => ({
    type,
    id,
    ...(object === undefined ? {} : { name: nameOf(type, valuesOf(object)) }),
  }));
  const structured: Structured = {
    title: titleOf(kind, values, names),
    people: [...own, ...others].filter(({ address, name }) => address !== undefined || name !== undefined),
    ...(url === undefined ? {} : { url }),
    ...bodyOf(kind, values, names, stage),
    facts: {
      type: kind.one,
      id: raw.id,
      properties: Object.fromEntries(Object.entries(values).filter(([name]) => name !== 'hs_note_body')),
      ...(stage === undefined ? {} : { stage }),
      ...(names.length === 0 ? {} : { associations: names }),
    },
  };
  // A note is of its own time; what is said of the others holds since they were last changed.
  const at = Date.parse(
    values['hs_timestamp'] ?? values[kind.modified] ?? raw.updatedAt?.toISOString() ?? '',
  );
  return {
    externalId: externalId(kind.type, raw.id),
    kind: kind.document,
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(structured), 'utf8'),
    ...(Number.isNaN(at) ? {} : { writtenAt: at }),
    volatile: [
      `facts.properties.${kind.modified}`,
      ...(values['hs_timestamp'] === undefined ? ['writtenAt'] : []),
    ],
  };
}

type Named = { type: ObjectType; id: string; name?: string };

/** A note is its own text; of others each property is a line. */
function bodyOf(
  kind: Kind,
  values: Record<string, string>,
  names: readonly Named[],
  stage: string | undefined,
): { text: string } | { html: string } {
  if (kind.type === 'notes') return { html: values['hs_note_body'] ?? '' };
  const told = stage === undefined ? [] : [kind.stage?.pipeline, kind.stage?.stage];
  const lines = Object.entries(values).flatMap(([name, value]) =>
    silent.has(name) || told.includes(name)
      ? []
      : [`${words[name] ?? name.replace(/^hs_/, '').replaceAll('_', ' ')}: ${value}`],
  );
  const belongs = names.flatMap(({ type, name }) =>
    name === undefined ? [] : [`${kinds[type].one}: ${name}`],
  );
  const place = stage === undefined ? [] : [`stage: ${stage}`];
  return { text: [...lines, ...place, ...belongs].join('\n') };
}

function stageOf(
  { stage }: Kind,
  values: Record<string, string>,
  stages: StageNames | undefined,
): string | undefined {
  if (stage === undefined) return undefined;
  return stages?.get(stageKey(values[stage.pipeline] ?? '', values[stage.stage] ?? ''));
}

function titleOf(kind: Kind, values: Record<string, string>, names: readonly Named[]): string {
  if (kind.type !== 'notes') return nameOf(kind.type, values);
  const about = names.flatMap(({ name }) => (name === undefined ? [] : [name]));
  return about.length === 0 ? 'Note' : `Note about ${about.slice(0, 3).join(', ')}`;
}

function nameOf(type: ObjectType, values: Record<string, string>): string {
  if (type === 'contacts') return personOf(values).name ?? values['email'] ?? 'Contact without a name';
  const name = values[type === 'deals' ? 'dealname' : type === 'tickets' ? 'subject' : 'name'];
  return name ?? values['domain'] ?? `A ${kinds[type].one} without a name`;
}

function personOf(values: Record<string, string>): Person {
  const name = [values['firstname'], values['lastname']].filter((part) => part !== undefined).join(' ');
  const address = values['email']?.toLowerCase();
  return {
    role: 'contact',
    ...(name === '' ? {} : { name }),
    ...(address === undefined ? {} : { address }),
  };
}
