// Questions to a RESO service, and its answers as rows. Values are quoted here and nowhere else: what a caller
// gives can end no literal. https://github.com/RESOStandards/transport, web-api-core
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { addressOf, exchangeAt } from '../request.ts';
import type { Dialect } from './dialect.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Resource =
  | '/Property'
  | '/Property/replication'
  | '/Media'
  | '/HistoryTransactional'
  | '/EntityEvent'
  | '/Lookup';

export interface Question {
  filter?: string | undefined;
  select?: readonly string[];
  orderBy?: string;
  expand?: readonly string[];
  top?: number;
  skip?: number;
  count?: boolean;
  /** Rows of a page, where it is asked for by a preference. */
  pageRows?: number;
}

export interface Answer {
  rows: Row[];
  /** Of all pages, where it was asked for and told. */
  total: number | undefined;
  /** The server's own next page, on this very service. */
  next: string | undefined;
}

const maxBytes = 32 * 1024 * 1024;
const answerForm = z.object({
  value: z.array(z.record(z.string(), z.unknown())),
  '@odata.count': z.coerce.number().int().optional().catch(undefined),
  '@odata.nextLink': z.string().optional().catch(undefined),
});

/** A text as a literal: OData 4.0, 5.1.1.6.1; a quote is doubled. */
export function quoted(text: string): string {
  if (!text.isWellFormed()) throw new DrawbridgeError('invalid_request', 'A text holds half a character.');
  return `'${text.replaceAll("'", "''")}'`;
}

export const both = (...parts: readonly (string | undefined)[]): string | undefined => joined(parts, 'and');
export const either = (...parts: readonly (string | undefined)[]): string | undefined => joined(parts, 'or');

function joined(parts: readonly (string | undefined)[], word: 'and' | 'or'): string | undefined {
  const given = parts.filter((part) => part !== undefined && part !== '');
  if (given.length < 2) return given[0];
  return `(${given.join(` ${word} `)})`;
}

/** @throws DrawbridgeError */
export async function ask(
  context: ProviderContext,
  dialect: Dialect,
  resource: Resource,
  question: Question,
): Promise<Answer> {
  const { filter, select, orderBy, expand, top, skip, count } = question;
  const url = addressOf(context, serviceOf(context, dialect), {
    path: resource,
    query: {
      $filter: filter,
      $select: select?.join(','),
      $orderby: orderBy,
      $expand: expand === undefined || expand.length === 0 ? undefined : expand.join(','),
      $top: top,
      $skip: skip,
      $count: count,
    },
  });
  return answerAt(context, dialect, url, question.pageRows ?? top);
}

/** A page that the server named, if it is on this service. @throws DrawbridgeError `permission_denied` else */
export async function askNext(
  context: ProviderContext,
  dialect: Dialect,
  link: string,
  pageRows?: number,
): Promise<Answer> {
  return answerAt(context, dialect, ownAddress(context, dialect, link), pageRows);
}

async function answerAt(
  context: ProviderContext,
  dialect: Dialect,
  url: URL,
  pageRows: number | undefined,
): Promise<Answer> {
  // A plus is no space to every server, and some know only the bare dollar.
  url.search = url.search.replaceAll('+', '%20').replaceAll(/([?&])%24/g, '$1$$');
  const preference = dialect.prefers && pageRows !== undefined ? { prefer: `maxpagesize=${pageRows}` } : {};
  const { output } = await exchangeAt(context, serviceOf(context, dialect), url, {
    method: 'GET',
    headers: preference,
    output: answerForm,
    maxBytes,
  });
  const link = output['@odata.nextLink'];
  return {
    rows: output.value,
    total: output['@odata.count'],
    next: link === undefined ? undefined : ownAddress(context, dialect, link).href,
  };
}

/** The API of this connection, with its service root filled in. */
export function serviceOf({ fields }: ProviderContext, dialect: Dialect) {
  return { ...dialect.http, baseUrl: dialect.root(fields) };
}

/** The bearer goes with it: to this service alone. */
function ownAddress({ fields }: ProviderContext, dialect: Dialect, link: string): URL {
  const root = new URL(`${dialect.root(fields)}/`);
  const url = URL.parse(link, root.href);
  const own = url !== null && url.origin === root.origin && url.pathname.startsWith(root.pathname);
  if (!own || url.username !== '' || url.password !== '') {
    throw new DrawbridgeError(
      'permission_denied',
      `${root.hostname} names a next page outside its own service: not followed.`,
    );
  }
  url.hash = '';
  return url;
}
