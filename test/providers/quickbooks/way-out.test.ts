// The official client is there for the token calls alone, and is loaded with the first of them.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { provider } from '../../../src/providers/quickbooks/index.ts';
import { contextOver } from '../context.ts';

afterEach(() => vi.unstubAllGlobals());

const invoice = {
  Id: '1',
  SyncToken: '0',
  CustomerRef: { value: '1', name: 'Ada' },
  TotalAmt: 1,
  Balance: 1,
  MetaData: { LastUpdatedTime: '2026-01-01T00:00:00-08:00' },
};
const customer = { Id: '1', DisplayName: 'Ada' };
const which = { id: '1', customer: 'Ada' };
const sale = {
  customer: { id: '1', name: 'Ada' },
  currency: 'USD',
  date: '2026-01-05',
  lines: [{ item: { id: '1', name: 'Work' }, quantity: 1, unitPrice: 1 }],
};
const samples: Record<string, unknown> = {
  'create-customer': { name: 'Bea' },
  'create-invoice': sale,
  'create-estimate': sale,
  'record-payment': { customer: sale.customer, amount: 1, currency: 'USD', date: '2026-01-05' },
  'send-invoice': { invoice: which, to: 'a@b.example' },
  'update-invoice': { invoice: which, syncToken: '0', note: 'n' },
  'delete-estimate': { paper: which, syncToken: '0', total: 1, currency: 'USD' },
  'void-payment': {
    paper: { id: which.id, customer: which.customer },
    syncToken: '0',
    total: 1,
    currency: 'USD',
  },
  'void-invoice': { invoice: which, syncToken: '0', total: 1, currency: 'USD' },
};

test('every operation and feed leaves by the context, without a credential of its own', async () => {
  const trap = vi.fn(() => Promise.reject(new Error('past the door')));
  vi.stubGlobal('fetch', trap);
  const { context, asked } = contextOver(
    () => ({
      CompanyInfo: { CompanyName: 'Tidewell' },
      Customer: customer,
      Invoice: invoice,
      Estimate: invoice,
      Payment: invoice,
      QueryResponse: { Item: [{ Id: '1', Name: 'Work' }], Invoice: [invoice] },
      CDCResponse: [{ QueryResponse: [{}] }],
    }),
    { fields: { ...provider.fields.parse({}), realm: '77' } },
  );
  for (const [name, operation] of Object.entries<
    (typeof provider.operations)[keyof typeof provider.operations]
  >(provider.operations)) {
    const input = operation.input.parse(
      samples[name] ?? (name.startsWith('get-') && name !== 'get-company' ? { id: '1' } : {}),
    );
    await (operation.run as (context: unknown, input: unknown) => Promise<unknown>)(context, input);
  }
  for (const feed of Object.values(provider.feeds)) {
    for await (const _page of feed.pages(context, undefined));
  }
  expect(trap).not.toHaveBeenCalled();
  expect(asked.length).toBeGreaterThan(25);
  for (const { url, headers, method, idempotent, gate } of asked) {
    expect(url).toMatch(/^https:\/\/quickbooks\.api\.intuit\.com\/v3\/company\/77\/.*minorversion=75$/);
    expect(headers).not.toHaveProperty('authorization');
    // Nothing that writes is repeated by the door, nor goes before the gate.
    if (method === 'POST') expect([idempotent, gate]).toEqual([false, 'open']);
  }
});

test('nothing of the client is loaded with the provider, nor by a read', async () => {
  const index = new URL('../../../src/providers/quickbooks/index.ts', import.meta.url).href;
  const program = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load(url, context, next) { if (url.includes('/intuit-oauth/')) seen.push(url); return next(url, context); } });
    const { provider } = await import(${JSON.stringify(index)});
    const context = { fields: { host: 'a.example', realm: '1' }, fetch: async () => new Response('{}'), clock: { now: () => 0 } };
    await provider.operations['get-company'].run(context, {}).catch(() => {});
    const before = seen.length;
    const call = { app: { clientId: 'c' }, fields: {}, within: (work) => work(), callback: new URL('http://localhost/?code=c'), redirectUri: '' };
    await provider.auth.official.exchange({ ...call, within: async () => { await import('intuit-oauth'); throw new Error('seen'); } }).catch(() => {});
    console.log(JSON.stringify({ before, after: seen.length > 0 }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(JSON.parse(stdout)).toEqual({ before: 0, after: true });
});
