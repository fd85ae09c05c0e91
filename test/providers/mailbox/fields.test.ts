// Connecting by the address alone where the provider is known, and by name where it is not.
import { expect, test } from 'vitest';
import {
  completeFields,
  mailboxFields,
  parseEndpoint,
  presetOf,
} from '../../../src/providers/mailbox/fields.ts';

test.each([
  ['ann@gmail.com', 'imap.gmail.com:993', 'smtp.gmail.com:465', true],
  ['ann@googlemail.com', 'imap.gmail.com:993', 'smtp.gmail.com:465', true],
  ['ann@outlook.com', 'outlook.office365.com:993', 'smtp-mail.outlook.com:587', true],
  ['ann@hotmail.co.uk', 'outlook.office365.com:993', 'smtp-mail.outlook.com:587', true],
  ['ann@Fastmail.FM', 'imap.fastmail.com:993', 'smtp.fastmail.com:465', false],
  ['ann@me.com', 'imap.mail.me.com:993', 'smtp.mail.me.com:587', false],
  ['ann@yahoo.co.jp', 'imap.mail.yahoo.com:993', 'smtp.mail.yahoo.com:465', false],
])('%s needs nothing but itself', (email, imap, smtp, keepsSent) => {
  expect(mailboxFields.parse(completeFields({ email }))).toEqual({ email, user: email, imap, smtp });
  expect(presetOf({ email })?.keepsSent).toBe(keepsSent);
});

test.each([
  [{ email: 'ann@firm.example' }, 'imap'],
  [{ email: 'ann@firm.example', imap: 'mail.firm.example:993' }, 'smtp'],
  [{ email: 'ann@gmail.com.evil.example' }, 'imap'],
])('%j is refused, naming the server that is missing', (given, field) => {
  expect(() => completeFields(given)).toThrowError(
    expect.objectContaining({ code: 'invalid_request', field }),
  );
});

test('what is given wins over the preset, and a preset can be named for a domain of your own', () => {
  expect(completeFields({ email: 'ann@firm.example', preset: 'gmail', user: 'a' })).toMatchObject({
    imap: 'imap.gmail.com:993',
    user: 'a',
  });
  expect(completeFields({ email: 'ann@gmail.com', imap: 'other.example:143' })).toMatchObject({
    imap: 'other.example:143',
    smtp: 'smtp.gmail.com:465',
  });
});

test.each([
  'mail.example',
  'mail.example:0',
  'mail.example:70000',
  'a b:993',
  'imap://mail.example:993',
  '/tmp/s:1',
  'h:993/none',
])('%j is no server', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

test('993 and 465 speak TLS from the first byte, other ports are upgraded, and a suffix says otherwise', () => {
  expect(parseEndpoint('h:993')).toEqual({ host: 'h', port: 993, implicitTls: true });
  expect(parseEndpoint('h:465')?.implicitTls).toBe(true);
  expect(parseEndpoint('h:587')?.implicitTls).toBe(false);
  expect(parseEndpoint('h:5870/tls')?.implicitTls).toBe(true);
  expect(parseEndpoint('h:993/starttls')?.implicitTls).toBe(false);
  expect(parseEndpoint('[::1]:993')?.host).toBe('::1');
});

test.each([
  { email: 'ann@firm.example\r\nX: y' },
  { email: 'Ann <ann@firm.example>' },
  { user: 'ann\r\nA1 LOGOUT' },
  { name: 'Ann\r\nBcc: x@y.z' },
  { surprise: '1' },
])('the setting %j is refused', (bad) => {
  const good = { email: 'ann@firm.example', user: 'ann', imap: 'h:993', smtp: 'h:465' };
  expect(mailboxFields.safeParse(good).success).toBe(true);
  expect(mailboxFields.safeParse({ ...good, ...bad }).success).toBe(false);
});
