// Which clients may carry a person's decision in the conversation, and whose decisions those are. None, until a
// person says so: a client may answer by itself what it should have asked (docs/decisions/0036).
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Agent, Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { readSignedEffects } from '../policy/policy.ts';
import { moverOf } from '../propose/propose.ts';
import type { Action, Channel } from '../queue.ts';
import { type QueueRoom, sameOrg } from '../room.ts';

const setting = 'elicitation_clients';
const mostCarriers = 200;
/** An API key, or the local client. Who comes with an issuer's token is a person of its own: not admitted yet. */
const clientShape = /^(?:stdio|key_[a-z0-9]{1,60})$/;

const stored = z.array(z.object({ client: z.string(), memberId: z.string(), at: z.number() }));

/** `client`: the id of an API key, or `stdio`. `memberId`: in whose name its decisions are made. */
export type Carrier = z.output<typeof stored>[number];

/** A setting that cannot be read admits nobody. */
async function readCarriers(db: Kysely<OrgTables>, orgId: string): Promise<Carrier[]> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', setting)
    .executeTakeFirst();
  if (row === undefined) return [];
  try {
    return stored.catch([]).parse(JSON.parse(row.value));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return [];
    throw thrown;
  }
}

/**
 * The person in whose name this client may carry a decision on the action; undefined: it may not. Never where the
 * org wants a signature (though nobody has a passkey yet), where another member is asked, or where policy denies.
 */
export async function carrierOf(
  room: Pick<QueueRoom, 'member'>,
  org: OrgStore,
  agent: Agent,
  action: Action,
): Promise<Person | undefined> {
  sameOrg(org, agent);
  if (action.status !== 'pending' || action.policy?.outcome === 'deny') return undefined;
  const memberId = await org.read(async (db) => {
    if ((await readSignedEffects(db, org.orgId)).includes(action.effect)) return undefined;
    const carriers = await readCarriers(db, org.orgId);
    return carriers.find(({ client }) => client === agent.agentId)?.memberId;
  });
  if (memberId === undefined) return undefined;
  // Who acts for one member carries no other's decisions.
  if (agent.memberId !== undefined && agent.memberId !== memberId) return undefined;
  if (action.assignedTo !== undefined && action.assignedTo !== memberId) return undefined;
  const member = await room.member?.(org.orgId, memberId);
  if (member === undefined) return undefined;
  return { kind: 'person', orgId: org.orgId, memberId, name: member.name };
}

/**
 * In the transaction of the decision: whoever forbade the client a moment ago is obeyed.
 * @throws DrawbridgeError `permission_denied`
 */
export async function mustBeCarried(
  db: Kysely<OrgTables>,
  org: OrgStore,
  person: Person,
  { client, effect }: { client: string | undefined; effect: string },
): Promise<void> {
  const carriers = await readCarriers(db, org.orgId);
  const isSigned = (await readSignedEffects(db, org.orgId)).includes(effect);
  if (!isSigned && carriers.some((one) => one.client === client && one.memberId === person.memberId)) return;
  throw new DrawbridgeError(
    'permission_denied',
    'This client may not carry this decision. Decide on the approval page or on a terminal.',
  );
}

export interface Carriers {
  list(org: OrgStore): Promise<Carrier[]>;
  /** From now on the client may carry this person's decisions. @throws DrawbridgeError `invalid_request` */
  allow(org: OrgStore, person: Person, given: { client: string; channel: Channel }): Promise<Carrier[]>;
  /** @throws DrawbridgeError `not_found` */
  deny(org: OrgStore, person: Person, given: { client: string; channel: Channel }): Promise<Carrier[]>;
}

export function createCarriers(parts: { audit?: Pick<Audit, 'append'> | undefined } = {}): Carriers {
  async function change(
    org: OrgStore,
    person: Person,
    kind: 'policy.client-allowed' | 'policy.client-denied',
    { client, channel }: { client: string; channel: Channel },
    next: (known: Carrier[], at: number) => Carrier[],
  ): Promise<Carrier[]> {
    sameOrg(org, person);
    // The type says so already; this holds when the type was talked out of it.
    if (person.kind !== 'person') {
      throw new DrawbridgeError('permission_denied', 'Only a person says which clients carry decisions.');
    }
    const at = await org.now();
    return org.write(async (tx) => {
      const carriers = next(await readCarriers(tx, org.orgId), at);
      const value = toJson(carriers);
      await tx
        .insertInto('org_settings')
        .values({ org_id: org.orgId, name: setting, value, updated_at: at })
        .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
        .execute();
      const facts = { client, member: person.memberId };
      await parts.audit?.append(tx, org.orgId, at, {
        kind,
        subject: setting,
        by: moverOf(person),
        channel,
        facts,
      });
      return carriers;
    });
  }

  return {
    list: (org) => org.read((db) => readCarriers(db, org.orgId)),
    allow(org, person, given) {
      const { client } = given;
      if (!clientShape.test(client)) {
        throw new DrawbridgeError(
          'invalid_request',
          'client: give stdio (the local client) or the id of an API key (drawbridge keys list).',
          { field: 'client' },
        );
      }
      return change(org, person, 'policy.client-allowed', given, (known, at) => {
        const others = known.filter((one) => one.client !== client);
        if (others.length >= mostCarriers) {
          throw new DrawbridgeError('invalid_request', `client: ${mostCarriers} are allowed already.`);
        }
        return [...others, { client, memberId: person.memberId, at }];
      });
    },
    deny(org, person, given) {
      return change(org, person, 'policy.client-denied', given, (known) => {
        const others = known.filter(({ client }) => client !== given.client);
        if (others.length === known.length) {
          throw new DrawbridgeError('not_found', 'This client carries no decisions.');
        }
        return others;
      });
    },
  };
}
