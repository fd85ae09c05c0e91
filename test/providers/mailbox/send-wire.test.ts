// mail.send at the wire: what a server says, and what we then say of the mail.
import { afterEach, describe, expect, test } from 'vitest';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/mailbox/index.ts';
import { type Script, type ScriptedSmtp, startScripted } from '../../servers/smtp-script.ts';
import { contextFor, type TestContext } from './context.ts';
import { mailTo } from './mail.ts';

const { send } = provider.operations;
const servers: ScriptedSmtp[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function scene(
  script: Script = {},
  options: Partial<Parameters<typeof contextFor>[0]> = {},
): Promise<{ server: ScriptedSmtp; context: TestContext }> {
  const server = await startScripted(script);
  servers.push(server);
  const context = contextFor({
    // The preset says that the provider keeps its own copy, so no IMAP server is asked.
    fields: {
      email: 'ann@example.com',
      user: 'ann',
      imap: '127.0.0.1:9',
      smtp: `127.0.0.1:${server.port}`,
      preset: 'gmail',
    },
    secrets: { password: 'correct-horse' },
    ...options,
  });
  return { server, context };
}

for (const extensions of [[], ['PIPELINING', 'SIZE 50000000']]) {
  const how = extensions.length === 0 ? 'command by command' : 'with PIPELINING';
  describe(`a server that takes the envelope ${how}`, () => {
    test('the mail arrives once, with our own Message-ID, and the answer is told', async () => {
      const { server, context } = await scene({ extensions, end: '250 2.0.0 queued as 7F' });
      const outcome = await send.run(context, mailTo('bob@example.org'));
      expect(outcome).toEqual({
        reference: '<eff_01test@example.com>',
        details: {
          messageId: '<eff_01test@example.com>',
          recipients: ['bob@example.org'],
          answer: '250 2.0.0 queued as 7F',
        },
      });
      expect(
        server.commands.filter((line) => /^(?:MAIL|RCPT)/.test(line)).map((line) => line.split(' SIZE')[0]),
      ).toEqual(['MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.org>']);
      expect(server.body).toContain('Message-ID: <eff_01test@example.com>\r\n');
      expect(context.announced()).toBe(1);
    });

    test('one refused recipient among several: nothing is sent to anyone, and aboutToSend is never called', async () => {
      const { server, context } = await scene({
        extensions,
        recipient: (address) => (address.startsWith('nobody') ? '550 5.1.1 no such user' : '250 ok'),
      });
      const mail = mailTo('bob@example.org', {
        cc: [{ email: 'nobody@example.org' }],
        bcc: [{ email: 'carl@example.org' }],
      });
      const failure = await send.run(context, mail).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(EffectRefused);
      expect(String(failure)).toContain('nobody@example.org: 550 5.1.1 no such user');
      await server.closed;
      expect(server.body).toBe('');
      expect(server.finished).toBe(false);
      expect(context.announced()).toBe(0);
    });

    test.each([
      ['the sender', { sender: '553 5.7.1 not yours' }],
      ['every recipient', { recipient: () => '450 4.2.1 try later' }],
      ['the mail, before its first byte', { data: '451 4.3.0 not now' }],
      ['the mail, after its last byte', { end: '554 5.7.1 spam' }],
      ['the mail for now, after its last byte', { end: '451 4.7.1 greylisted' }],
    ] as [string, Script][])('a refusal of %s is a refusal: nothing happened', async (_what, script) => {
      const { context } = await scene({ extensions, ...script });
      await expect(send.run(context, mailTo('bob@example.org'))).rejects.toBeInstanceOf(EffectRefused);
    });

    test.each([
      ['the sender', { sender: '451 4.7.1 greylisted' }],
      ['every recipient', { recipient: () => '450 4.7.1 greylisted, come back in 300 seconds' }],
      ['the mail, before its first byte', { data: '451 4.3.0 not now' }],
      ['one recipient', { recipient: (address) => (address.startsWith('carl') ? '451 later' : '250 ok') }],
    ] as [string, Script][])(
      'a refusal of %s "for now" is tried again some minutes later',
      async (_what, script) => {
        const { server, context } = await scene({ extensions, ...script });
        const mail = mailTo('bob@example.org', { cc: [{ email: 'carl@example.org' }] });
        const failure = await send.run(context, mail).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(EffectRefused);
        expect(failure).toMatchObject({ cause: { retry: 'later', retryAfterMs: 300_000 } });
        expect(context.announced()).toBe(0);
        await server.closed;
        expect(server.body).toBe('');
      },
    );

    test.each([
      ['for good', { recipient: () => '550 5.1.1 no such user' }],
      [
        'for now of one recipient, for good of another',
        { recipient: (address) => (address.startsWith('carl') ? '451 later' : '550 5.1.1 no such user') },
      ],
      ['after the last byte of the mail', { end: '451 4.7.1 greylisted' }],
    ] as [string, Script][])('attack: a refusal %s is never tried again by itself', async (_what, script) => {
      const { context } = await scene({ extensions, ...script });
      const mail = mailTo('bob@example.org', { cc: [{ email: 'carl@example.org' }] });
      const failure = await send.run(context, mail).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(EffectRefused);
      expect((failure as EffectRefused).cause).toBeUndefined();
    });

    test.each([
      ['after the final dot', { end: 'hang up' }],
      ['in the middle of the mail', { hangUpAfterBytes: 40 }],
      ['with 421 for an answer', { end: '421 4.3.2 shutting down' }],
    ] as [string, Script][])(
      'a connection that goes %s leaves the outcome unclear',
      async (_what, script) => {
        const { context } = await scene({ extensions, ...script });
        const failure = await send.run(context, mailTo('bob@example.org')).catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Error);
        expect(failure).not.toBeInstanceOf(EffectRefused);
        expect(context.announced()).toBe(1);
      },
    );

    test('when aboutToSend refuses, not one byte of the mail leaves', async () => {
      const { server, context } = await scene(
        { extensions },
        { aboutToSend: () => Promise.reject(new Error('the lease is lost')) },
      );
      await expect(send.run(context, mailTo('bob@example.org'))).rejects.toThrow('the lease is lost');
      await server.closed;
      expect(server.body).toBe('');
      expect(server.finished).toBe(false);
    });
  });
}

test('a refused log-in asks to connect again, before anything is sent', async () => {
  const { server, context } = await scene({ login: '535 5.7.8 bad credentials' });
  await expect(send.run(context, mailTo('bob@example.org'))).rejects.toMatchObject({ code: 'auth_expired' });
  expect(server.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  expect(context.announced()).toBe(0);
});

test.each([
  ['454 4.7.0 Temporary authentication failure', 'provider_unavailable', 'later'],
  ['435 Unable to authenticate at present', 'provider_unavailable', 'later'],
  ['432 4.7.12 A password transition is needed', 'auth_expired', 'reconnect'],
])(
  'a log-in that is answered “%s” is %s: a password is not asked for again for what passes by itself',
  async (login, code, retry) => {
    const { server, context } = await scene({ login });
    await expect(send.run(context, mailTo('bob@example.org'))).rejects.toMatchObject({ code, retry });
    expect(server.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
  },
);

test('away from loopback a server without TLS gets neither the password nor the mail', async () => {
  const { server, context } = await scene({}, { tlsRequired: true });
  await expect(send.run(context, mailTo('bob@example.org'))).rejects.toMatchObject({ code: 'network' });
  expect(server.commands.filter((line) => !/^(?:EHLO|STARTTLS|QUIT)/.test(line))).toEqual([]);
});

test('hidden recipients are in the envelope and in no byte of the mail', async () => {
  const { server, context } = await scene();
  await send.run(
    context,
    mailTo('bob@example.org', { bcc: [{ email: 'secret@example.org', name: 'Hidden One' }] }),
  );
  expect(server.recipients).toEqual(['bob@example.org', 'secret@example.org']);
  expect(server.body).not.toMatch(/secret@example\.org|Hidden One|^Bcc/im);
});

test('someone named twice gets the mail once', async () => {
  const { server, context } = await scene();
  await send.run(context, mailTo('bob@example.org', { cc: [{ email: 'bob@example.org' }] }));
  expect(server.recipients).toEqual(['bob@example.org']);
});

test('text, HTML, attachments and words of any language arrive as they were written', async () => {
  const { server, context } = await scene({}, { attachments: [Buffer.from('%PDF-1.7 …')] });
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update(Buffer.from('%PDF-1.7 …')).digest('hex');
  await send.run(
    context,
    mailTo('bob@example.org', {
      to: [{ email: 'bob@example.org', name: 'Böb, the "Builder"' }],
      subject: 'Besichtigung: 東京 — größer als gedacht',
      text: '.\r\nGrüße\n.\nEnde',
      html: '<p>Grüße</p>',
      inReplyTo: '<a@example.org>',
      references: ['<z@example.org>', '<a@example.org>'],
      attachments: [{ name: 'Exposé 東京.pdf', mediaType: 'application/pdf', size: 12, sha256 }],
    }),
  );
  const { default: PostalMime } = await import('postal-mime');
  const unstuffed = server.body.replace(/^\./gm, '');
  const read = await PostalMime.parse(Buffer.from(unstuffed, 'latin1'));
  expect(read.subject).toBe('Besichtigung: 東京 — größer als gedacht');
  expect(read.to).toEqual([{ address: 'bob@example.org', name: 'Böb, the "Builder"' }]);
  expect(read.text?.replaceAll('\r\n', '\n').trim()).toBe('.\nGrüße\n.\nEnde');
  expect(read.html?.trim()).toBe('<p>Grüße</p>');
  expect(read.inReplyTo).toBe('<a@example.org>');
  expect(read.references).toBe('<z@example.org> <a@example.org>');
  expect(read.attachments).toHaveLength(1);
  expect(read.attachments[0]).toMatchObject({ filename: 'Exposé 東京.pdf', mimeType: 'application/pdf' });
  expect(Buffer.from(read.attachments[0]?.content as ArrayBuffer).toString()).toBe('%PDF-1.7 …');
  expect(server.body).not.toMatch(/[^\r]\n/);
});

test('an attachment that is not the approved one stops the mail', async () => {
  const { server, context } = await scene();
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update('approved').digest('hex');
  const swapped = { ...context, attachment: async () => Buffer.from('swapped') };
  const mail = mailTo('bob@example.org', {
    attachments: [{ name: 'a.txt', mediaType: 'text/plain', size: 8, sha256 }],
  });
  await expect(send.run(swapped, mail)).rejects.toMatchObject({ code: 'internal' });
  expect(server.commands).toEqual([]);
});

test('text that looks like a path or a URL is text: the composer reads no file and no page', async () => {
  const { server, context } = await scene();
  await send.run(
    context,
    mailTo('bob@example.org', { text: 'file:///etc/passwd', html: '<img src="file:///etc/passwd">' }),
  );
  expect(server.body).not.toContain('root:');
});
