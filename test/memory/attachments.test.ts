// What is attached to a mail is found, cited, sent on, and gone with its mail; what cannot be read is named.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMail } from '../../src/memory/normalise/mail.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { type Ground, ground } from './ground.ts';
import { docx, paragraph } from './office-files.ts';
import { pdf } from './pdf-files.ts';

let place: Ground;
beforeEach(async () => {
  place = await ground();
});
afterEach(() => place.close());

interface Part {
  name: string;
  type: string;
  content: Uint8Array;
  headers?: string;
}

/** A mail with these attached, as it comes over the wire. */
function mailWith(parts: readonly Part[], { id = 'm1', body = 'See attached.' } = {}): SourceRecord {
  const attached = parts.map(
    ({ name, type, content, headers = '' }) =>
      `--b\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\n${headers}Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`,
  );
  const text = `Message-ID: <${id}@x>\r\nFrom: Anna Berg <anna@berg.test>\r\nTo: me@agency.test\r\nSubject: Papers ${id}\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${body}\r\n${attached.join('')}--b--\r\n`;
  return {
    externalId: id,
    kind: 'mail',
    mediaType: 'message/rfc822',
    raw: Buffer.from(text),
    url: `https://mail.test/${id}`,
  };
}

const survey: Part = {
  name: 'survey.pdf',
  type: 'application/pdf',
  content: pdf({ pages: [['The chimney is cracked.']] }),
};
const lease: Part = {
  name: 'lease.docx',
  // Programs that do not know a type say so.
  type: 'application/octet-stream',
  content: docx(paragraph('Nine percent penalty.')),
};
const ingest = (records: SourceRecord[], more = {}) =>
  place.memory.ingest(place.org, place.source, { records, ...more });
const found = async (question: string) =>
  (await place.memory.search(place.org, { question, limit: 5 })).passages[0];
const titles = async () =>
  (await place.memory.documents(place.org, { limit: 20 })).map((one) => one.title).sort();

describe('an attachment', () => {
  test('is a document of its own, with the people, thread, time and address of its mail', async () => {
    const result = await ingest([mailWith([survey, lease])]);
    expect(result).toMatchObject({ inserted: 1, updated: 0, unchanged: 0, rejected: [] });
    const passage = await found('cracked chimney');
    expect(passage).toMatchObject({
      kind: 'file',
      title: 'survey.pdf',
      url: 'https://mail.test/m1',
      writtenAt: Date.UTC(2026, 2, 2, 8),
    });
    expect(passage?.people[0]).toEqual({ address: 'anna@berg.test', name: 'Anna Berg', role: 'from' });
    const document = await place.memory.document(place.org, passage?.documentId ?? '');
    expect(document).toMatchObject({ threadId: '<m1@x>', mediaType: 'application/pdf' });
    expect(document.facts).toMatchObject({ attachedTo: { externalId: 'm1', title: 'Papers m1' }, pages: 1 });
    expect((await found('penalty'))?.title).toBe('lease.docx');
    expect((await found('See attached'))?.text).toContain('[attachment: survey.pdf, application/pdf');
  });

  test('can be had again byte by byte, out of its mail', async () => {
    await ingest([mailWith([survey, lease])]);
    const passage = await found('penalty');
    const bytes = await place.memory.payload(place.org, passage?.documentId ?? '');
    expect(Buffer.from(bytes).equals(Buffer.from(lease.content))).toBe(true);
  });

  test('stays what it is when memory is read anew', async () => {
    await ingest([mailWith([survey, lease])]);
    const before = await found('penalty');
    await place.memory.rebuild(place.org, '');
    expect(await titles()).toEqual(['Papers m1', 'lease.docx', 'survey.pdf']);
    const { documentId, url, text } = (await found('penalty')) ?? {};
    expect({ documentId, url, text }).toEqual({
      documentId: before?.documentId,
      url: before?.url,
      text: before?.text,
    });
  });

  test('goes with its mail, comes back with it, and leaves when a newer form of the mail has it no more', async () => {
    await ingest([mailWith([survey, lease]), mailWith([survey], { id: 'm2' })]);
    expect(await titles()).toEqual(['Papers m1', 'Papers m2', 'lease.docx', 'survey.pdf', 'survey.pdf']);
    expect(await ingest([], { deleted: ['m1'] })).toMatchObject({ deleted: 1 });
    expect(await titles()).toEqual(['Papers m2', 'survey.pdf']);
    expect(await found('penalty')).toBeUndefined();
    expect(await ingest([mailWith([survey, lease])])).toMatchObject({ inserted: 1 });
    expect(await titles()).toHaveLength(5);
    expect(await ingest([mailWith([lease], { body: 'Without the survey.' })])).toMatchObject({ updated: 1 });
    expect(await titles()).toEqual(['Papers m1', 'Papers m2', 'lease.docx', 'survey.pdf']);
  });

  test('stays while a full list names its mail, and goes when it does not', async () => {
    await ingest([mailWith([survey]), mailWith([lease], { id: 'm10' })]);
    expect(await ingest([mailWith([survey])], { complete: { ids: ['m1', 'm10'] } })).toMatchObject({
      unchanged: 1,
      deleted: 0,
    });
    expect(await titles()).toHaveLength(4);
    expect(await ingest([], { complete: { ids: ['m10'] } })).toMatchObject({ deleted: 1 });
    expect(await titles()).toEqual(['Papers m10', 'lease.docx']);
    // An id that merely begins alike is another mail's.
    await ingest([], { deleted: ['m1'] });
    expect(await titles()).toHaveLength(2);
  });
});

describe('of what a mail carries', () => {
  test('logos, pictures and unknown files are no documents; the broken and the large are named with the reason', async () => {
    const image = { name: 'logo.png', type: 'image/png', content: Buffer.from('x') };
    const broken = {
      name: 'broken.docx',
      type: 'application/octet-stream',
      content: Buffer.from('not a zip'),
    };
    const large = { name: 'large.txt', type: 'text/plain', content: Buffer.alloc(20 * 1024 * 1024 + 1, 97) };
    await ingest([mailWith([image, broken, large, survey])]);
    expect(await titles()).toEqual(['Papers m1', 'survey.pdf']);
    const mail = await place.memory.document(place.org, (await found('See attached'))?.documentId ?? '');
    expect(mail.facts['unreadAttachments']).toEqual([
      { name: 'large.txt', reason: 'larger than 20 MiB' },
      { name: 'broken.docx', reason: 'is no Office file, whatever its name says' },
    ]);
  });

  test('a page, a text, an invitation and a card are read as such', async () => {
    const part = (name: string, type: string, content: string): Part => ({
      name,
      type,
      content: Buffer.from(content),
    });
    await ingest([
      mailWith([
        part('a.html', 'text/html', '<h1>Zoning</h1><p>viaduct</p>'),
        part('b.txt', 'text/plain', 'orchard'),
        part(
          'invite.ics',
          'text/calendar',
          'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Viewing\r\nDTSTART:20260706T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
        ),
        part(
          'two.vcf',
          'text/x-vcard',
          'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Sarah Chen\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bob Ostrander\r\nEND:VCARD\r\n',
        ),
      ]),
    ]);
    expect((await found('viaduct'))?.title).toBe('Zoning (a.html)');
    expect((await found('orchard'))?.title).toBe('orchard (b.txt)');
    expect((await found('viewing July 2026'))?.title).toBe('Viewing (invite.ics)');
    expect((await found('Ostrander'))?.title).toBe('Sarah Chen (two.vcf)');
  });

  test('no more than thirty are read, however many there are', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      name: `n${i}.txt`,
      type: 'text/plain',
      content: Buffer.from(`note ${i}`),
    }));
    const read = await readMail(mailWith(many).raw);
    expect(read.attached).toHaveLength(30);
    expect(read.attachmentsLeft).toHaveLength(10);
  });
});
