// The brokerage's CRM, filled with the story: its clients and the trades as contacts, their companies, a deal
// for each sale or purchase, a note for each client, and what the office still has to do as tickets.
import { contact, contacts } from '../data/people.ts';
import type { World } from '../world.ts';
import type { CrmObject, CrmState } from './state.ts';

/** Company → who works there. */
const companies: Record<string, { people: string[]; industry: string }> = {
  'Orchardworks LLC': { people: ['slindholm'], industry: 'REAL_ESTATE' },
  'Brandt Piano': { people: ['daniel'], industry: 'MUSIC' },
  'Solberg Boats': { people: ['henrik'], industry: 'SHIPBUILDING' },
  'Breakwater Realty': { people: ['celeste'], industry: 'REAL_ESTATE' },
  'Northhead Properties': { people: ['ivo'], industry: 'REAL_ESTATE' },
  'Kowalczyk Home Inspection': { people: ['dale'], industry: 'CONSTRUCTION' },
  'Harborlight Lending': { people: ['simone'], industry: 'BANKING' },
  'Cedar Title': { people: ['ruth'], industry: 'LEGAL_SERVICES' },
  'Tremaine Roofing': { people: ['gus'], industry: 'CONSTRUCTION' },
};

interface Deal {
  name: string;
  street?: string;
  amount?: number;
  stage: string;
  people: string[];
  day: number;
}

/** Stages are those of HubSpot's own sales pipeline. */
const deals: readonly Deal[] = [
  { name: 'One-level home', amount: 640_000, stage: 'qualifiedtobuy', people: ['elena', 'daniel'], day: 171 },
  {
    name: 'Sale of 118 Tern Street',
    amount: 548_000,
    stage: 'contractsent',
    people: ['marcus', 'imani'],
    day: 150,
  },
  {
    name: 'Sale of 41 Kelp Lane',
    street: '41 Kelp Lane',
    stage: 'presentationscheduled',
    people: ['sarah'],
    day: 172,
  },
  {
    name: 'Sale of 9 Juniper Court',
    street: '9 Juniper Court',
    stage: 'presentationscheduled',
    people: ['graham'],
    day: 165,
  },
  {
    name: 'Purchase of 27 Saltgrass Way',
    street: '27 Saltgrass Way',
    stage: 'closedwon',
    people: ['nadia'],
    day: 140,
  },
  {
    name: 'Purchase of 83 Alder Street',
    street: '83 Alder Street',
    stage: 'contractsent',
    people: ['rosa'],
    day: 176,
  },
  {
    name: 'Sale of 33 Piper Row',
    street: '33 Piper Row',
    stage: 'contractsent',
    people: ['owen', 'pilar'],
    day: 155,
  },
  {
    name: 'Purchase of 700 Ridgeview Drive',
    amount: 860_000,
    stage: 'contractsent',
    people: ['owen', 'pilar'],
    day: 156,
  },
  {
    name: 'Sale of 12 Birchwater Lane',
    street: '12 Birchwater Lane',
    stage: 'presentationscheduled',
    people: ['amara'],
    day: 171,
  },
  {
    name: 'Purchase of 402 Fernbank Avenue',
    street: '402 Fernbank Avenue',
    stage: 'closedlost',
    people: ['felix'],
    day: 110,
  },
];

const tickets = [
  {
    subject: 'Insurance binder for 83 Alder Street',
    content: 'Cedar Title waits for the binder.',
    person: 'rosa',
    day: 178,
  },
  {
    subject: 'Keys of 41 Kelp Lane',
    content: 'Two of the three sets are back at the front desk.',
    person: 'sarah',
    day: 174,
  },
];

/** Fills an empty account. The same world gives the same account, byte for byte. */
export function fillWithStory(state: CrmState, world: World): void {
  const { dates } = world;
  const made = new Map<string, CrmObject>();
  const known = contacts.filter(({ role }) => role === 'client' || role === 'business');
  for (const [index, person] of known.entries()) {
    const [firstname = '', ...rest] = person.name.split(' ');
    const at = dates.at(10 + index * 4, '10:05');
    const object = state.create(
      'contacts',
      {
        email: person.email,
        firstname,
        lastname: rest.join(' '),
        lifecyclestage: person.role === 'client' ? 'customer' : 'other',
        ...(person.phone === undefined ? {} : { phone: person.phone }),
      },
      at,
    );
    made.set(person.key, object);
    if (person.role !== 'client') continue;
    const note = state.create(
      'notes',
      { hs_note_body: `<p>${escaped(person.note)}</p>`, hs_timestamp: new Date(at).toISOString() },
      at,
    );
    state.associate(note, object);
  }
  for (const [name, { people, industry }] of Object.entries(companies)) {
    const domain = contact(people[0] ?? '').email.split('@')[1] ?? '';
    const company = state.create('companies', { name, domain, industry }, dates.at(20, '09:00'));
    for (const key of people) associate(state, made, key, company);
  }
  for (const { name, street, amount, stage, people, day } of deals) {
    const price = amount ?? world.listings.find((listing) => listing.street === street)?.price;
    const deal = state.create(
      'deals',
      {
        dealname: `${name} (${people.map((key) => contact(key).name).join(' and ')})`,
        dealstage: stage,
        pipeline: 'default',
        deal_currency_code: 'USD',
        ...(price === undefined ? {} : { amount: String(price) }),
      },
      dates.at(day, '16:30'),
    );
    for (const key of people) associate(state, made, key, deal);
  }
  for (const { subject, content, person, day } of tickets) {
    const ticket = state.create(
      'tickets',
      { subject, content, hs_pipeline: '0', hs_pipeline_stage: '1', hs_ticket_priority: 'MEDIUM' },
      dates.at(day, '11:20'),
    );
    associate(state, made, person, ticket);
  }
}

function associate(state: CrmState, made: Map<string, CrmObject>, key: string, other: CrmObject): void {
  const person = made.get(key);
  if (person === undefined) throw new Error(`${key} is no client and no business of the story`);
  state.associate(person, other);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
