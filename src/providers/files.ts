// Imported files, as a provider: no account, no operation, no network. It is what their records belong to.
import { z } from 'zod';
import { defineProvider } from './define.ts';

export const provider = defineProvider({
  id: 'files',
  title: 'Imported files',
  fields: z.object({}),
  secrets: [],
  auth: { kind: 'none' },
  identity: async () => ({ id: 'files', label: 'Imported files' }),
  operations: {},
  capabilities: {},
  feeds: {},
  limit: { perSecond: 1, burst: 1, concurrent: 1 },
  notes: [
    'mbox, eml, ics, vcf, csv, jsonl, markdown, text, html, pdf, docx, xlsx, pptx and captions (vtt, srt): see docs/guide/importing.md. What was imported before is recognised by its content. A bad record is reported with its place and skipped.',
  ],
  verified: 'The tests of test/jobs/import*.',
});
