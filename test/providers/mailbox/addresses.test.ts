// Attacks on the envelope: no text in any field of a mail changes who gets it.
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DrawbridgeError } from '../../../src/errors.ts';
import type { MailSend } from '../../../src/providers/capabilities.ts';
import { compose } from '../../../src/providers/mail/compose.ts';
import { provider } from '../../../src/providers/mailbox/index.ts';
import { type SmtpServer, startSmtp } from '../../servers/smtp.ts';
import { contextFor, type TestContext } from './context.ts';
import { mailTo } from './mail.ts';

const { send } = provider.operations;

test.each([
  ['a line break and a second header', 'a@b.co\r\nBcc: x@y.z'],
  ['a bare line feed', 'a@b.co\nBcc: x@y.z'],
  ['a carriage return', 'a@b.co\rBcc: x@y.z'],
  ['a NUL', 'a@b.co\0'],
  ['a second address after a comma', 'a@b.co,x@y.z'],
  ['a second address after a semicolon', 'a@b.co;x@y.z'],
  ['a second address after a space', 'a@b.co x@y.z'],
  ['a display name', 'Ann <a@b.co>'],
  ['angle brackets', '<a@b.co>'],
  ['a comment', 'a(x@y.z)@b.co'],
  ['a trailing comment', 'a@b.co (note)'],
  ['a group', 'friends: a@b.co, x@y.z;'],
  ['a quoted local part', '"a b"@b.co'],
  ['a quoted second at sign', '"x@y.z>"@b.co'],
  ['a route', '@x.y:a@b.co'],
  ['a percent route in the domain', 'a@b.co%x.y'],
  ['an address literal', 'a@[127.0.0.1]'],
  ['a number for a host', 'a@127.0.0.1'],
  ['two at signs', 'a@b@c.co'],
  ['no domain', 'a@'],
  ['no local part', '@b.co'],
  ['nothing', ''],
  ['SMTP parameters', 'a@b.co> NOTIFY=NEVER'],
  ['an encoded word', '=?utf-8?q?a=40b.co=2C?=@b.co\t'],
  ['a full-width at sign', 'a＠b.co'],
  ['an invisible character', 'a\u200b@b.co'],
  ['a local part outside ASCII', 'jörg@b.co'],
  ['a long local part', `${'a'.repeat(65)}@b.co`],
  ['a long address', `a@${'b.'.repeat(130)}co`],
  ['dots in a row', 'a..b@b.co'],
  ['an underscore host', 'a@b_c.co'],
  ['a host that begins with a hyphen', 'a@-b.co'],
])('an address with %s is refused, naming the field', (_what, email) => {
  for (const list of ['to', 'cc', 'bcc'] as const) {
    const mail = mailTo('good@example.org', { [list]: [{ email: 'first@example.org' }, { email }] });
    expect(() => send.validate?.(mail)).toThrowError(
      expect.objectContaining({ code: 'invalid_request', field: `${list}.1.email` }),
    );
  }
});

test('a host name outside ASCII is refused with the ASCII form to approve instead', () => {
  expect(() => send.validate?.(mailTo('a@bücher.example'))).toThrow('a@xn--bcher-kva.example');
  // A Cyrillic letter in a familiar name.
  expect(() => send.validate?.(mailTo('a@pаypal.com'))).toThrow(/xn--/);
});

test.each([
  'Ann\r\nBcc: x@y.z',
  'Ann\0',
  'boss@bank.example',
  '<boss@bank.example>',
  'Ann\u202e',
  'n'.repeat(201),
])('the display name %j is refused', (name) => {
  const mail = mailTo('a@b.co', { to: [{ email: 'a@b.co', name }] });
  expect(() => send.validate?.(mail)).toThrowError(expect.objectContaining({ field: 'to.0.name' }));
});

test('a name with quotes and backslashes is on the wire as it was written, quoted (RFC 5322, 3.2.4)', async () => {
  const name = String.raw`Bob "B" \ X`;
  const context = contextFor({ fields: {}, secrets: {} });
  const to = [{ email: 'bob@x.co', name }];
  for (const bcc of ['envelope', 'header'] as const) {
    const { bytes } = await compose(context, mailTo('bob@x.co', { to }), { email: 'ann@example.com', bcc });
    expect(bytes.toString()).toContain(`${String.raw`To: "Bob \"B\" \\ X" <bob@x.co>`}\r\n`);
    expect((await PostalMime.parse(bytes)).to).toEqual([{ address: 'bob@x.co', name }]);
  }
});

test.each<[string, Partial<MailSend>]>([
  ['subject', { subject: 'Hi\r\nBcc: x@y.z' }],
  ['subject', { subject: 'Hi\u2028there' }],
  ['text', { text: 'a\0b' }],
  ['inReplyTo', { inReplyTo: '<a@b>\r\nBcc: x@y.z' }],
  ['inReplyTo', { inReplyTo: 'a@b' }],
  ['references.1', { references: ['<a@b>', '<a@b> <c@d>\n'] }],
  ['attachments.0.name', { attachments: [attachment({ name: '../../etc/passwd' })] }],
  ['attachments.0.name', { attachments: [attachment({ name: 'a"\r\nX: y' })] }],
  ['attachments.0.name', { attachments: [attachment({ name: 'invoice\u202efdp.exe' })] }],
  [
    'attachments.0.mediaType',
    { attachments: [attachment({ mediaType: 'text/html; charset=x\r\nBcc: a@b.co' })] },
  ],
  ['attachments', { attachments: [attachment({ size: 26 * 1024 * 1024 })] }],
])('a mail with a bad %s is refused, naming it', (field, bad) => {
  expect(() => send.validate?.(mailTo('a@b.co', bad))).toThrowError(
    expect.objectContaining({ code: 'invalid_request', field }),
  );
});

function attachment(more: Partial<MailSend['attachments'][number]>): MailSend['attachments'][number] {
  return { name: 'a.pdf', mediaType: 'application/pdf', size: 3, sha256: 'a'.repeat(64), ...more };
}

const context = contextFor({
  fields: { email: 'ann@example.com', user: 'ann', imap: 'h:993', smtp: 'h:465', name: 'Ann' },
  secrets: { password: 'correct-horse' },
});

// Text that is made of what attacks are made of.
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r\n',
        '\n',
        '\r',
        '\0',
        '\t',
        ' ',
        ',',
        ';',
        ':',
        '<',
        '>',
        '"',
        '\\',
        '(',
        ')',
        '@',
        '=?utf-8?B?',
      ),
      fc.constantFrom(
        'Bcc: evil@evil.example',
        'evil@evil.example',
        '\r\n.\r\n',
        'RCPT TO:<evil@evil.example>',
        '%0d%0a',
      ),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('bob', '@example.org', 'x', '.'),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));
const anyAddress = fc.record(
  {
    email: fc.oneof(
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: hostile.map((text) => `bob${text}@example.org`) },
      { weight: 1, arbitrary: hostile.map((text) => `bob@example.org${text}`) },
      { weight: 4, arbitrary: fc.stringMatching(/^[a-z!#$%&'*+/=?^_`{|}~-]{1,8}@[a-z]{1,9}\.[a-z]{2,5}$/) },
    ),
    name: fc.oneof(hostile, fc.string({ unit: 'grapheme', maxLength: 20 })),
  },
  { requiredKeys: ['email'] },
);
const anyMail = fc.record({
  to: fc.array(anyAddress, { minLength: 1, maxLength: 2 }),
  cc: fc.array(anyAddress, { maxLength: 1 }),
  bcc: fc.array(anyAddress, { maxLength: 1 }),
  subject: fc.oneof(hostile, fc.string({ unit: 'grapheme' })),
  text: hostile,
  references: fc.array(fc.oneof(hostile, fc.constant('<a@b.c>')), { maxLength: 1 }),
  attachments: fc.constant<MailSend['attachments']>([]),
});

/** The mail composed, or undefined when it was refused as it should be: by name, before anything was made. */
async function composed(mail: MailSend, from: TestContext, bcc: 'envelope' | 'header' = 'envelope') {
  try {
    return await compose(from, mail, { email: 'ann@example.com', bcc });
  } catch (error) {
    if (error instanceof DrawbridgeError && error.code === 'invalid_request' && error.field !== undefined)
      return undefined;
    throw error;
  }
}

test('whatever stands in a mail, it is refused by field, or its envelope and header hold the approved list', async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(anyMail, async (mail) => {
      const made = await composed(mail, context);
      if (made === undefined) return;
      accepted += 1;
      const approved = [...new Set([...mail.to, ...mail.cc, ...mail.bcc].map(({ email }) => email))];
      expect(made.recipients).toEqual(approved);
      const header = made.bytes.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
      const names = header
        .split('\r\n')
        .filter((line) => !/^[ \t]/.test(line))
        .map((line) => line.split(':', 1)[0]);
      expect(names.filter((name) => /^(?:bcc|resent|sender)/i.test(name ?? ''))).toEqual([]);
      expect(names.filter((name) => /^to$/i.test(name ?? ''))).toHaveLength(1);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

/** Addresses that are what they look like, of people with any name. */
const plain = fc.record({
  email: fc.stringMatching(/^[a-z!#$%&'*+/=?^_`{|}~-]{1,12}@[a-z]{1,9}\.[a-z]{2,5}$/),
  name: fc.string({ unit: 'grapheme', maxLength: 20 }),
});

test('where a server reads hidden recipients from the header, it holds exactly the approved ones, once', async () => {
  let hidden = 0;
  const hiding = fc.tuple(
    anyMail,
    fc.array(plain, { minLength: 1, maxLength: 2 }),
    fc.array(plain, { maxLength: 3 }),
  );
  await fc.assert(
    fc.asyncProperty(hiding, async ([any, to, bcc]) => {
      const mail = { ...any, to, cc: [], bcc, references: [], subject: 'Hi' };
      const made = await composed(mail, context, 'header');
      if (made === undefined) return;
      const read = await PostalMime.parse(made.bytes);
      expect(read.headers.filter(({ key }) => key === 'bcc')).toHaveLength(bcc.length === 0 ? 0 : 1);
      expect((read.bcc ?? []).map(({ address }) => address)).toEqual(bcc.map(({ email }) => email));
      hidden += bcc.length;
    }),
    { numRuns: 500 },
  );
  expect(hidden).toBeGreaterThan(100);
});

let server: SmtpServer;
beforeAll(async () => {
  server = await startSmtp();
});
afterAll(async () => {
  await server.stop();
});

test('what a real server receives is the approved envelope, byte for byte, for every mail that passes', async () => {
  const fields = {
    email: 'ann@example.com',
    user: 'ann',
    imap: '127.0.0.1:9',
    smtp: `127.0.0.1:${server.port}`,
    preset: 'gmail',
  };
  const wired = contextFor({ fields, secrets: { password: 'correct-horse' } });
  await fc.assert(
    fc.asyncProperty(fc.array(plain, { minLength: 1, maxLength: 4 }), hostile, async (to, text) => {
      const mail = mailTo('x@y.zz', { to, text, subject: 'Hi' });
      if ((await composed(mail, wired)) === undefined) return;
      const before = server.received.length;
      await send.run(wired, mail);
      expect(server.received.slice(before).map((got) => ({ from: got.from, to: got.to }))).toEqual([
        { from: 'ann@example.com', to: [...new Set(to.map(({ email }) => email))] },
      ]);
    }),
    { numRuns: 25 },
  );
});
