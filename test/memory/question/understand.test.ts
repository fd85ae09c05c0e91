// What a question says beside its words, resolved by a clock and a time zone.
import { describe, expect, test } from 'vitest';
import { timesIn } from '../../../src/memory/question/time-words.ts';
import { understand } from '../../../src/memory/question/understand.ts';
import { wallTime } from '../../../src/time.ts';

const zone = 'Europe/Berlin';
/** A Wednesday. */
const now = Date.UTC(2026, 2, 18, 11);
const shown = (ms: number) => wallTime(ms, zone).replace('T00:00:00', '');
const spans = (question: string) =>
  timesIn(question, now, zone).map(({ since, until }) => `${shown(since)} ${shown(until)}`);

describe('a date in words', () => {
  test.each([
    ['what happened yesterday', '2026-03-17 2026-03-18'],
    ['what is on today', '2026-03-18 2026-03-19'],
    ['what did we agree last March', '2025-03-01 2025-04-01'],
    ['what came in March', '2026-03-01 2026-04-01'],
    ['mails in November', '2025-11-01 2025-12-01'],
    ['offers of January 2026', '2026-01-01 2026-02-01'],
    ['the numbers in Q2', '2025-04-01 2025-07-01'],
    ['the numbers of Q1 2026', '2026-01-01 2026-04-01'],
    ['last week', '2026-03-09 2026-03-16'],
    ['two weeks ago', '2026-03-02 2026-03-09'],
    ['3 days ago', '2026-03-15 2026-03-16'],
    ['the last 10 days', '2026-03-08 2026-03-19'],
    ['on 5 February', '2026-02-05 2026-02-06'],
    ['on December 24th', '2025-12-24 2025-12-25'],
    ['on 2026-02-28', '2026-02-28 2026-03-01'],
    ['last Monday', '2026-03-16 2026-03-17'],
    ['last Wednesday', '2026-03-11 2026-03-12'],
    ['since 2024', '2024-01-01 2025-01-01'],
    ['was gestern kam', '2026-03-17 2026-03-18'],
    ['letzte Woche', '2026-03-09 2026-03-16'],
    ['vor zwei Monaten', '2026-01-01 2026-02-01'],
    ['am 3.2.2026', '2026-02-03 2026-02-04'],
    ['la semana pasada', '2026-03-09 2026-03-16'],
    ['hace tres días', '2026-03-15 2026-03-16'],
    ['le mois dernier', '2026-02-01 2026-03-01'],
    ['le 3 février 2026', '2026-02-03 2026-02-04'],
  ])('%s', (question, span) => expect(spans(question)).toEqual([span]));

  test.each([
    'what may we do',
    'the march of time',
    'on 30 February',
    '12 Oak Street',
    'room 2024',
    'one week notice period',
  ])('none in: %s', (question) => expect(spans(question)).toEqual([]));

  test('days begin when the zone’s do, on the day that the clocks go forward, too', () => {
    const [day] = timesIn('on 2026-03-29', now, zone);
    expect((day?.until ?? 0) - (day?.since ?? 0)).toBe(23 * 3_600_000);
  });
});

describe('a question', () => {
  const of = (question: string) => understand(question, { now, zone });
  test.each([
    ['offers since 1 March', { since: '2026-03-01' }],
    ['offers after last week', { since: '2026-03-16' }],
    ['offers before 1 March 2026', { until: '2026-03-01' }],
    ['offers until yesterday', { until: '2026-03-18' }],
    ['mail sent in February', { since: '2026-02-01', until: '2026-03-01' }],
    ['mails from last week', { since: '2026-03-09', until: '2026-03-16' }],
    ['offers between 1 February and 1 March', { since: '2026-02-01', until: '2026-03-02' }],
  ])('bounds what it says outright: %s', (question, expected) => {
    const { time } = of(question);
    const said = (ms: number | undefined) => (ms === undefined ? undefined : shown(ms));
    expect(time?.outright).toBe(true);
    expect({ since: said(time?.since), until: said(time?.until) }).toEqual({
      since: undefined,
      until: undefined,
      ...expected,
    });
  });
  test('bounds nothing by a date that the matter may be about', () => {
    expect(of('the viewing last Monday').time).toMatchObject({ outright: false });
  });
  test('takes what stands in quotes for words', () => {
    expect(of('who wrote "since last March"').time).toBeUndefined();
  });
  test.each([
    ['the price from Maria Keller', ['Maria Keller']],
    ['mail that Tom sent', ['Tom']],
    ['what did Elena write about stairs', ['Elena']],
    ['letters sent by Jan de Vries', ['Jan de Vries']],
    ['mail from maria@keller.test about keys', ['maria@keller.test']],
    ['mails from March', []],
    ['a house far from town', []],
  ])('names who wrote: %s', (question, senders) => expect(of(question).senders).toEqual(senders));
  test.each([
    ['offers over 500k', { least: 500_000, most: Number.POSITIVE_INFINITY }],
    ['the £450,000 offer', { least: 450_000, most: 450_000 }],
    ['under 1.2 million', { least: 1, most: 1_200_000 }],
    ['3.5 m euros', { least: 3_500_000, most: 3_500_000 }],
  ])('says how much: %s', (question, { least, most }) => {
    expect(of(question).amounts).toMatchObject([{ least, most }]);
  });
  test('takes a house number for none', () => expect(of('12 Oak Street, 3 bedrooms').amounts).toEqual([]));
  test('says where', () => expect(of('who asked about 12 Oak Street?').addresses).toEqual(['12 Oak Street']));
  test.each([
    ['the invoice of Keller', ['invoice']],
    ['what came of the meeting', ['event']],
    ['the mail with the PDF', ['mail', 'file']],
  ])('says of which kind: %s', (question, kinds) => expect(of(question).kinds).toEqual(kinds));
  test.each([
    ['what changed since the offer', { edge: 'since', about: 'offer' }],
    ['mails before the viewing', { edge: 'until', about: 'viewing' }],
    ['since the last week', undefined],
  ])('points at another record: %s', (question, anchor) => {
    if (anchor === undefined) expect(of(question).anchor).toBeUndefined();
    else expect(of(question).anchor).toMatchObject(anchor);
  });
});
