// Graph's JSON batches: up to twenty calls in one, each judged and answered by itself, in an order of their own.
// https://learn.microsoft.com/en-us/graph/json-batching
import type { Answer } from '../http.ts';
import type { Call, Exchanged } from '../providers.ts';
import { invalid, json } from './answers.ts';

export const batchPath = '/v1.0/$batch';

interface Part {
  id: string;
  method: string;
  /** Below the version's address. */
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Parts {
  requests?: Part[];
}

const callOf = (outer: Call, part: Part): Call => {
  const url = new URL(`https://${outer.host}/v1.0${part.url}`);
  const own = Object.entries(part.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  // The bearer of the batch is that of each.
  const { authorization = '' } = outer.headers;
  return {
    host: outer.host,
    method: part.method,
    path: url.pathname,
    query: url.searchParams,
    headers: { authorization, ...Object.fromEntries(own) },
    body: part.body === undefined ? '' : JSON.stringify(part.body),
  };
};

/** @param handle answers one call */
export function answerBatch(call: Call, handle: (call: Call) => Answer): Answer {
  if (call.method !== 'POST')
    return json({ error: { code: 'MethodNotAllowed', message: 'POST only.' } }, 405);
  const { requests } = JSON.parse(call.body) as Parts;
  if (!Array.isArray(requests) || requests.length === 0) return invalid('A batch holds requests.');
  if (requests.length > 20) return invalid('The number of requests exceeds the maximum of 20.');
  if (new Set(requests.map(({ id }) => id)).size < requests.length) return invalid('Each id must be unique.');
  if (requests.some(({ url }) => !url.startsWith('/'))) return invalid('Each url must be relative.');
  const responses = requests.map((part) => {
    const { status, headers = {}, body = '' } = handle(callOf(call, part));
    const isJson = /json/.test(headers['content-type'] ?? '');
    return {
      id: part.id,
      status,
      headers: { 'Content-Type': headers['content-type'] ?? 'application/json', ...headers },
      // What is no JSON comes in base64.
      ...(body === '' ? {} : { body: isJson ? JSON.parse(body) : Buffer.from(body).toString('base64') }),
    };
  });
  // In no order that one could count on.
  return json({ responses: responses.reverse() });
}

/** The calls within, as if each had been made by itself; undefined for an exchange that is no batch. */
export function exchangesInBatch({ provider, call, answer }: Exchanged): Exchanged[] | undefined {
  if (call.host !== 'graph.microsoft.com' || call.path !== batchPath) return undefined;
  const { requests = [] } = JSON.parse(call.body) as Parts;
  const { responses = [] } = (answer?.status === 200 ? JSON.parse(String(answer.body)) : {}) as {
    responses?: { id: string; status: number; headers: Record<string, string>; body?: unknown }[];
  };
  return requests.map((part) => {
    const said = responses.find(({ id }) => id === part.id);
    return {
      provider,
      call: callOf(call, part),
      answer: said && { status: said.status, headers: said.headers, body: JSON.stringify(said.body) },
    };
  });
}
