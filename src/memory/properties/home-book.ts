// What a person decides of homes: that a listing was taken for the wrong one, and which it is of. It stands against
// every later sync, and is on the record.
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import { lockIngest } from '../index/lock.sql.ts';
import type { Property } from '../memory.ts';
import { findProperty, listHomes } from './read.ts';
import { rebuild } from './rebuild.ts';
import { moveSighting } from './sightings.ts';

export interface HomeBook {
  /** Homes whose address holds all of these words, last seen first. */
  list(org: OrgStore, filter: { text?: string; limit: number }): Promise<Property[]>;
  /**
   * A listing is of the home `to`; left out: of a home of its own. @returns that home
   * @throws DrawbridgeError `not_found`; `invalid_request` where it is there already, or alone
   */
  move(
    org: OrgStore,
    person: Person,
    given: { sightingId: string; to?: string; channel: string },
  ): Promise<Property>;
}

export function createHomeBook({ audit }: { audit: Pick<Audit, 'append'> }): HomeBook {
  return {
    list: listHomes,
    async move(org, person, { sightingId, to, channel }) {
      if (person.kind !== 'person' || person.orgId !== org.orgId)
        throw new DrawbridgeError('permission_denied', 'Only a person of the org says which homes are one.');
      const at = await org.now();
      const home = await org.write(async (tx) => {
        await lockIngest(tx, org.dialect, org.orgId);
        const row = await tx
          .selectFrom('property_sightings')
          .selectAll()
          .where('org_id', '=', org.orgId)
          .where('id', '=', sightingId)
          .executeTakeFirst();
        if (row === undefined)
          throw new DrawbridgeError('not_found', 'There is no such listing. Its id begins with psg_.');
        if (to !== undefined) {
          const known = await tx
            .selectFrom('external_properties')
            .select('id')
            .where('org_id', '=', org.orgId)
            .where('id', '=', to)
            .executeTakeFirst();
          if (known === undefined) throw new DrawbridgeError('not_found', 'There is no such home.');
        }
        const beside = await tx
          .selectFrom('property_sightings')
          .select('id')
          .where('org_id', '=', org.orgId)
          .where('property_id', '=', row.property_id)
          .where('id', '!=', row.id)
          .limit(1)
          .executeTakeFirst();
        if (to === row.property_id || (to === undefined && beside === undefined))
          throw new DrawbridgeError('invalid_request', 'It is so already: nothing to change.');
        const said = `${person.name}, by hand`;
        const moved = await moveSighting(tx, { orgId: org.orgId, row, to, said, now: at });
        await rebuild(tx, org.orgId, [row.property_id, moved]);
        await audit.append(tx, org.orgId, at, {
          kind: to === undefined ? 'property.parted' : 'property.joined',
          subject: moved,
          by: { kind: 'person', id: person.memberId, name: person.name },
          channel,
          facts: { sighting: row.id, from: row.property_id },
          values: { why: row.joined_why },
        });
        return moved;
      });
      const found = await findProperty(org, { id: home });
      if (found === undefined) throw new DrawbridgeError('not_found', 'That home is not shown to you.');
      return found;
    },
  };
}
