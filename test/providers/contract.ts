// The providers' own contracts, where this machine has them: a folder `contracts` beside the repository
// (or CONTRACT_CHECK, the path of its checker). They may not be redistributed, so a fresh clone has none;
// CONTRACTS_REQUIRED=1 makes their absence a failure.
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Exchanged } from '../../sandbox/providers.ts';
import { judge } from './dropbox/judge.ts';
import { readStone } from './dropbox/stone.ts';

export interface Exchange {
  provider: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: unknown;
  response?: { status: number; headers: Record<string, string>; body?: unknown };
}

interface Checker {
  check(exchange: Exchange): { ok: boolean; operation: string | null; errors: string[] };
  /** Ids of the providers that it has contracts of. */
  providers: readonly string[];
}

function findChecker(): string | undefined {
  const named = process.env['CONTRACT_CHECK'];
  if (named !== undefined) return resolve(named);
  const beside = fileURLToPath(new URL('../../../', import.meta.url));
  return readdirSync(beside)
    .map((name) => resolve(beside, name, 'contracts', 'check', 'index.mjs'))
    .find((path) => existsSync(path));
}

/** Dropbox tells its routes in files of its own kind, which stand beside those that the checker reads. */
export function stoneFolder(checker = findChecker()): string | undefined {
  const folder = checker === undefined ? undefined : resolve(checker, '..', '..', 'specs', 'dropbox');
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** The checker, or why there is none. @throws Error when there must be one */
export async function contractChecker(): Promise<Checker | { missing: string }> {
  const found = await loadChecker();
  if ('missing' in found && process.env['CONTRACTS_REQUIRED'] === '1') throw new Error(found.missing);
  return found;
}

async function loadChecker(): Promise<Checker | { missing: string }> {
  const path = findChecker();
  if (path === undefined) return { missing: 'no contracts beside the repository' };
  try {
    const module = (await import(pathToFileURL(path).href)) as {
      checkExchange: Checker['check'];
      providers: string[];
    };
    const stone = stoneFolder(path);
    if (stone === undefined) return { check: module.checkExchange, providers: module.providers };
    const dropbox = readStone(stone);
    return {
      check: (exchange) =>
        exchange.provider === 'dropbox' ? judge(dropbox, exchange) : module.checkExchange(exchange),
      providers: [...module.providers, 'dropbox'],
    };
  } catch (error) {
    return {
      missing: `the contract checker does not load: ${error instanceof Error ? error.message : error}`,
    };
  }
}

/** Hosts of a provider that its contract does not cover: sign-in, tokens, its own MCP server. */
const outside = new Set([
  'accounts.google.com',
  'oauth2.googleapis.com',
  'app.hubspot.com',
  'mcp.hubspot.com',
  'appcenter.intuit.com',
  'oauth.platform.intuit.com',
  'developer.api.intuit.com',
  'accounts.platform.intuit.com',
  'sandbox-accounts.platform.intuit.com',
  'login.microsoftonline.com',
  'www.dropbox.com',
  'storage.googleapis.com',
  'files.slack.com',
  'tidewell.slack.com',
  'login.mailchimp.com',
]);

/** Asked by the conformance suite, to see how many calls leave at once: of no provider. */
export const probePath = '/probe-of-the-conformance-suite';

/** Parts of an API that its contract leaves out; what is asked there is typed by the official client, or documented. */
const unspoken: readonly [host: string, path: RegExp][] = [
  ['api.hubapi.com', /^\/(crm\/v4\/(objects|associations)|crm\/v3\/pipelines|account-info\/v3)\//],
  ['api.dropboxapi.com', /^\/oauth2\//],
  // Its sign-in is at the host of the shop.
  ['tidewell-homes.myshopify.com', /^\/admin\/oauth\//],
  ['graph.microsoft.com', /^\/v1\.0\/me\/mailFolders\/[^/]+\/childFolders$/],
  // The page of consent.
  ['api.notion.com', /^\/v1\/oauth\/authorize$/],
  // Its document of 2021 knows no refresh tokens, and no scopes of a person.
  ['slack.com', /^\/(oauth\/v2\/authorize|api\/oauth\.v2\.access)$/],
];

/** Parameters that came after its contract, and are documented by now. */
const younger: readonly [host: string, name: string][] = [['slack.com', 'include_all_metadata']];

/** Google's products share a host and an account; each has a contract of its own. */
const google: readonly [host: string, path: RegExp, provider: string][] = [
  ['gmail.googleapis.com', /^\//, 'gmail'],
  ['www.googleapis.com', /^\/(upload\/)?gmail\//, 'gmail'],
  ['www.googleapis.com', /^\/(upload\/)?calendar\//, 'google-calendar'],
  ['www.googleapis.com', /^\/(upload\/)?drive\//, 'google-drive'],
];

// Everything else in a header may be a credential, whatever its name.
const told = new Set([
  'accept',
  'content-type',
  'notion-version',
  'api-version',
  'prefer',
  'if-match',
  'x-rapidapi-host',
  'dropbox-api-arg',
  'dropbox-api-path-root',
]);

/** Contracts written from lists of parameters: what a refusal looks like stands in none of them. */
const silentOnRefusals = new Set(['zillow']);

/** The exchange as the checker takes it, without credentials; undefined where no contract speaks of it. */
export function exchangeOf({ provider, call, answer }: Exchanged): Exchange | undefined {
  if (outside.has(call.host) || call.path === probePath) return undefined;
  if (unspoken.some(([host, path]) => host === call.host && path.test(call.path))) return undefined;
  const asked = new URLSearchParams(provider === 'reso' ? withoutLocal(call.query) : call.query);
  for (const [host, name] of younger) if (host === call.host) asked.delete(name);
  const query = asked.size === 0 ? '' : `?${asked}`;
  const own = google.find(([host, path]) => host === call.host && path.test(call.path));
  // What a download answers is the file, and no message of the API.
  const isFile = own !== undefined && call.query.get('alt') === 'media';
  // Graph's actions answer 202 with nothing (its reference pages), where its document has 204.
  const isAction = call.host === 'graph.microsoft.com' && answer?.status === 202;
  const unread = isFile || isAction || ((answer?.status ?? 0) >= 400 && silentOnRefusals.has(provider));
  return {
    provider: own?.[2] ?? provider,
    method: call.method,
    url: `https://${call.host}${call.path}${query}`,
    headers: Object.fromEntries(
      Object.entries(call.headers).map(([name, value]) => [name, told.has(name) ? value : '[left out]']),
    ),
    ...(call.body === '' ? {} : { body: call.body }),
    ...(answer === undefined || unread
      ? {}
      : {
          response: {
            status: answer.status,
            headers: answer.headers ?? {},
            ...(answer.body === undefined || answer.body === ''
              ? {}
              : { body: provider === 'reso' ? withoutLocalRows(parsed(answer.body)) : parsed(answer.body) }),
          },
        }),
  };
}

/** A server's own fields (X_…) stand in its $metadata, and in no dictionary. */
const isLocal = (name: string): boolean => name.startsWith('X_');

function withoutLocal(query: URLSearchParams): URLSearchParams {
  const standard = new URLSearchParams(query);
  const select = query.get('$select');
  const rest = select?.split(',').filter((name) => !isLocal(name));
  if (rest !== undefined) standard.set('$select', rest.join(','));
  return standard;
}

function withoutLocalRows(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('value' in body) || !Array.isArray(body.value))
    return body;
  const rows = body.value.map((row: object) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !isLocal(name))),
  );
  return { ...body, value: rows };
}

/** The checker judges values: a JSON answer as a text would pass unread. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** What breaks a contract, a line each; empty where all is well. */
export function faultsOf(checker: Checker, exchanges: readonly Exchange[]): string[] {
  const faults = new Set<string>();
  for (const exchange of exchanges) {
    if (!checker.providers.includes(exchange.provider)) continue;
    const { ok, operation, errors } = checker.check(exchange);
    if (ok) continue;
    const status = exchange.response === undefined ? '' : ` (${exchange.response.status})`;
    faults.add(
      `${exchange.method} ${exchange.url}${status}: ${operation ?? 'no operation'}: ${errors.join('; ')}`,
    );
  }
  return [...faults];
}
