// Writes docs/providers.md from the declarations of the providers; with --check it only says whether it is up
// to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formOf } from '../src/connections/connect/form.ts';
import { scopesInWords } from '../src/connections/connect/scopes.ts';
import { catalog } from '../src/providers/catalog.ts';
import type { Limit, Provider } from '../src/providers/define.ts';
import type { CatalogEntry } from '../src/providers/entry.ts';

const redirectUrl = (id: string): string => `http://localhost:7331/api/v1/integrations/${id}/callback`;
const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

const introduction = `# Providers

What each can do, how it is connected, and what was verified how. "Emulator" is a server of \`sandbox/\`; "real server"
is the program itself, started on loopback by the tests. No live account of a provider was used: facts that could not be
checked are named below their provider.

Every provider runs through one suite, \`test/conformance/provider.ts\`: connecting and denial, whose account it is,
renewal and rotation of tokens, expiry, revocation, lists to their end and over pages that change, going on after a kill,
refusals in our codes, limits, secrets in no log, hostile input, signatures of webhooks. What its code asks of an emulator
and what the emulator answers is held against the provider's own contract where the machine has it
(\`npm run test:contracts\`).

**Reads** answer at once. **Writes** are queued, and a person decides on each.

A provider that is connected in a browser needs an app that you register there once. Its redirect URL is
\`http://localhost:7331/api/v1/integrations/PROVIDER/callback\` (with your port, where it is another one); with
\`DRAWBRIDGE_PUBLIC_URL\` it begins with that address instead. The app's id and secret go into
\`DRAWBRIDGE_APP_CLIENT_ID\` and \`DRAWBRIDGE_APP_CLIENT_SECRET\` (APP as named below), or are entered with
\`drawbridge connect PROVIDER\`.`;

/** The page's text. */
export function providersPage(all: readonly { entry: CatalogEntry; provider: Provider }[]): string {
  const rows = all.map(
    ({ provider }) =>
      `| [${provider.id}](#${provider.id}) | ${cell(provider.title)} | ${reads(provider).length} | ${writes(provider).length} | ${cell(list(Object.keys(provider.capabilities)))} | ${list(kindsOf(provider))} | ${wayOf(provider)} |`,
  );
  return `${introduction}

| provider | | reads | writes | fulfils | keeps in memory | connected |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${all.map(({ entry, provider }) => section(entry, provider)).join('\n\n')}

Made by \`npm run docs\` from src/providers/.
`;
}

const list = (texts: readonly string[]): string => (texts.length === 0 ? '–' : texts.map(code).join(', '));
const kindsOf = (provider: Provider): string[] => [
  ...new Set(Object.values(provider.feeds).flatMap(({ kinds }) => kinds)),
];
const reads = (provider: Provider) =>
  Object.entries(provider.operations).filter(([, { effect }]) => effect === 'read');
const writes = (provider: Provider) =>
  Object.entries(provider.operations).filter(([, { effect }]) => effect !== 'read');

function wayOf({ auth, operations, feeds, discover }: Provider): string {
  if (auth.kind === 'oauth2') return `in the browser, app ${code(auth.app)}`;
  if (auth.kind === 'discovered') return 'as its server says';
  const nothing = Object.keys(operations).length + Object.keys(feeds).length === 0 && discover === undefined;
  if (auth.kind === 'none' && nothing) return 'by import';
  return auth.kind === 'none' ? 'without credentials' : 'by a form';
}

function section(entry: CatalogEntry, provider: Provider): string {
  const parts = [
    `## ${provider.id}`,
    `${provider.title}. ${entry.connectable ? 'Connect' : 'Begin with'}: ${code(entry.command)}`,
    ...connecting(provider),
    ...can(provider),
    ...scopes(provider),
    ...registration(provider),
    ...(entry.connectable ? limits(provider) : []),
    ...webhook(provider),
    ...(provider.mcp === undefined
      ? []
      : [
          `It has an MCP server of its own, ${provider.mcp.url}: ${code(`drawbridge connect ${provider.id} --via mcp`)}.`,
        ]),
    ...(provider.notes === undefined ? [] : [`### To know\n\n${bullets(provider.notes)}`]),
    `Verified: ${provider.verified ?? 'by the conformance suite alone.'}`,
  ];
  return parts.join('\n\n');
}

function connecting(provider: Provider): string[] {
  const form = formOf(provider);
  const mayStay = (required: boolean): string => (required ? '' : ' (may be left out)');
  const asked = [
    ...form.fields.map(
      ({ name, description, required, choices }) =>
        `${code(`--${name}`)}${mayStay(required)}: ${description}${choices === undefined ? '' : ` (${choices.join(', ')})`}`,
    ),
    ...form.secrets.map(
      ({ name, title, hint, required }) => `${title}, ${code(name)}${mayStay(required)}: ${hint}`,
    ),
  ];
  const learned = Object.entries(provider.learned ?? {}).map(
    ([name, { description }]) => `${code(name)} (${description})`,
  );
  return [
    ...(asked.length === 0 ? [] : [`Asked for:\n\n${bullets(asked)}`]),
    ...(learned.length === 0 ? [] : [`Learned at connecting: ${learned.join(', ')}.`]),
  ];
}

function can(provider: Provider): string[] {
  const feeds = Object.entries(provider.feeds).map(
    ([name, { kinds }]) => `${code(name)} keeps in memory: ${kinds.join(', ')}`,
  );
  const fulfils = (name: string): string => {
    const found = Object.entries(provider.capabilities).find(([, operation]) => operation === name);
    return found === undefined ? '' : `, fulfils ${code(found[0])}`;
  };
  const of = (operations: ReturnType<typeof reads>) =>
    operations.map(
      ([name, { title, effect }]) =>
        `${code(name)}: ${title}${effect === 'read' ? '' : ` (${effect})`}${fulfils(name)}`,
    );
  const lines: [string, string[]][] = [
    ['Reads', of(reads(provider))],
    ['Writes, each approved by a person', of(writes(provider))],
    ['Feeds', feeds],
  ];
  const shown = lines
    .filter(([, some]) => some.length > 0)
    .map(([title, some]) => `${title}:\n\n${bullets(some)}`);
  return [
    ...(shown.length === 0 ? [] : ['### What it can do', ...shown]),
    ...(provider.discover === undefined
      ? []
      : ['Its operations differ from account to account, and are asked for there.']),
  ];
}

function scopes(provider: Provider): string[] {
  if (provider.auth.kind !== 'oauth2') return [];
  const own = new Set(provider.auth.scopes);
  const read = new Set(scopesInWords(provider, 'read').map(({ scope }) => scope));
  const rows = scopesInWords(provider, 'write').map(
    ({ scope, needed }) =>
      `| ${code(scope)} | ${read.has(scope) ? 'always' : 'when writing is enabled'} | ${own.has(scope) ? 'every call' : cell(needed.join('; '))} |`,
  );
  if (rows.length === 0) return [];
  return [`### Scopes\n\n| scope | asked for | needed to |\n|---|---|---|\n${rows.join('\n')}`];
}

function registration(provider: Provider): string[] {
  const { auth } = provider;
  if (auth.kind !== 'oauth2') return [];
  const variable = variableOf(auth.app);
  const steps = [
    ...auth.registration.map((step) => step.replaceAll('{redirectUrl}', code(redirectUrl(provider.id)))),
    `Set ${code(`${variable}_CLIENT_ID`)}${auth.clientAuthentication === 'none' ? '' : ` and ${code(`${variable}_CLIENT_SECRET`)}`}, or enter them when you connect.`,
  ];
  return [
    `### Registering the app\n\n${steps.map((step, at) => `${at + 1}. ${step}`).join('\n')}`,
    lifetimes(auth),
  ];
}

function lifetimes(auth: Extract<Provider['auth'], { kind: 'oauth2' }>): string {
  const access =
    auth.accessToken === 'endless'
      ? 'Access tokens do not end'
      : 'seconds' in auth.accessToken
        ? `Access tokens live ${auth.accessToken.seconds} seconds`
        : 'How long an access token lives is read from each answer';
  const renewed =
    auth.refreshToken === 'none'
      ? 'nothing renews them'
      : {
          never: 'the refresh token stays the same',
          sometimes: 'a refresh may bring a new refresh token',
          always: 'each refresh brings a new refresh token, and ends the old one',
        }[auth.refreshToken.rotation];
  const revoked =
    auth.revocation === undefined
      ? 'The provider has no way to revoke: disconnecting forgets the tokens, and the app is removed in the account.'
      : 'Disconnecting revokes the grant at the provider.';
  const pkce = auth.pkce === 'S256' ? 'PKCE (S256) is used' : 'The provider knows no PKCE';
  return `${access}; ${renewed}. ${revoked} ${pkce}.`;
}

function limits({ limit, appLimit }: Provider): string[] {
  const words = ({ perSecond, burst, concurrent, windows = [] }: Limit): string =>
    [
      `${perSecond} calls a second`,
      `${burst} at once after a pause`,
      `${concurrent} side by side`,
      ...windows.map(({ calls, ms }) => `${calls} in any ${ms / 1000} s`),
    ].join(', ');
  return [
    `Limits that we keep: ${words(limit)} for a connection${appLimit === undefined ? '' : `; ${words(appLimit)} for the app`}.`,
  ];
}

function webhook({ auth, webhook: declared }: Provider): string[] {
  if (declared === undefined) return [];
  const secret =
    declared.signedWith === 'client-secret' || auth.kind !== 'oauth2'
      ? "the app's client secret"
      : `the app's webhook secret (${code(`${variableOf(auth.app)}_WEBHOOK_SECRET`)})`;
  return [`A webhook is believed with a signature made with ${secret}, compared in constant time.`];
}

const variableOf = (app: string): string => `DRAWBRIDGE_${app.toUpperCase().replaceAll('-', '_')}`;

async function main(): Promise<void> {
  const path = join(import.meta.dirname, '../docs/providers.md');
  const all = await Promise.all(catalog.map(async (entry) => ({ entry, provider: await entry.load() })));
  const page = providersPage(all);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, page);
    return;
  }
  if (readFileSync(path, 'utf8') === page) return;
  console.error('docs/providers.md is not what src/providers/ says: run npm run docs');
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
