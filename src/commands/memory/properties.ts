// `properties`: homes whatever showed them, why several listings were taken for one, and a person's word on that.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Property, PropertySighting } from '../../memory/memory.ts';
import type { Rooms } from '../../rooms.ts';
import { ageInWords, iso } from '../../time.ts';
import { openSession, type Session, stdioServers, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

interface Common {
  json?: boolean;
}

const listed = 50;
const channel = 'terminal';

function money(price: number | undefined, currency: string | undefined): string {
  if (price === undefined) return '';
  return `${price.toLocaleString('en-US')}${currency === undefined ? '' : ` ${shownLine(currency)}`}`;
}

function json(home: Property, label: (connectionId: string) => string): object {
  const place = (one: PropertySighting) => ({
    id: one.id,
    account: label(one.connectionId),
    provider: one.provider,
    externalId: one.externalId,
    said: one.said,
    document: one.documentId,
    url: one.url,
    joinedBy: one.joinedBy,
    why: one.joinedWhy,
    fetchedAt: iso(one.fetchedAt),
    price: one.listing.price,
  });
  return {
    id: home.id,
    address: home.listing.address,
    price: home.listing.price,
    currency: home.listing.currency,
    status: home.listing.status,
    sightings: home.sightings.map(place),
    prices: home.priceHistory.map(({ at, event, price, currency, seenIn }) => ({
      at: iso(at),
      event,
      price,
      currency,
      seenIn: seenIn.map(({ sighting, seenAt }) => ({ sighting: sighting.id, seenAt: iso(seenAt) })),
    })),
    mentionedIn: home.mentions.map(({ documentId, title }) => ({ document: documentId, title })),
  };
}

async function labels({ connections, org }: Rooms): Promise<(connectionId: string) => string> {
  const all = new Map((await connections.list(org)).map((one) => [one.id, one.label]));
  return (id) => all.get(id) ?? id;
}

async function list(words: string[], options: Common): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const text = words.join(' ');
    const homes = await rooms.homeBook.list(rooms.org, { text, limit: listed });
    const label = await labels(rooms);
    if (output.json) {
      output.value(homes.map((home) => json(home, label)));
      return;
    }
    if (homes.length === 0)
      output.line(
        text === '' ? 'No homes yet. They come with listings and mail.' : 'No home has such an address.',
      );
    for (const { id, listing, sightings } of homes) {
      const price = money(listing.price, listing.currency);
      const met = `${sightings.length} ${sightings.length === 1 ? 'sighting' : 'sightings'}`;
      output.line(
        `${id}  ${output.style('bold', shownLine(listing.address))}${price === '' ? '' : `, ${price}`}, ${met}`,
      );
    }
  });
}

/** By id, or by an address that one home alone has. */
async function theOne(rooms: Rooms, words: string): Promise<Property> {
  const found =
    (await rooms.memory.property(rooms.org, { id: words })) ??
    (await rooms.memory.property(rooms.org, { address: words }));
  if (found !== undefined) return found;
  const some = await rooms.homeBook.list(rooms.org, { text: words, limit: 2 });
  const [only] = some;
  if (only !== undefined && some.length === 1) return only;
  throw new DrawbridgeError(
    'not_found',
    `No one home is meant by "${shownLine(words)}". See: drawbridge properties ${shownLine(words)}`,
  );
}

async function show(words: string[], options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    tell(session, await theOne(rooms, words.join(' ')), await labels(rooms));
  });
}

function tell({ output, clock }: Session, home: Property, label: (connectionId: string) => string): void {
  if (output.json) {
    output.value(json(home, label));
    return;
  }
  const { listing } = home;
  output.line(`${home.id}  ${output.style('bold', shownLine(listing.address))}`);
  for (const one of home.sightings) {
    const name = one.said
      ? `${label(one.connectionId)}: “${one.documentTitle ?? ''}”`
      : label(one.connectionId);
    const age = ageInWords(Math.max(0, clock.now() - one.fetchedAt));
    const price = money(one.listing.price, one.listing.currency);
    output.line(`  ${one.id}  ${shownLine(name)}, ${age} ago${price === '' ? '' : `, ${price}`}`);
    if (one.joinedWhy !== '') output.line(`      here by ${shownLine(one.joinedWhy)}`);
  }
  for (const { at, event, price, currency, seenIn } of home.priceHistory) {
    const where = [...new Set(seenIn.map(({ sighting }) => shownLine(label(sighting.connectionId))))].join(
      ', ',
    );
    output.line(`  ${iso(at).slice(0, 10)}  ${money(price, currency)}  ${shownLine(event)} (${where})`);
  }
  for (const { title, documentId } of home.mentions)
    output.line(`  mentioned in “${shownLine(title)}” ${documentId}`);
}

/** Which homes are one is said by people: an agent's shell must not put words into the record. */
async function move(act: string, sightingId: string, to: string | undefined, options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(`properties ${act}`, await stdioServers(rooms.store));
    const home = await rooms.homeBook.move(rooms.org, rooms.owner, {
      sightingId,
      channel,
      ...(to === undefined ? {} : { to: (await theOne(rooms, to)).id }),
    });
    tell(session, home, await labels(rooms));
  });
}

export function declare(command: Command): void {
  const asJson = ['--json', 'answer as JSON'] as const;
  command
    .command('list', { isDefault: true })
    .description('homes whose address holds these words')
    .argument('[words...]')
    .option(...asJson)
    .action(list);
  command
    .command('show')
    .description('one home: where it was met and why it is one, its prices, and what speaks of it')
    .argument('<address-or-id...>')
    .option(...asJson)
    .action(show);
  command
    .command('split')
    .description('a listing (psg_…) that was taken for the wrong home is one of its own')
    .argument('<listing>')
    .option(...asJson)
    .action((listing: string, options: Common) => move('split', listing, undefined, options));
  command
    .command('join')
    .description('a listing (psg_…) is of this home')
    .argument('<listing>')
    .argument('<home>', 'address or id')
    .option(...asJson)
    .action((listing: string, home: string, options: Common) => move('join', listing, home, options));
}
