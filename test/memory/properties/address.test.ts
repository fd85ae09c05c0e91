// One home, one key: however its address is written, and never two homes under one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressKey, parseAddress, samePlace } from '../../../src/memory/properties/address.ts';

describe('the same address written ten ways is one', () => {
  test.each([
    [
      '12 oak st #2, springfield, il, 62701',
      [
        '12 Oak Street #2, Springfield, IL 62701',
        '12 Oak St., Apt 2, Springfield, IL 62701-1234',
        '12 OAK STREET APT 2, SPRINGFIELD, ILLINOIS 62701',
        'Apartment 2, 12 Oak Street, Springfield, IL, 62701, USA',
        'Unit 2, 12 Oak St, Springfield IL 62701',
        '12 Oak St Unit 2, Springfield, il 62701',
        '12 Oak Street\nFlat 2\nSpringfield, IL 62701',
        '12 Oak St Suite 2 Springfield IL 62701',
        '2/12 Oak Street, Springfield, IL 62701',
        '12  oak   st #02 , Springfield , IL 62701',
      ],
    ],
    [
      '5a hauptstr, berlin, 10115',
      [
        'Hauptstraße 5a, 10115 Berlin',
        'Hauptstrasse 5 a, 10115 Berlin',
        'Hauptstr. 5a, D-10115 Berlin',
        'Haupt-Straße 5A, 10115 Berlin, Deutschland',
        'HAUPTSTR. 5A 10115 BERLIN',
      ],
    ],
    [
      '12bis rue de la paix, paris, 75002',
      [
        '12 bis rue de la Paix, 75002 Paris',
        '12bis, Rue de la Paix, 75002 Paris, France',
        '12 bis, rue de la paix 75002 PARIS',
      ],
    ],
    [
      '12-14 high st, bristol, bs81aa',
      [
        '12–14 High Street, Bristol BS8 1AA',
        '12 - 14 High St, Bristol, BS81AA',
        '12-14 HIGH STREET, BRISTOL, BS8 1AA',
      ],
    ],
  ])('%s', (key, written) => {
    expect(written.map(addressKey)).toEqual(written.map(() => key));
  });
});

test('flat 2 and flat 3, 12 and 12a, a house and a range of houses stay apart', () => {
  const written = [
    'Flat 2, 12 High Street',
    'Flat 3, 12 High Street',
    'Ground Floor Flat, 12 High Street',
    'First Floor Flat, 12 High Street',
    '12 High Street',
    '12a High Street',
    '12-14 High Street',
    '12 bis rue Haute',
    '12 rue Haute',
    '12 High Road',
  ];
  expect(new Set(written.map(addressKey)).size).toBe(written.length);
});

test('a street without a house number is no address', () => {
  for (const text of [
    'Oak Street, Springfield',
    'Hauptstraße, 10115 Berlin',
    'rue de la Paix',
    'Undisclosed',
    '',
  ]) {
    expect(parseAddress(text)).toBeUndefined();
  }
});

test('places are told apart by code, city and state, and an unsaid one decides nothing', () => {
  const of = (text: string) =>
    parseAddress(text) ?? { line: '', place: [], state: undefined, postal: undefined };
  const home = of('12 Oak Street, Springfield, IL 62701');
  expect(samePlace(home, of('12 Oak St, Springfield, IL 62704'))).toBe('different');
  expect(samePlace(home, of('12 Oak St, Springfield, Oregon'))).toBe('different');
  expect(samePlace(home, of('12 Oak St, Springfield'))).toBe('same');
  expect(samePlace(home, of('12 Oak St, Shelbyville'))).toBe('different');
  expect(samePlace(home, of('12 Oak St'))).toBe('unsaid');
  expect(samePlace(of('1 High St, Clifton, Bristol'), of('1 High Street, Bristol'))).toBe('same');
});

const part = <T>(...values: T[]) => fc.constantFrom(...values);
const written = fc
  .record({
    number: part('5', '12', '12a', '7 bis', '12-14', '110 - 112', '3 B'),
    name: part(
      'Oak',
      'St James',
      'St. John’s',
      'Long Acre',
      'North',
      'A',
      'Fifth',
      'Court',
      'Église',
      'Main',
    ),
    type: part('Street', 'st', 'Avenue', 'Rd.', 'Close', 'Terrace', 'Way', '', 'Court Road', 'Straße'),
    direction: part('', '', 'North', 'SW'),
    unit: part('', '#2', 'Apt 3b', 'Flat C', 'Ground Floor Flat', 'unit 04'),
    city: part('', 'Springfield', 'Port Ansel', 'St Louis', 'Bristol', 'New York', 'Oregon City'),
    region: part('', 'IL', 'Oregon', 'or 97399', 'BS8 1AA', '10115', 'USA', '62701-1234'),
    gap: part(', ', ' ', '\n', ' , '),
    last: fc.boolean(),
  })
  .map(({ number, name, type, direction, unit, city, region, gap, last }) => {
    const street = last ? `${name}${type} ${number}` : `${number} ${name} ${type} ${direction}`;
    return [street, unit, city, region].filter((one) => one !== '').join(gap);
  });

test('normalising an address again changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(written, fc.string({ unit: 'grapheme' }), fc.string()), (text) => {
      const key = addressKey(text);
      expect(addressKey(key)).toBe(key);
    }),
    { numRuns: 3_000 },
  );
});

test('case, width, spaces and dots change no key', () => {
  fc.assert(
    fc.property(written, (text) => {
      const key = addressKey(text);
      expect(addressKey(text.toUpperCase())).toBe(key);
      expect(addressKey(`  ${text.replaceAll(' ', '  ')} `)).toBe(key);
    }),
    { numRuns: 1_000 },
  );
});
