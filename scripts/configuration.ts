// Writes docs/configuration.md from the schema of the environment; with --check it only says whether it is
// up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { variables } from '../src/config.ts';

const path = join(import.meta.dirname, '../docs/configuration.md');

function defaultOf(schema: { safeParse(value: unknown): { success: boolean; data?: unknown } }): string {
  const { data } = schema.safeParse(undefined);
  return data === undefined ? '' : `\`${data === false ? '0' : String(data)}\``;
}

const rows = Object.entries(variables).map(
  ([name, schema]) =>
    `| \`${name}\` | ${(schema.description ?? '').replaceAll('|', '\\|')} | ${defaultOf(schema)} |`,
);
const page = `# Configuration

Drawbridge reads these environment variables and no others. An unknown \`DRAWBRIDGE_\` variable, or one that is
malformed, is named in the error at start. \`NODE_EXTRA_CA_CERTS\` is Node's own: a file of certificates that mail,
calendar and web servers may be signed with.

| variable | what it does | default |
|---|---|---|
${rows.join('\n')}

The credentials of an app that is registered at a provider are named by the app: \`DRAWBRIDGE_GOOGLE_CLIENT_ID\`,
\`DRAWBRIDGE_GOOGLE_CLIENT_SECRET\`, and \`DRAWBRIDGE_GOOGLE_WEBHOOK_SECRET\` where its webhooks are signed with a
secret of their own. docs/providers.md names each provider's app. What a person entered with
\`drawbridge connect PROVIDER --client-id\` is used where these are not set.

Made by \`npm run docs\` from src/config.ts.
`;

if (process.argv.includes('--check')) {
  const stale = readFileSync(path, 'utf8') !== page;
  if (stale) console.error('docs/configuration.md is not what src/config.ts says: run npm run docs');
  process.exitCode = stale ? 1 : 0;
} else {
  writeFileSync(path, page);
}
