// The feed `mail` against Debian's Dovecot.

import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { provider } from '../../../src/providers/mailbox/index.ts';
import { type Dovecot, dovecotMissing, startDovecot, trust } from '../../servers/dovecot.ts';
import { deliver } from '../../servers/smtp.ts';
import { contextFor, Shelf, type TestContext } from './context.ts';

const feed = provider.feeds.mail;

function mail(subject: string, body = 'Hello.'): string {
  return `From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: ${subject}\r\nMessage-ID: <${subject.replace(/\W/g, '')}@example.com>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\n${body}\r\n`;
}

function subjects(shelf: Shelf): string[] {
  return [...shelf.records.values()].map((raw) => /^Subject: (.*)\r$/m.exec(raw)?.[1] ?? '?').sort();
}

describe.skipIf(dovecotMissing !== undefined)(`mailbox feed on Dovecot ${dovecotMissing ?? ''}`, () => {
  let dovecot: Dovecot;
  let untrust: () => void;
  let users = 0;

  beforeAll(async () => {
    dovecot = await startDovecot();
    untrust = trust(dovecot.certificate);
  });
  afterAll(async () => {
    untrust();
    await dovecot.stop();
  });

  function account(): { user: string; context: TestContext } {
    users += 1;
    const user = `user${users}`;
    const context = contextFor({
      fields: {
        email: `${user}@example.com`,
        user,
        imap: `127.0.0.1:${dovecot.imapPort}`,
        smtp: '127.0.0.1:9',
      },
      secrets: { password: dovecot.password },
    });
    return { user, context };
  }

  /** A second client of the same account: what a person does in their mail program. */
  async function elsewhere(user: string, work: (client: ImapFlow) => Promise<unknown>): Promise<void> {
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: dovecot.imapPort,
      secure: false,
      doSTARTTLS: false,
      logger: false,
      auth: { user, pass: dovecot.password },
    });
    await client.connect();
    await work(client);
    await client.logout();
  }

  test('every mail of every mailbox arrives once, byte for byte', async () => {
    const { user, context } = account();
    deliver(dovecot, user, mail('one'));
    await elsewhere(user, async (client) => {
      await client.mailboxCreate('Clients/Ärger & Söhne');
      await client.append('Clients/Ärger & Söhne', mail('two'));
      await client.append('Sent', mail('three'), ['\\Seen']);
    });
    const shelf = new Shelf();
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual(['one', 'three', 'two']);
    expect([...shelf.records.values()]).toContain(mail('one'));
  });

  test('trash, junk, drafts and messages marked as drafts are left out', async () => {
    const { user, context } = account();
    await elsewhere(user, async (client) => {
      for (const path of ['Trash', 'Junk', 'Drafts']) await client.append(path, mail(path));
      await client.append('INBOX', mail('unfinished'), ['\\Draft']);
      await client.append('INBOX', mail('kept'));
    });
    const shelf = new Shelf();
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual(['kept']);
  });

  test('a second run brings what is new and nothing else, and a third asks for no mailbox', async () => {
    const { user, context } = account();
    deliver(dovecot, user, mail('old'));
    const shelf = new Shelf();
    await shelf.run(feed, context);
    deliver(dovecot, user, mail('new'));
    await shelf.run(feed, context);
    expect(shelf.pages.flatMap((page) => page.records)).toHaveLength(1);
    expect(subjects(shelf)).toEqual(['new', 'old']);
    await shelf.run(feed, context);
    expect(shelf.pages).toEqual([]);
  });

  test('a deleted mail is gone after one run, also when a new one came with it', async () => {
    const { user, context } = account();
    for (const subject of ['a', 'b', 'c']) deliver(dovecot, user, mail(subject));
    const shelf = new Shelf();
    await shelf.run(feed, context);
    deliver(dovecot, user, mail('d'));
    await elsewhere(user, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageDelete('2', { uid: true });
    });
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual(['a', 'c', 'd']);
    await elsewhere(user, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageDelete('1:*', { uid: true });
    });
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual([]);
  });

  test('deletions are named one by one where the server keeps mod-sequences, and compared where it does not', async () => {
    const { user, context } = account();
    for (const subject of ['a', 'b', 'c']) deliver(dovecot, user, mail(subject));
    const told = new Shelf();
    await told.run(feed, context);
    const compared = new Shelf();
    compared.records.clear();
    await compared.run(feed, context);
    const cursor = compared.cursor as { mailboxes: Record<string, { modseq?: string }> };
    for (const state of Object.values(cursor.mailboxes)) delete state.modseq;
    await elsewhere(user, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageDelete('2', { uid: true });
    });
    await told.run(feed, context);
    expect(told.pages.flatMap((page) => page.deleted)).toHaveLength(1);
    expect(told.pages.every((page) => page.complete === undefined)).toBe(true);
    await compared.run(feed, context);
    expect(compared.pages.some((page) => page.complete !== undefined)).toBe(true);
    expect(subjects(told)).toEqual(['a', 'c']);
    expect(subjects(compared)).toEqual(['a', 'c']);
  });

  test('a change of flags alone fetches nothing again', async () => {
    const { user, context } = account();
    deliver(dovecot, user, mail('read me'));
    const shelf = new Shelf();
    await shelf.run(feed, context);
    await elsewhere(user, async (client) => {
      await client.mailboxOpen('INBOX');
      await client.messageFlagsAdd('1:*', ['\\Seen', '\\Flagged'], { uid: true });
    });
    await shelf.run(feed, context);
    expect(shelf.pages.flatMap((page) => page.records)).toEqual([]);
    expect(subjects(shelf)).toEqual(['read me']);
  });

  test('a mail that moves to another mailbox is there after every page', async () => {
    const { user, context } = account();
    deliver(dovecot, user, mail('moving'));
    await elsewhere(user, (client) => client.mailboxCreate('Archive'));
    const shelf = new Shelf();
    await shelf.run(feed, context);
    for (const [from, to] of [
      ['INBOX', 'Archive'],
      ['Archive', 'INBOX'],
    ] as const) {
      await elsewhere(user, async (client) => {
        await client.mailboxOpen(from);
        await client.messageMove('1:*', to, { uid: true });
      });
      const before = shelf.cursor;
      const step = new Shelf();
      for (let stop = 1; stop < 4; stop += 1) {
        step.cursor = before;
        step.records.clear();
        for (const [id, raw] of shelf.records) step.records.set(id, raw);
        await step.run(feed, context, stop);
        expect(subjects(step)).toContain('moving');
      }
      await shelf.run(feed, context);
      expect(subjects(shelf)).toEqual(['moving']);
      expect([...shelf.records.keys()][0]).toMatch(new RegExp(`^${to}/`));
    }
  });

  test('a mailbox that was rebuilt under the same name replaces the old one', async () => {
    const { user, context } = account();
    await elsewhere(user, async (client) => {
      await client.mailboxCreate('Project');
      await client.append('Project', mail('before'));
      await client.mailboxCreate('Project/Sub');
      await client.append('Project/Sub', mail('child'));
    });
    const shelf = new Shelf();
    await shelf.run(feed, context);
    const [old] = [...shelf.records.keys()].filter((id) => id.startsWith('Project/'));
    await elsewhere(user, async (client) => {
      await client.mailboxDelete('Project');
      await client.mailboxCreate('Project');
      await client.append('Project', mail('after'));
    });
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual(['after', 'child']);
    expect([...shelf.records.keys()]).not.toContain(old);
  });

  test('a mailbox that was removed takes its mail with it', async () => {
    const { user, context } = account();
    await elsewhere(user, async (client) => {
      await client.mailboxCreate('Old');
      await client.append('Old', mail('gone'));
      await client.append('INBOX', mail('stays'));
    });
    const shelf = new Shelf();
    await shelf.run(feed, context);
    await elsewhere(user, (client) => client.mailboxDelete('Old'));
    await shelf.run(feed, context);
    expect(subjects(shelf)).toEqual(['stays']);
  });

  test('a run cut off after any page is taken up where it stood, and nothing is missing', async () => {
    const { user, context } = account();
    const all = Array.from({ length: 120 }, (_, index) => `n${String(index).padStart(3, '0')}`);
    for (const subject of all) deliver(dovecot, user, mail(subject));
    const shelf = new Shelf();
    let fetched = 0;
    for (let run = 0; run < 10; run += 1) {
      await shelf.run(feed, context, 1);
      fetched += shelf.pages.flatMap((page) => page.records).length;
    }
    expect(subjects(shelf)).toEqual(all);
    expect(fetched).toBe(120);
  });

  test('pages hold at most fifty mails and tell how many are to come', async () => {
    const { user, context } = account();
    for (let index = 0; index < 60; index += 1) deliver(dovecot, user, mail(`m${index}`));
    const shelf = new Shelf();
    await shelf.run(feed, context);
    expect(
      shelf.pages
        .filter((page) => page.records.length > 0)
        .map((page) => [page.records.length, page.remaining]),
    ).toEqual([
      [50, 10],
      [10, 0],
    ]);
  });

  test('a huge header and a mail without one are taken as they are', async () => {
    const { user, context } = account();
    const huge = `X-Huge: ${'h'.repeat(900_000)}\r\n${mail('huge')}`;
    deliver(dovecot, user, huge);
    deliver(dovecot, user, '\r\nno header at all\r\n');
    const shelf = new Shelf();
    await shelf.run(feed, context);
    expect([...shelf.records.values()].sort((a, b) => b.length - a.length)[0]).toBe(huge);
    expect(shelf.records.size).toBe(2);
  });

  test('a mail too large to take whole comes with its header and its text, and says so', async () => {
    const { user, context } = account();
    const boundary = 'b0';
    const attachment = `${'QUJD'.repeat(19)}\r\n`.repeat(360_000);
    deliver(
      dovecot,
      user,
      `From: ann@example.com\r\nSubject: plans\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary=${boundary}\r\n\r\n` +
        `--${boundary}\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n` +
        `--${boundary}\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n${attachment}` +
        `--${boundary}--\r\n`,
    );
    const shelf = new Shelf();
    await shelf.run(feed, context);
    const [raw = ''] = shelf.records.values();
    expect(raw.length).toBeLessThan(2_000);
    expect(raw).toContain('Subject: plans\r\n');
    const body = Buffer.from(raw.slice(raw.indexOf('\r\n\r\n')), 'base64').toString('utf8');
    expect(body).toMatch(
      /^\[Drawbridge took the header and the text of this message alone: it has 27 MB\.\]\n\nGrüße/,
    );
  });

  test('a wrong password is an error that asks to connect again and does not hold the password', async () => {
    const { context } = account();
    const wrong = contextFor({ fields: { ...context.fields }, secrets: { password: 'wrong-password-1' } });
    const failure = await new Shelf().run(feed, wrong).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'auth_expired', retry: 'reconnect' });
    expect(String(failure)).not.toContain('wrong-password-1');
  });

  test('a certificate that nobody vouches for ends the session before the log-in', async () => {
    untrust();
    try {
      const { context } = account();
      await expect(new Shelf().run(feed, context)).rejects.toMatchObject({ code: 'network' });
    } finally {
      untrust = trust(dovecot.certificate);
    }
  });
});
