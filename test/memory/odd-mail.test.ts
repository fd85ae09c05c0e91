// Mail as old, careless and foreign programs write it: its words, its people and its time are read all the same,
// and nothing of what its writer wrote is taken for a quote, a signature or a footer.
import { describe, expect, test } from 'vitest';
import { claimsOf } from '../../src/memory/facts/rules.ts';
import { attachmentIn, readMail } from '../../src/memory/normalise/mail.ts';
import { mailDate } from '../../src/memory/normalise/mail-date.ts';
import { newWords } from '../../src/memory/normalise/quotes.ts';

const latin1 = (lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1');
const searchedIn = (text: string, subject = 'Re: x', isAnswer = true) =>
  newWords(text, subject, isAnswer)
    .map((span) => text.slice(span.start, span.end))
    .join('|');
const searched = async (lines: string[]) => {
  const { text, spans } = await readMail(Buffer.from(lines.join('\r\n')));
  return spans.map((span) => text.slice(span.start, span.end)).join('|');
};

describe('what the writer wrote is searched, though it looks like something else', () => {
  test.each([
    [
      'an attribution without a date',
      'On this point your lawyer wrote:\n\nOur answer is yes.\nWe sign on Friday.',
    ],
    ['one in French', 'Le notaire a écrit :\n\nNous signons vendredi.'],
    [
      'a disclaimer of one’s own',
      'Disclaimer: I am no surveyor, but the roof is sound.\n\nWe offer 500,000.',
    ],
    ['confidentiality as a matter', 'Confidentiality agreement attached.\n\nPlease sign it by Friday.'],
    [
      'a notice as a matter',
      'Rechtlicher Hinweis des Notars zum Vertrag liegt bei.\n\nBitte bis Freitag prüfen.',
    ],
    [
      'a message that confirms',
      'This message is to confirm that the confidential survey has come.\n\nWe buy.',
    ],
    ['a parcel', 'Sent via courier this morning.\n\nThe keys are in it.'],
    ['thanks at the beginning', 'Thanks,\n\nHello,\nthe survey was changed\nby ann@x.test today'],
    ['thanks before a paragraph', 'Thanks\nAnn\nThe surveyor comes on Monday at nine.\nCall 030 1234567'],
  ])('%s', (_what, words) => {
    const text = `Good morning.\n\n${words}`;
    expect(searchedIn(text)).toBe(text);
  });

  test('words below a disclaimer that stands above or between them', () => {
    const legal = 'This e-mail is confidential and intended only for its recipient.';
    expect(searchedIn(`${legal}\n\nWe take the flat at 12 Elm Road.`)).toBe(
      'We take the flat at 12 Elm Road.',
    );
    expect(searchedIn(`Yes.\n\n${legal}\n\nNo unauthorised disclosure.\n\nBerg Ltd, www.berg.test`)).toBe(
      'Yes.',
    );
  });

  test('a long letter below two dashes', () => {
    const letter = Array.from({ length: 30 }, (_, i) => `Point ${i} of the contract.`).join('\n');
    expect(searchedIn(`Intro.\n--\n${letter}`)).toContain('Point 29');
    expect(searchedIn('Intro.\n--\nAnn Berg\nBerg Ltd')).toBe('Intro.');
  });

  test('answers between marked lines, though the first line below the attribution has no mark', () => {
    const text =
      'On Mon, 2 Mar 2026 Anna <a@x.test> wrote:\nHi Anna,\n> First?\nYes to one.\n> Second?\nNo to two.';
    expect(searchedIn(text)).toBe('Hi Anna,|Yes to one.|No to two.');
  });

  test('what a mail that answers none repeats stands nowhere else', async () => {
    const body =
      'Look at this.\n\nFrom: Tom <tom@x.test>\nSent: Monday\nTo: Me\nSubject: Survey\n\nThe beam is rotten.';
    expect(searchedIn(body, 'Survey', false)).toContain('The beam is rotten.');
    expect(searchedIn(body, 'Survey', true)).toBe('Look at this.');
    const head = ['From: Ann <ann@x.test>', 'To: me@x.test'];
    expect(await searched([...head, 'Subject: Survey', '', ...body.split('\n')])).toContain('beam is rotten');
    for (const answer of ['Subject: AW: Survey', 'Subject: Survey\r\nIn-Reply-To: <a@x.test>'])
      expect(await searched([...head, answer, '', ...body.split('\n')])).toBe('Look at this.');
  });

  test('an attached message and all of a digest are found, and are no words of the sender’s', async () => {
    const inner = (n: number) => [
      'From: Tom <tom@x.test>',
      `Subject: Part ${n}`,
      'Date: Mon, 2 Mar 2026 10:00:00 +0100',
      '',
      `We want a garden and ${n} bedrooms.`,
      '-- ',
      'Tom',
    ];
    const part = (n: number) => ['--b', 'Content-Type: message/rfc822', '', ...inner(n)];
    const lines = [
      'From: Ann <ann@x.test>',
      'Subject: Re: Two mails',
      'In-Reply-To: <a@x.test>',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'See both.',
      ...part(4),
      ...part(5),
      '--b--',
    ];
    const found = await searched(lines);
    expect(found).toContain('garden and 4 bedrooms');
    expect(found).toContain('garden and 5 bedrooms');
    const read = await readMail(Buffer.from(lines.join('\r\n')));
    const { title, text, spans, people, facts } = read;
    const record = {
      externalId: 'm',
      kind: 'mail' as const,
      title,
      text,
      spans,
      people,
      facts,
      writtenAt: null,
    };
    expect(claimsOf(record).facts).toEqual([]);
  });

  test('attack: what a mail that answers none repeats of others is no fact of its sender’s', () => {
    const text =
      'Look at this.\n\nFrom: Tom Hill\nSent: Monday\nTo: Me\nSubject: Wishes\n\nWe need 4 bedrooms.\n\nBest,\nTom\nHill Ltd\nTel. 030 1234567';
    const record = {
      externalId: 'm',
      kind: 'mail' as const,
      title: 'Wishes',
      text,
      spans: newWords(text, 'Wishes', false),
      people: [{ address: 'ann@x.test', role: 'from' as const }],
      facts: {},
      writtenAt: null,
    };
    expect(searchedIn(text, 'Wishes', false)).toContain('4 bedrooms');
    expect(claimsOf(record).facts).toEqual([]);
  });
});

describe('what a mail repeats is not searched', () => {
  test.each([
    ['Polish', 'W dniu 2026-03-02 10:12:39 użytkownik Anna <a@x.test> napisał:'],
    ['Finnish, wrapped', 'ma 2. maalisk. 2026 klo 10.12 Anna\n<a@x.test> kirjoitti:'],
    ['Hungarian', '2026.03.02. 7:31 keltezéssel, "Anna" írta:'],
    ['Russian', '02.03.2026 10:12, Анна пишет:'],
    ['Russian, bare', 'пн, 2 мар. 2026 г. в 10:12, Анна <a@x.test>:'],
    ['Gmail, bare', '2026-03-02 10:12 GMT+01:00 Anna <a@x.test>:'],
    ['Yandex', '02.03.2026, 10.12, "Anna" <a@x.test>:'],
    ['Zoho', '---- On Mon, 02 Mar 2026 10:12:50 +0100 a@x.test wrote ----'],
    ['a lost colon', 'On Mon, 2 Mar 2026 10:12:43 +0100 Anna <a@x.test> wrote'],
    ['Danish', '-------- Oprindelig besked --------'],
    [
      'French Outlook',
      'De : Anna<mailto:a@x.test>\nEnvoyé le :lundi 2 mars 2026 10:12\nÀ : moi\nObjet :Offre',
    ],
    ['Orange', '====\nDe : "Anna" <a@x.test>\nA : moi@x.test\nCopie à :\nSujet : Offre'],
    ['Polish Outlook', 'Od: Anna <a@x.test>\nWysłano: poniedziałek\nDo: Ja\nTemat: Oferta'],
  ])('%s', (_client, begin) => {
    expect(searchedIn(`Yes please.\n\n${begin}\n\nOld words.`).replace(/=+$/u, '').trim()).toBe(
      'Yes please.',
    );
  });

  test('the footer of a mailing list', () => {
    const rule = '_'.repeat(47);
    expect(searchedIn(`Yes.\n\n${rule}\nHomes mailing list\nHomes@lists.x.test\nhttps://lists.x.test/`)).toBe(
      'Yes.',
    );
  });
});

describe('a message that breaks the rules', () => {
  test.each([
    ['Windows-1252, not said', [], 'M\xfcller', 'Müller'],
    [
      'the character set of the text',
      ['Content-Type: text/plain; charset=koi8-r'],
      '\xe1\xce\xce\xc1',
      'Анна',
    ],
    ['8-bit bytes inside an encoded word', [], '=?iso-8859-1?Q?M\xfcller_Stra=DFe?=', 'Müller Straße'],
    ['UTF-8 (RFC 6532)', [], Buffer.from('Müller').toString('latin1'), 'Müller'],
  ])('header bytes of another character set: %s', async (_what, head, written, meant) => {
    const read = await readMail(
      latin1([...head, `From: ${written} <a@x.test>`, `Subject: ${written}`, '', 'Hi']),
    );
    expect(read.title).toBe(meant);
    expect(read.people).toEqual([{ address: 'a@x.test', name: meant, role: 'from' }]);
  });

  test.each(['us-ascii', 'iso-8859-1', 'unknown-8bit', ''])(
    'a text in UTF-8 that says it were in "%s" is read as UTF-8',
    async (charset) => {
      const type = `Content-Type: text/plain${charset === '' ? '' : `; charset=${charset}`}`;
      const read = await readMail(Buffer.from(`Subject: x\r\n${type}\r\n\r\nGrüße aus Łódź`));
      expect(read.text).toBe('Grüße aus Łódź');
      const real = await readMail(latin1(['Subject: x', type, '', 'Gr\xfc\xdfe']));
      if (charset === 'iso-8859-1') expect(real.text).toBe('Grüße');
    },
  );

  test.each(['text', 'text; charset=us-ascii', 'plain', '<html>'])(
    'a body of the type "%s" is read as text (RFC 2045, 5.2)',
    async (type) => {
      expect((await readMail(latin1([`Content-Type: ${type}`, '', 'The survey is done.']))).text).toBe(
        'The survey is done.',
      );
    },
  );

  test('a named text below the letter is a file of its own, and no word of its sender’s', async () => {
    const raw = latin1([
      'From: Ann <ann@x.test>',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'See the notes.',
      '--b',
      'Content-Type: text/plain; name="notes.txt"',
      'Content-Disposition: inline; filename="notes.txt"',
      '',
      'We need 4 bedrooms.',
      '--b--',
    ]);
    const read = await readMail(raw);
    expect(read.text).toMatch(/^See the notes\.\n\n\[attachment: notes\.txt, text\/plain, \d+ bytes\]$/u);
    const [file] = read.attached ?? [];
    expect(Buffer.from((await attachmentIn(raw, file?.id ?? '')) ?? []).toString()).toContain('4 bedrooms');
  });

  test('a named text that is the whole letter, and a named variant of it, stay the letter', async () => {
    const alone = ['Content-Type: text/plain; name="mail.txt"', 'Content-Disposition: inline', '', 'Hello.'];
    expect((await readMail(latin1(alone))).text).toBe('Hello.');
    const variants = [
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      '',
      'Hello.',
      '--b',
      'Content-Type: text/html; name="mail.html"',
      '',
      '<p>Hello.</p>',
      '--b--',
    ];
    expect((await readMail(latin1(variants))).text).toBe('Hello.');
  });

  test('mails of strangers that answer an id that is none are no one thread', async () => {
    const read = (id: string) => readMail(latin1([`Message-ID: <${id}>`, 'In-Reply-To: <yes>', '', 'Hi']));
    expect((await read('a@x.test')).threadId).toBe('<a@x.test>');
    expect((await read('b@x.test')).threadId).toBe('<b@x.test>');
  });

  test('all who wrote a mail together are its writers', async () => {
    const { people } = await readMail(latin1(['From: Ann <ann@x.test>, Bob <bob@x.test>', '', 'Hi']));
    expect(people.map(({ address, role }) => [address, role])).toEqual([
      ['ann@x.test', 'from'],
      ['bob@x.test', 'from'],
    ]);
  });

  test.each([
    ['Mon, 02 Mar 2026 10:00:00 CEST', '2026-03-02T08:00:00Z'],
    ['Mon, 2 Mar 26 10:00 MET', '2026-03-02T09:00:00Z'],
    ['Mon, 02 Mar 2026 10.00.00 +0100', '2026-03-02T09:00:00Z'],
    ['Mo, 02 Mar 2026 10:00:00 +0100', '2026-03-02T09:00:00Z'],
    ['Mon Mar  2 10:00:00 CET 2026', '2026-03-02T09:00:00Z'],
    ['Thu, 02 Mar 104 10:00:00 GMT', '2004-03-02T10:00:00Z'],
    ['Mon, 02 Mar 2026 10:00:00 XYZ', '2026-03-02T10:00:00Z'],
  ])('the date %j is read', (written, meant) => {
    expect(mailDate(written)).toBe(Date.parse(meant));
  });

  test.each(['Mon Mar 02 10:00:10 +0000', 'Mon, 2 Mar 10:00', 'next week', ''])(
    'of the date %j, which has no year, none is made up',
    (written) => {
      expect(mailDate(written)).toBeUndefined();
    },
  );
});
