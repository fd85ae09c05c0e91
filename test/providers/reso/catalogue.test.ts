import { expect, test } from 'vitest';
import { metadata } from '../../../sandbox/reso/metadata.ts';
import { listingGet } from '../../../src/providers/capabilities.ts';
import { readMetadata } from '../../../src/providers/reso/catalogue.ts';
import { provider } from '../../../src/providers/reso/index.ts';
import { rowFields } from '../../../src/providers/reso/listing.ts';
import { openScene } from './scene.ts';

const local = [{ name: 'X_BoatSlipYN', title: 'Boat slip & mooring', type: 'Edm.Boolean' }] as const;
const day = 86_400_000;
const { get } = provider.operations;
const metadataCalls = (calls: { path: string }[]) =>
  calls.filter(({ path }) => path.endsWith('$metadata')).length;

test('fields, resources, links, own names and words are read from EDMX, with EnumTypes and with lookups', () => {
  const given = { local, resources: ['Property', 'Media'], links: ['Media'] };
  const enums = readMetadata(metadata({ ...given, enums: true }), rowFields, 7);
  expect(enums).toMatchObject({
    readAt: 7,
    resources: ['Property', 'Media'],
    links: ['Media'],
    local: { X_BoatSlipYN: 'Boat slip & mooring' },
    lookups: { PropertySubType: 'org.reso.metadata.enums.PropertySubType' },
  });
  expect(enums.words['org.reso.metadata.enums.PropertySubType']).toMatchObject({
    SingleFamilyResidence: 'Single Family Residence',
  });
  const named = readMetadata(metadata({ ...given, enums: false }), rowFields, 7);
  expect(named.lookups).toMatchObject({ StandardStatus: 'StandardStatus' });
  expect(named.fields).not.toHaveProperty('PrivateRemarks');
});

test('a description that grows without end is kept small, and is no trouble to read', () => {
  const many = Array.from({ length: 5_000 }, (_, n) => ({
    name: `X_Field${n}`,
    title: `Title ${n} ${'x'.repeat(500)}`,
    type: 'Edm.String' as const,
  }));
  const read = readMetadata(
    metadata({ local: many, resources: ['Property'], links: [], enums: true }),
    rowFields,
    0,
  );
  expect(Object.keys(read.local)).toHaveLength(40);
  expect(JSON.stringify(read).length).toBeLessThan(64 * 1024);
});

test('it is read once at connecting, not with every question; after a week once more', async () => {
  const scene = await openScene();
  expect(JSON.parse(String(scene.context.fields['catalogue']))).toMatchObject({ version: 1 });
  const one = listingGet.parse({ id: 'ACM20010014' });
  await get.run(scene.context, one);
  await scene.run();
  expect(metadataCalls(scene.asked())).toBe(0);
  scene.clock.advance(8 * day);
  await get.run(scene.context, one);
  await get.run(scene.context, one);
  expect(metadataCalls(scene.asked())).toBe(1);
});

test('only what the server has is asked of it', async () => {
  const scene = await openScene();
  await get.run(scene.context, listingGet.parse({ id: 'ACM20010014' }));
  const [call] = scene.asked();
  const select = call?.query.get('$select')?.split(',') ?? [];
  expect(select).toContain('X_HarborView');
  expect(select).not.toContain('MlgCanUse');
  expect(select).not.toContain('PrivateRemarks');
});

test('a Lookup resource that may not be read leaves values as they stand', async () => {
  const scene = await openScene('plain', { resources: ['Media'] });
  const { local: own } = await get.run(scene.context, listingGet.parse({ id: 'ACM20010014' }));
  expect(own).toMatchObject({ 'Harbor view': 'PRT' });
});

test('what is no service is said when it is connected', async () => {
  const scene = await openScene();
  const body = '<edmx:Edmx><Schema Namespace="x"><EntityType Name="Pets"/></Schema></edmx:Edmx>';
  scene.fail.failNext({ kind: 'garble', body, contentType: 'application/xml' }, '$metadata', 1);
  await expect(provider.probe?.(scene.context)).rejects.toMatchObject({
    code: 'malformed_response',
    message: expect.stringContaining('service root'),
  });
});

test.each([
  [
    { host: 'https://API.mls.example/reso/odata/$metadata' },
    { host: 'api.mls.example', path: '/reso/odata' },
  ],
  [
    { host: 'api.mls.example', path: 'v1/odata/' },
    { host: 'api.mls.example', path: '/v1/odata' },
  ],
  [{ host: 'http://127.0.0.1:8080/odata' }, { host: '127.0.0.1:8080', path: '/odata' }],
])('%j is the service root %j', (given, expected) => {
  expect(provider.fields.parse(provider.complete?.(given) ?? given)).toMatchObject(expected);
});

test.each([
  [{ host: 'api.mls.example', path: '/../admin' }],
  [{ host: 'api.mls.example', path: '/a b' }],
  [{ host: 'user@api.mls.example' }],
  [{ host: 'api.mls.example:8443' }],
])('%j is no service root', (given) => {
  expect(() => provider.fields.parse(provider.complete?.(given) ?? given)).toThrow();
});

test('an address without a service is said to be none', async () => {
  const scene = await openScene();
  const context = { ...scene.context, fields: { ...scene.context.fields, path: '/elsewhere' } };
  await expect(provider.probe?.(context)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('service root'),
  });
});

test('an address in clear text is refused', () => {
  expect(() => provider.complete?.({ host: 'http://api.mls.example/odata' })).toThrow(/https/);
});
