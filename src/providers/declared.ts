// Operations that are one request each: declared, not programmed. The placeholders of the path are members
// of the input, or it does not compile.
import type { z } from 'zod';
import type {
  ProviderContext,
  ReadOperation,
  Repeat,
  WriteBase,
  WriteContext,
  WriteOperation,
  WriteOutcome,
} from './define.ts';
import type { Http } from './http.ts';
import { addressOf, exchangeAt, type Method, type Path, type Query, sendWriteAt } from './request.ts';
import type { Template, Written } from './template.ts';

/** Members of an input that can stand in an address: always there, and a text or a number. */
type InAddress<Input> = {
  [Name in keyof Input]-?: Input[Name] extends string | number ? Name : never;
}[keyof Input] &
  string;

interface Asks<Input, Context, Raw> {
  method: Method;
  query?(input: Input, context: Context): Query;
  /** Sent as JSON. */
  body?(input: Input, context: Context): unknown;
  headers?(input: Input, context: Context): Readonly<Record<string, string>>;
  /** Of the provider's answer. */
  answer: z.ZodType<Raw>;
  /** Largest answer, bytes. */
  maxBytes?: number;
}

type At<P extends string, Input> = { path: P & Template<P, InAddress<Input>> & Written<P> };

/** A read that is one request, also one that asks by POST: a repeat is harmless, whatever the method. */
export function readRequest<Input extends object, Raw, const P extends Path, Output = Raw>(
  http: Http,
  declared: Omit<ReadOperation<Input, Output>, 'effect' | 'run'> &
    Asks<Input, ProviderContext, Raw> &
    At<P, Input> & {
      /** In our words; default: the answer as it was parsed. */
      result?(raw: Raw, input: Input): Output;
    },
): ReadOperation<Input, Output> {
  const { method, path, query, body, headers, answer, maxBytes, result, ...words } = declared;
  const asks = { method, path, query, body, headers, answer, maxBytes };
  return {
    ...words,
    effect: 'read',
    async run(context, input) {
      const request = { ...made(asks, input, context), idempotent: true };
      const { output } = await exchangeAt(context, http, address(asks, http, input, context), request);
      // Without `result`, Output is Raw.
      return result === undefined ? (output as unknown as Output) : result(output, input);
    },
  };
}

/** A write that is one request. The gate opens directly before it; it is never repeated by itself. */
export function writeRequest<Payload extends object, Raw, const P extends Path>(
  http: Http,
  declared: Omit<WriteBase<Payload>, 'run'> &
    Repeat<Payload> &
    Asks<Payload, WriteContext, Raw> &
    At<P, Payload> & {
      outcome(raw: Raw, payload: Payload, context: WriteContext): WriteOutcome;
    },
): WriteOperation<Payload> {
  const { method, path, query, body, headers, answer, maxBytes, outcome, ...words } = declared;
  const asks = { method, path, query, body, headers, answer, maxBytes };
  return {
    ...words,
    async run(context, payload) {
      const url = address(asks, http, payload, context);
      const raw = await sendWriteAt(context, http, url, made(asks, payload, context));
      return outcome(raw, payload, context);
    },
  };
}

type Asked<Input, Context, Raw> = {
  [Name in keyof Asks<Input, Context, Raw>]-?: Asks<Input, Context, Raw>[Name] | undefined;
} & Pick<Asks<Input, Context, Raw>, 'method' | 'answer'> & { path: Path };

function address<Input extends object, Context extends ProviderContext>(
  asks: Asked<Input, Context, unknown>,
  http: Http,
  input: Input,
  context: Context,
): URL {
  const query = asks.query?.(input, context);
  return addressOf(context, http, {
    path: asks.path,
    params: Object.fromEntries(Object.entries(input)),
    ...(query === undefined ? {} : { query }),
  });
}

function made<Input, Context, Raw>(asks: Asked<Input, Context, Raw>, input: Input, context: Context) {
  const headers = asks.headers?.(input, context);
  return {
    method: asks.method,
    output: asks.answer,
    body: asks.body?.(input, context),
    ...(headers === undefined ? {} : { headers }),
    ...(asks.maxBytes === undefined ? {} : { maxBytes: asks.maxBytes }),
  };
}
