// The market of the story: forty homes around Port Ansel, an invented town on the Oregon coast.
import type { StoryDates } from '../dates.ts';
import type { HomeStatus, HomeType, SandboxListing } from '../zillow-answers.ts';
import { rows } from './listing-rows.ts';

/** One home as it is written down. */
export interface ListingRow {
  id: number;
  street: string;
  town: 'Port Ansel' | 'Gull Harbor' | 'Millrace';
  status: HomeStatus;
  type: HomeType;
  beds: number;
  baths: number;
  sqft: number;
  lot: number;
  built: number;
  agent: 'maren' | 'tobias' | 'celeste' | 'ivo';
  hoa?: number;
  /** `[day of the story, event, price]`, oldest first; the last price is today's. */
  history: [number, string, number][];
  /** Tax paid last year, and the assessed value it came from. */
  tax: [number, number];
  photos: number;
  words: string;
}

const towns = {
  'Port Ansel': { zip: '97399', latitude: 44.812, longitude: -124.061 },
  'Gull Harbor': { zip: '97398', latitude: 44.874, longitude: -124.036 },
  Millrace: { zip: '97397', latitude: 44.79, longitude: -123.97 },
};

const agents = {
  maren: { name: 'Maren Okafor', phone: '541-555-0142', office: 'Tidewell Homes' },
  tobias: { name: 'Tobias Reyes', phone: '541-555-0143', office: 'Tidewell Homes' },
  celeste: { name: 'Celeste Odum', phone: '541-555-0181', office: 'Breakwater Realty' },
  ivo: { name: 'Ivo Marchetti', phone: '541-555-0182', office: 'Northhead Properties' },
};

function taxHistory([tax, value]: [number, number], lastYear: number): SandboxListing['taxHistory'] {
  // Oregon caps the growth of assessed value at three per cent a year.
  return [0, 1, 2, 3].map((back) => ({
    year: lastYear - back,
    tax: Math.round(tax / 1.031 ** back),
    value: Math.round(value / 1.03 ** back / 10) * 10,
  }));
}

export function composeListings(dates: StoryDates): SandboxListing[] {
  const lastYear = Number(dates.isoDate(180).slice(0, 4)) - 1;
  return rows.map((row) => {
    const town = towns[row.town];
    const zpid = 20_010_000 + row.id;
    const priceHistory = row.history
      .map(([day, event, price]) => ({ at: dates.at(day, '09:00'), event, price }))
      .reverse();
    return {
      zpid,
      mls: `AC${2_400_100 + row.id}`,
      street: row.street,
      city: row.town,
      state: 'OR',
      zip: town.zip,
      latitude: Number((town.latitude + ((row.id * 37) % 29) / 1000).toFixed(4)),
      longitude: Number((town.longitude + ((row.id * 53) % 31) / 1000).toFixed(4)),
      status: row.status,
      homeType: row.type,
      price: priceHistory[0]?.price ?? 0,
      beds: row.beds,
      baths: row.baths,
      sqft: row.sqft,
      lotSqft: row.lot,
      yearBuilt: row.built,
      description: row.words,
      photos: Array.from({ length: row.photos }, (_none, i) => `https://photos.example/${zpid}/${i + 1}.jpg`),
      agent: agents[row.agent],
      hoaMonthly: row.hoa,
      priceHistory,
      taxHistory: taxHistory(row.tax, lastYear),
    };
  });
}
