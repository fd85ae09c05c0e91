// What is changed in HubSpot: create, update, associate, archive. HubSpot has no key that makes a repeat
// harmless, so what can be looked up afterwards is looked up, and the rest is left to a person.
import { AssociationTypes } from '@hubspot/api-client/lib/src/enums/AssociationTypes.js';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import {
  type LookUp,
  type ProviderContext,
  type WriteContext,
  type WriteOperation,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { ifThere } from '../request.ts';
import { asked, hubspotDefined, readingClient, writingClient } from './client.ts';
import { type Kind, kinds, type ObjectType, objectTypes } from './kinds.ts';
import { objectId, pageOf, type RawObject, rawObject, valuesOf } from './objects.ts';
import {
  type Changed,
  checkWritten,
  createInput,
  inWords,
  payloadOf,
  propertiesOf,
  updateInput,
  type Written,
} from './payload.ts';
import { associatedId } from './reads.ts';

const nothing = z.unknown();
const propertyValues = z.record(z.string(), z.string());

export function createOperation(kind: Kind): WriteOperation<Written> {
  const base = {
    effect: 'create' as const,
    version: 1,
    title: `Create a ${kind.one}`,
    description: `Adds a ${kind.one} to HubSpot, associated with the records it belongs to.`,
    scopes: kind.scopes.write,
    input: createInput(kind),
    summary: (payload: Written, account: string) =>
      `Create in ${account} a ${kind.one}: ${inWords(kind, payload)}`,
    validate: (payload: Written) => checkWritten(kind, payload, 'create'),
    compensation: {
      title: `Delete the ${kind.one}`,
      operation: `delete-${kind.one}`,
      payload: (_payload: Written, { reference }: WriteOutcome) => ({ id: reference }),
    },
    async run(context: WriteContext, payload: Written): Promise<WriteOutcome> {
      const properties = propertiesOf(kind, payload);
      if (kind.type === 'notes' && properties['hs_timestamp'] === undefined) {
        properties['hs_timestamp'] = new Date(context.clock.now()).toISOString();
      }
      const client = await writingClient(context);
      const associations = (payload.associations ?? []).map(({ to, id }) => ({
        to: { id },
        types: [{ associationCategory: hubspotDefined, associationTypeId: typeOf(kind, to) }],
      }));
      const call = client.objects.create(kind.type, { properties, associations });
      return outcomeOf(context, kind, await asked(context, call, rawObject));
    },
  };
  if (kind.type !== 'contacts') return writeOperation<Written>({ ...base, idempotency: 'none' });
  return writeOperation<Written>({ ...base, idempotency: 'look-up', lookUp: createdContact });
}

/** One contact has an e-mail address: a record that has it, and all else that was to be written, is the effect. */
async function createdContact(context: WriteContext, payload: Written): Promise<LookUp> {
  const email = payload['email'];
  if (typeof email !== 'string') {
    return { found: false, conclusive: false, evidence: 'The contact has no e-mail address to look for.' };
  }
  const wanted = propertiesOf(kinds.contacts, payload);
  const found = await lookedUp(context, kinds.contacts, email, Object.keys(wanted), 'email');
  if (found === undefined) {
    return { found: false, conclusive: true, evidence: `No contact has the address ${email}.` };
  }
  if (differing(found, wanted).length === 0) {
    return { found: true, outcome: outcomeOf(context, kinds.contacts, found) };
  }
  return {
    found: false,
    conclusive: false,
    evidence: `Contact ${found.id} has the address ${email}, but differs in ${differing(found, wanted).join(', ')}.`,
  };
}

export function updateOperation(kind: Kind): WriteOperation<Changed> {
  return writeOperation<Changed>({
    effect: 'update',
    version: 1,
    title: `Change a ${kind.one}`,
    description: `Sets properties of a ${kind.one} in HubSpot; those that are not named stay.`,
    scopes: kind.scopes.write,
    idempotency: 'look-up',
    input: updateInput(kind),
    summary: (payload, account) =>
      `Change in ${account} the ${kind.one} ${payload.id}: ${inWords(kind, payload)}`,
    validate: (payload) => checkWritten(kind, payload, 'update'),
    async before(context, payload) {
      const after = propertiesOf(kind, payload);
      const { found, title, url } = await standing(context, kind, payload.id, Object.keys(after));
      const has = valuesOf(found);
      const fields = Object.fromEntries(Object.keys(after).map((name) => [name, has[name] ?? '']));
      return { title, fields, after, ...url };
    },
    compensation: {
      title: 'Change it back',
      operation: `update-${kind.one}`,
      payload: ({ id }, { details }) => {
        const was = propertyValues.safeParse(details['was']);
        const back = was.success ? payloadOf(kind, was.data) : undefined;
        return back === undefined ? undefined : { id, ...back };
      },
    },
    async run(context, payload) {
      const client = await writingClient(context);
      const call = client.objects.update(kind.type, payload.id, { properties: propertiesOf(kind, payload) });
      return changedOutcome(context, kind, await asked(context, call, rawObject));
    },
    async lookUp(context, payload) {
      const wanted = propertiesOf(kind, payload);
      const found = await lookedUp(context, kind, payload.id, Object.keys(wanted));
      if (found === undefined) {
        return { found: false, conclusive: true, evidence: `There is no ${kind.one} ${payload.id}.` };
      }
      const other = differing(found, wanted);
      if (other.length === 0) return { found: true, outcome: changedOutcome(context, kind, found) };
      // HubSpot writes some values in a form of its own: a difference proves nothing.
      const evidence = `The ${kind.one} ${payload.id} differs in ${other.join(', ')}.`;
      return { found: false, conclusive: false, evidence };
    },
  });
}

const association = z.strictObject({ id: objectId, to: z.enum(objectTypes), toId: objectId });
type AssociationPayload = z.infer<typeof association>;

export function associateOperation(kind: Kind): WriteOperation<AssociationPayload> {
  const outcome = ({ id, to, toId }: AssociationPayload): WriteOutcome => ({
    reference: `${kind.type}/${id}/${to}/${toId}`,
    details: { from: { type: kind.type, id }, to: { type: to, id: toId } },
  });
  return writeOperation<AssociationPayload>({
    effect: 'update',
    version: 1,
    title: `Associate a ${kind.one} with another record`,
    description: `Says in HubSpot that a ${kind.one} belongs to a contact, company, deal, note or ticket.`,
    scopes: kind.scopes.write,
    idempotency: 'look-up',
    input: association,
    summary: ({ id, to, toId }, account) =>
      `Associate in ${account} the ${kind.one} ${id} with the ${kinds[to].one} ${toId}`,
    validate({ id, to, toId }) {
      if (kind.type === to && (id === toId || to === 'notes')) {
        throw new DrawbridgeError('invalid_request', 'to: must be another record', { field: 'to' });
      }
    },
    async run(context, payload) {
      const client = await writingClient(context);
      const { id, to, toId } = payload;
      await asked(context, client.associations.createDefault(kind.type, id, to, toId), nothing);
      return outcome(payload);
    },
    async lookUp(context, payload) {
      if (await isAssociated(context, kind, payload)) return { found: true, outcome: outcome(payload) };
      const { id, to, toId } = payload;
      const evidence = `The ${kind.one} ${id} is not associated with the ${kinds[to].one} ${toId}.`;
      return { found: false, conclusive: true, evidence };
    },
  });
}

const someIds = z.object({
  results: z.array(z.object({ toObjectId: associatedId })),
  paging: z.object({ next: z.object({ after: z.string() }).optional() }).optional(),
});

async function isAssociated(
  context: ProviderContext,
  kind: Kind,
  { id, to, toId }: AssociationPayload,
): Promise<boolean> {
  const client = await readingClient(context);
  let after: string | undefined;
  do {
    const page = await asked(context, client.associations.getPage(kind.type, id, to, after, 500), someIds);
    if (page.results.some(({ toObjectId }) => toObjectId === toId)) return true;
    const next = page.paging?.next?.after;
    after = next === after ? undefined : next;
  } while (after !== undefined);
  return false;
}

export function archiveOperation(kind: Kind): WriteOperation<{ id: string }> {
  return writeOperation<{ id: string }>({
    effect: 'delete',
    version: 1,
    title: `Delete a ${kind.one}`,
    description: `Moves a ${kind.one} of HubSpot to its recycling bin, whence people can restore it for 90 days.`,
    scopes: kind.scopes.write,
    idempotency: 'look-up',
    input: z.strictObject({ id: objectId }),
    summary: ({ id }, account) =>
      `Delete in ${account} the ${kind.one} ${id} (people can restore it for 90 days)`,
    async before(context, { id }) {
      const { found, title, url } = await standing(context, kind, id, []);
      const fields = Object.fromEntries(
        Object.entries(valuesOf(found)).filter(([name]) => kind.shown.includes(name)),
      );
      return { title, fields, after: {}, ...url };
    },
    async run(context, { id }) {
      const client = await writingClient(context);
      await asked(context, client.objects.archive(kind.type, id), nothing);
      return { reference: id, details: { id, archived: true } };
    },
    async lookUp(context, { id }) {
      if ((await lookedUp(context, kind, id, [])) === undefined) {
        return { found: true, outcome: { reference: id, details: { id, archived: true } } };
      }
      return { found: false, conclusive: true, evidence: `The ${kind.one} ${id} is still there.` };
    },
  });
}

/** HubSpot's own number of the association, from the official client: `dealToContact`. */
function typeOf(kind: Kind, to: ObjectType): number {
  const name = `${kind.one}To${kinds[to].one.charAt(0).toUpperCase()}${kinds[to].one.slice(1)}`;
  const found = AssociationTypes[name as keyof typeof AssociationTypes];
  if (typeof found === 'number') return found;
  throw new DrawbridgeError(
    'invalid_request',
    `associations: a ${kind.one} has none with ${kinds[to].many}`,
    {
      field: 'associations',
    },
  );
}

async function lookedUp(
  context: ProviderContext,
  kind: Kind,
  id: string,
  properties: string[],
  idProperty?: string,
): Promise<RawObject | undefined> {
  const client = await readingClient(context);
  const call = client.objects.getById(kind.type, id, properties, undefined, undefined, undefined, idProperty);
  return ifThere(asked(context, call, rawObject));
}

/** The record as it stands, and what names it. @throws DrawbridgeError `not_found` */
async function standing(
  context: ProviderContext,
  kind: Kind,
  id: string,
  properties: string[],
): Promise<{ found: RawObject; title: string; url: { url?: string } }> {
  const found = await lookedUp(context, kind, id, [...new Set([...kind.shown, ...properties])]);
  if (found === undefined)
    throw new DrawbridgeError('not_found', `There is no ${kind.one} ${id} in HubSpot.`);
  const has = valuesOf(found);
  const names = kind.shown.flatMap((name) => has[name] ?? []).slice(0, 2);
  const url = pageOf(context, kind, id);
  return {
    found,
    title: [`${kind.one} ${id}`, ...names].join(', '),
    url: url === undefined ? {} : { url },
  };
}

/** Names of those that are not as wanted. HubSpot writes addresses in lower case. */
function differing(found: RawObject, wanted: Record<string, string>): string[] {
  const has = valuesOf(found);
  const same = (name: string, value: string) =>
    name === 'email' ? has[name]?.toLowerCase() === value.toLowerCase() : (has[name] ?? '') === value;
  return Object.entries(wanted).flatMap(([name, value]) => (same(name, value) ? [] : [name]));
}

function outcomeOf(context: ProviderContext, kind: Kind, raw: RawObject): WriteOutcome {
  const url = pageOf(context, kind, raw.id);
  return {
    reference: raw.id,
    details: { id: raw.id, properties: valuesOf(raw) },
    ...(url === undefined ? {} : { url }),
  };
}

/** With the values that stood there before, which take it back. */
function changedOutcome(context: WriteContext, kind: Kind, raw: RawObject): WriteOutcome {
  const outcome = outcomeOf(context, kind, raw);
  const was = context.before?.fields;
  return was === undefined ? outcome : { ...outcome, details: { ...outcome.details, was } };
}
