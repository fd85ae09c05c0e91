// Contact cards as phones and address books write them: no line that one program alone writes costs the card, or
// another line of it.

import { describe, expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import type { Normalised } from '../../src/memory/normalise/normalised.ts';
import { reading } from '../jobs/import-readers.ts';

const read = (...lines: (string | Buffer)[]): Promise<Normalised> =>
  normalise({
    externalId: 'x',
    kind: 'contact',
    mediaType: 'text/vcard',
    raw: Buffer.concat(
      ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].map((line) =>
        Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]),
      ),
    ),
  });

/** What a file of cards is made of, read to its end. */
async function imported(text: string): Promise<string[]> {
  const { items } = await reading('people.vcf', text);
  return Promise.all(
    items.map(async (item) => ('record' in item ? (await normalise(item.record)).text : item.reason)),
  );
}

describe('a card', () => {
  test.each([
    ['Evolution, types without names in a card that says 3.0', ['VERSION:3.0', 'TEL;HOME:030 555']],
    ['Evolution, no version', ['TEL;HOME:030 555']],
    ['several types at once', ['VERSION:3.0', 'TEL;FAX,HOME:030 555']],
    ['an empty parameter', ['VERSION:3.0', 'TEL;=;TYPE=HOME:030 555', 'NOPARAM;:y']],
    ['Apple, in groups', ['VERSION:3.0', 'item2.TEL:030 555', 'item2.X-ABLabel:_$!<Other>!$_']],
    ['a line of no form', ['VERSION:3.0', 'scribbled', 'X-Y;A="open:1', 'TEL:030 555']],
  ])('as of %s is read', async (_whose, lines) => {
    const { title, facts } = await read(...lines, 'FN:Anna Berg');
    expect([title, facts['phones']]).toEqual(['Anna Berg', ['030 555']]);
  });

  test('of 2.1 keeps every line of a value in quoted-printable, its blanks and its commas', async () => {
    const { text } = await read(
      'VERSION:2.1',
      'FN:J',
      'NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Lange Notiz =C3=BCber die=',
      ' Stra=C3=9Fe,=',
      ' drei Zeilen=3B mit M=C3=',
      '=BCll',
      'TEL:1',
    );
    expect(text).toBe('Name: J\nPhone: 1\nNotes: Lange Notiz über die Straße, drei Zeilen; mit Müll');
  });

  test('in quoted-printable under 3.0 is decoded, too, and so are sets other than UTF-8', async () => {
    const { text } = await read(
      'VERSION:3.0',
      'FN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:=93=8C=8B=9E',
      'NOTE;CHARSET=NO-SUCH;ENCODING=QUOTED-PRINTABLE:Caf=C3=A9',
    );
    expect(text).toBe('Name: 東京\nNotes: Café');
  });

  test('keeps what is escaped without need', async () => {
    const { text } = await read(
      'VERSION:3.0',
      'FN:A',
      'item4.URL:https\\://a.test/x',
      'NOTE:one\\; two\\, three',
    );
    expect(text).toBe('Name: A\nWeb: https://a.test/x\nNotes: one; two, three');
  });
});

describe('a file of cards', () => {
  test('loses nothing behind a picture, however its base64 ends', async () => {
    const card = (padding: string) =>
      `BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna\r\nPHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBB${padding}\r\nTEL:030 555\r\nPHOTO;BASE64:\r\n  CCC${padding}\r\nEND:VCARD\r\n`;
    expect(await imported(card('=') + card('=='))).toEqual(Array(2).fill('Name: Anna\nPhone: 030 555'));
  });

  test('without a card says so', async () => {
    expect(await imported('BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n')).toEqual(['holds no contact card']);
  });
});
