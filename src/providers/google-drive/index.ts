// Google Drive by its API: finds and reads files, follows their changes, puts a small text file there.
import { z } from 'zod';
import { defineProvider, type ProviderContext } from '../define.ts';
import { ask, googleAuth, googleHttp, googleNotes } from '../google.ts';
import { driveOf, needed } from './client.ts';
import { createFile } from './create.ts';
import { fileFeed } from './feed.ts';
import { download, get, search, text } from './reads.ts';

export const provider = defineProvider({
  id: 'google-drive',
  title: 'Google Drive',
  fields: z.object({}),
  secrets: [],
  auth: googleAuth('Google Drive API', ['drive.readonly']),
  http: googleHttp('https://www.googleapis.com'),
  identity,
  operations: { search, get, text, download, 'create-file': createFile },
  capabilities: {},
  feeds: { files: fileFeed },
  // Google's own: 12,000 a minute, for an account and for an app.
  limit: { perSecond: 20, burst: 60, concurrent: 6 },
  appLimit: { perSecond: 200, burst: 1000, concurrent: 200 },
  notes: [
    ...googleNotes,
    'The limits are those that Google’s console shows for a new app (known, not verified).',
    'My Drive and what is shared with the account are read; shared drives are not.',
    'Documents are read as Markdown, tables as CSV of their first sheet, slides and text files as text. PDF, Office and HTML files up to 10 MB are synced whole, and read in memory; of other files (pictures, larger ones) the name and the facts are, and their bytes can be downloaded.',
  ],
  verified:
    'Emulator: sandbox/google/drive.ts. Every request and answer held against Google’s own discovery document (drive v3, 2026); the bodies of uploads and downloads are not judged there.',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const client = await driveOf(context);
  const { user } = await ask(() => client.about.get({ fields: 'user(displayName,emailAddress)' }));
  const email = needed(user?.emailAddress, 'address');
  return { id: email.toLowerCase(), label: email };
}
