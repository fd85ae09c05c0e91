// A bulk operation: Shopify writes everything of a kind into a file, a line a record, in its own time. It is begun
// once, found again after a kill, and its file is taken in parts, so that neither size nor a kill costs a second one.
// https://shopify.dev/docs/api/usage/bulk-operations/queries
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { bulkDocument, bulksDocument, documents, runBulkDocument } from './documents.ts';
import { ask, listed } from './http.ts';
import type { Kind, Row } from './kinds.ts';

/** One that was begun so lately, and is not known here, was ours before a kill. */
const adoptedMs = 15 * 60_000;
/** Looks at an operation under way, and how long they go on inside a run. */
const looksMs = [1_000, 2_000, 2_000, 2_500];
const patienceMs = 45_000;
/** After that a run ends, and comes back. */
const comeBackMs = 60_000;
/** Where Shopify lays its files; known, not verified. The address is signed: no credential goes there. */
const fileHost = 'storage.googleapis.com';
const partBytes = 1024 * 1024;
const mostPartBytes = 32 * 1024 * 1024;

const operation = z.object({
  id: z.string(),
  status: z.string(),
  errorCode: z.string().nullish(),
  createdAt: z.string(),
  url: z.string().nullish(),
  partialDataUrl: z.string().nullish(),
});
type Operation = z.infer<typeof operation>;

/** An operation that brings everything of a kind: one of this moment, or one that was begun just before. @throws DrawbridgeError */
export async function beginBulk(
  context: ProviderContext,
  { name }: Kind,
): Promise<{ id: string; began: number }> {
  const query = documents[name].bulk;
  const variables = { first: 10, query: 'operation_type:query' };
  const known = listed(context, bulksDocument, variables, operation.extend({ query: z.string() }));
  for await (const { rows } of known) {
    const ours = rows.find(
      (one) =>
        one.query === query &&
        ['CREATED', 'RUNNING', 'COMPLETED'].includes(one.status) &&
        context.clock.now() - Date.parse(one.createdAt) < adoptedMs,
    );
    if (ours !== undefined) return begunBy(ours);
    break;
  }
  const answer = z.object({ run: z.object({ bulkOperation: operation }) });
  // Never twice by itself: a second one would take the place of another.
  const { run } = await ask(context, runBulkDocument, { query }, answer, { idempotent: false });
  return begunBy(run.bulkOperation);
}

const begunBy = ({ id, createdAt }: Operation) => ({ id, began: Date.parse(createdAt) });

/**
 * Its file, once it is written. `whole`: all that there was; else it failed on the way, or is forgotten, and
 * `url` is what came before that, if anything.
 * @throws DrawbridgeError `rate_limited` while it takes longer than a run waits
 */
export async function endOfBulk(
  context: ProviderContext,
  id: string,
): Promise<{ whole: boolean; url: string | undefined }> {
  const until = context.clock.elapsed() + patienceMs;
  for (let look = 0; ; look += 1) {
    const { one } = await ask(context, bulkDocument, { id }, z.object({ one: operation.nullable() }));
    if (one === null || ['EXPIRED', 'CANCELED', 'CANCELING'].includes(one.status)) {
      return { whole: false, url: undefined };
    }
    if (one.status === 'FAILED') return { whole: false, url: usable(context, one.partialDataUrl) };
    if (one.status === 'COMPLETED') {
      const url = usable(context, one.url);
      // Without an address there was nothing to write; with one elsewhere the file is not fetched.
      return { whole: url !== undefined || one.url == null, url };
    }
    const ms = looksMs[Math.min(look, looksMs.length - 1)] ?? comeBackMs;
    if (context.clock.elapsed() + ms > until) {
      throw new DrawbridgeError(
        'rate_limited',
        'Shopify is still writing the file with everything that is there.',
        {
          retryAfterMs: comeBackMs,
        },
      );
    }
    await context.clock.sleep(ms, { signal: context.signal });
  }
}

function usable(context: ProviderContext, told: string | null | undefined): string | undefined {
  if (told === null || told === undefined) return undefined;
  const url = URL.parse(told);
  if (url?.protocol === 'https:' && url.host === fileHost) return told;
  context.log.warn({ host: url?.host }, 'the file of a bulk operation lies where none is expected');
  return undefined;
}

/**
 * The rows of a file, part by part; `next`: the byte to go on from, undefined at its end.
 * @throws DrawbridgeError `malformed_response` for a line that is none
 */
export async function* rowsOf(
  context: ProviderContext,
  kind: Kind,
  url: string,
  from: number,
): AsyncGenerator<{ rows: Row[]; next: number | undefined }> {
  for (let at = from, size = partBytes; ; ) {
    context.signal?.throwIfAborted();
    const { bytes, total } = await part(context, url, at, size);
    const atEnd = at + bytes.length >= total;
    const { rows, used } = grouped(kind, bytes, atEnd);
    if (used === 0 && !atEnd) {
      if (size >= mostPartBytes) throw malformed('a record that is too large');
      size *= 2;
      continue;
    }
    at += used;
    yield { rows, next: atEnd ? undefined : at };
    if (atEnd) return;
  }
}

async function part(
  context: ProviderContext,
  url: string,
  at: number,
  size: number,
): Promise<{ bytes: Uint8Array; total: number }> {
  const response = await context.fetch(url, {
    // Packed, a part would be one of something else.
    headers: { range: `bytes=${at}-${at + size - 1}`, 'accept-encoding': 'identity' },
    maxBytes: mostPartBytes,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  });
  if (response.status === 416) return { bytes: new Uint8Array(), total: at };
  const total = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 206 && total !== null && Number(total[1]) === at) {
    return { bytes: new Uint8Array(await response.arrayBuffer()), total: Number(total[2]) };
  }
  if (response.status === 200) {
    const whole = new Uint8Array(await response.arrayBuffer());
    return { bytes: whole.subarray(at), total: whole.length };
  }
  if (response.status >= 500 || response.status === 429) {
    throw new DrawbridgeError(
      'provider_unavailable',
      `${fileHost} does not give the file (${response.status}).`,
    );
  }
  const code =
    response.status === 404 ? 'not_found' : response.status === 409 ? 'conflict' : 'permission_denied';
  throw new DrawbridgeError(code, `${fileHost} refuses the file (${response.status}).`);
}

type Line = Record<string, unknown> & { id: string; __parentId?: string | undefined };
const lineForm = z.looseObject({ id: z.string(), __parentId: z.string().optional() });

/** Whole records: the last one may have more lines in the next part. */
function grouped(kind: Kind, bytes: Uint8Array, atEnd: boolean): { rows: Row[]; used: number } {
  const end = atEnd ? bytes.length : bytes.lastIndexOf(10) + 1;
  const records: { line: Line; below: Line[] }[] = [];
  let used = 0;
  for (let at = 0; at < end; ) {
    const stop = bytes.indexOf(10, at);
    const after = stop < 0 ? end : stop + 1;
    const line = lineOf(bytes.subarray(at, after));
    if (line?.__parentId !== undefined) {
      const owner = records.at(-1);
      if (owner?.line.id !== line.__parentId) throw malformed('a line behind another record than its own');
      owner.below.push(line);
    } else if (line !== undefined) {
      used = at;
      records.push({ line, below: [] });
    }
    at = after;
  }
  if (atEnd) used = bytes.length;
  else records.pop();
  const rows = records.map(({ line, below }) => {
    const list = { nodes: below, pageInfo: { hasNextPage: false } };
    const parsed = kind.row.safeParse(kind.lines === undefined ? line : { ...line, [kind.lines]: list });
    if (parsed.success) return parsed.data;
    throw malformed(`something unexpected at "${parsed.error.issues[0]?.path.join('.') ?? ''}"`);
  });
  return { rows, used };
}

function lineOf(bytes: Uint8Array): Line | undefined {
  const text = new TextDecoder().decode(bytes).trim();
  if (text === '') return undefined;
  try {
    return lineForm.parse(JSON.parse(text));
  } catch (cause) {
    throw malformed('a line that is no record', cause);
  }
}

function malformed(what: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError('malformed_response', `The file of the bulk operation has ${what}.`, { cause });
}
