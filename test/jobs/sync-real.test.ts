// From a real server into memory: a mailbox on Dovecot and a calendar on Radicale, connected, synced, found
// and forgotten.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Connection } from '../../src/connections/connections.ts';
import { syncConnection } from '../../src/jobs/sync.ts';
import { createMemory } from '../../src/memory/create.ts';
import { log, openOffice } from '../connections/office.ts';
import { dovecotMissing, startDovecot, trust } from '../servers/dovecot.ts';
import { radicaleMissing, startRadicale } from '../servers/radicale.ts';
import { deliver, startSmtp } from '../servers/smtp.ts';

async function scene() {
  const office = await openOffice();
  const memory = createMemory({ clock: systemClock, log });
  onTestFinished(() => memory.close());
  const sync = (connection: Connection) =>
    syncConnection({ ...office, connection, memory, clock: systemClock, log });
  const find = async (question: string) =>
    (await memory.search(office.org, { question, limit: 5 })).passages.map(({ title }) => title);
  return { ...office, memory, sync, find };
}

describe.skipIf(dovecotMissing !== undefined)(`a mailbox ${dovecotMissing ?? ''}`, () => {
  test('is connected by its password, its mail is found by its words, and a deleted mail is found no more', async () => {
    const dovecot = await startDovecot();
    onTestFinished(() => dovecot.stop());
    const untrust = trust(dovecot.certificate);
    onTestFinished(untrust);
    const smtp = await startSmtp({ dovecot, certificate: dovecot.certificate });
    onTestFinished(() => smtp.stop());
    const { connections, org, sync, find } = await scene();
    deliver(
      dovecot,
      'ann',
      'From: Bob <bob@example.org>\r\nTo: ann@example.com\r\nSubject: Boiler\r\nMessage-ID: <b@example.org>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\nThe boiler on Quay Street leaks again.\r\n',
    );
    const connection = await connections.connect(org, 'mailbox', {
      fields: {
        email: 'ann@example.com',
        user: 'ann',
        imap: `localhost:${dovecot.imapPort}`,
        smtp: `localhost:${smtp.port}`,
      },
      secrets: { password: dovecot.password },
    });
    expect(connection).toMatchObject({
      state: 'ACTIVE',
      account: 'ann@example.com',
      capabilities: ['mail.send'],
    });
    expect(await sync(connection)).toMatchObject({ inserted: 1 });
    expect(await find('leaking boiler')).toEqual(['Boiler']);
    expect(await sync(connection)).toMatchObject({ seen: 0, deleted: 0 });
    const maildir = dovecot.maildir('ann');
    for (const folder of ['new', 'cur']) {
      const path = join(maildir, folder);
      for (const file of existsSync(path) ? readdirSync(path) : []) rmSync(join(path, file));
    }
    expect(await sync(connection)).toMatchObject({ deleted: 1 });
    expect(await find('leaking boiler')).toEqual([]);
  });
});

describe.skipIf(radicaleMissing !== undefined)(`a calendar ${radicaleMissing ?? ''}`, () => {
  test('is connected by its address, and its events are found by their words', async () => {
    const radicale = await startRadicale();
    onTestFinished(() => radicale.stop());
    const calendar = await radicale.makeCalendar('work');
    await radicale.request(`${calendar}one.ics`, {
      method: 'PUT',
      body: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T100000Z\r\nSUMMARY:Surveyor at the lighthouse\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
    });
    const { connections, org, sync, find } = await scene();
    const connection = await connections.connect(org, 'caldav', {
      fields: { url: radicale.url, user: radicale.user },
      secrets: { password: radicale.password },
    });
    expect(connection.capabilities).toEqual(['calendar.create', 'calendar.free-busy']);
    expect(await sync(connection)).toMatchObject({ inserted: 1 });
    expect(await find('lighthouse surveyor')).toEqual(['Surveyor at the lighthouse']);
    await radicale.request(`${calendar}one.ics`, { method: 'DELETE' });
    expect(await sync(connection)).toMatchObject({ deleted: 1 });
    expect(await find('lighthouse surveyor')).toEqual([]);
  });
});
