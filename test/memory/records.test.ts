// Records by their facts: said in words, found by them, and kept as they came.
import { describe, expect, test } from 'vitest';
import { readStructured } from '../../src/memory/normalise/structured.ts';
import type { DocumentKind, Structured } from '../../src/providers/record.ts';
import { json } from './ground.ts';

const read = (kind: DocumentKind, record: Structured) => readStructured(json('x', kind, record).raw, kind);

describe('a record is said in words', () => {
  test.each<[DocumentKind, Record<string, unknown>, string, string]>([
    [
      'deal',
      {
        id: '1',
        currency: 'EUR',
        amount: 12500,
        closeDate: '2026-03-02T00:00:00Z',
        stage: 'Negotiation',
        name: 'Loft',
      },
      'Loft',
      'Name: Loft\nStage: Negotiation\nAmount: 12500 EUR\nClose date: 2026-03-02',
    ],
    [
      'invoice',
      {
        number: 'INV-7',
        total: { amount: 1250.5, currency: 'usd' },
        due: '2026-04-01',
        lines: [
          { description: 'Survey', quantity: 2, price: 500 },
          { description: 'Travel', price: 250.5 },
        ],
        customer: { name: 'Lake Realty', id: 'c9' },
        currency: 'USD',
      },
      'Invoice INV-7',
      'Number: INV-7\nCustomer: Lake Realty\nTotal: 1250.5 USD\nDue: 2026-04-01\nLines: Description Survey, Quantity 2, Price 500 USD\nLines: Description Travel, Price 250.5 USD',
    ],
    [
      'payment',
      {
        number: 12,
        amount: 99,
        currency: 'GBP',
        payer: 'Anna Berg',
        date: 1772445600000,
        invoices: ['INV-7', 'INV-8'],
      },
      'Payment 12',
      'Number: 12\nAmount: 99 GBP\nPayer: Anna Berg\nDate: 2026-03-02 10:00 UTC\nInvoices: INV-7, INV-8',
    ],
    [
      'ticket',
      {
        number: 'T-3',
        subject: 'Heating is cold',
        status: 'open',
        priority: 'high',
        created_at: '2026-03-02T08:00:00Z',
      },
      'Heating is cold',
      'Number: T-3\nSubject: Heating is cold\nStatus: open\nPriority: high\nCreated at: 2026-03-02 08:00 UTC',
    ],
    [
      'order',
      {
        number: 'O-1',
        items: [{ name: 'Chair', quantity: 4 }],
        status: 'shipped',
        total: 80,
        currency: 'EUR',
      },
      'Order O-1',
      'Number: O-1\nStatus: shipped\nTotal: 80 EUR\nItems: Name Chair, Quantity 4',
    ],
    [
      'metric',
      {
        metric: 'Visits',
        value: 1200,
        unit: 'visits',
        from: '2026-02-01',
        to: '2026-02-28',
        site: 'lake.test',
      },
      'Visits',
      'Metric: Visits\nSite: lake.test\nValue: 1200\nUnit: visits\nFrom: 2026-02-01\nTo: 2026-02-28',
    ],
    [
      'company',
      { domain: 'lake.test', name: 'Lake Realty', isCustomer: true },
      'Lake Realty',
      'Name: Lake Realty\nDomain: lake.test\nIs customer: yes',
    ],
  ])('%s', (kind, facts, title, text) => {
    const found = read(kind, { facts });
    expect(found.title).toBe(title);
    expect(found.text).toBe(text);
    expect(found.facts).toEqual(facts);
  });

  test('its notes stand below its facts; a text of its provider’s own stands alone', () => {
    const facts = { stage: 'Won' };
    expect(read('deal', { facts, notes: 'Called twice.' }).text).toBe('Stage: Won\n\nCalled twice.');
    expect(read('deal', { facts, text: 'Won it.' }).text).toBe('Won it.');
  });

  test('a contact without people is known by the addresses in its facts', () => {
    const facts = { name: 'Anna Berg', emails: ['Anna@Berg.test', 'no address'] };
    expect(read('contact', { facts }).people).toEqual([
      { address: 'anna@berg.test', name: 'Anna Berg', role: 'contact' },
    ]);
  });

  test('its time is the one that its facts give', () => {
    expect(read('invoice', { facts: { issued: '2026-03-02' } }).writtenAt).toBe(Date.UTC(2026, 2, 2));
    expect(read('invoice', { facts: { issued: '2026-03-02' }, at: 5 }).writtenAt).toBe(5);
    expect(read('invoice', { facts: { date: 'soon' } }).writtenAt).toBeUndefined();
  });

  test('however deep or large its facts are, the words end', () => {
    let deep: Record<string, unknown> = { x: 1 };
    for (let i = 0; i < 200; i += 1) deep = { [`level${i}`]: deep, note: i };
    expect(read('deal', { facts: deep }).text.split('\n').length).toBeLessThan(10);
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`field ${i}`, i]));
    expect(read('deal', { facts: many }).text.split('\n')).toHaveLength(500);
  });
});

test('a listing says its prices over time', () => {
  const facts = {
    id: 'z1',
    address: '12 Oak St',
    price: 480000,
    currency: 'USD',
    priceHistory: [
      { at: Date.UTC(2026, 0, 5), event: 'listed', price: 500000 },
      { at: Date.UTC(2026, 1, 7), event: 'price change', price: 480000 },
    ],
  };
  expect(read('listing', { facts }).text).toBe(
    '12 Oak St · price 480000 USD\n\nPrice history:\n2026-02-07 price change 480000 USD\n2026-01-05 listed 500000 USD',
  );
});

test('a transcript’s turns say who spoke and when, counted from the first', () => {
  const turns = [
    { speaker: 'Anna', at: '2026-03-02T10:00:00Z', text: 'We saw the roof.' },
    { speaker: 'Bob', at: '2026-03-02T10:12:03Z', text: 'And?' },
    { speaker: 'Anna', text: 'It leaks.' },
  ];
  const found = read('transcript', { turns });
  expect(found.text).toBe('[00:00:00] Anna: We saw the roof.\n[00:12:03] Bob: And?\nAnna: It leaks.');
  expect(found.writtenAt).toBe(Date.UTC(2026, 2, 2, 10));
});
