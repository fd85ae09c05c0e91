// Whose mailbox was imported, as its mails show: one address that is in nearly all of them, writes to many and is written
// to by many, where no other comes near. A mailing list's archive, a folder of one correspondence and a handful of mails
// have no such address; where in doubt, nobody is named.
import type { OrgStore } from '../../store/store.ts';
import { ownAddresses } from './own-mail.ts';

export interface LikelyOwn {
  address: string;
  /** Mails that are from it or to it, of so many. */
  mails: number;
  of: number;
}

const fewestMails = 20;
const shareOfAll = 2 / 3;
/** What any other address may have. */
const shareOfOthers = 1 / 3;
/** Of those of its own: so many it wrote, and so many were written to it. */
const shareEachWay = 0.1;
const fewestPeople = 5;
/** It is told as part of a command to be typed. */
const plain = /^[a-z0-9][a-z0-9._+-]*@[a-z0-9][a-z0-9.-]*$/u;

/** Undefined where an own address is known already, and where the mails of this connection leave any doubt. */
export async function likelyOwn(org: OrgStore, connectionId: string): Promise<LikelyOwn | undefined> {
  const { orgId } = org;
  return org.read(async (db) => {
    if ((await ownAddresses(db, orgId)).size > 0) return undefined;
    const mails = db
      .selectFrom('source_documents as d')
      .where('d.org_id', '=', orgId)
      .where('d.connection_id', '=', connectionId)
      .where('d.kind', '=', 'mail')
      .where('d.deleted_at', 'is', null);
    const { of } = await mails
      .select((is) => is.fn.countAll<number | string>().as('of'))
      .executeTakeFirstOrThrow();
    const all = Number(of);
    if (all < fewestMails) return undefined;
    const people = mails.innerJoin('document_people as p', (join) =>
      join.onRef('p.org_id', '=', 'd.org_id').onRef('p.document_id', '=', 'd.id'),
    );
    const [first, second] = await people
      .where('p.role', 'in', ['from', 'to', 'cc'])
      .select((is) => ['p.address', is.fn.count<number | string>('d.id').distinct().as('mails')])
      .groupBy('p.address')
      .orderBy('mails', 'desc')
      .orderBy('p.address')
      .limit(2)
      .execute();
    if (first === undefined || !plain.test(first.address)) return undefined;
    const its = Number(first.mails);
    if (its < all * shareOfAll || Number(second?.mails ?? 0) > all * shareOfOthers) return undefined;
    const { address } = first;
    const eachWay = async (mine: readonly string[], theirs: readonly string[]) => {
      const found = await people
        // What a list sends in its own name goes to itself.
        .where((is) =>
          is.not(
            is.exists(
              is
                .selectFrom('document_people as s')
                .select('s.address')
                .whereRef('s.org_id', '=', 'p.org_id')
                .whereRef('s.document_id', '=', 'p.document_id')
                .whereRef('s.address', '=', 'p.address')
                .where('s.role', 'in', theirs),
            ),
          ),
        )
        .innerJoin('document_people as o', (join) =>
          join.onRef('o.org_id', '=', 'p.org_id').onRef('o.document_id', '=', 'p.document_id'),
        )
        .where('p.address', '=', address)
        .where('p.role', 'in', mine)
        .where('o.role', 'in', theirs)
        .where('o.address', '<>', address)
        .select((is) => [
          is.fn.count<number | string>('d.id').distinct().as('mails'),
          is.fn.count<number | string>('o.address').distinct().as('people'),
        ])
        .executeTakeFirstOrThrow();
      return Number(found.mails) >= its * shareEachWay && Number(found.people) >= fewestPeople;
    };
    const isAnOwner = (await eachWay(['from'], ['to', 'cc'])) && (await eachWay(['to', 'cc'], ['from']));
    return isAnOwner ? { address, mails: its, of: all } : undefined;
  });
}
