// The records of a HubSpot account: objects by type and number, what they are associated with, and a
// recycling bin.
import type { Clock } from '../../src/clock.ts';

export const objectTypes = ['contacts', 'companies', 'deals', 'notes', 'tickets'] as const;
export type ObjectType = (typeof objectTypes)[number];

export interface CrmObject {
  id: string;
  type: ObjectType;
  properties: Record<string, string>;
  /** Integer ms. */
  createdAt: number;
  updatedAt: number;
  archivedAt: number | undefined;
}

export interface Ref {
  type: ObjectType;
  id: string;
}

/** Properties that an account has from the start, as far as anybody here asks for them. */
const known: Record<ObjectType, readonly string[]> = {
  contacts: [
    'email',
    'firstname',
    'lastname',
    'phone',
    'mobilephone',
    'company',
    'jobtitle',
    'website',
    'address',
    'city',
    'state',
    'zip',
    'country',
    'lifecyclestage',
    'hs_lead_status',
  ],
  companies: [
    'name',
    'domain',
    'phone',
    'website',
    'industry',
    'description',
    'address',
    'city',
    'state',
    'zip',
    'country',
    'numberofemployees',
    'annualrevenue',
    'lifecyclestage',
  ],
  deals: [
    'dealname',
    'amount',
    'deal_currency_code',
    'dealstage',
    'pipeline',
    'closedate',
    'dealtype',
    'description',
  ],
  notes: ['hs_note_body', 'hs_timestamp'],
  tickets: [
    'subject',
    'content',
    'hs_pipeline',
    'hs_pipeline_stage',
    'hs_ticket_priority',
    'hs_ticket_category',
  ],
};
const everywhere = ['hubspot_owner_id', 'hs_object_id'];

/** Under which names an object carries its times. */
export function timeNames(type: ObjectType): { created: string; modified: string } {
  return {
    created: type === 'notes' ? 'hs_createdate' : 'createdate',
    modified: type === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate',
  };
}

export class CrmState {
  readonly #objects = new Map<string, CrmObject>();
  readonly #associations = new Set<string>();
  readonly #clock: Clock;
  readonly #custom: readonly string[];
  #lastId = 51_000;

  /** @param custom properties that somebody added to the account */
  constructor(clock: Clock, custom: readonly string[] = []) {
    this.#clock = clock;
    this.#custom = custom;
  }

  knows(type: ObjectType, property: string): boolean {
    const { created, modified } = timeNames(type);
    return [...known[type], ...everywhere, created, modified, ...this.#custom].includes(property);
  }

  /** Live ones, or those in the recycling bin, by number. */
  all(type: ObjectType, archived = false): CrmObject[] {
    return [...this.#objects.values()]
      .filter((object) => object.type === type && (object.archivedAt !== undefined) === archived)
      .sort((a, b) => Number(a.id) - Number(b.id));
  }

  get({ type, id }: Ref): CrmObject | undefined {
    return this.#objects.get(`${type}/${id}`);
  }

  /** @param at integer ms; default: now */
  create(type: ObjectType, properties: Record<string, string>, at = this.#clock.now()): CrmObject {
    this.#lastId += 1;
    const object: CrmObject = {
      id: String(this.#lastId),
      type,
      properties: { ...properties },
      createdAt: at,
      updatedAt: at,
      archivedAt: undefined,
    };
    this.#objects.set(`${type}/${object.id}`, object);
    return object;
  }

  update(object: CrmObject, properties: Record<string, string>, at = this.#clock.now()): void {
    for (const [name, value] of Object.entries(properties)) {
      if (value === '') delete object.properties[name];
      else object.properties[name] = value;
    }
    object.updatedAt = at;
  }

  archive(object: CrmObject): void {
    object.archivedAt = this.#clock.now();
  }

  /** For good, as a person's right to be forgotten asks for. */
  erase(object: CrmObject): void {
    this.#objects.delete(`${object.type}/${object.id}`);
  }

  restore(object: CrmObject): void {
    object.archivedAt = undefined;
    object.updatedAt = this.#clock.now();
  }

  /** Both ways, as HubSpot does. */
  associate(one: Ref, other: Ref): void {
    this.#associations.add(`${one.type}/${one.id}>${other.type}/${other.id}`);
    this.#associations.add(`${other.type}/${other.id}>${one.type}/${one.id}`);
  }

  /** Numbers of live objects. */
  associated(from: Ref, to: ObjectType): string[] {
    const prefix = `${from.type}/${from.id}>${to}/`;
    return [...this.#associations]
      .filter((pair) => pair.startsWith(prefix))
      .map((pair) => pair.slice(prefix.length))
      .filter((id) => this.get({ type: to, id })?.archivedAt === undefined);
  }

  /** All that a read of this property would give; times and the number included. */
  value(object: CrmObject, property: string): string | undefined {
    const { created, modified } = timeNames(object.type);
    if (property === 'hs_object_id') return object.id;
    if (property === created) return new Date(object.createdAt).toISOString();
    if (property === modified) return new Date(object.updatedAt).toISOString();
    return object.properties[property];
  }
}
