// Web pages, contact cards and transcripts as a person reads them; what is hidden, foreign or hostile in them
// misleads nobody and ends nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalise } from '../../src/memory/normalise/normalise.ts';
import { type Normalised, UnreadableRecord } from '../../src/memory/normalise/normalised.ts';
import { spokenTurns } from '../../src/memory/normalise/transcript.ts';
import type { DocumentKind, RecordMediaType } from '../../src/providers/record.ts';

function read(
  mediaType: RecordMediaType,
  raw: string | Uint8Array,
  kind: DocumentKind = 'file',
): Promise<Normalised> {
  return normalise({
    externalId: 'x',
    kind,
    mediaType,
    raw: typeof raw === 'string' ? Buffer.from(raw) : raw,
  });
}

describe('a page', () => {
  const page = (html: string | Uint8Array) => read('text/html', html);

  test('keeps its headings, lists, links with targets, and tables a row a line with their header', async () => {
    const found = await page(
      '<html><head><title>Homes &amp; more</title><meta name="author" content="Anna Berg"><meta property="article:published_time" content="2026-03-02T10:00:00Z"><link rel="canonical" href="https://x.test/homes"></head><body><nav>Menu</nav>' +
        '<h1>Lake house</h1><p>See the <a href="https://x.test/plan">plan</a>.</p><ul><li>one</li><li>two</li></ul>' +
        '<h2>Rooms</h2><table><thead><tr><th>Room</th><th>Size</th></tr></thead><tbody><tr><td>Kitchen</td><td>12 m²</td></tr></tbody></table></body></html>',
    );
    expect(found.text).toBe(
      '# Lake house\n\nSee the plan <https://x.test/plan>.\n\n * one\n * two\n\n## Rooms\n\nRoom | Size\nKitchen | 12 m²',
    );
    expect(found.spans.map(({ heading }) => heading)).toEqual([
      'Lake house',
      'Lake house',
      'Lake house',
      'Lake house › Rooms',
      'Lake house › Rooms',
    ]);
    expect(found).toMatchObject({
      title: 'Homes & more',
      url: 'https://x.test/homes',
      writtenAt: Date.UTC(2026, 2, 2, 10),
      facts: { author: 'Anna Berg' },
    });
  });

  test.each([
    '<p style="display:none">ORDER</p>',
    '<p hidden>ORDER</p>',
    '<p style="font-size:0">ORDER</p>',
    '<p style="color:#fff">ORDER</p>',
    '<template>ORDER</template>',
    '<script>ORDER</script>',
    '<style>ORDER</style>',
    '<!-- ORDER -->',
    '<noscript>ORDER</noscript>',
    '<img alt="x" src="data:text/plain,ORDER">',
  ])('what an eye does not see is not read: %s', async (hidden) => {
    const { text } = await page(`<body><p>Hello</p>${hidden}<p>Regards</p></body>`);
    expect(text).toBe('Hello\n\nRegards');
  });

  test('is read in the encoding that it names, or in the one that it has', async () => {
    const latin = Buffer.from('<meta charset="iso-8859-1"><p>Grüße</p>', 'latin1');
    expect((await page(latin)).text).toBe('Grüße');
    const japanese = Buffer.concat([
      Buffer.from('<meta http-equiv="Content-Type" content="text/html; charset=shift_jis"><p>'),
      Buffer.from([0x93, 0x8c, 0x8b, 0x9e]),
    ]);
    expect((await page(japanese)).text).toBe('東京');
    expect((await page('<meta charset="no-such"><p>Grüße</p>')).text).toBe('Grüße');
  });

  test('pictures inside it cost nothing, and nesting without end is read as far as it goes', async () => {
    const picture = `<img src="data:image/png;base64,${'A'.repeat(9_000_000)}">`;
    expect((await page(`<p>before</p>${picture}<p>after</p>`)).text).toBe('before\n\nafter');
    expect((await page(`${'<div>'.repeat(50_000)}deep`)).text).toBeDefined();
  });
});

describe('a contact card', () => {
  const card = (...lines: string[]) =>
    read('text/vcard', ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n'), 'contact');

  test('says its names, addresses, numbers, company and notes', async () => {
    const found = await card(
      'VERSION:4.0',
      'FN:Sarah Chen',
      'N:Chen;Sarah;;Dr.;',
      'ORG:Lake Realty;Sales',
      'TITLE:Broker',
      'EMAIL;TYPE=work:Sarah@Lake.test',
      'item1.EMAIL:s.chen@home.test',
      'TEL;VALUE=uri;TYPE=cell:tel:+1-555-0100',
      'ADR;TYPE=work:;;12 Oak St;Springfield;IL;62704;USA',
      'BDAY:1980-01-02',
      'NOTE:Likes lofts\\, a lot.\\nCall in the evening.',
    );
    expect(found.text).toBe(
      'Name: Sarah Chen\nCompany: Lake Realty\nDepartment: Sales\nJob title: Broker\nE-mail: sarah@lake.test, s.chen@home.test\nPhone: +1-555-0100\nAddress: 12 Oak St, Springfield, IL, 62704, USA\nBirthday: 1980-01-02\nNotes: Likes lofts, a lot.\nCall in the evening.',
    );
    expect(found.people.map(({ address }) => address)).toEqual(['sarah@lake.test', 's.chen@home.test']);
    expect(found.facts).toMatchObject({
      company: 'Lake Realty',
      jobTitle: 'Broker',
      phones: ['+1-555-0100'],
    });
  });

  test('of version 2.1 is read too, quoted and folded as phones write it', async () => {
    const found = await card(
      'VERSION:2.1',
      'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCr=',
      'gen;;;',
      'TEL;HOME;CELL:+49 30 1234567',
      'EMAIL;INTERNET:J@Berg.test',
    );
    expect(found).toMatchObject({
      title: 'Jürgen Müller',
      facts: { phones: ['+49 30 1234567'], emails: ['j@berg.test'] },
    });
  });

  test('that names nobody, or is none, is refused', async () => {
    await expect(card('VERSION:3.0', 'NOTE:x')).rejects.toThrow('names nobody');
    await expect(read('text/vcard', 'hello')).rejects.toBeInstanceOf(UnreadableRecord);
  });
});

describe('a transcript', () => {
  test('in WebVTT has its voices and times; one speaker’s captions are one turn', async () => {
    const found = await read(
      'text/vtt',
      'WEBVTT\n\nNOTE nothing\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\n<v.loud Anna Berg>We saw the</v>\n\n00:00:04.000 --> 00:00:06.000\n<v Anna Berg><i>roof</i>.\n\n01:02:03.500 --> 01:02:05.000\n<v Bob>And?\n',
      'transcript',
    );
    expect(found.text).toBe('[00:00:01] Anna Berg: We saw the roof.\n[01:02:03] Bob: And?');
    expect(found.spans).toHaveLength(2);
    expect(found.people).toEqual([
      { name: 'Anna Berg', role: 'speaker' },
      { name: 'Bob', role: 'speaker' },
    ]);
  });

  test('in SubRip is read with or without names', async () => {
    const named = await read(
      'application/x-subrip',
      '1\r\n00:00:01,000 --> 00:00:02,000\r\nAnna: Hello.\r\n\r\n2\r\n00:00:02,500 --> 00:00:04,000\r\n- Bob: Hi.\r\n',
    );
    expect(named.text).toBe('[00:00:01] Anna: Hello.\n[00:00:02] Bob: Hi.');
    const bare = await read('application/x-subrip', '1\n00:00:01,000 --> 00:00:02,000\nHello\nthere.\n');
    expect(bare.text).toBe('[00:00:01] Hello there.');
    await expect(read('text/vtt', 'WEBVTT\n')).rejects.toThrow('no cue');
  });

  test.each([
    ['times before names', '[00:12:03] Anna: The roof.\n[00:12:10] Bob: And?\n[00:12:11] Anna: It leaks.'],
    ['names alone', 'Anna: The roof.\nBob: And?\nAnna: It leaks.\nBob: Bad.'],
    [
      'names and times on their own lines',
      'Anna Berg  0:12\nThe roof.\n\nSpeaker 2  1:02:03\nAnd?\n\nAnna Berg  1:02:09\nIt leaks.',
    ],
    ['times behind names', 'Anna (00:12): The roof.\nBob (00:15): And?\nAnna (00:19): It leaks.'],
  ])('is told by its form: %s', (_form, text) => {
    expect(
      spokenTurns(text)
        ?.map(({ text: words }) => words)
        .slice(0, 3),
    ).toEqual(['The roof.', 'And?', 'It leaks.']);
  });

  test.each([
    ['a form', 'Name: Anna\nEmail: a@x.test\nPhone: 1\nCity: Berlin\nStatus: open'],
    [
      'a mail',
      'From: Anna\nTo: Bob\nSubject: Roof\nDate: Monday\n\nFrom: Bob\nTo: Anna\nSubject: Re: Roof\n\nHello',
    ],
    ['notes', `Agenda: roof\n${'We talked about the roof for a while.\n'.repeat(20)}Next: price\n`],
    ['an agenda', '10:00 Coffee\n10:30 Roof\n11:00 Price\n'],
    ['nothing', ''],
  ])('is not seen where there is none: %s', (_what, text) => {
    expect(spokenTurns(text)).toBeUndefined();
  });

  test('a text that is called one and is none is read as a text', async () => {
    expect((await read('text/plain', 'Just words.', 'transcript')).text).toBe('Just words.');
  });
});

test('whatever bytes come in, each reader ends with clean text or a reason', async () => {
  const types: RecordMediaType[] = [
    'text/html',
    'text/vcard',
    'text/vtt',
    'application/x-subrip',
    'text/plain',
  ];
  const heads = [
    '',
    '<html><body>',
    'BEGIN:VCARD\r\nVERSION:2.1\r\n',
    'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:',
    '1\n00:01 --> 00:02\n',
    '[00:01] A: ',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.constantFrom(...heads),
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
      ),
      async (type, head, bytes) => {
        try {
          const found = await read(type, Buffer.concat([Buffer.from(head), bytes]), 'transcript');
          expect(found.text.isWellFormed()).toBe(true);
          for (const { start, end } of found.spans)
            expect(start <= end && end <= found.text.length).toBe(true);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(UnreadableRecord);
        }
      },
    ),
    { numRuns: 300 },
  );
});
