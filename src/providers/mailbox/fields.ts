// What a person types to connect a mailbox, and what is known without asking: an address at a large
// provider needs nothing but itself and a password.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { addressField, checkAddress } from '../capabilities.ts';
import type { SecretField } from '../define.ts';

interface Preset {
  title: string;
  domains: RegExp;
  imap: string;
  smtp: string;
  /** The provider puts what leaves by its SMTP server into Sent by itself. */
  keepsSent: boolean;
  passwordHint: string;
}

/** Hosts from the providers' own help pages on IMAP and SMTP settings. */
const presets = {
  gmail: {
    title: 'Gmail',
    domains: /^(?:gmail|googlemail)\.com$/,
    imap: 'imap.gmail.com:993',
    smtp: 'smtp.gmail.com:465',
    keepsSent: true,
    passwordHint: 'myaccount.google.com/apppasswords (two-step verification must be on)',
  },
  outlook: {
    title: 'Outlook',
    domains: /^(?:(?:outlook|hotmail|live)\.(?:[a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})|msn\.com)$/,
    imap: 'outlook.office365.com:993',
    smtp: 'smtp-mail.outlook.com:587',
    keepsSent: true,
    passwordHint: 'Outlook admits no app password any more: use an XOAUTH2 access token',
  },
  fastmail: {
    title: 'Fastmail',
    domains: /^(?:fastmail\.(?:com|fm|net|org|us|co\.uk|com\.au)|sent\.com|messagingengine\.com)$/,
    imap: 'imap.fastmail.com:993',
    smtp: 'smtp.fastmail.com:465',
    keepsSent: false,
    passwordHint: 'app.fastmail.com/settings/security/integrations, "New app password", mail access',
  },
  icloud: {
    title: 'iCloud Mail',
    domains: /^(?:icloud|me|mac)\.com$/,
    imap: 'imap.mail.me.com:993',
    smtp: 'smtp.mail.me.com:587',
    keepsSent: false,
    passwordHint: 'account.apple.com, "App-Specific Passwords"',
  },
  yahoo: {
    title: 'Yahoo Mail',
    domains: /^(?:yahoo\.(?:[a-z]{2,3}|co\.[a-z]{2}|com\.[a-z]{2})|ymail\.com|rocketmail\.com)$/,
    imap: 'imap.mail.yahoo.com:993',
    smtp: 'smtp.mail.yahoo.com:465',
    keepsSent: false,
    passwordHint: 'login.yahoo.com/account/security, "Generate app password"',
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

export interface Endpoint {
  host: string;
  port: number;
  /** TLS from the first byte; otherwise the connection is upgraded by STARTTLS. */
  implicitTls: boolean;
}

/**
 * Reads `HOST:PORT`, `HOST:PORT/tls` or `HOST:PORT/starttls`. Without a suffix the port decides: 993 and 465
 * speak TLS from the first byte (RFC 8314), every other port begins in clear and is upgraded.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})(?:\/(tls|starttls))?$/.exec(text);
  const port = Number(match?.[2]);
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  const implicitTls = match?.[3] === undefined ? port === 993 || port === 465 : match[3] === 'tls';
  return { host, port, implicitTls };
}

const endpoint = z
  .string()
  .refine(
    (text) => parseEndpoint(text) !== undefined,
    'must be HOST:PORT, or HOST:PORT/tls, HOST:PORT/starttls',
  );
const oneLine = z.string().regex(/^[^\p{Cc}]*$/u, 'must not hold a line break or a control character');

export const mailboxFields = z.strictObject({
  email: addressField.describe('E-mail address of the mailbox; mail is sent from it'),
  user: oneLine.min(1).describe('Name to log in with, when it is not the address'),
  imap: endpoint.describe('IMAP server, HOST:PORT; needed when the address is not at a known provider'),
  smtp: endpoint.describe(
    'SMTP server for sending, HOST:PORT; needed when the address is not at a known provider',
  ),
  name: oneLine.max(200).optional().describe('Your name, as recipients see it'),
  preset: z
    .enum(presetNames)
    .optional()
    .describe(`Provider behind an address of your own domain: ${presetNames.join(', ')}`),
});

export const mailboxSecrets: readonly SecretField[] = [
  {
    name: 'password',
    title: 'App password',
    hint: `Made for this program alone: ${Object.values(presets)
      .map((preset) => `${preset.title}: ${preset.passwordHint}`)
      .join('; ')}.`,
    optional: true,
  },
  {
    name: 'access_token',
    title: 'XOAUTH2 access token',
    hint: 'Instead of a password, where the provider admits OAuth only. It is used as it is and not renewed.',
    optional: true,
  },
];

/** The preset that a mailbox uses: the one named, else the one of its address's domain. */
export function presetOf(given: {
  email?: string | undefined;
  preset?: string | undefined;
}): Preset | undefined {
  if (given.preset !== undefined) {
    const name = presetNames.find((known) => known === given.preset);
    return name === undefined ? undefined : presets[name];
  }
  const domain = (given.email ?? '').slice((given.email ?? '').lastIndexOf('@') + 1).toLowerCase();
  return Object.values(presets).find((preset) => preset.domains.test(domain));
}

/**
 * Fills in the log-in name and what the address's provider is known for.
 * @throws DrawbridgeError `invalid_request` naming `email` when it is no address, `imap` or `smtp` when neither
 * is given nor known.
 */
export function completeFields(given: Record<string, string>): Record<string, string> {
  const { email } = given;
  if (email === undefined) return given;
  // First: a server is looked for by the address, and a person should not be asked for one by mistake.
  checkAddress({ email }, 'email');
  const preset = presetOf(given);
  const complete: Record<string, string> = { user: email, ...given };
  for (const part of ['imap', 'smtp'] as const) {
    const server = given[part] ?? preset?.[part];
    if (server === undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        `${part}: the ${part.toUpperCase()} server of ${email} is not known; name it with --${part} HOST:PORT.`,
        { field: part },
      );
    }
    complete[part] = server;
  }
  return complete;
}
