// The official client leaves by the context alone: it holds no credential, loads nothing before it is used,
// and has no other way to the network.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { provider } from '../../../src/providers/hubspot/index.ts';
import { contextOver } from '../context.ts';

afterEach(() => vi.unstubAllGlobals());

const object = {
  id: '7',
  properties: {},
  createdAt: '2026-01-01T00:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  archived: false,
};
const page = { total: 0, results: [] };

test('every operation and feed leaves by the context, without a credential of its own', async () => {
  const trap = vi.fn(() => Promise.reject(new Error('past the door')));
  vi.stubGlobal('fetch', trap);
  const { context, asked } = contextOver((request, { pathname }) => {
    if (request.method === 'DELETE') return new Response(null, { status: 204 });
    if (/\/(search|batch\/read)$/.test(pathname)) return page;
    if (/\/associations\//.test(pathname)) return page;
    if (/\/\d+$/.test(pathname)) return object;
    return request.method === 'GET'
      ? page
      : new Response(JSON.stringify(object), {
          status: 201,
          headers: { 'content-type': 'application/json' },
        });
  });
  for (const [name, operation] of Object.entries(provider.operations)) {
    const input = operation.input.parse(samples(name));
    if (operation.effect === 'read') await operation.run(context, input);
    else await operation.run(context, input);
  }
  for (const feed of Object.values(provider.feeds)) {
    for await (const _page of feed.pages(context, undefined));
  }
  expect(trap).not.toHaveBeenCalled();
  expect(asked.length).toBeGreaterThanOrEqual(37 + 10);
  for (const { url, headers } of asked) {
    expect(new URL(url).origin).toBe('https://api.hubapi.com');
    expect(headers).not.toHaveProperty('authorization');
    expect(url).not.toMatch(/hapikey|access_token/i);
  }
});

test('what may be made again is marked so: reads, searches and batches, and no write', async () => {
  const { context, asked } = contextOver((request) =>
    request.method === 'GET' || request.url.endsWith('/search')
      ? page
      : new Response(JSON.stringify(object), {
          status: 201,
          headers: { 'content-type': 'application/json' },
        }),
  );
  const run = (name: string) => {
    const operation = provider.operations[name];
    if (operation === undefined) throw new Error(name);
    const input = operation.input.parse(samples(name));
    return operation.effect === 'read' ? operation.run(context, input) : operation.run(context, input);
  };
  await run('search-contacts');
  await run('create-note');
  expect(asked.map(({ idempotent, gate }) => [idempotent, gate])).toEqual([
    [true, 'shut'],
    [false, 'open'],
  ]);
});

test('nothing of the client is loaded with the provider, and little of it with the first call', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load(url, context, next) { if (url.includes('@hubspot/api-client')) seen.push(url); return next(url, context); } });
    const { provider } = await import(${JSON.stringify(new URL('../../../src/providers/hubspot/index.ts', import.meta.url).href)});
    const before = seen.filter((url) => url.includes('/codegen/')).length;
    await provider.operations['get-contact'].run({ fields: {}, fetch: async () => new Response('{}') }, { id: '1' }).catch(() => {});
    const parts = new Set(seen.flatMap((url) => /codegen\\/crm\\/(objects|associations\\/v4|[a-z]+)\\//.exec(url)?.[1] ?? []));
    console.log(JSON.stringify({ before, parts: [...parts].sort(), whole: seen.some((url) => url.endsWith('/lib/index.js')) }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(JSON.parse(stdout)).toEqual({ before: 0, parts: ['associations/v4', 'objects'], whole: false });
});

function samples(name: string): unknown {
  const [verb, one, what] = name.split('-');
  if (what === 'pipelines') return {};
  if (verb === 'search') return {};
  if (verb === 'list') return { id: '1', to: 'deals' };
  if (verb === 'associate') return { id: '1', to: one === 'contact' ? 'deals' : 'contacts', toId: '2' };
  if (verb === 'update') return { id: '1', properties: { custom: 'x' } };
  if (verb !== 'create') return { id: '1' };
  return {
    contact: { email: 'a@b.example' },
    company: { name: 'n' },
    deal: { dealname: 'n', dealstage: 's' },
    note: { text: 't' },
    ticket: { subject: 's', hs_pipeline_stage: '1' },
  }[one ?? ''];
}
