// Facts of clients as they are stored, in the transaction of the document that says them. What a record says no more
// is closed and stays as history; what a mail never said is gone; a document that goes takes all of its own along.
import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Written } from '../documents/document-rows.ts';
import { parts } from '../documents/known-rows.ts';
import type { Claim } from '../facts/claim.ts';
import { clientRows, clientsByKey } from './keys.ts';
import { namesAgree } from './names.ts';
import { ofOurs } from './own-mail.ts';
import { crmKey } from './people-seen.ts';

type Tx = Transaction<OrgTables>;
type FactRow = OrgTables['client_facts'];

export interface ClientFacts {
  /** Takes away what documents that go have said. */
  forget(documentIds: readonly string[]): Promise<void>;
  /** `replaced`: those of them that were there before. Their clients are known already. */
  learn(documents: readonly Written[], replaced: readonly string[], own: ReadonlySet<string>): Promise<void>;
}

/** SHA-256 of what a fact says, hex. */
export function factHash(name: string, value: string): string {
  return createHash('sha256').update(`${name}: ${value}`).digest('hex');
}

export function createClientFacts(tx: Tx, orgId: string, now: number, connectionId: string): ClientFacts {
  const keyOf = (subject: string) =>
    subject.startsWith('crm:') ? crmKey(connectionId, subject.slice(4)) : subject;

  /** Whose a key is, by the name that stands there where several share it. */
  async function resolver(keys: readonly string[]) {
    const owners = await clientsByKey(tx, orgId, keys);
    const shared = [...owners.values()].filter((ids) => ids.length > 1).flat();
    const rows = shared.length === 0 ? undefined : await clientRows(tx, orgId, shared);
    return (key: string, name: string | undefined): string | null => {
      const ids = owners.get(key) ?? [];
      if (ids.length < 2 || rows === undefined) return ids[0] ?? null;
      const named = name === undefined ? undefined : ids.find((id) => namesAgree(rows.get(id)?.name, name));
      return named ?? ids[0] ?? null;
    };
  }

  /** Facts that came before the client they are about. */
  async function adopt(documents: readonly Written[]): Promise<void> {
    const cards = documents.filter(({ kind }) => kind === 'contact' || kind === 'company');
    if (cards.length === 0) return;
    const keys = cards.map((card) => crmKey(connectionId, card.externalId));
    const owners = await clientsByKey(tx, orgId, keys);
    for (const some of parts(keys, 500)) {
      const orphans = await tx
        .selectFrom('client_facts')
        .select('subject')
        .distinct()
        .where('org_id', '=', orgId)
        .where('subject', 'in', some)
        .where('client_id', 'is', null)
        .execute();
      for (const { subject } of orphans) {
        const [owner] = owners.get(subject) ?? [];
        if (owner === undefined) continue;
        await tx
          .updateTable('client_facts')
          .set({ client_id: owner })
          .where('org_id', '=', orgId)
          .where('subject', '=', subject)
          .where('client_id', 'is', null)
          .execute();
      }
    }
  }

  async function before(ids: readonly string[]): Promise<Map<string, FactRow[]>> {
    const found = new Map<string, FactRow[]>();
    for (const some of parts(ids, 500)) {
      const rows = await tx
        .selectFrom('client_facts')
        .selectAll()
        .where('org_id', '=', orgId)
        .where('document_id', 'in', some)
        .where('origin', '=', 'computed')
        .where('valid_until', 'is', null)
        .execute();
      for (const row of rows) {
        const known = found.get(row.document_id ?? '');
        if (known === undefined) found.set(row.document_id ?? '', [row]);
        else known.push(row);
      }
    }
    return found;
  }

  function rowOf(document: Written, claim: Claim, subject: string, clientId: string | null): FactRow {
    const { family, name, slot, value, data = {}, start, end, confidence } = claim;
    return {
      org_id: orgId,
      id: newId('fct', now),
      client_id: clientId,
      subject,
      document_id: document.id,
      family,
      name,
      slot,
      value,
      data: toJson(data),
      start_at: start,
      end_at: end,
      confidence,
      origin: 'computed',
      by: null,
      valid_from: claim.at ?? document.writtenAt ?? now,
      valid_until: null,
      removed: 0,
      recorded_at: now,
      content_hash: factHash(name, value),
    };
  }

  const sameAs = (row: Pick<FactRow, 'subject' | 'slot' | 'value' | 'data'>) =>
    `${row.subject}\n${row.slot}\n${row.value}\n${row.data}`;

  async function refresh(document: Written, old: readonly FactRow[], made: readonly FactRow[]) {
    const kept = new Map(made.map((row) => [sameAs(row), row]));
    const ended: string[] = [];
    const dropped: string[] = [];
    for (const row of old) {
      const again = kept.get(sameAs(row));
      if (again !== undefined) {
        kept.delete(sameAs(row));
        if (
          again.start_at === row.start_at &&
          again.end_at === row.end_at &&
          again.client_id === row.client_id
        )
          continue;
        const { start_at, end_at, client_id } = again;
        await tx
          .updateTable('client_facts')
          .set({ start_at, end_at, client_id })
          .where('org_id', '=', orgId)
          .where('id', '=', row.id)
          .execute();
      } else (document.kind === 'mail' ? dropped : ended).push(row.id);
    }
    if (ended.length > 0) {
      // Its words are in the document no more: what is left is that it once held.
      await tx
        .updateTable('client_facts')
        .set({ valid_until: document.writtenAt ?? now, start_at: null, end_at: null })
        .where('org_id', '=', orgId)
        .where('id', 'in', ended)
        .execute();
    }
    if (dropped.length > 0) {
      await tx.deleteFrom('client_facts').where('org_id', '=', orgId).where('id', 'in', dropped).execute();
    }
    return [...kept.values()].map((row) => {
      // A record that was corrected says the new value since it was changed, not since it was made.
      const replaces = old.some((one) => one.slot === row.slot && one.subject === row.subject);
      return replaces && (document.writtenAt ?? 0) <= Math.max(...old.map((one) => one.valid_from))
        ? { ...row, valid_from: Math.max(now, row.valid_from) }
        : row;
    });
  }

  return {
    async forget(documentIds) {
      for (const some of parts(documentIds, 500)) {
        await tx
          .deleteFrom('client_facts')
          .where('org_id', '=', orgId)
          .where('document_id', 'in', some)
          .execute();
      }
    },
    async learn(documents, replaced, own) {
      const old = replaced.length === 0 ? new Map<string, FactRow[]>() : await before(replaced);
      const saying = documents.filter(({ id, claims }) => claims.facts.length > 0 || old.has(id));
      if (saying.length === 0) return;
      // What a colleague says is not what a client wants.
      const isOurs = ofOurs(own);
      const said = saying.map((document) => ({
        document,
        claims: document.claims.facts.filter((claim) => {
          if (claim.family === 'contact') return true;
          if (isOurs(claim.subject)) return false;
          return claim.family !== 'question' || asksUs(document, own);
        }),
      }));
      const whose = await resolver(said.flatMap(({ claims }) => claims.map((one) => keyOf(one.subject))));
      const rows: FactRow[] = [];
      for (const { document, claims } of said) {
        const made = new Map<string, FactRow>();
        for (const claim of claims) {
          const subject = keyOf(claim.subject);
          const clientId = whose(subject, claim.as);
          // An address of nobody whom we keep (an automatic sender) is nobody's; a record may still come.
          if (clientId === null && !subject.startsWith('crm:')) continue;
          const row = rowOf(document, claim, subject, clientId);
          const once = `${clientId ?? subject}\n${row.slot}\n${row.value}`;
          if (!made.has(once)) made.set(once, row);
        }
        const before = old.get(document.id);
        rows.push(
          ...(before === undefined ? made.values() : await refresh(document, before, [...made.values()])),
        );
      }
      for (const some of parts(rows, 100)) await tx.insertInto('client_facts').values(some).execute();
      await adopt(documents);
    },
  };
}

/** Whether a mail goes to us; where no account of ours is known, every mail does. */
function asksUs({ people }: Written, own: ReadonlySet<string>): boolean {
  return own.size === 0 || people.some(({ role, address }) => role === 'to' && own.has(address ?? ''));
}
