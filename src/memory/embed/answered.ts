// What a server of others answers, before it is believed: as many vectors as texts, each of the right length and of
// numbers; and what its refusals mean.

import type { Egress } from '../../egress/egress.ts';
import { retryAfterMs } from '../../egress/retry.ts';
import { codeOfStatus, DrawbridgeError, type ErrorCode } from '../../errors.ts';
import { type Secret, scrub } from '../../secret.ts';
import { visibleLine } from '../../untrusted.ts';

export type Fetch = ReturnType<Egress['fetchFor']>;

const questionMs = 1_000;
const passagesMs = 60_000;
const mostBytes = 64 * 1024 * 1024;

export interface Asking {
  send: Fetch;
  key: Secret | undefined;
  kind: 'passage' | 'question';
  signal?: AbortSignal | undefined;
  /** Integer ms: a Retry-After may be a date. */
  now: number;
  /** What is asked for, as a refusal names it. Default: embed. */
  act?: string;
  /** Default: what embedding the kind may take. */
  timeoutMs?: number;
  maxBytes?: number;
}

/** `OpenAI`-shaped `{error: {message, code}}`, Ollama's `{error: "…"}`, `{message}`, `{msg}` or `{detail}` of others. */
function saidOf(body: unknown): { message: string; code: string } {
  const object = (value: unknown) =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const outer = object(body);
  const inner = object(outer['error']);
  const message = [outer['error'], inner['message'], outer['message'], outer['msg'], outer['detail']].find(
    (one) => typeof one === 'string',
  );
  const code = inner['code'] ?? inner['type'];
  return { message: String(message ?? ''), code: typeof code === 'string' ? code : '' };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @throws DrawbridgeError with the codes of the door; `quota_exhausted` where the account is spent;
 * `malformed_response` for what is no JSON
 */
export async function askJson(url: URL, body: unknown, asking: Asking): Promise<unknown> {
  const { send, key, kind, signal, now } = asking;
  const response = await send(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // The same texts give the same vectors, however often they are asked.
    idempotent: true,
    once: kind === 'question',
    // A key goes to the server that it was given for.
    redirect: 'error',
    timeoutMs: asking.timeoutMs ?? (kind === 'question' ? questionMs : passagesMs),
    maxBytes: asking.maxBytes ?? mostBytes,
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) {
    if (answer === undefined)
      throw new DrawbridgeError('malformed_response', `${url.hostname} answered with no JSON.`);
    return answer;
  }
  const { message, code: own } = saidOf(answer);
  // https://platform.openai.com/docs/guides/error-codes: 429 stands for both.
  const spent = own === 'insufficient_quota' || own === 'billing_hard_limit_reached';
  const code: ErrorCode = spent ? 'quota_exhausted' : codeOfStatus(response.status);
  const wait = retryAfterMs(response.headers.get('retry-after'), now);
  const words = message === '' ? '' : ` It says: ${visibleLine(scrub(message), 300)}`;
  throw new DrawbridgeError(
    code,
    `${url.hostname} refused to ${asking.act ?? 'embed'} (${response.status}).${words}`,
    {
      ...(spent ? { retry: 'ask' } : {}),
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    },
  );
}

/**
 * The answered vectors as unit vectors, one after another.
 * @param dimensions undefined: whatever the first one has
 * @throws DrawbridgeError `malformed_response`
 */
export function unitVectors(
  answered: readonly unknown[],
  { count, dimensions, host }: { count: number; dimensions: number | undefined; host: string },
): { vectors: Float32Array; dimensions: number } {
  const wrong = (what: string) => new DrawbridgeError('malformed_response', `${host} ${what}.`);
  if (answered.length !== count) throw wrong(`gave ${answered.length} vectors for ${count} texts`);
  const first: unknown = answered[0];
  const width = dimensions ?? (Array.isArray(first) ? first.length : 0);
  if (width < 2) throw wrong('gave no vector');
  const vectors = new Float32Array(count * width);
  answered.forEach((row, i) => {
    if (!Array.isArray(row)) throw wrong('gave something that is no vector');
    if (row.length !== width) throw wrong(`gave a vector of ${row.length} numbers where ${width} belong`);
    let square = 0;
    for (const value of row as unknown[]) {
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw wrong('gave a vector with something in it that is no number');
      square += value * value;
    }
    const length = Math.sqrt(square);
    if (!Number.isFinite(length)) throw wrong('gave a vector with numbers beyond all bounds');
    if (length === 0) return;
    (row as number[]).forEach((value, d) => {
      vectors[i * width + d] = value / length;
    });
  });
  return { vectors, dimensions: width };
}
