// `connect PROVIDER`: an account, in the browser where the provider asks there, else by questions on a terminal
// or flags in a script. Both are made from what it declares; a credential is never an argument.

import { type Command, CommanderError } from 'commander';
import { makerOf } from '../../auth/record-change.ts';
import type { Offer } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import { catalog } from '../../providers/catalog.ts';
import type { Provider } from '../../providers/define.ts';
import type { CatalogEntry } from '../../providers/entry.ts';
import { registerSecret, Secret } from '../../secret.ts';
import { openSession, usageError, withRooms } from '../command.ts';
import { ask, askSecret, canAsk, readStdin } from '../terminal/ask.ts';
import type { Output } from '../terminal/output.ts';
import { shownLine } from '../terminal/shown.ts';
import { type DeclaredField, fieldFlag, fieldsOf, flagOf, secretFlag } from './provider-flags.ts';

interface Given {
  fields: Record<string, string>;
  secrets: Record<string, string>;
}

type Options = Record<string, unknown> & { json?: boolean; sync?: boolean };

const accessOf = (options: Options) => (options['readOnly'] === true ? 'read' : 'write');

/** What the flags gave. Credentials come from standard input, a line each, in the order of their flags. */
async function givenBy(
  provider: Provider,
  fields: DeclaredField[],
  options: Options,
  args: readonly string[],
): Promise<Given> {
  const given: Given = { fields: {}, secrets: {} };
  for (const field of fields) {
    const value = options[field.option];
    if (typeof value === 'string') given.fields[field.name] = value;
  }
  const piped = provider.secrets
    .map((secret) => ({ name: secret.name, place: args.indexOf(secretFlag(secret.name)) }))
    .filter(({ place }) => place !== -1)
    .sort((a, b) => a.place - b.place);
  if (piped.length === 0) return given;
  const lines = (await readStdin()).split(/\r?\n/);
  if (lines.every((line) => line === '')) {
    const flags = piped.map(({ name }) => secretFlag(name)).join(' and ');
    throw usageError(
      `${flags}: standard input is empty. Pipe the credential in, a line each: printf '%s\\n' "$PASSWORD" | drawbridge connect ${provider.id} …`,
    );
  }
  for (const [index, { name }] of piped.entries()) {
    const value = lines[index] ?? '';
    if (value === '')
      throw usageError(`${secretFlag(name)}: standard input has no line ${index + 1} for it.`);
    registerSecret(value);
    given.secrets[name] = value;
  }
  return given;
}

/** The field that is still missing or wrong, found as `connect` will find it. */
function nextFault(
  provider: Provider,
  fields: Record<string, string>,
): { field: string; message: string } | undefined {
  try {
    const completed = provider.complete?.(fields) ?? fields;
    const parsed = provider.fields.safeParse(completed);
    const issue = parsed.error?.issues[0];
    return issue === undefined ? undefined : { field: issue.path.join('.'), message: issue.message };
  } catch (error) {
    if (!(error instanceof DrawbridgeError) || error.field === undefined) throw error;
    return { field: error.field, message: error.message };
  }
}

/** Asks for what is missing, until the provider has what it needs. Empty answers end it. */
async function askForTheRest(
  output: Output,
  provider: Provider,
  fields: DeclaredField[],
  given: Given,
): Promise<void> {
  for (
    let fault = nextFault(provider, given.fields);
    fault !== undefined;
    fault = nextFault(provider, given.fields)
  ) {
    const name = fault.field;
    const declared = fields.find((field) => field.name === name);
    if (declared === undefined) return;
    if (given.fields[name] !== undefined) output.aside(`  ${fault.message}`);
    const answer = await ask(`${declared.description}:`);
    if (answer === '') throw usageError(`${fieldFlag(name)}: ${fault.message}`);
    given.fields[name] = answer;
  }
  const needed = provider.secrets.filter((secret) => secret.optional !== true);
  // Where every credential is optional, one of them is meant to be there: the first is the usual one.
  const asked =
    needed.length > 0 || Object.keys(given.secrets).length > 0 ? needed : provider.secrets.slice(0, 1);
  for (const secret of asked) {
    if (given.secrets[secret.name] !== undefined) continue;
    output.aside(secret.hint);
    given.secrets[secret.name] = await askSecret(`${secret.title} (not shown):`);
  }
}

/** The error in words of the command line: with the flag in front, as bad usage. */
function inFlags(provider: Provider, error: unknown): unknown {
  if (error instanceof CommanderError || !(error instanceof DrawbridgeError) || error.field === undefined)
    return error;
  const flag = flagOf(provider, error.field);
  return flag === undefined ? error : usageError(`${flag}: ${error.message.replace(`${error.field}: `, '')}`);
}

async function connect(
  provider: Provider,
  fields: DeclaredField[],
  options: Options,
  args: readonly string[],
): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const given = await givenBy(provider, fields, options, args);
  if (canAsk() && !output.json) await askForTheRest(output, provider, fields, given);
  await withRooms(session, async (rooms) => {
    const connection = await rooms.connections
      .connect(
        rooms.org,
        provider.id,
        { ...given, access: accessOf(options) },
        { by: makerOf(rooms.owner), channel: 'terminal' },
      )
      .catch((error: unknown) => {
        throw inFlags(provider, error);
      });
    const { id, label, account, state } = connection;
    if (!output.json)
      output.line(
        `${output.style('green', '✓')} ${shownLine(label)} (${provider.title}) is connected: ${id}`,
      );
    const { syncAndTell } = await import('./sync-and-tell.ts');
    const synced =
      options.sync !== false && connection.hasFeeds
        ? await syncAndTell(session, rooms, [connection], { isNew: true })
        : [];
    if (output.json) {
      output.value({
        id,
        provider: provider.id,
        account,
        label,
        state,
        ...(synced[0] === undefined ? {} : { sync: synced[0] }),
      });
    }
  });
}

/** What the flags say of the app, registered at the provider by a person. */
async function appGiven(
  provider: Provider,
  options: Options,
): Promise<{ name: string; clientId: string; clientSecret: Secret | undefined } | undefined> {
  const { clientId, clientSecretStdin } = options;
  if (provider.auth.kind !== 'oauth2' || typeof clientId !== 'string') {
    if (clientSecretStdin === true) throw usageError('--client-secret-stdin: needs --client-id beside it.');
    return undefined;
  }
  const needed = provider.auth.clientAuthentication !== 'none';
  if (needed && clientSecretStdin !== true) {
    throw usageError(
      `--client-id: ${provider.title} gave a secret with it. Pipe it in: printf '%s' "$SECRET" | drawbridge connect ${provider.id} --client-id ID --client-secret-stdin`,
    );
  }
  const secret = clientSecretStdin === true ? (await readStdin()).trim() : '';
  if (needed && secret === '') throw usageError('--client-secret-stdin: standard input is empty.');
  return {
    name: provider.auth.app,
    clientId,
    clientSecret: secret === '' ? undefined : new Secret(secret),
  };
}

/** Where the account is authorised at the provider. */
async function throughBrowser(
  provider: Provider,
  fields: DeclaredField[],
  options: Options,
  args: readonly string[],
): Promise<void> {
  const session = openSession(options);
  const { via = 'api', account } = options;
  if (via !== 'api' && via !== 'mcp') throw usageError('--via: must be api or mcp.');
  const app = await appGiven(provider, options);
  const given = app === undefined ? await givenBy(provider, fields, options, args) : { fields: {} };
  const { connectInBrowser } = await import('./connect-browser.ts');
  await connectInBrowser(session, {
    provider,
    access: accessOf(options),
    via,
    account: typeof account === 'string' ? account : undefined,
    fields: given.fields,
    print: options['print'] === true || session.output.json,
    app,
  });
}

/** Server and page say what is asked: with a form where no sign-in is needed, else in the browser. */
async function connectEither(
  provider: Provider,
  fields: DeclaredField[],
  options: Options,
  args: readonly string[],
): Promise<void> {
  const { wantsSignIn } = await import('../../connections/connect/discovered.ts');
  try {
    await connect(provider, fields, options, args);
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError) || thrown.field !== wantsSignIn) throw thrown;
    await throughBrowser(provider, fields, options, args);
  }
}

function statusWords(status: Offer['status'], pasted: string | undefined): string {
  if (status === 'available') return '';
  if (status === 'off') return ' (off)';
  return pasted === undefined ? ' (its app is not registered yet)' : ' (by a secret that you paste)';
}

/** How each provider stands here; without a home yet, as the environment says. */
async function statuses(): Promise<Map<string, string>> {
  const { existsSync } = await import('node:fs');
  const session = openSession({});
  const { config } = session;
  if (config.databaseUrl !== undefined || existsSync(config.home)) {
    const offers = await withRooms(session, (rooms) => rooms.connections.offers(rooms.org));
    return new Map(offers.map(({ id, status, pasted }) => [id, statusWords(status, pasted)]));
  }
  const statusOf = ({ id, app }: CatalogEntry): Offer['status'] => {
    if (config.providersOff.includes(id)) return 'off';
    return app === undefined || config.apps.has(app) ? 'available' : 'not-configured';
  };
  return new Map(catalog.map((entry) => [entry.id, statusWords(statusOf(entry), entry.pasted)]));
}

/** Flags of what is authorised in the browser. */
function browserFlags(line: Command, provider: Provider): void {
  line
    .option('--print', 'print the link (60 seconds, works once) and open nothing')
    .option('--account <account>', 'connect this account again: id or label');
  if (provider.auth.kind !== 'oauth2') return;
  line.option('--read-only', 'ask for no permission to change anything');
  if (provider.mcp !== undefined) {
    line.option('--via <way>', "api, or mcp for the provider's own MCP server", 'api');
  }
  line.option('--client-id <id>', 'register the app that you made at the provider');
  if (provider.auth.clientAuthentication !== 'none') {
    line.option('--client-secret-stdin', 'read its client secret from standard input');
  }
  line.addHelpText(
    'after',
    `\nIts app is registered once, at ${provider.title}; the redirect URL is on the page that opens.`,
  );
}

export async function declare(command: Command): Promise<void> {
  command.addHelpText('after', '\nEach has flags of its own: drawbridge connect mailbox --help');
  const connectable = catalog.filter((entry) => entry.connectable);
  const one = connectable.find(({ id }) => process.argv.includes(id));
  const known = one === undefined ? await statuses() : new Map<string, string>();
  for (const entry of connectable) {
    const line = command.command(entry.id).description(`connect: ${entry.title}${known.get(entry.id) ?? ''}`);
    // Providers carry their clients with them: only the one that is asked for is loaded.
    if (entry !== one) continue;
    const provider = await entry.load();
    const fields = fieldsOf(provider);
    for (const field of fields) line.option(`${fieldFlag(field.name)} <value>`, field.description);
    for (const secret of provider.secrets) {
      line.option(secretFlag(secret.name), `read from standard input: ${secret.title}. ${secret.hint}`);
    }
    const { kind } = provider.auth;
    if (kind === 'oauth2' || kind === 'discovered') browserFlags(line, provider);
    if (kind !== 'oauth2') line.option('--no-sync', 'do not bring its records into memory now');
    const way = { oauth2: throughBrowser, discovered: connectEither };
    const { pasted } = kind === 'oauth2' ? provider.auth : {};
    const isPasted = pasted !== undefined && process.argv.includes(secretFlag(pasted));
    const act = !isPasted && (kind === 'oauth2' || kind === 'discovered') ? way[kind] : connect;
    line
      .option('--json', 'answer as JSON, ask nothing')
      .addHelpText(
        'after',
        `\nExample:\n  ${entry.command} ${provider.secrets[0] === undefined ? '' : secretFlag(provider.secrets[0].name)}`,
      )
      .action((options: Options) => act(provider, fields, options, process.argv));
  }
}
