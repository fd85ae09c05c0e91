// Bridge (Bridge Data Output): the datasets of many MLSs behind one RESO Web API, by a server token. What it does
// otherwise: the dataset in the path, page sizes by preference, a road of its own for reading everything.
import { z } from 'zod';
import { defineProvider } from '../define.ts';
import type { Dialect } from '../reso/dialect.ts';
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

const http = { baseUrl: 'https://api.bridgedataoutput.com/api/v2/OData/{dataset}', refusal } as const;

const dialect: Dialect = {
  http,
  root: (fields) => fillUrl(http.baseUrl, fields).href,
  rows: () => 200,
  // In v3 `$top` is the whole answer; in v2 it is the page.
  prefers: true,
  // More than 10,000 rows come by no other road.
  bulk: { path: '/Property/replication', rows: () => 2_000, filters: true },
  // Bridge refreshes its datasets every ten minutes.
  lagMs: 20 * 60_000,
};

export const provider = defineProvider({
  id: 'bridge',
  title: 'Bridge (Bridge Data Output)',
  fields: z.object({
    dataset: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9_-]{1,60}$/, 'must be the id of a dataset')
      .describe('Id of the MLS’s dataset, from the Bridge dashboard'),
    ...sharedFields,
  }),
  learned: learnedCatalogue,
  secrets: [
    {
      name: 'token',
      title: 'Server token',
      hint: 'bridgedataoutput.com: Data Access, API Access Tokens.',
    },
  ],
  example: { dataset: 'test' },
  auth: bearerAuth,
  ...partsOf(dialect),
  async identity(context) {
    const dataset = String(context.fields['dataset']);
    return { id: dataset, label: `${(await systemName(context, dialect)) ?? dataset} by Bridge` };
  },
  limit: { perSecond: 2, burst: 5, concurrent: 2 },
  notes: [
    'The MLS must grant the dataset: ask it for an invitation to Bridge, agree to its licence there, then copy the server token of your application.',
    ...sharedNotes,
    'First everything by /Property/replication (2,000 rows a page, by the server’s own links), then changes by ModificationTimestamp. One page of 200 rows at most elsewhere, asked for by Prefer: maxpagesize and by $top alike, so that both meanings of $top give the same.',
    'Paths, page sizes, /replication and the refresh every ten minutes come from third parties; that the next link of /replication stays valid between two runs is not known: where it has ended, everything is begun anew. Its limits are not known: two calls a second are made at most.',
  ],
  verified:
    'Emulator: sandbox/reso/server.ts. Requests and answers held against the Data Dictionary 2.0 at Bridge’s address and page limits. Never compared with the live API.',
});
