// The name of the local pages: its own where browsers find it, localhost where they would not, and never a
// name that a resolver sends elsewhere.
import { expect, test } from 'vitest';
import { findLocalName, localOrigin, ownOrigin } from '../../src/http/origin.ts';

const answering =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address }));
const unknownName = async () => {
  throw new Error('ENOTFOUND');
};

test('where the system or the browsers know the name, the pages have it', async () => {
  const own = { name: 'drawbridge.localhost', note: undefined };
  expect(await findLocalName('darwin', answering('127.0.0.1', '::1'))).toEqual(own);
  expect(await findLocalName('linux', unknownName)).toEqual(own);
  expect(await findLocalName('win32', unknownName)).toEqual(own);
});

test('where Safari would not find the name, the pages are at localhost, and it is said', async () => {
  const pages = await findLocalName('darwin', unknownName);
  expect(pages.name).toBe('localhost');
  expect(pages.note).toContain('does not resolve');
});

test('a resolver that sends the name elsewhere is not followed', async () => {
  for (const addresses of [['203.0.113.9'], ['127.0.0.1', '203.0.113.9']]) {
    const pages = await findLocalName('linux', answering(...addresses));
    expect(pages.name).toBe('localhost');
    expect(pages.note).toContain('203.0.113.9');
  }
});

test('addresses are written as browsers write them', () => {
  expect(localOrigin(7331)).toBe('http://drawbridge.localhost:7331');
  expect(localOrigin(80, 'localhost')).toBe('http://localhost');
  expect(ownOrigin('LOCALHOST:7331', 7331, undefined)).toEqual({
    origin: 'http://localhost:7331',
    secure: false,
  });
  expect(ownOrigin('localhost', 80, undefined)?.origin).toBe('http://localhost');
  expect(ownOrigin('localhost:7331', undefined, undefined)).toBeUndefined();
  expect(ownOrigin('bridge.example.com:8443', 7331, 'https://bridge.example.com')).toBeUndefined();
  expect(ownOrigin('bridge.example.com', 7331, 'https://bridge.example.com/')).toEqual({
    origin: 'https://bridge.example.com',
    secure: true,
  });
});
