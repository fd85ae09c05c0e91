// Spark (FBS, Flexmls): the RESO Web API of its MLSs, by a token. What it does otherwise: page sizes by the role
// of the key, a first run by skip tokens without any filter, refusals in its platform's own envelope.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineProvider } from '../define.ts';
import type { Dialect, Fields } from '../reso/dialect.ts';
import {
  bearerAuth,
  learnedCatalogue,
  partsOf,
  sharedFields,
  sharedNotes,
  systemName,
} from '../reso/parts.ts';
import { refusal } from '../reso/refusal.ts';
import { fillUrl } from '../template.ts';

const hosts = { usual: 'sparkapi.com', replication: 'replication.sparkapi.com' } as const;
const http = { baseUrl: 'https://{host}/Version/3/Reso/OData', refusal } as const;

/** 25 rows for a usual key, 1,000 for one with the role of replication. */
const rows = ({ host }: Fields): number => (host === hosts.replication ? 1_000 : 25);

const dialect: Dialect = {
  http,
  root: (fields) => fillUrl(http.baseUrl, fields).href,
  rows,
  prefers: false,
  bulk: { path: '/Property', rows, filters: false },
  // "Minus 20 minutes to account for server side caching", says its documentation of replication.
  lagMs: 20 * 60_000,
};

export const provider = defineProvider({
  id: 'spark',
  title: 'Spark (Flexmls)',
  fields: z.object({
    role: z
      .enum(['usual', 'replication'])
      .default('usual')
      .describe('Role of the key: replication has a host and page sizes of its own'),
    host: z.enum([hosts.usual, hosts.replication]).describe('Follows from the role'),
    ...sharedFields,
  }),
  learned: learnedCatalogue,
  secrets: [
    {
      name: 'token',
      title: 'Access token',
      hint: 'From the MLS or Spark’s developer support: a token that does not expire.',
    },
  ],
  example: { role: 'usual' },
  complete: (given) => ({
    ...given,
    host: given['role'] === 'replication' ? hosts.replication : hosts.usual,
  }),
  auth: bearerAuth,
  ...partsOf(dialect),
  async identity(context) {
    const label = `${(await systemName(context, dialect)) ?? 'MLS'} by Spark`;
    // Spark names no account to a token, so the token's fingerprint does.
    const token = context.secret('token').reveal();
    return { id: `key-${createHash('sha256').update(`spark\0${token}`).digest('hex').slice(0, 16)}`, label };
  },
  limit: { perSecond: 4, burst: 8, concurrent: 2 },
  notes: [
    'The MLS approves the key: register at sparkplatform.com, name the MLS and the role (IDX, VOW, Private …), and ask for a token that does not expire. Spark’s sign-in by OpenID is not used.',
    ...sharedNotes,
    'Spoken to by its RESO Web API (OData), not by its older API of its own (SparkQL, {"D": …}): the fields, lookups and media of the former are those of every other MLS. Refusals may come in either envelope, and both are read.',
    'A key with the role of replication reads 1,000 rows a page at replication.sparkapi.com, others 25 at sparkapi.com. First everything by skip tokens, without a filter; then changes, from twenty minutes before the newest that was seen.',
    'That the usual host has the same path, and that $top is taken beside the skip token, is not verified. Spark names no figures of its limits; it says 429 with code 1550, which is kept to.',
  ],
  verified:
    'Emulator: sandbox/reso/server.ts. No machine-readable contract is known: requests are kept as snapshots and were held by hand against Spark’s pages of replication, conventions and error codes. Refusals are as Spark recorded them. Never compared with the live API.',
});
