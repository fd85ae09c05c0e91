// An org's rules for writes: kept in the store, judged fresh each time, removed but never forgotten.
import type { Kysely, Transaction } from 'kysely';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Channel } from '../queue.ts';
import { type Policy, sameOrg } from '../room.ts';
import { judgeBy, type Rule, ruleSchema, type StoredRule, writeEffects } from './rules.ts';

const mostRules = 500;
const presenceSetting = 'presence_effects';

export interface ListedRule {
  id: string;
  /** The member whose own it is; undefined: of the org. */
  memberId: string | undefined;
  /** Undefined: broken, and asks about everything until it is removed. */
  rule: Rule | undefined;
  createdBy: string;
  createdAt: number;
}

export interface OrgPolicy extends Policy {
  /** Those in force, oldest first. */
  list(org: OrgStore): Promise<ListedRule[]>;
  /**
   * @param mine only for what this person proposes or decides, instead of for the org
   * @throws DrawbridgeError `invalid_request` naming the field
   */
  add(
    org: OrgStore,
    person: Person,
    given: { rule: unknown; mine: boolean; channel: Channel },
  ): Promise<ListedRule>;
  /** @throws DrawbridgeError `not_found`; `permission_denied` for a rule that is another person's own */
  remove(org: OrgStore, person: Person, given: { id: string; channel: Channel }): Promise<void>;
  /** Effects whose approval a passkey has to sign. */
  signedEffects(org: OrgStore): Promise<string[]>;
  /** @throws DrawbridgeError `invalid_request` for what is no effect */
  setSignedEffects(
    org: OrgStore,
    person: Person,
    given: { effects: readonly string[]; channel: Channel },
  ): Promise<string[]>;
}

type RuleRow = OrgTables['policy_rules'];

export function createPolicy(parts: { audit?: Pick<Audit, 'append'> | undefined } = {}): OrgPolicy {
  const { audit } = parts;

  async function record(
    tx: Transaction<OrgTables>,
    org: OrgStore,
    entry: {
      at: number;
      kind: string;
      subject: string;
      person: Person;
      channel: Channel;
      facts: Record<string, string | null>;
    },
  ): Promise<void> {
    const { at, kind, subject, person, channel, facts } = entry;
    await audit?.append(tx, org.orgId, at, { kind, subject, by: by(person), channel, facts });
  }

  return {
    async judge(org, subject) {
      const { rows, signed } = await org.read(async (db) => ({
        rows: await rowsOf(db, org.orgId),
        signed: await readSignedEffects(db, org.orgId),
      }));
      return judgeBy(rows.map(storedOf), subject, signed);
    },

    async list(org) {
      return (await org.read((db) => rowsOf(db, org.orgId))).map(listedOf);
    },

    async add(org, person, { rule, mine, channel }) {
      mustBePerson(org, person);
      const parsed = ruleSchema.safeParse(rule);
      if (!parsed.success) {
        const [fault] = parsed.error.issues;
        const field = fault?.path.join('.') || 'rule';
        throw new DrawbridgeError('invalid_request', `${field}: ${fault?.message ?? 'is no rule'}`, {
          field,
        });
      }
      const at = await org.now();
      return org.write(async (tx) => {
        const known = await rowsOf(tx, org.orgId);
        if (known.length >= mostRules) {
          throw new DrawbridgeError(
            'quota_exhausted',
            `There are ${mostRules} rules already. Remove some first.`,
            {
              retry: 'ask',
            },
          );
        }
        const row: RuleRow = {
          org_id: org.orgId,
          id: newId('pol', at),
          member_id: mine ? person.memberId : null,
          position: (known.at(-1)?.position ?? 0) + 1,
          rule: toJson(parsed.data),
          created_by: toJson(by(person)),
          created_at: at,
          removed_at: null,
        };
        await tx.insertInto('policy_rules').values(row).execute();
        const facts = { rule: row.rule, member: row.member_id };
        await record(tx, org, { at, kind: 'policy.added', subject: row.id, person, channel, facts });
        return listedOf(row);
      });
    },

    async remove(org, person, { id, channel }) {
      mustBePerson(org, person);
      const at = await org.now();
      await org.write(async (tx) => {
        const row = (await rowsOf(tx, org.orgId)).find((one) => one.id === id);
        if (row === undefined) {
          throw new DrawbridgeError(
            'not_found',
            `There is no rule ${JSON.stringify(id.slice(0, 100))} in force.`,
          );
        }
        if (row.member_id !== null && row.member_id !== person.memberId) {
          throw new DrawbridgeError('permission_denied', 'This rule is another person’s own.');
        }
        await tx
          .updateTable('policy_rules')
          .set({ removed_at: at })
          .where('org_id', '=', org.orgId)
          .where('id', '=', id)
          .where('removed_at', 'is', null)
          .execute();
        const facts = { rule: row.rule, member: row.member_id };
        await record(tx, org, { at, kind: 'policy.removed', subject: id, person, channel, facts });
      });
    },

    signedEffects: (org) => org.read((db) => readSignedEffects(db, org.orgId)),

    async setSignedEffects(org, person, { effects, channel }) {
      mustBePerson(org, person);
      const strange = effects.find((effect) => !isEffect(effect));
      if (strange !== undefined) {
        throw new DrawbridgeError(
          'invalid_request',
          `effects: ${JSON.stringify(strange.slice(0, 40))} is none of ${writeEffects.join(', ')}.`,
          { field: 'effects' },
        );
      }
      const chosen = writeEffects.filter((effect) => effects.includes(effect));
      const at = await org.now();
      await org.write(async (tx) => {
        const before = await readSignedEffects(tx, org.orgId);
        const value = toJson(chosen);
        await tx
          .insertInto('org_settings')
          .values({ org_id: org.orgId, name: presenceSetting, value, updated_at: at })
          .onConflict((known) => known.columns(['org_id', 'name']).doUpdateSet({ value, updated_at: at }))
          .execute();
        const facts = { before: before.join(','), after: chosen.join(',') };
        await record(tx, org, {
          at,
          kind: 'policy.presence-changed',
          subject: presenceSetting,
          person,
          channel,
          facts,
        });
      });
      return chosen;
    },
  };
}

function by(person: Person): { kind: string; id: string; name: string } {
  return { kind: 'person', id: person.memberId, name: person.name };
}

/** The type says so already; this holds when the type was talked out of it. */
function mustBePerson(org: OrgStore, person: Person): void {
  sameOrg(org, person);
  if (person.kind !== 'person') {
    throw new DrawbridgeError('permission_denied', 'Only a person changes the policy.');
  }
}

async function rowsOf(db: Kysely<OrgTables>, orgId: string): Promise<RuleRow[]> {
  return db
    .selectFrom('policy_rules')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('removed_at', 'is', null)
    .orderBy('position')
    .orderBy('id')
    .execute();
}

function storedOf(row: RuleRow): StoredRule {
  return { id: row.id, memberId: row.member_id ?? undefined, rule: ruleOf(row.rule), text: row.rule };
}

function listedOf(row: RuleRow): ListedRule {
  const { id, member_id, created_by, created_at } = row;
  return {
    id,
    memberId: member_id ?? undefined,
    rule: ruleOf(row.rule),
    createdBy: fromJson<{ name: string }>(created_by).name,
    createdAt: created_at,
  };
}

/** Undefined for a broken one: it was written by another version, or by nobody of ours. */
function ruleOf(text: string): Rule | undefined {
  try {
    return ruleSchema.safeParse(JSON.parse(text)).data;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function isEffect(effect: unknown): boolean {
  return writeEffects.some((one) => one === effect);
}

/** Effects whose approval a passkey has to sign. A setting that cannot be read asks for it at every effect. */
export async function readSignedEffects(db: Kysely<OrgTables>, orgId: string): Promise<string[]> {
  const row = await db
    .selectFrom('org_settings')
    .select('value')
    .where('org_id', '=', orgId)
    .where('name', '=', presenceSetting)
    .executeTakeFirst();
  if (row === undefined) return [];
  try {
    const value: unknown = JSON.parse(row.value);
    if (Array.isArray(value) && value.every(isEffect)) return value as string[];
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  return [...writeEffects];
}
