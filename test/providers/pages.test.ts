import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Http, Paging } from '../../src/providers/http.ts';
import { pages } from '../../src/providers/pages.ts';
import { contextOver } from './context.ts';

const http: Http = { baseUrl: 'https://api.example.com/v1' };
const items = z.looseObject({ items: z.array(z.number()) });

type Shape = {
  next?: string;
  more?: boolean;
  items?: unknown[];
  total?: number;
  page?: { endCursor: string | null; hasNextPage: boolean };
};
const of = (body: unknown) => body as Shape;

/** The provider of a test: 7 records in pages of 3, told in every way that there is. */
const all = [1, 2, 3, 4, 5, 6, 7];
const cut = (from: number, size = 3) => all.slice(from, from + size);

interface Kind {
  paging: Paging;
  answer(request: Request, url: URL, body: Record<string, unknown>): unknown;
}

const kinds: Record<string, Kind> = {
  'a cursor in the query': {
    paging: { kind: 'cursor', parameter: 'pageToken', next: (body) => of(body).next },
    answer: (_request, url) => {
      const from = Number(url.searchParams.get('pageToken')?.slice(1) ?? 0);
      return { items: cut(from), ...(from + 3 < 7 ? { next: `t${from + 3}` } : {}) };
    },
  },
  'a cursor in the body': {
    paging: { kind: 'cursor', parameter: 'after', in: 'body', next: (body) => of(body).next },
    answer: (_request, _url, body) => {
      const from = Number(body['after'] ?? 0);
      return { items: cut(from), next: from + 3 < 7 ? `${from + 3}` : '' };
    },
  },
  'page numbers from 0': {
    paging: { kind: 'page', parameter: 'page', first: 0, more: (body) => of(body).more === true },
    answer: (_request, url) => {
      const page = Number(url.searchParams.get('page'));
      return { items: cut(page * 3), more: page < 2 };
    },
  },
  'page numbers from 1': {
    paging: { kind: 'page', parameter: 'page', first: 1, more: (body) => of(body).more === true },
    answer: (_request, url) => {
      const page = Number(url.searchParams.get('page'));
      return { items: cut((page - 1) * 3), more: page < 3 };
    },
  },
  'offsets, ending at a short page': {
    paging: {
      kind: 'offset',
      parameter: 'skip',
      size: { parameter: 'limit', value: 3 },
      count: (body) => of(body).items?.length ?? 0,
    },
    answer: (_request, url) => ({
      items: cut(Number(url.searchParams.get('skip')), Number(url.searchParams.get('limit'))),
    }),
  },
  'offsets with a total, from a server that gives fewer than asked': {
    paging: {
      kind: 'offset',
      parameter: 'skip',
      size: { parameter: 'limit', value: 100 },
      count: (body) => of(body).items?.length ?? 0,
      total: (body) => of(body).total,
    },
    answer: (_request, url) => ({ items: cut(Number(url.searchParams.get('skip'))), total: 7 }),
  },
  'links in a header': {
    paging: { kind: 'link' },
    answer: (_request, url) => {
      const from = Number(url.searchParams.get('from') ?? 0);
      const links = [
        '<https://api.example.com/v1/things?from=0>; rel="first"; title="a, b"',
        ...(from + 3 < 7 ? [`</v1/things?from=${from + 3}&q=a,b>; title="x"; rel="next last"`] : []),
      ];
      return Response.json({ items: cut(from) }, { headers: { link: links.join(', ') } });
    },
  },
  'OData links': {
    paging: { kind: 'odata' },
    answer: (_request, url) => {
      const from = Number(url.searchParams.get('$skiptoken') ?? 0);
      const next = `https://api.example.com/v1/things?$skiptoken=${from + 3}`;
      return { items: cut(from), ...(from + 3 < 7 ? { '@odata.nextLink': next } : {}) };
    },
  },
  'a GraphQL variable': {
    paging: {
      kind: 'graphql',
      variable: 'after',
      pageInfo: (body) => of(body).page ?? { endCursor: null, hasNextPage: false },
    },
    answer: (_request, _url, body) => {
      const { after } = body['variables'] as { after?: string };
      const from = Number(after ?? 0);
      return { items: cut(from), page: { endCursor: `${from + 3}`, hasNextPage: from + 3 < 7 } };
    },
  },
};

function list(kind: Kind, from?: string, signal?: AbortSignal) {
  const made = contextOver(
    (request, url) => {
      const last = made.asked.at(-1)?.body;
      return kind.answer(request, url, typeof last === 'string' ? JSON.parse(last) : {});
    },
    signal === undefined ? {} : { signal },
  );
  const request = {
    method: 'POST',
    path: '/things',
    query: { q: 'a' },
    body: { query: 'all', variables: { size: 3 } },
    output: items,
  } as const;
  return { asked: made.asked, read: pages(made.context, http, request, kind.paging, from) };
}

const names = Object.keys(kinds);
const kindOf = (name: string): Kind => {
  const kind = kinds[name];
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
};

describe.each(names)('%s', (name) => {
  const kind = kindOf(name);

  test('reads every record once, and ends', async () => {
    const { read, asked } = list(kind);
    const found = await Array.fromAsync(read);
    expect(found.flatMap(({ output }) => output.items)).toEqual(all);
    expect(found.map(({ next }) => next === undefined)).toEqual([false, false, true]);
    expect(asked.map(({ url, body }) => [url, body])).toMatchSnapshot();
  });

  test('goes on after a kill where it stood, without what it had', async () => {
    const { read } = list(kind);
    const { value } = await read.next();
    await read.return(undefined);
    const later = await Array.fromAsync(list(kind, value?.next).read);
    expect(later.flatMap(({ output }) => output.items)).toEqual([4, 5, 6, 7]);
  });

  test('asks nobody any more when the caller has gone', async () => {
    const gone = new AbortController();
    const { read, asked } = list(kind, undefined, gone.signal);
    await read.next();
    gone.abort(new Error('gone'));
    await expect(read.next()).rejects.toThrow('gone');
    expect(asked).toHaveLength(1);
  });
});

describe('a list that never ends is refused', () => {
  const endless: [string, Kind][] = [
    [
      'one cursor again',
      { ...kindOf('a cursor in the query'), answer: () => ({ items: [1], next: 'same' }) },
    ],
    [
      'cursors in a circle',
      {
        ...kindOf('a cursor in the query'),
        answer: (_request, url) => ({
          items: [1],
          next: url.searchParams.get('pageToken') === 'a' ? 'b' : 'a',
        }),
      },
    ],
    [
      'a page number that is ignored',
      { ...kindOf('page numbers from 1'), answer: () => ({ items: [1], more: true }) },
    ],
    [
      'an offset that is ignored',
      { ...kindOf('offsets, ending at a short page'), answer: () => ({ items: [1, 2, 3] }) },
    ],
    [
      'a link to itself',
      {
        paging: { kind: 'link' },
        answer: (_request, url) =>
          Response.json({ items: [1] }, { headers: { link: `<${url.href}>; rel=next` } }),
      },
    ],
    [
      'one GraphQL cursor',
      {
        ...kindOf('a GraphQL variable'),
        answer: () => ({ items: [1], page: { endCursor: 'e', hasNextPage: true } }),
      },
    ],
    [
      'a GraphQL page after nothing',
      {
        ...kindOf('a GraphQL variable'),
        answer: () => ({ items: [1], page: { endCursor: null, hasNextPage: true } }),
      },
    ],
  ];
  test.each(endless)('%s', async (_what, kind) => {
    const { read, asked } = list(kind);
    await expect(Array.fromAsync(read)).rejects.toMatchObject({ code: 'malformed_response' });
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});

describe('a next page elsewhere gets no call', () => {
  const elsewhere = [
    'https://evil.example/v1/things',
    'http://api.example.com/v1/things',
    'https://api.example.com:8443/v1/things',
    'https://api.example.com@evil.example/v1/things',
    'https://user:pass@api.example.com/v1/things',
    '//evil.example/v1/things',
    '\\\\evil.example\\v1',
    'file:///etc/passwd',
    'javascript:alert(1)',
  ];
  test.each(elsewhere.flatMap((link) => [['link', link] as const, ['odata', link] as const]))(
    '%s to %s',
    async (kind, link) => {
      const answer = () =>
        Response.json(
          { items: [1], '@odata.nextLink': link },
          { headers: { link: `<${link}>; rel="next"` } },
        );
      const { read, asked } = list({ paging: { kind }, answer });
      await expect(Array.fromAsync(read)).rejects.toMatchObject({ code: 'permission_denied' });
      expect(asked).toHaveLength(1);
    },
  );

  test('nor does one that a stored cursor names', async () => {
    const { read, asked } = list(kindOf('OData links'), 'https://evil.example/v1/things');
    await expect(Array.fromAsync(read)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(asked).toEqual([]);
  });

  test('injection: whatever a server calls its next page, the second call stays with it', async () => {
    const link = fc.oneof(
      fc.string({
        unit: fc.constantFrom('/', '\\', '.', '@', ':', '?', '#', 'h', 't', 'p', 's', '%', ' ', '\t', '['),
      }),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(link, async (next) => {
        let calls = 0;
        const answer = () => {
          calls += 1;
          return { items: [1], ...(calls === 1 ? { '@odata.nextLink': next } : {}) };
        };
        const { read, asked } = list({ paging: { kind: 'odata' }, answer });
        await Array.fromAsync(read).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'DrawbridgeError' });
        });
        for (const { url } of asked) expect(new URL(url).origin).toBe('https://api.example.com');
      }),
      { numRuns: 150 },
    );
  });

  test('a cursor full of address syntax stays one parameter', async () => {
    let calls = 0;
    const answer = () => {
      calls += 1;
      return { items: [1], ...(calls === 1 ? { next: '../x?y=1&q=b#@evil.example' } : {}) };
    };
    const { read, asked } = list({ ...kindOf('a cursor in the query'), answer });
    await Array.fromAsync(read);
    const url = new URL(asked[1]?.url ?? '');
    expect([url.origin, url.pathname]).toEqual(['https://api.example.com', '/v1/things']);
    expect([...url.searchParams]).toEqual([
      ['q', 'a'],
      ['pageToken', '../x?y=1&q=b#@evil.example'],
    ]);
  });
});

test('records that come or go between two pages do not stop the reading', async () => {
  const kind = kindOf('a cursor in the query');
  let calls = 0;
  const { read } = list({
    ...kind,
    answer: (request, url, body) => {
      calls += 1;
      const page = kind.answer(request, url, body) as { items: number[] };
      return calls === 2 ? { ...page, items: [] } : page;
    },
  });
  const found = await Array.fromAsync(read);
  expect(found.flatMap(({ output }) => output.items)).toEqual([1, 2, 3, 7]);
});

test('a list without paging is one page', async () => {
  const { context, asked } = contextOver(() => ({ items: [1] }));
  const read = pages(context, http, { method: 'GET', path: '/things', output: items });
  expect(await Array.fromAsync(read)).toEqual([{ output: { items: [1] }, next: undefined }]);
  expect(asked).toHaveLength(1);
});

test('a refusal in the middle is told, after the pages before it', async () => {
  const kind = kindOf('page numbers from 1');
  const { read } = list({
    ...kind,
    answer: (request, url, body) =>
      url.searchParams.get('page') === '2'
        ? new Response('', { status: 429, headers: { 'retry-after': '3' } })
        : kind.answer(request, url, body),
  });
  expect((await read.next()).value?.output.items).toEqual([1, 2, 3]);
  await expect(read.next()).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 3000 });
});
