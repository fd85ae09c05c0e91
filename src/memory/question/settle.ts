// What a question says beside its words, brought to bear: bounds that it states outright, and wishes for the rest.
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import { day, wallTime } from '../../time.ts';
import { resolveClients } from '../clients/clients.ts';
import type { IndexFilters, IndexHit } from '../index/search-index.ts';
import { terms } from '../language/terms.ts';
import type { MemoryQuery } from '../memory.ts';
import { documentsAbout } from '../properties/at-address.ts';
import { type Understood, understand } from './understand.ts';
import { type LightRow, lightRows, type Settled } from './weigh.ts';

const newestHalvesMs = 30 * day;

/** @param find the best hits for some words, as the question may look */
export async function settle(
  org: OrgStore,
  query: MemoryQuery,
  {
    asked,
    base,
    languages,
    find,
  }: {
    asked: Required<NonNullable<MemoryQuery['understand']>>;
    base: IndexFilters;
    languages: readonly string[];
    find(terms: string[]): Promise<IndexHit[]>;
  },
): Promise<Settled> {
  const understood = understand(query.question, { now: asked.now, zone: asked.timeZone });
  const settled: Settled = { narrowed: {}, wishes: [], said: [] };
  const date = (ms: number) => wallTime(ms, asked.timeZone).slice(0, 10);
  settleTime(understood, { settled, base, date });
  await settleAnchor(understood, { org, settled, base, date, asked, languages, find });
  await settleSenders(understood, { org, settled, base });
  await settleMatter(understood, { org, settled, base, languages, now: asked.now });
  return settled;
}

type Reached = { settled: Settled; base: IndexFilters };

function settleTime(
  { time }: Understood,
  { settled, base, date }: Reached & { date(ms: number): string },
): void {
  if (time === undefined || base.since !== undefined || base.until !== undefined) return;
  const { since, until, outright } = time;
  const words = [
    ...(since === undefined ? [] : [`since ${date(since)}`]),
    ...(until === undefined ? [] : [`before ${date(until)}`]),
  ].join(' ');
  if (outright) {
    settled.narrowed = {
      ...settled.narrowed,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    };
    settled.said.push(words);
    return;
  }
  settled.said.push(`rather ${words}`);
  settled.wishes.push({
    name: 'time',
    lift: 0.35,
    fits: ({ writtenAt }) =>
      writtenAt !== null && writtenAt >= (since ?? 0) && writtenAt < (until ?? Number.POSITIVE_INFINITY)
        ? 1
        : 0,
  });
}

/** The newest record about what the question points at; a title that names it counts before a text that does. */
async function settleAnchor(
  { anchor, time }: Understood,
  {
    org,
    settled,
    base,
    date,
    asked,
    languages,
    find,
  }: Reached & {
    org: OrgStore;
    date(ms: number): string;
    asked: { now: number };
    languages: readonly string[];
    find(terms: string[]): Promise<IndexHit[]>;
  },
): Promise<void> {
  if (anchor === undefined || time?.outright === true || base.since !== undefined || base.until !== undefined)
    return;
  const about = terms(anchor.about, [...languages]);
  const hits = await find(about);
  const rows = [...(await org.read((db) => lightRows(db, org, hits))).values()];
  const past = rows.filter(({ writtenAt }) => writtenAt !== null && writtenAt <= asked.now);
  const naming = (field: 'header' | 'body') =>
    past.filter((row) => about.some((term) => row.words()[field].split(' ').includes(term)));
  const named = naming('header');
  const times = (named.length > 0 ? named : naming('body')).map(({ writtenAt }) => writtenAt ?? 0);
  if (times.length === 0) return;
  const at = Math.max(...times);
  settled.narrowed = { ...settled.narrowed, [anchor.edge]: at };
  const edge = anchor.edge === 'since' ? 'since' : 'before';
  settled.said.push(`${edge} ${date(at)}, when the newest record about "${anchor.about}" is of`);
}

async function settleSenders(
  { senders }: Understood,
  { org, settled, base }: Reached & { org: OrgStore },
): Promise<void> {
  const addresses = new Set<string>();
  for (const sender of senders) {
    const found = await addressesOf(org, sender);
    for (const address of found) addresses.add(address);
    if (found.length > 0) settled.said.push(`from ${sender}`);
  }
  if (addresses.size === 0) return;
  if (base.addresses === undefined) settled.narrowed = { ...settled.narrowed, addresses: [...addresses] };
  settled.wishes.push({
    name: 'sender',
    lift: 0.5,
    fits: ({ senders: by }) => (by.some((address) => addresses.has(address)) ? 1 : 0),
  });
}

/** None where nobody is known by that name: then it is a word like others. */
async function addressesOf(org: OrgStore, sender: string): Promise<string[]> {
  try {
    const { addresses } = await org.read((db) => resolveClients(db, org.orgId, [sender]));
    return addresses;
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError && thrown.code === 'not_found') return [];
    throw thrown;
  }
}

async function settleMatter(
  { kinds, amounts, addresses, newest }: Understood,
  {
    org,
    settled,
    base,
    languages,
    now,
  }: Reached & { org: OrgStore; languages: readonly string[]; now: number },
): Promise<void> {
  const { wishes, said } = settled;
  if (kinds.length > 0 && base.kinds === undefined) {
    said.push(`rather ${kinds.join(', ')}`);
    wishes.push({ name: 'kind', lift: 0.2, fits: ({ kind }) => (kinds.some((one) => one === kind) ? 1 : 0) });
  }
  for (const { least, most, words } of amounts) {
    said.push(`rather with an amount: ${words}`);
    wishes.push({
      name: 'amount',
      lift: 0.35,
      fits: (row) => (termsOf(row).some((term) => isAmount(term, least, most)) ? 1 : 0),
    });
  }
  for (const address of addresses) {
    const parts = terms(address.split(',')[0] ?? address, [...languages]);
    // However it is written there: "14 Heron Ct" for "14 Heron Court".
    const about = await documentsAbout(org, address);
    said.push(`rather about ${address}`);
    wishes.push({
      name: 'address',
      lift: 0.4,
      fits: (row) => {
        const held = new Set(termsOf(row));
        return about.has(row.documentId) || parts.every((term) => held.has(term)) ? 1 : 0;
      },
    });
  }
  if (newest) {
    said.push('rather the newest');
    wishes.push({
      name: 'newest',
      lift: 0.35,
      fits: ({ writtenAt }) =>
        writtenAt === null || writtenAt > now ? 0 : 0.5 ** ((now - writtenAt) / newestHalvesMs),
    });
  }
}

function termsOf(row: LightRow): string[] {
  const { header, body } = row.words();
  return `${header} ${body}`.split(' ');
}

/** Smaller numbers are days, rooms and houses. */
const leastAmount = 1_000;

function isAmount(term: string, least: number, most: number): boolean {
  if (!/^\d{2,12}(?:\.\d{1,2})?$/.test(term)) return false;
  const value = Number(term);
  const bounded = Number.isFinite(most) && least > 1;
  return value >= least && value <= most && (bounded || value >= leastAmount);
}
