// Dropbox by its API: finds and reads files, follows their changes, puts a small text file there.
import { z } from 'zod';
import { addressField } from '../capabilities.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { fileFeed } from './feed.ts';
import { call, http } from './http.ts';
import { download, get, list, search, text } from './reads.ts';
import { webhook } from './webhook.ts';
import { createFile, deleteFile, restoreFile, updateFile } from './writes.ts';

export const provider = defineProvider({
  id: 'dropbox',
  title: 'Dropbox',
  fields: z.object({}),
  learned: {
    email: { from: 'probe', description: 'Address of the account: its own files are shown to it alone' },
    root: { from: 'probe', description: 'The space of the account, or of its team' },
  },
  secrets: [],
  // https://www.dropbox.com/developers/documentation/http/documentation#authorization
  auth: {
    kind: 'oauth2',
    app: 'dropbox',
    authorizeUrl: 'https://www.dropbox.com/oauth2/authorize',
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
    revocation: { url: 'https://api.dropboxapi.com/2/auth/token/revoke', token: 'access', body: 'none' },
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: ['account_info.read', 'files.metadata.read', 'files.content.read'],
    // Without it there is no refresh token.
    authorizeParameters: { token_access_type: 'offline' },
    accessToken: { readFrom: 'answer' },
    refreshToken: { rotation: 'never', lifetime: 'endless' },
    registration: [
      'Sign in at https://www.dropbox.com/developers/apps and choose “Create app”: Scoped access, then “Full Dropbox” (an app folder shows its own files alone).',
      'Permissions: tick account_info.read, files.metadata.read and files.content.read; sharing.read, so that who may see a shared file is known; files.content.write where files are to be written. Submit: what is ticked later counts only after connecting again.',
      'Settings, OAuth 2, Redirect URIs: add {redirectUrl}, exactly so. http is taken for localhost alone.',
      'Settings: copy App key (the client id) and App secret. In the status “Development” 500 accounts may connect at most.',
    ],
  },
  http,
  identity,
  probe,
  operations: {
    list,
    search,
    get,
    text,
    download,
    'create-file': createFile,
    'update-file': updateFile,
    'delete-file': deleteFile,
    'restore-file': restoreFile,
  },
  capabilities: {},
  feeds: { files: fileFeed },
  webhook,
  // Dropbox names no figures: it answers 429 with the seconds to wait.
  limit: { perSecond: 10, burst: 30, concurrent: 6 },
  notes: [
    'Dropbox tells no figures for its limits; 10 calls a second are our own bound, and 429 is waited for as long as it says.',
    'Text, Markdown, CSV and caption files up to 4 MB are synced as their words, PDF, Office and HTML files up to 10 MB whole, Paper and Google documents as they are exported. Of other and larger files the name and the facts are, with a word on why; their bytes can be downloaded up to 8 MB.',
    'Dropbox tells no media type: the ending of the name decides.',
    'Records are known by their path: a file that is moved or renamed is a new record, and the old one goes. Of a deleted folder Dropbox names the folder alone; what was in it goes with it.',
    'The folders that a file lies in are its labels, in lower case (/offers/old): `drawbridge sensitivity` hides from agents what is below one.',
    'Readers of a file are the account itself and the members of the shared folder that holds it. Each shared folder is asked for its members at each sync, once. Members whom a folder inherits from one above it, people in groups, and those with whom a file was shared by itself are not known by name (Dropbox would not tell when that ends): they see less here than in Dropbox. That a folder which is shared anew, or no more, is listed as changed is known, not verified; that it is shared no more is found by its members, too.',
    'Of somebody in a team with a space of its own all of that space is read (the header Dropbox-API-Path-Root); an account whose team’s space moves must be connected again.',
    'Dropbox has no key for repeats. A file that is found with our content in its place counts as ours: an equal one in the way is refused beforehand (strict_conflict).',
    'Restoring names no revision that it replaces: between the last look and the call somebody may have changed the file; that revision stays at Dropbox, too.',
    'Webhooks are verified, but Dropbox first asks the address to echo a challenge (GET), for which there is no place yet: changes are asked for at each sync.',
    'Known, not verified: that the token endpoint takes the app’s secret beside PKCE, that access tokens live four hours and refresh tokens have no end and never change, the addresses of files in Dropbox’s own pages, the limit of 500 accounts, and which forms Paper documents are exported to.',
  ],
  verified:
    'Emulator: sandbox/dropbox/. Every request and answer held against Dropbox’s own interface files (Stone, 2026-08) by a judge of the tests’ own (test/providers/dropbox/judge.ts): hosts, members (required and unknown ones), unions, patterns, the scope of each route, and that each error they name has its meaning here. Sign-in and the end of a grant are in none of them.',
});

const account = z.object({
  account_id: z.string().min(1),
  email: z.string().min(1),
  root_info: z.object({ root_namespace_id: z.string().min(1) }),
});

const asked = (context: ProviderContext) => call(context, '/users/get_current_account', null, account);

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { account_id, email } = await asked(context);
  return { id: account_id, label: email };
}

async function probe(context: ProviderContext): Promise<Record<string, string>> {
  const { email, root_info } = await asked(context);
  const address = addressField.safeParse(email);
  return { root: root_info.root_namespace_id, ...(address.success ? { email: address.data } : {}) };
}
