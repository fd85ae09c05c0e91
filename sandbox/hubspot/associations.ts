// Associations, version 4 of HubSpot's API: listed, read by the batch, and made.
import { z } from 'zod';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { json, refused } from './answers.ts';
import { type CrmState, type ObjectType, objectTypes, type Ref } from './state.ts';

const oneType = [{ category: 'HUBSPOT_DEFINED', typeId: 279, label: null }];
const batchBody = z.object({ inputs: z.array(z.object({ id: z.string() })).max(1000) });

/** Undefined where the call is about something else. */
export function associationCall(
  state: CrmState,
  call: Call,
  lacking: (type: ObjectType, access: 'read' | 'write') => Answer | undefined,
): Answer | undefined {
  const batch = /^\/crm\/v4\/associations\/([^/]+)\/([^/]+)\/batch\/read$/.exec(call.path);
  if (batch !== null && call.method === 'POST') {
    const [, from = '', to = ''] = batch;
    if (!isType(from) || !isType(to)) return unknown();
    return lacking(from, 'read') ?? readBatch(state, from, to, call);
  }
  const made = /^\/crm\/v4\/objects\/([^/]+)\/(\d+)\/associations\/default\/([^/]+)\/(\d+)$/.exec(call.path);
  if (made !== null && call.method === 'PUT') {
    const [, from = '', fromId = '', to = '', toId = ''] = made;
    if (!isType(from) || !isType(to)) return unknown();
    return lacking(from, 'write') ?? associate(state, { type: from, id: fromId }, { type: to, id: toId });
  }
  const listed = /^\/crm\/v4\/objects\/([^/]+)\/(\d+)\/associations\/([^/]+)$/.exec(call.path);
  if (listed !== null && call.method === 'GET') {
    const [, from = '', id = '', to = ''] = listed;
    if (!isType(from) || !isType(to)) return unknown();
    return lacking(from, 'read') ?? list(state, { type: from, id }, to, call);
  }
  return undefined;
}

function list(state: CrmState, from: Ref, to: ObjectType, call: Call): Answer {
  if (state.get(from) === undefined) return refused(404, 'OBJECT_NOT_FOUND', 'resource not found');
  const limit = Number(call.query.get('limit') ?? '500');
  const start = Number(call.query.get('after') ?? '0');
  const ids = state.associated(from, to);
  return json(200, {
    // Numbers, though the specification says text.
    results: ids
      .slice(start, start + limit)
      .map((id) => ({ toObjectId: Number(id), associationTypes: oneType })),
    ...(start + limit < ids.length ? { paging: { next: { after: String(start + limit) } } } : {}),
  });
}

function readBatch(state: CrmState, from: ObjectType, to: ObjectType, call: Call): Answer {
  const { inputs } = batchBody.parse(JSON.parse(call.body));
  const pairs = inputs.map(({ id }) => ({ id, ids: state.associated({ type: from, id }, to) }));
  const results = pairs
    .filter(({ ids }) => ids.length > 0)
    .map(({ id, ids }) => ({
      from: { id },
      to: ids.map((toId) => ({ toObjectId: Number(toId), associationTypes: oneType })),
    }));
  const without = pairs.filter(({ ids }) => ids.length === 0);
  const body = { status: 'COMPLETE', results, startedAt: epoch, completedAt: epoch };
  if (without.length === 0) return json(200, body);
  return json(207, {
    ...body,
    numErrors: without.length,
    errors: without.map(({ id }) => ({
      status: 'error',
      category: 'OBJECT_NOT_FOUND',
      subCategory: 'crm.associations.NO_ASSOCIATIONS_FOUND',
      message: `No ${to} is associated with ${from} ${id}.`,
      context: { fromObjectId: [id], toObjectType: [to] },
    })),
  });
}

const epoch = new Date(0).toISOString();

function associate(state: CrmState, from: Ref, to: Ref): Answer {
  for (const ref of [from, to]) {
    const object = state.get(ref);
    if (object === undefined || object.archivedAt !== undefined) {
      return refused(404, 'OBJECT_NOT_FOUND', 'resource not found');
    }
  }
  state.associate(from, to);
  return json(200, { status: 'COMPLETE', results: [], startedAt: epoch, completedAt: epoch });
}

function isType(type: string): type is ObjectType {
  return (objectTypes as readonly string[]).includes(type);
}

function unknown(): Answer {
  return refused(400, 'VALIDATION_ERROR', 'Unable to infer object type');
}
