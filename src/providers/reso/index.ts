// The RESO Web API of an MLS itself: listings by a token that the MLS gives.
import { z } from 'zod';
import { defineProvider } from '../define.ts';
import { fillUrl } from '../template.ts';
import type { Dialect } from './dialect.ts';
import { isServiceHost } from './host.ts';
import {
  bearerAuth,
  learnedCatalogue,
  partsOf,
  rootPath,
  sharedFields,
  sharedNotes,
  splitRoot,
  systemName,
} from './parts.ts';
import { refusal } from './refusal.ts';

const http = { baseUrl: 'https://{host}', refusal } as const;

const dialect: Dialect = {
  http,
  root: (fields) => `${fillUrl(http.baseUrl, fields).origin}${String(fields['path'] ?? '')}`,
  rows: () => 200,
  prefers: false,
  lagMs: 10 * 60_000,
};

export const provider = defineProvider({
  id: 'reso',
  title: 'MLS (RESO Web API)',
  fields: z.object({
    host: z
      .string()
      .trim()
      .toLowerCase()
      .refine(isServiceHost, 'must be a host name, or the https address of the service root')
      .describe('Host of the MLS’s RESO Web API, or the address of its service root'),
    path: rootPath,
    ...sharedFields,
  }),
  learned: learnedCatalogue,
  secrets: [
    {
      name: 'token',
      title: 'Server token',
      hint: 'From the MLS or its vendor, with the agreement to use its data: a bearer token for servers.',
    },
  ],
  example: { host: 'https://api.mls.example.com/reso/odata' },
  complete: splitRoot,
  auth: bearerAuth,
  ...partsOf(dialect),
  async identity(context) {
    const { host, path } = context.fields;
    return {
      id: `${String(host)}${String(path ?? '')}`,
      label: (await systemName(context, dialect)) ?? String(host),
    };
  },
  limit: { perSecond: 4, burst: 8, concurrent: 2 },
  notes: [
    'A token that the MLS (or its vendor) gives for servers. OAuth client credentials are not spoken: where an MLS has nothing else, ask it for a token that lasts.',
    ...sharedNotes,
    'First everything touched within the last year (days) by ModificationTimestamp, 200 rows a page; then changes, by EntityEvent where the server has it. A run begins ten minutes before the newest change that the last one saw.',
    'Limits differ from MLS to MLS and stand in no common document: four calls a second are made at most, and a Retry-After is kept to.',
    'MLS Grid’s MlgCanView and MlgCanUse are known, not verified.',
  ],
  verified:
    'Emulator: sandbox/reso/server.ts. Every request and answer held against the Data Dictionary 2.0 (EDMX of RESO, 2026-06), but for the server’s own fields, which stand in its own $metadata alone. Never compared with a live MLS.',
});
