// Clients that are probably one: proposed to a person with what speaks for it, never joined by themselves. Two of one
// name stay apart until something else speaks for it; a number that others share, too, speaks for nothing.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { type ClientRow, clientRows, clientsByKey, pairOf, rootsOf } from './keys.ts';
import { domainOf, isFreeMail, withoutTag } from './mail-domains.ts';
import { nameKey, namesAgree } from './names.ts';
import type { Seen } from './people-seen.ts';

type Tx = Transaction<OrgTables>;

export interface Evidence {
  text: string;
  documentId?: string;
}

interface Touched {
  id: string;
  name: string;
  kind: 'person' | 'company';
  seen: Seen;
  isNew: boolean;
  /** Whether so much more of it is known by now that it is worth looking for company again. */
  hasGrown: boolean;
}
interface Suspicion {
  a: string;
  b: string;
  rule: string;
  score: number;
  evidence: Evidence[];
}

/** What more than so many share says nothing. */
const mostSharing = 8;
const mostPairs = 40;
/** The newest of each that are looked at for whom they share. */
const mostDocuments = 100;
const mostLookedInto = 8;
const scores = { tag: 0.9, phone: 0.9, domain: 0.7, company: 0.75, context: 0.6 } as const;
const more = 0.05;

export async function proposeMerges(
  tx: Tx,
  given: { orgId: string; now: number; own: ReadonlySet<string>; touched: readonly Touched[] },
): Promise<void> {
  const { orgId, now, own, touched } = given;
  const wanted = new Map(touched.map((one) => [one.id, keysOf(one)]));
  const known = await clientsByKey(tx, orgId, [...wanted.values()].flat());
  const pairs = new Map<string, { a: string; b: string; keys: string[] }>();
  for (const { id } of touched) {
    for (const key of wanted.get(id) ?? []) {
      const sharing = known.get(key) ?? [];
      if (sharing.length > mostSharing) continue;
      for (const other of sharing) {
        if (other === id) continue;
        const pair = pairOf(id, other);
        const entry = pairs.get(pair);
        if (entry !== undefined) entry.keys.push(key);
        else if (pairs.size < mostPairs) pairs.set(pair, { a: id, b: other, keys: [key] });
      }
    }
  }
  if (pairs.size === 0) return;
  const settled = await tx
    .selectFrom('client_merges')
    .select('pair')
    .where('org_id', '=', orgId)
    .where('pair', 'in', [...pairs.keys()])
    .execute();
  for (const { pair } of settled) pairs.delete(pair);
  if (pairs.size === 0) return;
  const grown = new Set(touched.filter(({ hasGrown }) => hasGrown).map(({ id }) => id));
  const cards = new Map(touched.map(({ id, seen }) => [id, seen.documentId]));
  let lookedInto = 0;
  const ids = [...new Set([...pairs.values()].flatMap(({ a, b }) => [a, b]))];
  const rows = await clientRows(tx, orgId, ids);
  const roots = await rootsOf(tx, orgId, ids);
  for (const { a, b, keys } of pairs.values()) {
    const [one, other] = [rows.get(a), rows.get(b)];
    if (one === undefined || other === undefined || roots.get(a) === roots.get(b)) continue;
    const looks = (grown.has(a) || grown.has(b)) && lookedInto < mostLookedInto;
    if (looks && keys.some((key) => key.startsWith('name:'))) lookedInto += 1;
    const found = await suspicion(tx, {
      orgId,
      own,
      one,
      other,
      keys: [...new Set(keys)],
      looks,
      card: cards.get(a),
    });
    if (found === undefined) continue;
    const [kept, joined] = one.document_count >= other.document_count ? [a, b] : [b, a];
    await tx
      .insertInto('client_merges')
      .values({
        org_id: orgId,
        id: newId('mrg', now),
        kind: 'merge',
        state: 'proposed',
        client_id: kept,
        other_id: joined,
        pair: pairOf(a, b),
        rule: found.rule,
        score: found.score,
        evidence: toJson(found.evidence),
        keys: '[]',
        document_id: null,
        proposed_at: now,
        decided_at: null,
        decided_by: null,
      })
      .execute();
  }
}

function keysOf({ name, kind, seen, isNew }: Touched): string[] {
  const whole = nameKey(name);
  const marked = seen.keys.filter(
    (key) => key.startsWith('tel:') || (kind === 'company' && key.startsWith('dom:')),
  );
  const plain = isNew ? seen.addresses.flatMap((address) => withoutTag(address) ?? []) : [];
  return [...(whole === undefined ? [] : [whole]), ...marked, ...plain];
}

async function suspicion(
  tx: Tx,
  given: {
    orgId: string;
    own: ReadonlySet<string>;
    one: ClientRow;
    other: ClientRow;
    keys: readonly string[];
    /** Whether their conversations are worth a look. */
    looks: boolean;
    /** The record that was just read of one of them. */
    card: string | undefined;
  },
): Promise<Pick<Suspicion, 'rule' | 'score' | 'evidence'> | undefined> {
  const { orgId, own, one, other, keys, looks, card } = given;
  if (one.kind !== other.kind) return undefined;
  const found: { rule: keyof typeof scores; evidence: Evidence }[] = [];
  const say = (rule: keyof typeof scores, evidence: Evidence) => found.push({ rule, evidence });
  const agree = namesAgree(one.name, other.name);
  const [mine, theirs] = [fromJson<string[]>(one.emails), fromJson<string[]>(other.emails)];
  for (const key of keys) {
    if (key.includes('@') && agree) {
      const tagged = [...mine, ...theirs].find((address) => withoutTag(address) === key);
      if (tagged !== undefined) say('tag', { text: `${tagged} is ${key} with a tag` });
    }
    if (key.startsWith('dom:')) say('domain', { text: `both have the domain ${key.slice(4)}` });
    if (key.startsWith('tel:') && agree && !one.name.includes('@') && !other.name.includes('@')) {
      const documentId = (await statedIn(tx, orgId, [one.id, other.id], `phone:${key.slice(4)}`)) ?? card;
      say('phone', {
        text: `same phone ${key.slice(4)}, and names that agree`,
        ...(documentId === undefined ? {} : { documentId }),
      });
    }
  }
  if (keys.some((key) => key.startsWith('name:'))) {
    const company = sameCompany(one, other, mine, theirs);
    if (company !== undefined) say('company', { text: `same name, and both at ${company}` });
    const shared = looks ? await correspondents(tx, { orgId, own, mine, theirs }) : [];
    if (shared.length >= 2) {
      const [a = '', b = ''] = shared;
      say('context', { text: `same name, and both in conversation with ${a} and ${b}` });
    }
  }
  const [best] = found.toSorted((x, y) => scores[y.rule] - scores[x.rule]);
  if (best === undefined) return undefined;
  const kinds = new Set(found.map(({ rule }) => rule)).size;
  return {
    rule: best.rule,
    score: Math.min(0.99, scores[best.rule] + more * (kinds - 1)),
    evidence: found.map(({ evidence }) => evidence),
  };
}

function sameCompany(
  one: ClientRow,
  other: ClientRow,
  mine: readonly string[],
  theirs: readonly string[],
): string | undefined {
  const a = one.company?.trim();
  if (a !== undefined && a !== '' && a.toLowerCase() === other.company?.trim().toLowerCase()) return a;
  const domains = (addresses: readonly string[]) =>
    addresses.flatMap((address) => domainOf(address) ?? []).filter((domain) => !isFreeMail(domain));
  const their = new Set(domains(theirs));
  return domains(mine).find((domain) => their.has(domain));
}

async function statedIn(
  tx: Tx,
  orgId: string,
  clients: readonly string[],
  slot: string,
): Promise<string | undefined> {
  const row = await tx
    .selectFrom('client_facts')
    .select('document_id')
    .where('org_id', '=', orgId)
    .where('client_id', 'in', clients)
    .where('slot', '=', slot)
    .where('document_id', 'is not', null)
    .orderBy('valid_from')
    .limit(1)
    .executeTakeFirst();
  return row?.document_id ?? undefined;
}

/** Who stands in documents of both, beside us and themselves. */
async function correspondents(
  tx: Tx,
  given: { orgId: string; own: ReadonlySet<string>; mine: readonly string[]; theirs: readonly string[] },
): Promise<string[]> {
  const { orgId, own, mine, theirs } = given;
  const around = async (addresses: readonly string[]): Promise<Set<string>> => {
    const documents = await tx
      .selectFrom('document_people')
      .select('document_id')
      .where('org_id', '=', orgId)
      .where('address', 'in', ['', ...addresses])
      .orderBy('document_id', 'desc')
      .limit(mostDocuments)
      .execute();
    const rows = await tx
      .selectFrom('document_people')
      .select('address')
      .distinct()
      .where('org_id', '=', orgId)
      .where('document_id', 'in', ['', ...new Set(documents.map((row) => row.document_id))])
      .execute();
    return new Set(rows.map((row) => row.address));
  };
  const [first, second] = [await around(mine), await around(theirs)];
  const not = new Set([...own, ...mine, ...theirs]);
  // Who shares our own domain is a colleague, and in every conversation.
  const ours = new Set([...own].flatMap((address) => domainOf(address) ?? []));
  return [...first]
    .filter((address) => second.has(address) && !not.has(address) && !ours.has(domainOf(address) ?? ''))
    .sort();
}
