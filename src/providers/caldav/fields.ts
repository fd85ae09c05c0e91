// What a person types to connect a calendar server.
import { z } from 'zod';
import { addressField } from '../capabilities.ts';
import type { SecretField } from '../define.ts';

const oneLine = z.string().regex(/^[^\p{Cc}]*$/u, 'must not hold a line break or a control character');

export const caldavFields = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .describe('Address of the CalDAV server, or of your account on it: https://caldav.example.com/'),
  user: oneLine
    .min(1)
    .regex(/^[^:]*$/, 'must not hold a colon')
    .describe('Name to log in with'),
  calendar: oneLine
    .min(1)
    .optional()
    .describe('Name of the one calendar to use. Default: all are read, and the server chooses where to book'),
  email: addressField
    .optional()
    .describe('Your e-mail address, as those you invite see it; needed where the server does not know it'),
});
export type CaldavFields = z.infer<typeof caldavFields>;

export const caldavSecrets: readonly SecretField[] = [
  {
    name: 'password',
    title: 'Password',
    hint: 'An app password where the provider makes them (iCloud, Fastmail, Nextcloud: security settings).',
    optional: true,
  },
  {
    name: 'access_token',
    title: 'Bearer access token',
    hint: 'Instead of a password, where the server asks for OAuth. It is used as it is and not renewed.',
    optional: true,
  },
];
