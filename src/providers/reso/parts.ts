// What every provider of listings by the RESO Web API declares alike: settings, what is learned at connecting,
// operations, the feed.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { readCatalogue } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { feedOf } from './feed.ts';
import { rowFields, textOf } from './listing.ts';
import { ask } from './odata.ts';
import { operationsOf, propertyCatalogue } from './operations.ts';

export const sharedFields = {
  copyright: z
    .string()
    .trim()
    .max(500)
    .optional()
    .describe('Line that the MLS wants shown with every listing (copyright, disclaimer)'),
  use: z
    .string()
    .trim()
    .max(20)
    .optional()
    .describe('What the MLS licensed this for (IDX, VOW, BO): listings not meant for it are left out'),
  currency: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z]{3}$/, 'must be a currency in three letters')
    .default('USD')
    .describe('Currency of its prices'),
  days: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a number of days')
    .default('365')
    .describe('Listings untouched for so many days are not copied; a search still finds them'),
};

export const bearerAuth = {
  kind: 'api-key',
  secret: 'token',
  place: { header: 'authorization', prefix: 'Bearer ' },
} as const;

export const sharedNotes = [
  'Every answer shows a listing with the lines that its MLS wants shown (agent, office, contact, source, copyright). What the MLS does not let be shown on the internet (InternetEntireListingDisplayYN, MlgCanView) is left out, for the org’s own people, too, and an address that it hides (InternetAddressDisplayYN) is not told.',
  'Which fields it has, what its own are called (X_…) and the words of its lookups are read from $metadata and the Lookup resource at connecting, kept with the connection (64 kB at most), and read anew after a week.',
  'Deleted listings: by EntityEvent where the server has it; else a count that is not as expected, or a day gone by, has all keys read over.',
] as const;

export function partsOf(dialect: Dialect) {
  return {
    http: dialect.http,
    probe: async (context: ProviderContext) => ({
      catalogue: JSON.stringify(await readCatalogue(context, dialect, [...rowFields, 'Media'])),
    }),
    operations: operationsOf(dialect),
    capabilities: { 'listing.search': 'search', 'listing.get': 'get' },
    feeds: { listings: feedOf(dialect) },
  } as const;
}

export const learnedCatalogue = {
  catalogue: { from: 'probe', description: 'What the server has, from its $metadata' },
} as const;

/** Asks for one listing, which shows that the token is taken. @returns what the system calls itself */
export async function systemName(context: ProviderContext, dialect: Dialect): Promise<string | undefined> {
  const { fields } = await propertyCatalogue(context, dialect);
  const { rows } = await ask(context, dialect, '/Property', {
    select: ['ListingKey', 'OriginatingSystemName'].filter((name) => fields[name] !== undefined),
    top: 1,
  });
  return textOf(rows[0]?.['OriginatingSystemName']);
}

const segments = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;

/** The service root from what a person pasted: a host, or the whole address. @throws DrawbridgeError */
export function splitRoot(given: Record<string, string>): Record<string, string> {
  const said = (given['host'] ?? '').trim();
  const url = URL.parse(said.includes('://') ? said : `https://${said}`);
  const plain = url !== null && url.username === '' && url.search === '' && url.hash === '';
  if (said === '' || !plain) return given;
  if (url.protocol !== 'https:' && !/^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname))
    throw new DrawbridgeError('invalid_request', 'host: the address must begin with https', {
      field: 'host',
    });
  const path = url.pathname.replace(/\/+(\$metadata)?$/, '');
  return { ...given, host: url.host, ...(path === '' ? {} : { path }) };
}

export const rootPath = z
  .string()
  .trim()
  .transform((path) => `/${path.replace(/^\/+|\/+$/g, '')}`.replace(/^\/$/, ''))
  .refine((path) => segments.test(path), 'must be a path like /reso/odata')
  .default('')
  .describe('Path of the service root on that host, without $metadata');
