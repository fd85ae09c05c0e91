// Mail folders in the forms that programs write.
import { expect, test } from 'vitest';
import { envelope, mailOf, reading } from './import-readers.ts';

test('every message of a folder is one record, without its separator line and the blank behind it', async () => {
  const { texts, problems } = await reading(
    'a.mbox',
    `${envelope}${mailOf(1, 'one\n')}\n${envelope}${mailOf(2, 'two\n')}\n`,
  );
  expect(texts).toEqual([mailOf(1, 'one\n'), mailOf(2, 'two\n')]);
  expect(problems).toEqual([]);
});

test('line ends of both kinds are read, and kept', async () => {
  const crlf = `${envelope}${mailOf(1, 'one\n')}\n${envelope}${mailOf(2, 'two\n')}\n`.replaceAll(
    '\n',
    '\r\n',
  );
  const { texts } = await reading('a.mbox', crlf);
  expect(texts).toEqual([
    mailOf(1, 'one\n').replaceAll('\n', '\r\n'),
    mailOf(2, 'two\n').replaceAll('\n', '\r\n'),
  ]);
});

test('quoted "From " lines lose one level of quoting (mboxo, mboxrd)', async () => {
  const { texts } = await reading(
    'a.mbox',
    `${envelope}${mailOf(1, '>From here on\n>>From there\n> From a reply\n')}\n`,
  );
  expect(texts[0]).toBe(mailOf(1, 'From here on\n>From there\n> From a reply\n'));
});

test('a sentence that begins with "From " behind a blank line does not cut a message in two', async () => {
  const body = 'Dear Bob,\n\nFrom here we go to the lake.\nNote: bring shoes.\n';
  const { texts } = await reading(
    'a.mbox',
    `${envelope}${mailOf(1, body)}\n${envelope}${mailOf(2, 'x\n')}\n`,
  );
  expect(texts).toEqual([mailOf(1, body), mailOf(2, 'x\n')]);
});

test('a believable Content-Length decides where a message ends (mboxcl2), and its body stays as it is', async () => {
  const body = `before\n\n${envelope}Subject: quoted whole\n\n>From stays\n`;
  const first = mailOf(1, body, `Content-Length: ${Buffer.byteLength(body)}\n`);
  const { texts } = await reading('a.mbox', `${envelope}${first}\n${envelope}${mailOf(2, 'two\n')}\n`);
  expect(texts).toEqual([first, mailOf(2, 'two\n')]);
});

test('a Content-Length that points nowhere is not believed', async () => {
  for (const lie of [3, 7, 100_000]) {
    const first = mailOf(1, 'one one one\n', `Content-Length: ${lie}\n`);
    const { texts } = await reading('a.mbox', `${envelope}${first}\n${envelope}${mailOf(2, 'two\n')}\n`);
    expect(texts).toEqual([first, mailOf(2, 'two\n')]);
  }
});

test('a message wherever it falls among the pieces that are read comes out whole', async () => {
  const messages = Array.from({ length: 300 }, (_, n) =>
    mailOf(n, `${'x'.repeat(70)}\n`.repeat((n * 37) % 150)),
  );
  const folder = messages.map((message) => `${envelope}${message}\n`).join('');
  expect(folder.length).toBeGreaterThan(3 * 256 * 1024);
  const { texts } = await reading('a.mbox', folder);
  expect(texts.map((text) => text.trimEnd())).toEqual(messages.map((message) => message.trimEnd()));
});

test('reading goes on at the byte behind any message', async () => {
  const folder = [1, 2, 3].map((n) => `${envelope}${mailOf(n, `body ${n}\n`)}\n`).join('');
  const whole = await reading('a.mbox', folder);
  for (const [index, item] of whole.items.entries()) {
    const rest = await reading('a.mbox', folder, item.next);
    expect(rest.ids).toEqual(whole.ids.slice(index + 1));
    expect(rest.items.map(({ place }) => place)).toEqual(
      whole.items.slice(index + 1).map(({ place }) => place),
    );
  }
});

test('a message above the cap is reported with its place, and the next one is read', async () => {
  const huge = Buffer.alloc(40 * 1024 * 1024, `${'y'.repeat(75)}\n`);
  const folder = Buffer.concat([
    Buffer.from(`${envelope}${mailOf(1, 'one\n')}\n${envelope}${mailOf(2, '')}`),
    huge,
    Buffer.from(`\n\n${envelope}${mailOf(3, 'three\n')}\n`),
  ]);
  const { texts, problems } = await reading('a.mbox', folder);
  expect(texts).toEqual([mailOf(1, 'one\n'), mailOf(3, 'three\n')]);
  expect(problems).toEqual([
    {
      place: `a.mbox: byte ${Buffer.byteLength(`${envelope}${mailOf(1, 'one\n')}\n`)}`,
      reason: 'larger than 36 MiB',
    },
  ]);
});

test('what is no mail is reported, and costs no other', async () => {
  const { texts, problems } = await reading(
    'a.mbox',
    `junk first\n\n${envelope}no header at all\n\n${envelope}${mailOf(2, 'two\n')}\n`,
  );
  expect(texts).toEqual([mailOf(2, 'two\n')]);
  expect(problems.map(({ place }) => place)).toEqual(['a.mbox: byte 0', 'a.mbox: byte 12']);
});

test('one mail in two folders has one id, whatever each folder wrote into it', async () => {
  const body = 'From the start\nand on\n';
  const plain = await reading('a.eml', mailOf(1, body).replaceAll('\n', '\r\n'));
  const quoted = await reading(
    'b.mbox',
    `${envelope}${mailOf(1, body, 'Status: RO\nX-Mozilla-Status: 0001\n').replace('\nFrom the', '\n>From the')}\n`,
  );
  expect(quoted.ids).toEqual(plain.ids);
});

test('another mail under a known Message-ID is another document: nobody replaces a stored mail by sending one', async () => {
  const first = await reading('a.eml', mailOf(1, 'Pay to account 1.\n'));
  const forged = await reading('b.eml', mailOf(1, 'Pay to account 2.\n'));
  expect(forged.ids).not.toEqual(first.ids);
});

test('a folder of mail without an extension is known by its first bytes', async () => {
  const { texts } = await reading('Inbox', `${envelope}${mailOf(1, 'one\n')}\n`);
  expect(texts).toHaveLength(1);
});
