// The files that the story's mails carry: small PDFs, tables and invitations, written out from their words.
import type { StoryDates } from '../dates.ts';

export interface AttachedFile {
  mediaType: string;
  bytes: Buffer;
}

/** A one-page PDF of plain lines (PDF 1.4, Helvetica), smaller than two kilobytes. */
function pdf(lines: string[]): Buffer {
  const escaped = lines.map((line) => line.replace(/[\\()]/g, '\\$&'));
  const stream = `BT /F1 11 Tf 14 TL 60 740 Td ${escaped.map((line) => `(${line}) Tj T*`).join(' ')} ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  body += `xref\n0 6\n0000000000 65535 f \n${table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(body, 'latin1');
}

const pdfs: Record<string, string[]> = {
  'inspection-118-tern.pdf': [
    'KOWALCZYK HOME INSPECTION',
    '118 Tern Street, Port Ansel - inspected for the buyer',
    '',
    'Roof: composition shingle, about 21 years old. South slope at end of life.',
    'Flashing at chimney lifted; moisture reading 24 percent in the attic sheathing.',
    'Electrical: two ungrounded outlets in the den.',
    'Plumbing: water heater 2009, no expansion tank.',
    'Crawl space: vapour barrier torn at the north-east corner.',
    '',
    'Nothing found that makes the house unsafe to occupy.',
  ],
  'inspection-27-saltgrass.pdf': [
    'KOWALCZYK HOME INSPECTION',
    '27 Saltgrass Way, Port Ansel',
    '',
    'Radon 5.1 pCi/L in the lower level (action level 4.0): mitigation advised.',
    'Deck ledger not bolted, nailed only. Correct before use.',
    'Furnace serviced last winter, in order.',
  ],
  'inspection-83-alder.pdf': [
    'KOWALCZYK HOME INSPECTION',
    '83 Alder Street, Port Ansel',
    '',
    'Sewer scope: root intrusion at 38 feet, clay pipe. Line to be cleared and scoped again.',
    'Two window seals failed. Gutters want cleaning.',
  ],
  'roof-quote-tremaine.pdf': [
    'TREMAINE ROOFING - quote 4417',
    '118 Tern Street: strip and replace south slope, new chimney flashing',
    'Labour and material: 11,850.00 USD',
    'Whole roof instead: 19,400.00 USD',
    'Good for 30 days.',
  ],
  'preapproval-delgado.pdf': [
    'HARBORLIGHT LENDING',
    'Pre-approval: Rosa Delgado',
    'Purchase price up to 385,000 USD, 5 percent down, 30 years fixed',
    'Subject to appraisal and unchanged employment.',
  ],
  'preapproval-mensah.pdf': [
    'HARBORLIGHT LENDING',
    'Pre-approval: Kofi Mensah',
    'Purchase price up to 425,000 USD, 10 percent down',
    'Valid 60 days from issue.',
  ],
  'offer-27-saltgrass.pdf': [
    'RESIDENTIAL PURCHASE OFFER',
    'Buyer: Nadia Haddad. Property: 27 Saltgrass Way, Port Ansel.',
    'Price 705,000 USD. Earnest money 14,000 USD. Close in 35 days.',
    'Contingent on inspection (10 days) and financing (21 days).',
  ],
  'closing-estimate-haddad.pdf': [
    'CEDAR TITLE - estimated buyer costs, 27 Saltgrass Way',
    'Lender fees 2,140.00',
    'Title and escrow 1,985.00',
    'Recording 214.00',
    'Prepaid tax and insurance 4,266.00',
    'Estimated total to bring, beyond the down payment: 8,605.00',
  ],
  'hoa-minutes-foundry.pdf': [
    'FOUNDRY LANE OWNERS ASSOCIATION - minutes',
    'The board discussed the siding claim against the builder. Counsel expects mediation in autumn.',
    'Special assessment of 6,200 USD a unit proposed if mediation fails.',
    'Reserve fund stands at 61 percent of the study.',
  ],
  'flood-elevation-210-dune.pdf': [
    'ELEVATION CERTIFICATE (extract) - 210 Dune Road, Gull Harbor',
    'Zone AE, base flood elevation 13.0 ft. Lowest floor 11.6 ft.',
    'The lowest floor lies 1.4 ft below the base flood elevation.',
  ],
  'dock-permit-1120-cove.pdf': [
    'COUNTY SHORELINE OFFICE - 1120 Cove Road',
    'Existing dock permit runs with the land. Length limit 60 ft. No boathouse.',
    'Eelgrass survey needed before any piling is replaced.',
  ],
  'listing-agreement-kelp.pdf': [
    'LISTING AGREEMENT - 41 Kelp Lane',
    'Seller: Sarah Lindholm. Term six months. Price 499,000 USD.',
  ],
};

type Table = (dates: StoryDates, day: number) => string;

const tables: Record<string, Table> = {
  'comparables-juniper.csv': () =>
    'address,sold,beds,baths,sqft\n2 Juniper Court,541000,3,2,1710\n31 Hazel Street,552500,3,2,1788\n8 Juniper Court,528000,3,1,1640\n',
  'rent-roll-orchard-mill.csv': () =>
    'unit,tenant since,rent,deposit\nA,2021-05,1450,1450\nB,2019-09,1325,1300\n',
  'utility-costs-heron.csv': (dates, day) =>
    `month,electric,water\n${[90, 60, 30].map((back, i) => `${dates.isoDate(day - back).slice(0, 7)},${118 + i * 9},${54 + i}`).join('\n')}\n`,
  'moving-checklist.csv': () =>
    'weeks before,task\n6,book movers\n4,change address\n2,transfer utilities\n1,pack the kitchen\n0,keep the kettle at hand\n',
};

const invitations: Record<
  string,
  { title: string; hour: string; minutes: number; place: string; ahead: number }
> = {
  'signing-haddad.ics': {
    title: 'Signing, 27 Saltgrass Way',
    hour: '10:00',
    minutes: 60,
    place: 'Cedar Title, 40 Harbor Avenue, Port Ansel',
    ahead: 4,
  },
  'walkthrough-bell.ics': {
    title: 'Roof re-inspection, 118 Tern Street',
    hour: '09:00',
    minutes: 45,
    place: '118 Tern Street, Port Ansel',
    ahead: 3,
  },
};

const utc = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** The file called `name`, as a mail of `day` carries it. @throws Error when the story has no such file */
export function attachment(name: string, dates: StoryDates, day: number): AttachedFile {
  const lines = pdfs[name];
  if (lines !== undefined) return { mediaType: 'application/pdf', bytes: pdf(lines) };
  const table = tables[name];
  if (table !== undefined) return { mediaType: 'text/csv', bytes: Buffer.from(table(dates, day)) };
  const invitation = invitations[name];
  if (invitation === undefined) throw new Error(`the story has no file "${name}"`);
  const start = dates.at(day + invitation.ahead, invitation.hour);
  const ics = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Sandbox//Story//EN',
    'METHOD:REQUEST',
    'BEGIN:VEVENT',
    `UID:${name.replace('.ics', '')}@sandbox.test`,
    `DTSTAMP:${utc(dates.at(day, '08:00'))}`,
    `DTSTART:${utc(start)}`,
    `DTEND:${utc(start + invitation.minutes * 60_000)}`,
    `SUMMARY:${invitation.title}`,
    `LOCATION:${invitation.place.replaceAll(',', '\\,')}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
  return { mediaType: 'text/calendar; method=REQUEST; charset=utf-8', bytes: Buffer.from(ics) };
}
