// Facts of a client as people and enrichers say them. A person's word stands before any other until a person takes it
// back; an enricher's is marked as such, and stands only where nothing else is known.
import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { inputFaults } from '../../input-faults.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { type FactFamily, factFamilies } from '../facts/claim.ts';
import type { Client } from '../memory.ts';
import { groupOf, toClient } from './clients.ts';
import { factHash } from './fact-rows.ts';
import { type ClientFact, factsOf } from './facts.ts';

const wordShape = z.strictObject({
  family: z.enum(factFamilies).default('note'),
  name: z.string().trim().min(1).max(60),
  value: z.string().trim().min(1).max(500),
});
const enrichedShape = wordShape.extend({
  /** 0..1 */
  confidence: z.number().min(0).max(1).default(0.5),
  /** The document that it was drawn from, and where in its text. */
  documentId: z.string().max(64).optional(),
  span: z.strictObject({ start: z.int().min(0), end: z.int().min(0) }).optional(),
});

export type EnrichedFact = z.input<typeof enrichedShape>;

/** Adds to what the rules found: a model, a register, a service. Asked by whoever runs it; none ships. */
export interface ClientEnricher {
  /** Stands beside each of its facts. */
  name: string;
  facts(client: Client, known: readonly ClientFact[]): Promise<readonly EnrichedFact[]>;
}

export interface FactWords {
  /** @throws DrawbridgeError `not_found`, `invalid_request` naming the field */
  addFact(
    org: OrgStore,
    person: Person,
    given: { clientId: string; word: unknown; channel: string },
  ): Promise<string>;
  /** Says another value in the place of a fact; what it said stays as history. */
  correctFact(
    org: OrgStore,
    person: Person,
    given: { factId: string; value: string; channel: string },
  ): Promise<string>;
  /** Takes a fact away: a source's stays away as long as it says the same, a person's gives way to the sources again. */
  removeFact(org: OrgStore, person: Person, given: { factId: string; channel: string }): Promise<void>;
  /** Runs an enricher over a client; its former facts give way. @returns how many it added */
  enrich(org: OrgStore, enricher: ClientEnricher, clientId: string): Promise<number>;
}

const mostEnriched = 50;

/** Where a word of a person's stands: in the place of what the rules call the same. */
function slotOf(family: FactFamily, name: string): string {
  const plain = name.toLowerCase();
  if (['company', 'role', 'address', 'birthday', 'status', 'industry'].includes(plain)) return plain;
  if (['budget', 'bedrooms', 'bathrooms'].includes(plain)) return `preference:${plain}`;
  return `${family}:said:${plain}`;
}

function checked<Shape extends z.ZodType>(shape: Shape, word: unknown): z.output<Shape> {
  const parsed = shape.safeParse(word);
  if (parsed.success) return parsed.data;
  const faults = inputFaults(shape, parsed.error, word, { whole: 'fact' });
  throw new DrawbridgeError('invalid_request', `${faults.map(({ text }) => text).join('. ')}.`, {
    field: faults[0]?.field ?? 'fact',
  });
}

type Tx = Transaction<OrgTables>;
type FactRow = OrgTables['client_facts'];
type Word = Pick<FactRow, 'client_id' | 'family' | 'name' | 'slot' | 'value' | 'removed'>;

export function createFactWords({ audit }: { audit: Pick<Audit, 'append'> }): FactWords {
  async function say(
    org: OrgStore,
    person: Person,
    given: { channel: string; deed: string },
    work: (tx: Tx) => Promise<Word>,
  ): Promise<string> {
    if (person.kind !== 'person' || person.orgId !== org.orgId)
      throw new DrawbridgeError('permission_denied', 'Only people of the org say what is true of a client.');
    const at = await org.now();
    return org.write(async (tx) => {
      const word = await work(tx);
      const last = await tx
        .selectFrom('client_facts')
        .select((e) => e.fn.max('recorded_at').as('at'))
        .where('org_id', '=', org.orgId)
        .where('client_id', '=', word.client_id)
        .where('slot', '=', word.slot)
        .executeTakeFirst();
      // The last word stands, however fast it followed on the one before.
      const recorded = Math.max(at, Number(last?.at ?? 0) + 1);
      const row: FactRow = {
        ...word,
        org_id: org.orgId,
        id: newId('fct', recorded),
        subject: '',
        document_id: null,
        data: '{}',
        start_at: null,
        end_at: null,
        confidence: 1,
        origin: 'person',
        by: person.name,
        valid_from: at,
        valid_until: null,
        recorded_at: recorded,
        content_hash: factHash(word.name, word.value),
      };
      await tx.insertInto('client_facts').values(row).execute();
      await audit.append(tx, org.orgId, at, {
        kind: `client.fact_${given.deed}`,
        subject: word.client_id ?? '',
        by: { kind: 'person', id: person.memberId, name: person.name },
        channel: given.channel,
        facts: { fact: row.id, family: word.family, hash: row.content_hash },
        values: { name: word.name, value: word.value },
      });
      return row.id;
    });
  }

  /** A fact that the viewer can see, with the client that it counts for. */
  async function find(tx: Tx, org: OrgStore, factId: string): Promise<ClientFact> {
    const row = await tx
      .selectFrom('client_facts')
      .select('client_id')
      .where('org_id', '=', org.orgId)
      .where('id', '=', factId)
      .executeTakeFirst();
    if (row?.client_id != null) {
      const group = await groupOf(tx, org.orgId, row.client_id);
      const facts = await factsOf(
        org,
        tx,
        group.map(({ id }) => id),
      );
      const fact = facts.find(({ id }) => id === factId);
      if (fact !== undefined) return fact;
    }
    throw new DrawbridgeError('not_found', 'There is no such fact.');
  }

  return {
    addFact(org, person, { clientId, word, channel }) {
      const { family, name, value } = checked(wordShape, word);
      return say(org, person, { channel, deed: 'added' }, async (tx) => {
        const [root] = await groupOf(tx, org.orgId, clientId);
        return {
          client_id: root?.id ?? clientId,
          family,
          name,
          slot: slotOf(family, name),
          value,
          removed: 0,
        };
      });
    },
    correctFact(org, person, { factId, value: said, channel }) {
      const { value } = checked(wordShape.pick({ value: true }), { value: said });
      return say(org, person, { channel, deed: 'corrected' }, async (tx) => {
        const { clientId, family, name, slot } = await find(tx, org, factId);
        return { client_id: clientId, family, name, slot, value, removed: 0 };
      });
    },
    async removeFact(org, person, { factId, channel }) {
      await say(org, person, { channel, deed: 'removed' }, async (tx) => {
        const { clientId, family, name, slot, value, origin } = await find(tx, org, factId);
        // Of a person's word nothing is left to hide: the sources speak again.
        return {
          client_id: clientId,
          family,
          name,
          slot,
          value: origin === 'person' ? '' : value,
          removed: 1,
        };
      });
    },
    async enrich(org, enricher, clientId) {
      const { group, known } = await org.read(async (db) => {
        const rows = await groupOf(db, org.orgId, clientId);
        const ids = rows.map(({ id }) => id);
        return { group: rows, known: await factsOf(org, db, ids) };
      });
      const given = await enricher.facts(
        toClient(group),
        known.filter(({ stands }) => stands),
      );
      const words = given.slice(0, mostEnriched).map((one) => checked(enrichedShape, one));
      const at = await org.now();
      const root = group[0]?.id ?? clientId;
      await org.write(async (tx) => {
        await tx
          .deleteFrom('client_facts')
          .where('org_id', '=', org.orgId)
          .where('client_id', '=', root)
          .where('origin', '=', 'enricher')
          .where('by', '=', enricher.name)
          .execute();
        if (words.length === 0) return;
        await tx
          .insertInto('client_facts')
          .values(
            words.map(({ family, name, value, confidence, documentId, span }) => ({
              org_id: org.orgId,
              id: newId('fct', at),
              client_id: root,
              subject: '',
              document_id: documentId ?? null,
              family,
              name,
              slot: slotOf(family, name),
              value,
              data: toJson({}),
              start_at: span?.start ?? null,
              end_at: span?.end ?? null,
              confidence,
              origin: 'enricher' as const,
              by: enricher.name,
              valid_from: at,
              valid_until: null,
              removed: 0,
              recorded_at: at,
              content_hash: factHash(name, value),
            })),
          )
          .execute();
      });
      return words.length;
    },
  };
}
