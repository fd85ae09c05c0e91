// Zillow's listings through the zillow-com1 API on RapidAPI, by key: search, details, price and tax
// history. Unofficial: Zillow has no public API of its own for them.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineProvider, type ProviderContext } from '../define.ts';
import { call, http, isZillowHost } from './call.ts';
import { get, search } from './operations.ts';
import { rawSearch } from './raw.ts';

const fields = z.object({
  host: z
    .string()
    .trim()
    .toLowerCase()
    .refine(isZillowHost, 'must be a host name without path, port or credentials')
    .default('zillow-com1.p.rapidapi.com')
    .describe('Host of the API on RapidAPI'),
});

export const provider = defineProvider({
  id: 'zillow',
  title: 'Zillow (RapidAPI)',
  fields,
  secrets: [
    {
      name: 'rapidapi_key',
      title: 'RapidAPI key',
      hint: 'rapidapi.com: subscribe to zillow-com1, then copy X-RapidAPI-Key from its endpoints page.',
    },
  ],
  auth: { kind: 'api-key', secret: 'rapidapi_key', place: { header: 'X-RapidAPI-Key' } },
  http,
  identity,
  operations: { search, get },
  capabilities: { 'listing.search': 'search', 'listing.get': 'get' },
  feeds: {},
  // RapidAPI's smallest plan takes two calls a second.
  limit: { perSecond: 2, burst: 4, concurrent: 2 },
  notes: [
    'Unofficial: zillow-com1 on RapidAPI. Subscribe to an API of that shape, then paste the key.',
    'The host is configurable (DRAWBRIDGE_ZILLOW_HOST, or --host): several vendors sell the same shape, and whether zillow-com1 itself still runs could not be found out.',
    'Mind Zillow’s terms for what you do with the data.',
  ],
  verified:
    'Emulator: sandbox/zillow.ts. Every outgoing request checked against a third-party contract of 2023, and kept as snapshots. The shapes of answers come from prior knowledge and were never compared with the live API.',
});

/** RapidAPI names no account, so the key's fingerprint does; a search with it shows that it is accepted. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  await call(
    context,
    '/propertyExtendedSearch',
    { location: 'Seattle, WA', status_type: 'ForSale', page: 1 },
    rawSearch,
  );
  const key = context.secret('rapidapi_key').reveal();
  const fingerprint = createHash('sha256').update(`rapidapi\0${key}`).digest('hex').slice(0, 16);
  return { id: `key-${fingerprint}`, label: 'Zillow (RapidAPI)' };
}
