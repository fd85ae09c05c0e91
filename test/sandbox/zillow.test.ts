// The sandbox's listings answer as the API on RapidAPI does, and change on order.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox();
});

afterEach(async () => {
  await sandbox.close();
});

interface Page {
  props: Row[];
  totalResultCount: number;
}

interface Home extends Row {
  url: string;
  priceHistory: { price: number; event: string }[];
}

interface Row {
  zpid: number;
  address: string;
  price: number;
  bedrooms: number;
}

async function ask<Body = Home>(path: string, key: string | undefined = sandbox.zillow.key) {
  const headers: Record<string, string> = key === undefined ? {} : { 'x-rapidapi-key': key };
  const response = await fetch(`${sandbox.zillow.url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Body };
}

test('without its key nothing is told', async () => {
  const response = await fetch(`${sandbox.zillow.url}/property?zpid=20010014`);
  expect(response.status).toBe(401);
  expect((await ask('/property?zpid=20010014', 'another')).status).toBe(403);
});

test('a search keeps to its filters', async () => {
  const { body } = await ask<Page>(
    '/propertyExtendedSearch?location=Port%20Ansel,%20OR&status_type=ForSale&maxPrice=640000&bedsMin=3&home_type=Houses&page=1',
  );
  const found = body.props;
  expect(found.length).toBeGreaterThan(3);
  expect(found.every((row) => row.price <= 640_000 && row.bedrooms >= 3)).toBe(true);
  expect(found.every((row) => row.address.includes('Port Ansel'))).toBe(true);
  expect(found.map((row) => row.zpid)).toContain(20_010_014);
  expect(body.totalResultCount).toBe(found.length);
});

test('rents and sales are different markets', async () => {
  const { body } = await ask<Page>(
    '/propertyExtendedSearch?location=Millrace&status_type=ForRent&rentMaxPrice=2200',
  );
  expect(body.props.map((row) => row.price)).toEqual([2150]);
});

test('a home is found by number, page and address, with its price history', async () => {
  const by = async (query: string) => (await ask(`/property?${query}`)).body;
  const one = await by('zpid=20010014');
  expect(one).toMatchObject({ streetAddress: '14 Heron Court', price: 629_000, homeStatus: 'FOR_SALE' });
  expect(one.priceHistory.map((line) => line.price)).toEqual([629_000, 652_000, 675_000, 318_000]);
  expect((await by(`property_url=${encodeURIComponent(`https://listings.example${one.url}`)}`)).zpid).toBe(
    20_010_014,
  );
  expect((await by(`address=${encodeURIComponent('14 Heron Court, Port Ansel')}`)).zpid).toBe(20_010_014);
  expect((await ask('/property?zpid=1')).status).toBe(404);
});

test('a price changed on order is seen at once, with its line in the history', async () => {
  sandbox.zillow.setPrice(20_010_014, 619_000);
  const { body } = await ask('/priceAndTaxHistory?zpid=20010014');
  expect(body.priceHistory[0]).toMatchObject({ event: 'Price change', price: 619_000 });
  expect((await ask('/property?zpid=20010014')).body.price).toBe(619_000);
});

test('it can be out of quota, out of order, and out of reason', async () => {
  const { faults } = sandbox.zillow;
  faults.failNext({ kind: 'refuse', status: 429, headers: { 'retry-after': '3' }, text: '{}' }, '/property');
  faults.failNext({ kind: 'garble', body: '<html>' }, '/images');
  expect((await ask('/property?zpid=20010014')).status).toBe(429);
  expect((await ask('/property?zpid=20010014')).status).toBe(200);
  await expect(ask('/images?zpid=20010014')).rejects.toThrow();
});

test('an answer that is held back comes once it is let go', async () => {
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  sandbox.zillow.faults.failNext({ kind: 'hold', until }, '/property');
  let answered = false;
  const held = ask('/property?zpid=20010014').then((answer) => {
    answered = true;
    return answer;
  });
  expect((await ask('/images?zpid=20010014')).status).toBe(200);
  expect(answered).toBe(false);
  release();
  expect((await held).status).toBe(200);
});

test('flats to rent are found under the name that the API gives them', async () => {
  const { body } = await ask<Page>(
    '/propertyExtendedSearch?location=Port%20Ansel&status_type=ForRent&home_type=Apartments_Condos_Co-ops',
  );
  expect(body.props.map((row) => row.price)).toEqual([1895]);
});
