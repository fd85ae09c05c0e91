import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readRequest, writeRequest } from '../../src/providers/declared.ts';
import { EffectRefused } from '../../src/providers/define.ts';
import type { Http } from '../../src/providers/http.ts';
import { addressOf, send, sendWrite } from '../../src/providers/request.ts';
import { fillUrl } from '../../src/providers/template.ts';
import { Secret } from '../../src/secret.ts';
import { door, serve } from '../egress/wire.ts';
import { contextOver } from './context.ts';

const http: Http = { baseUrl: 'https://api.example.com/v3', headers: { 'api-version': '2' } };
const thing = z.object({ id: z.string() });

describe('what leaves', () => {
  test('is the declared request: address, version header, query, JSON body', async () => {
    const { context, asked } = contextOver(() => ({ id: '7' }));
    const answer = await send(context, http, {
      method: 'POST',
      path: '/boxes/{box}/things',
      params: { box: 'a/b' },
      query: { limit: 5, tag: ['x', 'y&z'], absent: undefined },
      body: { name: 'ü' },
      output: thing,
    });
    expect(answer).toEqual({ id: '7' });
    expect(asked).toEqual([
      {
        method: 'POST',
        url: 'https://api.example.com/v3/boxes/a%2Fb/things?limit=5&tag=x&tag=y%26z',
        headers: { accept: 'application/json', 'content-type': 'application/json', 'api-version': '2' },
        body: '{"name":"ü"}',
        idempotent: undefined,
        gate: 'shut',
      },
    ]);
  });

  test('bytes go as they are, and are called that', async () => {
    const { context, asked } = contextOver(() => ({ id: '7' }));
    const bytes = Buffer.from('{"not": json');
    await sendWrite(context, http, { method: 'POST', path: '/x', bytes, output: thing });
    expect(asked).toMatchObject([
      { headers: { 'content-type': 'application/octet-stream' }, body: '{"not": json', gate: 'open' },
    ]);
  });

  test('goes through the door, and an answer with nothing in it is nothing', async () => {
    const wire = await serve((_request, response) => response.writeHead(204).end());
    const { fetch } = door();
    const { context } = contextOver(() => undefined, { fetch });
    const own: Http = { baseUrl: wire.url };
    expect(await send(context, own, { method: 'DELETE', path: '/x', output: z.undefined() })).toBeUndefined();
    expect(wire.seen.map(({ method, url, body }) => [method, url, body])).toEqual([['DELETE', '/x', '']]);
  });

  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '/',
        '\\',
        '.',
        '%',
        '2',
        'e',
        'f',
        '?',
        '#',
        '@',
        ':',
        ' ',
        '\n',
        '{',
        '}',
        '\0',
      ),
    }),
  );

  test('injection: whatever stands in a path or a query, host, segments and parameters stay', () => {
    fc.assert(
      fc.property(hostile, hostile, (id, q) => {
        let url: URL;
        try {
          url = addressOf({ fields: {} }, http, {
            path: '/things/{id}/parts',
            params: { id },
            query: { q, last: 1 },
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request', field: 'id' });
          return;
        }
        expect(url.origin).toBe('https://api.example.com');
        expect(url.username + url.password + url.hash).toBe('');
        const segments = url.pathname.split('/');
        expect(segments).toHaveLength(5);
        expect([segments[1], segments[2], segments[4]]).toEqual(['v3', 'things', 'parts']);
        expect(decodeURIComponent(segments[3] ?? '')).toBe(id);
        expect([...url.searchParams]).toEqual([
          ['q', q.toWellFormed()],
          ['last', '1'],
        ]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('injection: whatever stands in a host, it stays below the declared domain', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.domain(), fc.ipV4()), (shop) => {
        let url: URL;
        try {
          url = fillUrl('https://{shop}.shops.example/admin/{shop}', { shop });
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
          return;
        }
        expect(url.hostname.endsWith('.shops.example')).toBe(true);
        expect([url.protocol, url.port, url.username]).toEqual(['https:', '', '']);
        expect(url.pathname.split('/')).toHaveLength(3);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['', '.', '..', '\ud800'])('a path segment may not be %j', (id) => {
    const wanted = { path: '/things/{id}', params: { id } };
    expect(() => addressOf({ fields: {} }, http, wanted)).toThrow(
      expect.objectContaining({ code: 'invalid_request', field: 'id' }),
    );
  });

  test.each(['127.0.0.1:4010', 'localhost', '[::1]:80'])(
    'one field that is the whole host may name this machine, in clear text: %s',
    (host) => {
      expect(fillUrl('https://{host}/v1', { host }).href).toBe(new URL(`http://${host}/v1`).href);
      expect(() => fillUrl('https://api.{host}/v1', { host: `${host}:1` })).toThrow('part of a host name');
    },
  );

  test.each(['127.0.0.1:4010/x', '127.0.0.1:4010@evil.example', '127.0.0.1.evil.example:80', '10.0.0.1:80'])(
    'nothing else with a port or a path may: %s',
    (host) => {
      expect(() => fillUrl('https://{host}/v1', { host })).toThrow('part of a host name');
    },
  );

  test('injection: a field in a header cannot begin another header', async () => {
    const own: Http = { baseUrl: 'https://api.example.com', headers: { 'x-shop': 'shop {shop}' } };
    const ask = (shop: string) => {
      const { context, asked } = contextOver(() => ({ id: '1' }), { fields: { shop } });
      return { asked, run: send(context, own, { method: 'GET', path: '/x', output: thing }) };
    };
    const fine = ask('a b');
    await fine.run;
    expect(fine.asked[0]?.headers['x-shop']).toBe('shop a b');
    for (const shop of ['a\r\nx-other: 1', 'a\n', '\0', 'ü', '', ' ']) {
      const { asked, run } = ask(shop);
      await expect(run).rejects.toMatchObject({ code: 'invalid_request', field: 'shop' });
      expect(asked).toEqual([]);
    }
  });

  test('what only the prototype has fills no placeholder', () => {
    expect(() => addressOf({ fields: {} }, http, { path: '/{constructor}', params: {} })).toThrow(
      expect.objectContaining({ field: 'constructor' }),
    );
  });

  test('a path that climbs out of the base is refused', () => {
    expect(() => addressOf({ fields: {} }, http, { path: '/../admin' })).toThrow('unusable path');
    expect(() => addressOf({ fields: {} }, http, { path: '/x?all=1' })).toThrow('unusable path');
  });
});

describe('what comes back', () => {
  const ask = (response: Response, own: Partial<Http> = {}) => {
    const { context } = contextOver(() => response);
    return send(context, { ...http, ...own }, { method: 'GET', path: '/x', output: thing });
  };

  test.each([
    [400, 'invalid_request', 'never'],
    [401, 'auth_expired', 'reconnect'],
    [403, 'permission_denied', 'never'],
    [404, 'not_found', 'never'],
    [409, 'conflict', 'never'],
    [410, 'not_found', 'never'],
    [422, 'invalid_request', 'never'],
    [429, 'rate_limited', 'later'],
    [500, 'provider_unavailable', 'later'],
    [503, 'provider_unavailable', 'later'],
    [304, 'invalid_request', 'never'],
  ])('status %i is %s', async (status, code, retry) => {
    const body = status === 304 ? null : '{}';
    await expect(ask(new Response(body, { status }))).rejects.toMatchObject({ code, retry });
  });

  test('Retry-After is told on, in seconds or as a date', async () => {
    const limited = (value: string) =>
      ask(new Response('', { status: 429, headers: { 'retry-after': value } }));
    await expect(limited('7')).rejects.toMatchObject({ retryAfterMs: 7_000 });
    await expect(limited('Mon, 05 Jan 2026 12:01:00 GMT')).rejects.toMatchObject({ retryAfterMs: 60_000 });
    await expect(limited('soon')).rejects.toMatchObject({ retryAfterMs: undefined });
  });

  test("a provider's own refusal decides, also with status 200", async () => {
    const refusal: NonNullable<Http['refusal']> = ({ body }) =>
      JSON.stringify(body).includes('ratelimited')
        ? { code: 'rate_limited', message: 'slow down', retryAfterMs: 5 }
        : undefined;
    await expect(ask(Response.json({ ok: false, error: 'ratelimited' }), { refusal })).rejects.toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 5,
      message: 'api.example.com refused the request (200). It says: slow down',
    });
  });

  test('our own advice stands in place of the standard sentence', async () => {
    const refusal = () => ({
      code: 'permission_denied' as const,
      retry: 'ask' as const,
      advice: 'Pay first.',
    });
    await expect(ask(new Response('', { status: 403 }), { refusal })).rejects.toMatchObject({
      message: 'Pay first.',
      retry: 'ask',
    });
  });

  test("a provider's words are one bounded line, without what cannot be seen and without a secret", async () => {
    new Secret('echoed-token-1234567');
    const message = `no:\n\u202eechoed-token-1234567\u200b${'x'.repeat(500)}`;
    const refusal = () => ({ code: 'invalid_request' as const, message });
    const error = await ask(Response.json({}), { refusal }).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(Error);
    const said = error instanceof Error ? error.message : '';
    expect(said).toMatch(/^[ -~…]+$/);
    expect(said).toContain('no: [secret]xxx');
    expect(said.length).toBeLessThan(400);
  });

  test.each([
    ['another shape', Response.json({ id: 7 })],
    ['a text', new Response('<html>')],
    ['nothing', new Response(null, { status: 204 })],
    ['half an answer', new Response('{"id":"7"', { headers: { 'content-type': 'application/json' } })],
  ])('%s is malformed', async (_what, response) => {
    await expect(ask(response)).rejects.toMatchObject({ code: 'malformed_response' });
  });

  test('half an answer is malformed even where anything would do', async () => {
    const { context } = contextOver(
      () => new Response('{"a":', { headers: { 'content-type': 'application/problem+json' } }),
    );
    await expect(
      send(context, http, { method: 'GET', path: '/x', output: z.unknown() }),
    ).rejects.toMatchObject({ code: 'malformed_response' });
  });
});

describe('a write', () => {
  const write = (answer: () => unknown, idempotent?: boolean) => {
    const made = contextOver(answer);
    const run = sendWrite(made.context, http, {
      method: 'PUT',
      path: '/things/{id}',
      params: { id: '1' },
      body: {},
      output: thing,
      ...(idempotent === undefined ? {} : { idempotent }),
    });
    return { ...made, run };
  };

  test('leaves after the gate has opened, and is not to be repeated', async () => {
    const { asked, run } = write(() => ({ id: '1' }));
    await run;
    expect(asked).toMatchObject([{ gate: 'open', idempotent: false }]);
  });

  test('does not leave when the gate stays shut', async () => {
    const { context, asked } = contextOver(() => ({ id: '1' }), {
      aboutToSend: () => Promise.reject(new Error('lease lost')),
    });
    const run = sendWrite(context, http, { method: 'POST', path: '/x', output: thing });
    await expect(run).rejects.toThrow('lease lost');
    expect(asked).toEqual([]);
  });

  test.each([400, 401, 403, 404, 409, 422, 429])('answered with %i did not happen', async (status) => {
    const { run } = write(() => new Response('', { status }));
    await expect(run).rejects.toBeInstanceOf(EffectRefused);
  });

  test.each([
    ['408', new Response('', { status: 408 })],
    ['500', new Response('', { status: 500 })],
    ['503', new Response('', { status: 503 })],
    ['something unreadable', Response.json({ ok: true })],
  ])('answered with %s may have happened', async (_what, response) => {
    const { run } = write(() => response);
    await expect(run).rejects.toMatchObject({ name: 'DrawbridgeError' });
  });

  test('that the door may repeat and that meets a conflict may have met itself', async () => {
    const { run } = write(() => new Response('', { status: 409 }), true);
    await expect(run).rejects.toMatchObject({ name: 'DrawbridgeError', code: 'conflict' });
  });
});

describe('a declared operation', () => {
  const read = readRequest(http, {
    title: 'Find',
    input: z.object({ box: z.string(), words: z.string() }),
    method: 'POST',
    path: '/boxes/{box}/search',
    body: ({ words }) => ({ words }),
    answer: z.object({ hits: z.array(thing) }),
    result: ({ hits }) => hits.map(({ id }) => id),
  });
  const write = writeRequest(http, {
    effect: 'create',
    version: 1,
    title: 'Make',
    input: z.object({ box: z.string(), name: z.string() }),
    summary: ({ name }) => `Make ${name}`,
    idempotency: 'provider-key',
    lookUp: async () => ({ found: false, conclusive: false, evidence: 'none' }),
    method: 'POST',
    path: '/boxes/{box}/things',
    query: (_payload, { effectKey }) => ({ requestid: effectKey }),
    body: ({ name }) => ({ name }),
    answer: thing,
    outcome: ({ id }) => ({ reference: id, details: {} }),
  });

  test('that reads may be repeated, whatever its method', async () => {
    const { context, asked } = contextOver(() => ({ hits: [{ id: '1' }, { id: '2' }] }));
    expect(await read.run(context, { box: 'a b', words: 'x' })).toEqual(['1', '2']);
    expect(asked).toMatchObject([
      {
        method: 'POST',
        url: 'https://api.example.com/v3/boxes/a%20b/search',
        body: '{"words":"x"}',
        idempotent: true,
      },
    ]);
    expect(read.effect).toBe('read');
  });

  test('that writes goes through the gate once, under the key of its effect', async () => {
    const { context, asked } = contextOver(() => ({ id: '9' }));
    expect(await write.run(context, { box: 'a', name: 'n' })).toEqual({ reference: '9', details: {} });
    expect(asked).toMatchObject([
      {
        url: 'https://api.example.com/v3/boxes/a/things?requestid=key_of_the_effect',
        gate: 'open',
        idempotent: false,
      },
    ]);
  });

  test('whose input cannot stand in the address asks nobody and opens no gate', async () => {
    const { context, asked } = contextOver(() => ({}), {
      aboutToSend: () => Promise.reject(new Error('opened')),
    });
    await expect(write.run(context, { box: '..', name: 'n' })).rejects.toMatchObject({ field: 'box' });
    expect(asked).toEqual([]);
  });
});
