// Several questions in one call. It only carries them: what is not answered well inside of it is asked by itself,
// and its answer judged as ever.
// https://developers.google.com/workspace/calendar/api/guides/batch
import { answeredAhead, type KeyOf } from '../ahead.ts';
import type { ProviderContext } from '../define.ts';

const server = 'https://www.googleapis.com';
const boundary = 'questions-of-drawbridge';
/** Google takes 50; each counts as a call, and this many are had without a wait. */
const mostAtOnce = 25;

/** A list below the API's address. */
export interface Question {
  path: readonly string[];
  query: Readonly<Record<string, string>>;
}

/**
 * A context in which these have been asked already: each is answered once without a call.
 * @throws DrawbridgeError as `fetch`
 */
export async function askedAhead(
  context: ProviderContext,
  questions: readonly Question[],
): Promise<ProviderContext> {
  // One by itself gains nothing.
  if (questions.length < 2) return context;
  const answers = new Map<string, string>();
  for (let start = 0; start < questions.length; start += mostAtOnce) {
    const urls = questions.slice(start, start + mostAtOnce).map(urlOf);
    for (const { index, status, body } of await askTogether(context, urls)) {
      const url = urls[index];
      if (url !== undefined && status === 200 && isJson(body)) answers.set(keyOf(url), body);
    }
  }
  return answeredAhead(context, answers, keyOf);
}

function urlOf({ path, query }: Question): URL {
  const url = new URL(`${server}/calendar/v3/${path.map(encodeURIComponent).join('/')}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** However the client that asks escapes and sorts. */
const keyOf = ((url) => {
  const query = [...url.searchParams].map(([name, value]) => JSON.stringify([name, value])).sort();
  const path = url.pathname.split('/').map(decodeURIComponent);
  return JSON.stringify([url.origin, path, query]);
}) satisfies KeyOf;

interface Part {
  index: number;
  status: number;
  headers: Headers;
  body: string;
}

async function askTogether(context: ProviderContext, urls: readonly URL[]): Promise<Part[]> {
  const parts = urls.map(({ pathname, search }, index) =>
    [
      `--${boundary}`,
      'Content-Type: application/http',
      `Content-ID: <${index}>`,
      '',
      `GET ${pathname}${search} HTTP/1.1`,
      'Accept: application/json',
      '',
      '',
    ].join('\r\n'),
  );
  const response = await context.fetch(`${server}/batch/calendar/v3`, {
    method: 'POST',
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
    body: `${parts.join('')}--${boundary}--\r\n`,
    // Questions alone.
    idempotent: true,
    batch: { calls: urls.length, answers: partsIn },
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  return response.ok ? partsIn(await response.text()) : [];
}

/** What is no such answer has no parts: each is asked by itself then. */
function partsIn(text: string): Part[] {
  // The first line is a delimiter (RFC 2046 5.1.1): it is told in the header, too.
  const delimiter = /^\s*(--[^\r\n]+)/.exec(text)?.[1];
  if (delimiter === undefined) return [];
  return text.split(delimiter).flatMap((part) => {
    const index = /^content-id:\s*<response-(\d+)>\s*$/im.exec(part)?.[1];
    const answer = /^HTTP\/[\d.]+ (\d{3})[^\r\n]*\r?\n([\s\S]*?)\r?\n\r?\n([\s\S]*)$/m.exec(part);
    const [, status, lines = '', body = ''] = answer ?? [];
    if (index === undefined || status === undefined) return [];
    const wait = /^retry-after:\s*([\w ,:]+?)\s*$/im.exec(lines)?.[1];
    const headers = new Headers(wait === undefined ? {} : { 'retry-after': wait });
    return [{ index: Number(index), status: Number(status), headers, body: body.trim() }];
  });
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
