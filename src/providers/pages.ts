// A list of a provider, page by page, to its end: at the last page, never twice through the same one, and
// never to another server than the one that was asked.
import { DrawbridgeError } from '../errors.ts';
import type { ProviderContext } from './define.ts';
import type { Answer, Http, Paging } from './http.ts';
import { addressOf, type DeclaredRequest, exchangeAt, type Path } from './request.ts';
import type { Written } from './template.ts';

export interface Page<Output> {
  output: Output;
  /** Where the next page is, to be given as `from` after a kill; undefined on the last. Opaque. */
  next: string | undefined;
}

/** What one step asks: an address and, where the place is told there, a body. */
interface Step {
  url: URL;
  body: unknown;
}

/** How one kind of paging is asked for a page, and told what follows it. */
interface Pager {
  /** @param at undefined: the first page */
  step(at: string | undefined): Step;
  /** @param at as in `step` */
  next(answer: Answer, asked: Step, at: string | undefined): string | undefined;
  /** Counts pages by itself, so that a server that ignores the count repeats one page for ever. */
  counts: boolean;
}

/**
 * Every page of a list. Ends early when the context's signal aborts.
 * @param from `next` of an earlier page: goes on after it
 * @throws DrawbridgeError `malformed_response` for a page that comes again or a next page that is nowhere,
 * `permission_denied` for one on another server; else as `send`
 */
export async function* pages<Output, const P extends Path>(
  context: ProviderContext,
  http: Http,
  request: DeclaredRequest<Output, P> & { path: Written<P> },
  paging: Paging | undefined = http.paging,
  from?: string,
): AsyncGenerator<Page<Output>, void, undefined> {
  const first = addressOf(context, http, request);
  const pager = pagerOf(paging, { url: first, body: request.body });
  const seen = new Set<string>();
  let at = from;
  let before: string | undefined;
  do {
    context.signal?.throwIfAborted();
    if (at !== undefined) {
      if (seen.has(at)) throw repeats(first);
      seen.add(at);
    }
    const step = pager.step(at);
    const { output, answer } = await exchangeAt(context, http, step.url, { ...request, body: step.body });
    at = pager.next(answer, step, at);
    if (pager.counts && at !== undefined) {
      const page = JSON.stringify(answer.body);
      if (page === before) throw repeats(first);
      before = page;
    }
    if (at !== undefined && seen.has(at)) throw repeats(first);
    yield { output, next: at };
  } while (at !== undefined);
}

function pagerOf(paging: Paging | undefined, first: Step): Pager {
  switch (paging?.kind) {
    case undefined:
      return { step: () => first, next: () => undefined, counts: false };
    case 'cursor':
      return {
        step: (at) => {
          if (at === undefined) return first;
          return paging.in === 'body'
            ? { ...first, body: withMember(first.body, paging.parameter, at) }
            : { ...first, url: withParameter(first.url, paging.parameter, at) };
        },
        next: ({ body }) => paging.next(body) || undefined,
        counts: false,
      };
    case 'page':
      return {
        step: (at) => ({
          ...first,
          url: withParameter(first.url, paging.parameter, at ?? `${paging.first}`),
        }),
        next: ({ body }, _asked, at) => (paging.more(body) ? `${Number(at ?? paging.first) + 1}` : undefined),
        counts: true,
      };
    case 'offset':
      return {
        step: (at) => ({
          ...first,
          url: withParameter(
            withParameter(first.url, paging.size.parameter, `${paging.size.value}`),
            paging.parameter,
            at ?? '0',
          ),
        }),
        next: ({ body }, _asked, at) => {
          const count = paging.count(body);
          const end = Number(at ?? 0) + count;
          const total = paging.total?.(body);
          // A server may give fewer than it was asked for: where it tells the total, that decides.
          const more = count > 0 && (total === undefined ? count >= paging.size.value : end < total);
          return more ? `${end}` : undefined;
        },
        counts: true,
      };
    case 'link':
    case 'odata':
      return {
        step: (at) => (at === undefined ? first : { ...first, url: sameServer(at, first.url, first.url) }),
        next: (answer, asked) => {
          const link = paging.kind === 'link' ? nextLink(answer) : odataLink(answer);
          return link === undefined ? undefined : sameServer(link, asked.url, first.url).href;
        },
        counts: false,
      };
    case 'graphql':
      return {
        step: (at) =>
          at === undefined ? first : { ...first, body: withVariable(first, paging.variable, at) },
        next: ({ body }) => {
          const { hasNextPage, endCursor } = paging.pageInfo(body);
          if (!hasNextPage) return undefined;
          if (endCursor === null || endCursor === '') throw malformed(first.url, 'names no next page');
          return endCursor;
        },
        counts: false,
      };
  }
}

function withParameter(url: URL, name: string, value: string): URL {
  const next = new URL(url);
  next.searchParams.set(name, value);
  return next;
}

function withMember(body: unknown, name: string, value: unknown): unknown {
  return { ...(typeof body === 'object' ? body : {}), [name]: value };
}

function withVariable({ body }: Step, name: string, value: string): unknown {
  const variables = typeof body === 'object' && body !== null && 'variables' in body ? body.variables : {};
  return withMember(body, 'variables', withMember(variables, name, value));
}

/** The target of `rel="next"`. RFC 8288: links are separated by commas outside of `<>` and quotes. */
function nextLink({ headers }: Answer): string | undefined {
  const links = headers.get('link') ?? '';
  for (const [, target, parameters = ''] of links.matchAll(/<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)/g)) {
    const relation = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters);
    const relations = (relation?.[1] ?? relation?.[2] ?? '').toLowerCase().split(/\s+/);
    if (relations.includes('next')) return target;
  }
  return undefined;
}

function odataLink({ body }: Answer): string | undefined {
  if (typeof body !== 'object' || body === null || !('@odata.nextLink' in body)) return undefined;
  const link = body['@odata.nextLink'];
  return typeof link === 'string' && link !== '' ? link : undefined;
}

/** A link as an address, relative to where it stood: the credential may go nowhere but where it was meant for. */
function sameServer(link: string, base: URL, first: URL): URL {
  const url = URL.parse(link, base.href);
  if (url === null) throw malformed(first, 'names a next page that is no address');
  if (url.origin !== first.origin || url.username !== '' || url.password !== '') {
    throw new DrawbridgeError(
      'permission_denied',
      `${first.hostname} names a next page on another server: not followed.`,
    );
  }
  url.hash = '';
  return url;
}

const repeats = (url: URL) => malformed(url, 'gives the same page again and again');

function malformed(url: URL, what: string): DrawbridgeError {
  return new DrawbridgeError('malformed_response', `${url.hostname} ${what}.`);
}
