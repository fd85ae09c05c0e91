// The CRM's objects as HubSpot serves them: read, listed, searched, read by the batch, created, changed and
// thrown away, under the scopes that were granted.
import { z } from 'zod';
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { json, objectBody, refused, tooMany } from './answers.ts';
import { associationCall } from './associations.ts';
import { pipelines } from './pipelines.ts';
import { found, searchBody } from './search.ts';
import { type CrmState, type ObjectType, objectTypes } from './state.ts';

export interface CrmOptions {
  state: CrmState;
  clock: Clock;
  /** Records that a search can page through. */
  searchCap: number;
  /** How long a change stays unseen by searches, ms. */
  indexLagMs: number;
  /** Counts a search; true when there were too many of them already. */
  searchedOften(): boolean;
}

const scopes: Record<ObjectType, { read: string; write: string }> = {
  contacts: { read: 'crm.objects.contacts.read', write: 'crm.objects.contacts.write' },
  companies: { read: 'crm.objects.companies.read', write: 'crm.objects.companies.write' },
  deals: { read: 'crm.objects.deals.read', write: 'crm.objects.deals.write' },
  notes: { read: 'crm.objects.contacts.read', write: 'crm.objects.contacts.write' },
  tickets: { read: 'tickets', write: 'tickets' },
};

const createBody = z.strictObject({
  properties: z.record(z.string(), z.string()),
  associations: z
    .array(
      z.strictObject({
        to: z.strictObject({ id: z.string() }),
        types: z
          .array(
            z.strictObject({
              associationCategory: z.literal('HUBSPOT_DEFINED'),
              associationTypeId: z.number().int(),
            }),
          )
          .length(1),
      }),
    )
    .optional(),
});
const updateBody = z.strictObject({ properties: z.record(z.string(), z.string()) });
const batchReadBody = z.object({
  inputs: z.array(z.object({ id: z.string() })).max(100),
  properties: z.array(z.string()),
});

/** Numbers of HubSpot's own associations, as they stand in its documentation. */
const targets: Record<number, ObjectType> = {
  1: 'companies',
  279: 'companies',
  280: 'contacts',
  3: 'contacts',
  4: 'deals',
  15: 'tickets',
  16: 'contacts',
  27: 'tickets',
  28: 'deals',
  190: 'companies',
  202: 'contacts',
  214: 'deals',
  228: 'tickets',
  201: 'notes',
  189: 'notes',
  213: 'notes',
  227: 'notes',
  339: 'companies',
  340: 'tickets',
  341: 'companies',
  342: 'deals',
};

/** Answers a call to the CRM. */
export function createCrm(options: CrmOptions): (call: Call, granted: readonly string[]) => Answer {
  const { state, clock, searchCap, indexLagMs } = options;

  function crm(call: Call, granted: readonly string[]): Answer {
    const associations = associationCall(state, call, (type, access) => lacking(granted, type, access));
    if (associations !== undefined) return associations;
    const piped = /^\/crm\/v3\/pipelines\/(deals|tickets)$/.exec(call.path)?.[1];
    if (piped === 'deals' || piped === 'tickets') {
      return lacking(granted, piped, 'read') ?? json(200, { results: pipelines[piped] });
    }
    const [, type = '', rest = ''] = /^\/crm\/v3\/objects\/([^/]+)(\/.*)?$/.exec(call.path) ?? [];
    if (!isType(type)) return refused(404, 'OBJECT_NOT_FOUND', `Unable to infer object type from: ${type}`);
    const searching = rest === '/search' && call.method === 'POST';
    const reading = call.method === 'GET' || searching || rest === '/batch/read';
    const missing = lacking(granted, type, reading ? 'read' : 'write');
    if (missing !== undefined) return missing;
    if (searching) return search(type, call);
    if (rest === '/batch/read' && call.method === 'POST') return batchRead(type, call);
    if (rest === '') return call.method === 'POST' ? create(type, call) : list(type, call);
    const id = decodeURIComponent(rest.slice(1));
    if (call.method === 'GET') return get(type, id, call);
    const object = state.get({ type, id });
    if (object === undefined) return notFound();
    if (call.method === 'DELETE') {
      state.archive(object);
      return { status: 204 };
    }
    if (call.method !== 'PATCH' || object.archivedAt !== undefined) return notFound();
    const parsed = parse(updateBody, call);
    if ('refused' in parsed) return parsed.refused;
    const wrong = unknownProperty(type, parsed.body.properties);
    if (wrong !== undefined) return wrong;
    state.update(object, parsed.body.properties);
    return json(200, objectBody(state, object, Object.keys(parsed.body.properties)));
  }

  function search(type: ObjectType, call: Call): Answer {
    if (options.searchedOften()) return tooMany('SECONDLY');
    const parsed = parse(searchBody, call);
    if ('refused' in parsed) return parsed.refused;
    const { body } = parsed;
    const from = Number(body.after ?? '0');
    if (!Number.isInteger(from) || from + body.limit > searchCap) {
      return invalid(`Paging through more than ${searchCap} results is not supported`);
    }
    const hits = found(state, type, body, clock.now() - indexLagMs);
    const to = from + body.limit;
    return json(200, {
      total: hits.length,
      results: hits.slice(from, to).map((object) => objectBody(state, object, body.properties)),
      ...(to < hits.length ? { paging: { next: { after: String(to) } } } : {}),
    });
  }

  function batchRead(type: ObjectType, call: Call): Answer {
    const parsed = parse(batchReadBody, call);
    if ('refused' in parsed) return parsed.refused;
    const objects = parsed.body.inputs.map(({ id }) => ({ id, object: state.get({ type, id }) }));
    const gone = objects.filter(({ object }) => object === undefined || object.archivedAt !== undefined);
    const results = objects.flatMap(({ object }) =>
      object === undefined || object.archivedAt !== undefined
        ? []
        : [objectBody(state, object, parsed.body.properties)],
    );
    const now = new Date(clock.now()).toISOString();
    const batch = { status: 'COMPLETE', results, startedAt: now, completedAt: now };
    if (gone.length === 0) return json(200, batch);
    return json(207, {
      ...batch,
      numErrors: 1,
      errors: [
        {
          status: 'error',
          category: 'OBJECT_NOT_FOUND',
          message: 'Could not get some objects, they may be deleted or not exist.',
          context: { ids: gone.map(({ id }) => id) },
          errors: [],
          links: {},
        },
      ],
    });
  }

  function create(type: ObjectType, call: Call): Answer {
    const parsed = parse(createBody, call);
    if ('refused' in parsed) return parsed.refused;
    const { properties, associations = [] } = parsed.body;
    const wrong = unknownProperty(type, properties);
    if (wrong !== undefined) return wrong;
    if (type === 'notes' && properties['hs_timestamp'] === undefined) {
      return invalid('Error creating NOTE. Some required properties were not set: [hs_timestamp].');
    }
    const email = properties['email']?.toLowerCase();
    const twin = state.all(type).find((one) => email !== undefined && one.properties['email'] === email);
    if (type === 'contacts' && twin !== undefined) {
      return refused(409, 'CONFLICT', `Contact already exists. Existing ID: ${twin.id}`);
    }
    const refs = associations.map(({ to, types }) => ({
      type: targets[types[0]?.associationTypeId ?? 0],
      id: to.id,
    }));
    for (const ref of refs) {
      if (ref.type === undefined || state.get({ type: ref.type, id: ref.id }) === undefined) {
        return invalid(`No record ${ref.id} to associate with`);
      }
    }
    const object = state.create(type, { ...properties, ...(email === undefined ? {} : { email }) });
    for (const ref of refs)
      if (ref.type !== undefined) state.associate(object, { type: ref.type, id: ref.id });
    return json(201, objectBody(state, object, Object.keys(properties)));
  }

  function list(type: ObjectType, call: Call): Answer {
    const limit = Number(call.query.get('limit') ?? '10');
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) return invalid('limit is 1 to 100');
    const after = Number(call.query.get('after') ?? '0');
    const objects = state
      .all(type, call.query.get('archived') === 'true')
      .filter(({ id }) => Number(id) > after);
    const page = objects.slice(0, limit);
    const last = page.at(-1)?.id;
    return json(200, {
      results: page.map((object) => objectBody(state, object, call.query.getAll('properties'))),
      ...(objects.length > limit && last !== undefined ? { paging: { next: { after: last } } } : {}),
    });
  }

  function get(type: ObjectType, id: string, call: Call): Answer {
    const by = call.query.get('idProperty');
    const object =
      by === null
        ? state.get({ type, id })
        : state.all(type).find((one) => one.properties[by]?.toLowerCase() === id.toLowerCase());
    const archived = call.query.get('archived') === 'true';
    if (object === undefined || (object.archivedAt !== undefined) !== archived) return notFound();
    return json(200, objectBody(state, object, call.query.getAll('properties')));
  }

  function unknownProperty(type: ObjectType, properties: Record<string, string>): Answer | undefined {
    const unknown = Object.keys(properties).find((name) => !state.knows(type, name));
    if (unknown === undefined) return undefined;
    const message = `Property "${unknown}" does not exist`;
    return refused(400, 'VALIDATION_ERROR', 'Property values were not valid', {
      errors: [{ message, code: 'PROPERTY_DOESNT_EXIST', context: { propertyName: [unknown] } }],
    });
  }

  return crm;
}

function lacking(granted: readonly string[], type: ObjectType, access: 'read' | 'write'): Answer | undefined {
  const scope = scopes[type][access];
  if (granted.includes(scope)) return undefined;
  return refused(
    403,
    'MISSING_SCOPES',
    'This app hasn’t been granted all required scopes to make this call.',
    {
      errors: [
        {
          message: 'One or more of the following scopes are required.',
          context: { requiredGranularScopes: [scope] },
        },
      ],
    },
  );
}

function isType(type: string): type is ObjectType {
  return (objectTypes as readonly string[]).includes(type);
}

function notFound(): Answer {
  return refused(404, 'OBJECT_NOT_FOUND', 'resource not found');
}

function invalid(message: string): Answer {
  return refused(400, 'VALIDATION_ERROR', message);
}

function parse<Body>(schema: z.ZodType<Body>, call: Call): { body: Body } | { refused: Answer } {
  let given: unknown;
  try {
    given = JSON.parse(call.body);
  } catch {
    return { refused: invalid('Invalid input JSON') };
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return { body: parsed.data };
  return { refused: invalid(`Invalid input JSON at ${parsed.error.issues[0]?.path.join('.') ?? ''}`) };
}
