// What a text says of a home: its address and its price, and nothing that only looks like one.
import { expect, test } from 'vitest';
import { addressesIn } from '../../../src/memory/properties/addresses-in-text.ts';
import { priceBeside } from '../../../src/memory/properties/prices-in-text.ts';

const lines = (text: string) => addressesIn(text).map((one) => one.address.line);

test.each([
  ['Can we see 14 Heron Court this week?', ['14 heron ct']],
  ['Price change: 19 Foundry Lane #2, Port Ansel, from 355,000', ['19 foundry ln #2']],
  [
    'Flat 3, 12 Oak Street, Clifton, Bristol BS8 1AA and flat 2, 12 Oak Street',
    ['12 oak st #3', '12 oak st #2'],
  ],
  ['Das Haus in der Hauptstraße 5, 10115 Berlin ist frei.', ['5 hauptstr']],
  ['Nous visitons 12 bis rue de la Paix, 75002 Paris demain', ['12bis rue de la paix']],
  ['I drove by 55 Lantern Hill Road, and 8 Sandpiper Way too', ['55 lantern hl rd', '8 sandpiper way']],
  ['meet at 12 oak street at five', ['12 oak st']],
  ['a 10 minute drive, 3 bedrooms, 5 minutes walk from the street', []],
  ['We paid $450,000 Court fees', []],
  ['I walk past Heron Court every day', []],
])('%s', (text, expected) => {
  expect(lines(text)).toEqual(expected);
});

test('a place behind a street belongs to it, and the next clause does not', () => {
  const [first, second, third, fourth] = [
    'New: 14 Heron Court, Port Ansel, OR 97399. 3 bedrooms',
    '14 Heron Court, I think, is small',
    '14 Heron Court, Port Ansel. Breakwater',
    "14 Heron Court, Tobias's favourite",
  ].map((text) => addressesIn(text)[0]?.address);
  expect(first).toMatchObject({ place: ['port', 'ansel'], state: 'or', postal: '97399' });
  expect(second).toMatchObject({ place: [] });
  expect(third).toMatchObject({ place: ['port', 'ansel'] });
  expect(fourth).toMatchObject({ place: [] });
});

function priced(text: string) {
  const all = addressesIn(text);
  return all.map((one) =>
    priceBeside(
      text,
      one,
      all.filter((other) => other !== one),
    ),
  );
}

test.each([
  ['12 Oak Street is back on the market, now asking £450,000.', [450_000, 'GBP', 'seen']],
  ['New listing: 14 Heron Court, 675,000', [675_000, undefined, 'listed']],
  [
    'Price change: 14 Heron Court, Port Ansel, from 675,000 to 652,000 (-3.4 percent).',
    [652_000, undefined, 'price change'],
  ],
  ['I saw it before you: 14 Heron Court is down to 629,000!', [629_000, undefined, 'price change']],
  ['14 Heron Court is at 629,000 as of this morning. More soon.', [629_000, undefined, 'seen']],
  ['12 Oak Street (€1.25m) is for sale', [1_250_000, 'EUR', 'seen']],
  ['12 Oak Street is listed at $512,000.00 now', [512_000, 'USD', 'listed']],
  ['12 Oak Street sold for $512,000 yesterday', [512_000, 'USD', 'sold']],
  ['12 Oak Street is still there. Now asking £450k.', [450_000, 'GBP', 'seen']],
  ['Guide price £600,000 for 3 Elm Grove', [600_000, 'GBP', 'seen']],
  ['Hauptstraße 5, 10115 Berlin: Kaufpreis 450.000 €', [450_000, 'EUR', 'seen']],
])('a price is read from: %s', (text, [price, currency, event]) => {
  expect(priced(text)).toEqual([{ price, currency, event }]);
});

test.each([
  'Our budget is £450,000, so 12 Oak Street is out',
  'We would offer $450,000 for 12 Oak Street',
  'Would they take 450,000 for 12 Oak Street?',
  '12 Oak Street has 1,640 sq ft and 12,000 miles of wires',
  '12 Oak Street rents at $12,000 a month',
  'The deposit of $45,000 for 12 Oak Street is paid',
  'If 12 Oak Street were listed at $450,000 I should take it',
  '12 Oak Street is worth 450,000 to nobody',
  'We can go up to 640,000 and like 12 Oak Street',
  'Call 555 010 200 about 12 Oak Street',
  'Commission for 12 Oak Street, 17,812.50, was sent today.',
  'The invoice for 12 Oak Street is $24,000',
])('no price is read from: %s', (text) => {
  expect(priced(text)).toEqual([undefined]);
});

test('of two homes in one sentence each has its own price', () => {
  expect(priced('12 Oak Street is listed at $450,000 and 14 Oak Street at $470,000')).toMatchObject([
    { price: 450_000 },
    { price: 470_000 },
  ]);
});

test('hostile text takes no time', () => {
  // The processor's time: a crowded machine gives the rest to others.
  const began = process.cpuUsage();
  for (const text of [
    '1 A'.repeat(30_000),
    '12 '.repeat(30_000),
    `1 ${'Aa '.repeat(30_000)}`,
    '1,'.repeat(50_000),
  ]) {
    for (const one of addressesIn(text)) priceBeside(text, one, []);
  }
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(2_000);
});
