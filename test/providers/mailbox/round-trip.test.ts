// A mailbox on real servers: smtp-server takes the mail and delivers it into Dovecot, where it is found again.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { provider } from '../../../src/providers/mailbox/index.ts';
import { type Dovecot, dovecotMissing, startDovecot, trust } from '../../servers/dovecot.ts';
import { type SmtpOptions, type SmtpServer, startSmtp } from '../../servers/smtp.ts';
import { contextFor, lookUp, Shelf, type TestContext } from './context.ts';
import { mailTo } from './mail.ts';

const { send } = provider.operations;

describe.skipIf(dovecotMissing !== undefined)(`a mailbox on Dovecot and SMTP ${dovecotMissing ?? ''}`, () => {
  let dovecot: Dovecot;
  let untrust: () => void;
  let smtp: SmtpServer | undefined;
  let users = 0;

  beforeAll(async () => {
    dovecot = await startDovecot();
    untrust = trust(dovecot.certificate);
  });
  afterEach(async () => {
    await smtp?.stop();
    smtp = undefined;
  });
  afterAll(async () => {
    untrust();
    await dovecot.stop();
  });

  async function account(
    options: SmtpOptions = {},
    more: Partial<Parameters<typeof contextFor>[0]> & { fields?: Record<string, unknown> } = {},
  ): Promise<{ user: string; smtp: SmtpServer; context: TestContext }> {
    users += 1;
    const user = `writer${users}`;
    smtp = await startSmtp({ dovecot, certificate: dovecot.certificate, ...options });
    const suffix = options.implicitTls === true ? '/tls' : '';
    const context = contextFor({
      secrets: { password: dovecot.password },
      effectKey: `eff_${user}`,
      ...more,
      fields: {
        email: `${user}@example.com`,
        user,
        imap: `localhost:${dovecot.imapsPort}/tls`,
        smtp: `localhost:${smtp.port}${suffix}`,
        ...more.fields,
      },
    });
    return { user, smtp, context };
  }

  test('connecting logs in to both servers and names the account', async () => {
    const { user, context } = await account();
    expect(await provider.identity(context)).toEqual({
      id: `${user}@example.com`,
      label: `${user}@example.com`,
    });
  });

  test('a password that only the sending server refuses shows when connecting', async () => {
    const { context } = await account({ password: 'another' });
    await expect(provider.identity(context)).rejects.toMatchObject({ code: 'auth_expired' });
  });

  test('a sent mail arrives, lies in Sent, is found by its Message-ID, and comes back with the next sync', async () => {
    const { user, smtp: server, context } = await account({}, { fields: { name: 'Änne Writer' } });
    expect(await lookUp(send, context, mailTo('x@y.zz'))).toMatchObject({ found: false, conclusive: false });
    const outcome = await send.run(context, mailTo(`${user}@example.com`));
    expect(outcome.warning).toBeUndefined();
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      from: `${user}@example.com`,
      to: [`${user}@example.com`],
      secure: true,
    });
    const found = await lookUp(send, context, mailTo('x@y.zz'));
    expect(found).toMatchObject({
      found: true,
      outcome: { reference: `<eff_${user}@example.com>`, details: { mailbox: 'Sent' } },
    });
    const shelf = new Shelf();
    await shelf.run(provider.feeds.mail, context);
    // A mail to oneself lies in two mailboxes and is two records.
    expect([...shelf.records.keys()].map((id) => id.split('/')[0]).sort()).toEqual(['INBOX', 'Sent']);
    expect(
      [...shelf.records.values()].every((raw) => raw.includes(`Message-ID: <eff_${user}@example.com>`)),
    ).toBe(true);
  });

  test('a mail that the server accepted and whose connection then broke is found by look-up', async () => {
    const { user, context } = await account({
      server: {
        onData(stream, session, done) {
          stream.resume();
          stream.on('end', () => {
            // Delivered, and then the wire is cut instead of the 250.
            void import('../../servers/smtp.ts').then(({ deliver }) => {
              deliver(dovecot, user, `Message-ID: <eff_${user}@example.com>\r\n\r\nHello\r\n`);
              done(Object.assign(new Error('cut'), { responseCode: 421 }));
            });
            void session;
          });
        },
      },
    });
    await expect(send.run(context, mailTo(`${user}@example.com`))).rejects.toThrow();
    expect(context.announced()).toBe(1);
    expect(await lookUp(send, context, mailTo('x@y.zz'))).toMatchObject({ found: true });
  });

  test('when the copy in Sent fails the mail stays sent, with a warning', async () => {
    const { smtp: server, context } = await account({}, { fields: { imap: 'localhost:9/tls' } });
    const outcome = await send.run(context, mailTo('bob@example.org'));
    expect(outcome.warning).toMatch(/^The mail was sent\. Its copy could not be put into Sent: /);
    expect(server.received).toHaveLength(1);
  });

  test('with TLS from the first byte the mail arrives as well', async () => {
    const { smtp: server, context } = await account({ implicitTls: true }, { tlsRequired: true });
    await send.run(context, mailTo('bob@example.org'));
    expect(server.received[0]?.secure).toBe(true);
  });

  test('an access token logs in by XOAUTH2', async () => {
    const { smtp: server, context } = await account(
      { accessToken: 'ya29.test-token' },
      { secrets: { access_token: 'ya29.test-token' }, fields: { preset: 'gmail' } },
    );
    await send.run(context, mailTo('bob@example.org'));
    expect(server.received).toHaveLength(1);
    const other = contextFor({ fields: context.fields, secrets: { access_token: 'ya29.other-token' } });
    await expect(send.run(other, mailTo('bob@example.org'))).rejects.toMatchObject({ code: 'auth_expired' });
  });

  test("a server's certificate must be vouched for before the password is sent", async () => {
    const { smtp: server, context } = await account({}, { fields: { preset: 'gmail' } });
    untrust();
    try {
      await expect(send.run(context, mailTo('bob@example.org'))).rejects.toMatchObject({ code: 'network' });
      expect(server.received).toEqual([]);
    } finally {
      untrust = trust(dovecot.certificate);
    }
  });

  test('NODE_EXTRA_CA_CERTS makes a certificate of your own trusted, and without it the log-in never begins', async () => {
    const { context, user } = await account();
    const script = join(dovecot.folder, 'connect.ts');
    const here = new URL('.', import.meta.url).href;
    writeFileSync(
      script,
      `import { contextFor } from '${here}context.ts';
       import { provider } from '${here}../../../src/providers/mailbox/index.ts';
       const context = contextFor({ fields: ${JSON.stringify(context.fields)}, secrets: { password: '${dovecot.password}' } });
       provider.identity(context).then(({ id }) => process.stdout.write(id), (error) => process.stdout.write(error.code));`,
    );
    const run = async (env: NodeJS.ProcessEnv) =>
      (await promisify(execFile)(process.execPath, [script], { env: { PATH: process.env['PATH'], ...env } }))
        .stdout;
    expect(await run({ NODE_EXTRA_CA_CERTS: dovecot.certificate.certFile })).toBe(`${user}@example.com`);
    expect(await run({})).toBe('network');
  });
});
