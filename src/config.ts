// The only reader of the environment. Every variable is here, in docs/configuration.md (made from this
// file), and nowhere else; an unknown or malformed one is named in the error.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type EmbedderConfig, embedderOf, embedderVariables } from './embedder-config.ts';
import { DrawbridgeError } from './errors.ts';
import { type RerankerConfig, rerankerOf, rerankerVariables } from './reranker-config.ts';
import { Secret } from './secret.ts';
import { type HostedSignIn, signInOf, signInVariables } from './sign-in-config.ts';

const flag = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');
const port = z.coerce
  .number('must be a port, 0 to 65535')
  .int('must be a port, 0 to 65535')
  .min(0, 'must be a port, 0 to 65535')
  .max(65_535, 'must be a port, 0 to 65535');

/** One entry a variable; the description is what the documentation prints. */
export const variables = {
  DRAWBRIDGE_HOME: z
    .string()
    .min(1)
    .optional()
    .describe("Folder of the databases and the key file. Default: the platform's data folder."),
  DRAWBRIDGE_DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres:// or postgresql://')
    .optional()
    .describe('PostgreSQL to use instead of the embedded SQLite.'),
  DRAWBRIDGE_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64')
    .optional()
    .describe('Master key, 32 bytes in base64. Default: the key file in DRAWBRIDGE_HOME, made on first use.'),
  DRAWBRIDGE_KEY_FORMER: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64')
    .optional()
    .describe(
      'The master key before DRAWBRIDGE_KEY, while `drawbridge vault rotate` has not yet rewrapped everything.',
    ),
  DRAWBRIDGE_PORT: port.default(7331).describe('Port of the local web server. 0 takes a free one.'),
  DRAWBRIDGE_HOST: z.string().min(1).default('127.0.0.1').describe('Address that the web server listens on.'),
  DRAWBRIDGE_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address under which browsers and agents reach the web server, when it is not the local one.'),
  DRAWBRIDGE_LOG_LEVEL: z
    .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('warn')
    .describe(
      'Least severe log level written to standard error. Commands other than serve and stdio log only when it is given.',
    ),
  DRAWBRIDGE_ALLOW_LOOPBACK: flag
    .default(false)
    .describe(
      "Admits provider addresses on loopback, in clear too: for tests, the sandbox and one's own servers.",
    ),
  DRAWBRIDGE_ACTION_TTL_HOURS: z.coerce
    .number()
    .positive()
    .max(24 * 30)
    .default(24)
    .describe('Hours until a pending action expires.'),
  DRAWBRIDGE_HOLD_SECONDS: z.coerce
    .number()
    .min(0)
    .max(3_600)
    .default(10)
    .describe('Seconds that an approved send waits, and can still be stopped, before it leaves.'),
  DRAWBRIDGE_CALL_LOG_DAYS: z.coerce
    .number()
    .min(1)
    .max(3_650)
    .default(90)
    .describe('Days that the log of calls to providers is kept; at most 100,000 calls an org.'),
  DRAWBRIDGE_TOMBSTONE_DAYS: z.coerce
    .number()
    .min(1)
    .max(3_650)
    .default(30)
    .describe('Days that the empty row of a deleted record is kept. Its content goes when it is deleted.'),
  DRAWBRIDGE_AUDIT_YEARS: z.coerce
    .number()
    .min(1)
    .max(100)
    .default(7)
    .describe(
      'Years that the record of what was done is kept. Older entries are exported and signed for first; the record verifies from there.',
    ),
  DRAWBRIDGE_AUDIT_ARCHIVE: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of those exports. Default: audit-archive in DRAWBRIDGE_HOME.'),
  DRAWBRIDGE_ZILLOW_HOST: z
    .string()
    .min(1)
    .default('zillow-com1.p.rapidapi.com')
    .describe('Host of the Zillow API on RapidAPI.'),
  DRAWBRIDGE_PROVIDERS_OFF: z
    .string()
    .regex(/^[a-z0-9-]+(,[a-z0-9-]+)*$/, 'must be ids of providers, with commas between')
    .optional()
    .describe('Providers that are switched off: they are listed as off, and no call is made to them.'),
  DRAWBRIDGE_SANDBOX_URL: z
    .url({ protocol: /^http$/, hostname: /^(127\.0\.0\.1|localhost|\[::1\])$/ })
    .optional()
    .describe(
      'A server on loopback that plays the providers: every https call goes there instead, to a path that begins with the host it was meant for. Needs DRAWBRIDGE_ALLOW_LOOPBACK=1.',
    ),
  DRAWBRIDGE_ALLOW_PROGRAMS: flag
    .default(false)
    .describe(
      'Admits MCP servers that are programs on this machine (`drawbridge connect mcp --command`). What they send goes past the door: for your own machine alone.',
    ),
  DRAWBRIDGE_PLAN: z
    .enum(['local', 'professional', 'team'])
    .default('local')
    .describe(
      'Plan of orgs that have none of their own: professional has 3 connections and 100 live calls of tools an hour, team 1,000 calls, local no limit.',
    ),
  DRAWBRIDGE_NOTIFY: flag
    .default(true)
    .describe(
      'A notice on the desktop when a proposal waits, where the local server runs in a desktop session. 0: none.',
    ),
  ...embedderVariables,
  ...rerankerVariables,
  ...signInVariables,
} as const;

/** Credentials of apps registered at providers, named by the app. Sign-in's client is none of them. */
const appVariable = /^DRAWBRIDGE_(?!OIDC_)([A-Z][A-Z0-9_]*)_(CLIENT_ID|CLIENT_SECRET|WEBHOOK_SECRET)$/;

const schema = z.object(variables);
/** Those whose value is never repeated. */
const secret = new Set([
  'DRAWBRIDGE_KEY',
  'DRAWBRIDGE_KEY_FORMER',
  'DRAWBRIDGE_DATABASE_URL',
  'DRAWBRIDGE_EMBEDDER_KEY',
  'DRAWBRIDGE_RERANKER_KEY',
  'DRAWBRIDGE_OIDC_CLIENT_SECRET',
]);

export interface Config {
  home: string;
  databaseUrl: Secret | undefined;
  key: Secret | undefined;
  formerKey: Secret | undefined;
  port: number;
  host: string;
  publicUrl: string | undefined;
  logLevel: string;
  allowLoopback: boolean;
  actionTtlMs: number;
  /** Milliseconds that an approved send waits before it leaves. */
  holdMs: number;
  /** Milliseconds that the log of calls to providers is kept. */
  callsKeptMs: number;
  /** Milliseconds that tombstones are kept. */
  tombstonesKeptMs: number;
  /** Milliseconds that entries of the record are kept. */
  auditKeptMs: number;
  /** Folder of the record's exports; undefined: in `home`. */
  auditArchive: string | undefined;
  zillowHost: string;
  providersOff: readonly string[];
  sandboxUrl: string | undefined;
  plan: 'local' | 'professional' | 'team';
  /** Of orgs that chose none of their own. */
  embedder: EmbedderConfig;
  reranker: RerankerConfig;
  allowPrograms: boolean;
  /** What shows a notice on this desktop gets this environment; undefined: none is shown. */
  desktop: NodeJS.ProcessEnv | undefined;
  /** By app (`google`); of those whose client id is given. */
  apps: ReadonlyMap<string, AppCredentials>;
  /** How people sign in beside the one-time link; undefined in local mode. */
  signIn: HostedSignIn | undefined;
}

/** An app registered at a provider, from the environment. */
export interface AppCredentials {
  clientId: string;
  clientSecret: Secret | undefined;
  webhookSecret: Secret | undefined;
}

/** The platform's folder for a user's application data. */
export function defaultHome(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Drawbridge');
  if (platform === 'win32')
    return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'Drawbridge');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'drawbridge');
}

/**
 * Reads and checks the environment. An empty variable counts as unset.
 * @param quiet the log level where DRAWBRIDGE_LOG_LEVEL is not given
 * @throws DrawbridgeError `invalid_request` naming each unknown or malformed DRAWBRIDGE_ variable.
 */
export function loadConfig(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  quiet?: 'silent',
): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => name.startsWith('DRAWBRIDGE_') && value !== undefined && value !== '',
    ),
  );
  const unknown = Object.keys(given).filter((name) => !(name in variables) && !appVariable.test(name));
  const parsed = schema.safeParse(given);
  const apps = appsOf(given);
  const signIn = parsed.data === undefined ? { faults: [] } : signInOf(parsed.data);
  const faults = [
    ...unknown.map((name) => `${name}: no such variable (see docs/configuration.md)`),
    ...apps.faults,
    ...signIn.faults,
    ...(given['DRAWBRIDGE_SANDBOX_URL'] !== undefined && parsed.data?.DRAWBRIDGE_ALLOW_LOOPBACK === false
      ? ['DRAWBRIDGE_SANDBOX_URL: needs DRAWBRIDGE_ALLOW_LOOPBACK=1']
      : []),
    ...(parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path.join('.');
      return `${name}${secret.has(name) ? '' : `="${given[name]}"`}: ${issue.message}`;
    }),
  ];
  if (parsed.error !== undefined || faults.length > 0) {
    throw new DrawbridgeError('invalid_request', `The environment is not usable.\n  ${faults.join('\n  ')}`);
  }
  const v = parsed.data;
  return {
    home: v.DRAWBRIDGE_HOME ?? defaultHome(env, platform),
    databaseUrl: v.DRAWBRIDGE_DATABASE_URL === undefined ? undefined : new Secret(v.DRAWBRIDGE_DATABASE_URL),
    key: v.DRAWBRIDGE_KEY === undefined ? undefined : new Secret(v.DRAWBRIDGE_KEY),
    formerKey: v.DRAWBRIDGE_KEY_FORMER === undefined ? undefined : new Secret(v.DRAWBRIDGE_KEY_FORMER),
    port: v.DRAWBRIDGE_PORT,
    host: v.DRAWBRIDGE_HOST,
    publicUrl: v.DRAWBRIDGE_PUBLIC_URL,
    logLevel: given['DRAWBRIDGE_LOG_LEVEL'] === undefined && quiet ? quiet : v.DRAWBRIDGE_LOG_LEVEL,
    allowLoopback: v.DRAWBRIDGE_ALLOW_LOOPBACK,
    actionTtlMs: v.DRAWBRIDGE_ACTION_TTL_HOURS * 3_600_000,
    holdMs: Math.round(v.DRAWBRIDGE_HOLD_SECONDS * 1_000),
    callsKeptMs: Math.round(v.DRAWBRIDGE_CALL_LOG_DAYS * 24 * 3_600_000),
    tombstonesKeptMs: Math.round(v.DRAWBRIDGE_TOMBSTONE_DAYS * 24 * 3_600_000),
    auditKeptMs: Math.round(v.DRAWBRIDGE_AUDIT_YEARS * 365.25 * 24 * 3_600_000),
    auditArchive: v.DRAWBRIDGE_AUDIT_ARCHIVE,
    zillowHost: v.DRAWBRIDGE_ZILLOW_HOST,
    providersOff: v.DRAWBRIDGE_PROVIDERS_OFF?.split(',') ?? [],
    sandboxUrl: v.DRAWBRIDGE_SANDBOX_URL?.replace(/\/$/, ''),
    plan: v.DRAWBRIDGE_PLAN,
    embedder: embedderOf(v),
    reranker: rerankerOf(v),
    allowPrograms: v.DRAWBRIDGE_ALLOW_PROGRAMS,
    desktop: v.DRAWBRIDGE_NOTIFY && isLocal(v) ? desktopOf(env, platform) : undefined,
    apps: apps.found,
    signIn: signIn.found,
  };
}

/** A server for people elsewhere has nobody at its own desktop. */
function isLocal(v: z.output<typeof schema>): boolean {
  return v.DRAWBRIDGE_PUBLIC_URL === undefined && v.DRAWBRIDGE_DATABASE_URL === undefined;
}

/** What a program of the desktop session needs, without our own variables; undefined where there is no such session. */
function desktopOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): NodeJS.ProcessEnv | undefined {
  const isRemote = env['SSH_CONNECTION'] !== undefined;
  const hasDisplay = env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined;
  const isThere =
    platform === 'linux' ? hasDisplay : platform === 'win32' ? env['SESSIONNAME'] !== undefined : !isRemote;
  if (!isThere) return undefined;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('DRAWBRIDGE_')));
}

function appsOf(given: Record<string, string | undefined>): {
  found: Map<string, AppCredentials>;
  faults: string[];
} {
  const found = new Map<string, AppCredentials>();
  const faults: string[] = [];
  for (const variable of Object.keys(given)) {
    const prefix = appVariable.exec(variable)?.[1];
    if (prefix === undefined) continue;
    const secretOf = (kind: string): Secret | undefined => {
      const value = given[`DRAWBRIDGE_${prefix}_${kind}`];
      return value === undefined ? undefined : new Secret(value);
    };
    const clientId = given[`DRAWBRIDGE_${prefix}_CLIENT_ID`];
    if (clientId === undefined) {
      faults.push(`${variable}: DRAWBRIDGE_${prefix}_CLIENT_ID is missing beside it`);
      continue;
    }
    found.set(prefix.toLowerCase().replaceAll('_', '-'), {
      clientId,
      clientSecret: secretOf('CLIENT_SECRET'),
      webhookSecret: secretOf('WEBHOOK_SECRET'),
    });
  }
  return { found, faults };
}
