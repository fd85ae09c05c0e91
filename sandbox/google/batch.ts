// Google's batches: calls as parts of a multipart body, each judged and answered by itself, in an order of their own.
// https://developers.google.com/workspace/calendar/api/guides/batch
import type { Answer } from '../http.ts';
import type { Call, Exchanged } from '../providers.ts';
import { refusal } from './answers.ts';

export const batchPath = '/batch/calendar/v3';
const delimiter = 'batch_of_the_sandbox';

/** The calls of a batch by their Content-ID; undefined where it is none. */
function callsIn(call: Call): { id: string; call: Call }[] | undefined {
  const boundary = /^multipart\/mixed; boundary=([\w-]+)$/.exec(call.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) return undefined;
  const parts = call.body.split(`--${boundary}`).slice(1, -1);
  const calls = parts.flatMap((part) => {
    const [, head = '', method = '', target = ''] =
      /^\r\n([\s\S]*?)\r\n\r\n([A-Z]+) (\/\S*) HTTP\/1\.1\r\n/.exec(part) ?? [];
    const id = /^Content-ID: <(.+)>$/m.exec(head)?.[1];
    if (id === undefined || !head.includes('Content-Type: application/http')) return [];
    const url = new URL(target, 'https://www.googleapis.com');
    // The bearer of the batch is that of each.
    const headers = { authorization: call.headers['authorization'] ?? '', accept: 'application/json' };
    return [
      {
        id,
        call: { host: call.host, method, path: url.pathname, query: url.searchParams, headers, body: '' },
      },
    ];
  });
  return calls.length === parts.length && calls.length > 0 ? calls : undefined;
}

/** @param handle answers one call */
export function answerBatch(call: Call, handle: (call: Call) => Answer): Answer {
  const calls = call.method === 'POST' ? callsIn(call) : undefined;
  if (calls === undefined) return refusal(400, 'badRequest', 'Failed to parse batch request.');
  if (calls.length > 50) return refusal(400, 'badRequest', 'The batch holds more than 50 calls.');
  const parts = calls.map(({ id, call: one }) => {
    const { status, headers = {}, body = '' } = handle(one);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `--${delimiter}\r\nContent-Type: application/http\r\nContent-ID: <response-${id}>\r\n\r\nHTTP/1.1 ${status} Answer\r\n${lines.join('')}\r\n${body}\r\n`;
  });
  return {
    status: 200,
    headers: { 'content-type': `multipart/mixed; boundary=${delimiter}` },
    // In no order that one could count on.
    body: `${parts.reverse().join('')}--${delimiter}--\r\n`,
  };
}

/** The calls within, as if each had been made by itself; undefined for an exchange that is no batch. */
export function exchangesInBatch({ provider, call, answer }: Exchanged): Exchanged[] | undefined {
  if (call.host !== 'www.googleapis.com' || call.path !== batchPath) return undefined;
  const said = new Map(
    (answer?.body ?? '').split(`--${delimiter}`).flatMap((part) => {
      const id = /^Content-ID: <response-(.+)>\r$/m.exec(part)?.[1];
      const [, status, body = ''] = /^HTTP\/1\.1 (\d{3})[\s\S]*?\r\n\r\n([\s\S]*)\r\n$/m.exec(part) ?? [];
      return id === undefined || status === undefined
        ? []
        : [[id, { status: Number(status), body }] as const];
    }),
  );
  return (callsIn(call) ?? []).map((one) => ({ provider, call: one.call, answer: said.get(one.id) }));
}
