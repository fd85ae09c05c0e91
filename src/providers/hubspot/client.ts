// HubSpot's official client, with our way out in place of its own: its generated parts take an HTTP library,
// so every call leaves by the context's fetch, which adds the credential. Only the two parts that are used
// are loaded, and only when one is: the whole client is twenty times their size, and retries by itself.
import type {
  AssociationSpecAssociationCategoryEnum,
  FilterOperatorEnum,
} from '@hubspot/api-client/lib/codegen/crm/objects/index.js';
import type { z } from 'zod';
import type { FetchOptions } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import { EffectRefused, type ProviderContext, type WriteContext } from '../define.ts';
import { refusalOf, unlessLeft } from '../request.ts';
import { http } from './http.ts';

const host = 'api.hubapi.com';
const maxBytes = 16 * 1024 * 1024;
/** POSTs that only read. */
const readsByPost = /\/(search|batch\/read)$/;

/** A call as the generated client hands it to its HTTP library. */
interface ClientCall {
  getUrl(): string;
  getHttpMethod(): string;
  getHeaders(): Record<string, string>;
  getBody(): unknown;
}

type Send = (call: ClientCall) => Promise<{ status: number; headers: Record<string, string>; text: string }>;

export type HubspotClient = Awaited<ReturnType<typeof clientOf>>;

/** For reading. What it rejects with is a DrawbridgeError. */
export function readingClient(context: ProviderContext): Promise<HubspotClient> {
  return clientOf(async (call) => {
    const response = await context.fetch(call.getUrl(), {
      ...initOf(context, call),
      idempotent: call.getHttpMethod() === 'GET' || readsByPost.test(new URL(call.getUrl()).pathname),
    });
    const text = await response.text();
    const refused = refusalOf(http, answerOf(response, text), host, context.clock.now());
    if (refused !== undefined) throw refused;
    return { status: response.status, headers: Object.fromEntries(response.headers), text };
  });
}

/**
 * For one write. It passes the context's gate directly before the bytes leave; HubSpot's refusal rejects with
 * EffectRefused, and anything that leaves the outcome unclear with something else.
 */
export function writingClient(context: WriteContext): Promise<HubspotClient> {
  return clientOf(async (call) => {
    await context.aboutToSend();
    const init: FetchOptions = { ...initOf(context, call), idempotent: false, redirect: 'manual' };
    const response = await context.fetch(call.getUrl(), init).catch((thrown: unknown) => {
      throw unlessLeft(thrown);
    });
    const { status, headers } = response;
    const text = await response.text();
    if (status >= 200 && status < 300) return { status, headers: Object.fromEntries(headers), text };
    const refused = refusalOf(http, answerOf(response, text), host, context.clock.now());
    const clear = status >= 300 && status < 500 && status !== 408;
    if (clear) throw new EffectRefused(refused?.message ?? `HubSpot answered ${status}.`, { cause: refused });
    throw refused ?? new Error(`HubSpot answered ${status}`);
  });
}

/**
 * What a call of the client came to, held against a schema.
 * @throws DrawbridgeError `malformed_response` for an answer of another shape, also one that the client itself cannot read
 */
export async function asked<Output>(
  context: ProviderContext,
  call: Promise<unknown>,
  schema: z.ZodType<Output>,
): Promise<Output> {
  const malformed = (at: string, cause: unknown) =>
    new DrawbridgeError(
      'malformed_response',
      `HubSpot answered with something unexpected${at === '' ? '' : ` at "${at}"`}.`,
      { cause },
    );
  let answer: unknown;
  try {
    answer = await call;
  } catch (thrown) {
    context.signal?.throwIfAborted();
    if (thrown instanceof DrawbridgeError || thrown instanceof EffectRefused) throw thrown;
    throw malformed('', thrown);
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error.issues[0]?.path.join('.') ?? '', parsed.error);
}

/** The client's types know the names as an enum, which only its code holds. */
export function operator(name: `${FilterOperatorEnum}`): FilterOperatorEnum {
  return name as FilterOperatorEnum;
}

/** Likewise. */
export const hubspotDefined = 'HUBSPOT_DEFINED' as AssociationSpecAssociationCategoryEnum;

async function clientOf(send: Send) {
  // A bundle hands over a CommonJS package as its default alone.
  const { default: objects } = await import('@hubspot/api-client/lib/codegen/crm/objects/index.js');
  const { default: associations } = await import(
    '@hubspot/api-client/lib/codegen/crm/associations/v4/index.js'
  );
  const libraryOf = <Context>(
    Made: new (
      status: number,
      headers: Record<string, string>,
      body: { text(): Promise<string>; binary(): Promise<Buffer> },
    ) => Context,
  ) => ({
    async send(call: ClientCall): Promise<Context> {
      const { status, headers, text } = await send(call);
      return new Made(status, headers, { text: async () => text, binary: async () => Buffer.from(text) });
    },
  });
  const forObjects = objects.createConfiguration({
    httpApi: objects.wrapHttpLibrary(libraryOf(objects.ResponseContext)),
  });
  const forAssociations = associations.createConfiguration({
    httpApi: associations.wrapHttpLibrary(libraryOf(associations.ResponseContext)),
  });
  return {
    objects: new objects.BasicApi(forObjects),
    search: new objects.SearchApi(forObjects),
    batch: new objects.BatchApi(forObjects),
    associations: new associations.BasicApi(forAssociations),
    associationsBatch: new associations.BatchApi(forAssociations),
  };
}

function initOf(context: ProviderContext, call: ClientCall) {
  const body = call.getBody();
  if (body !== undefined && typeof body !== 'string') {
    throw new DrawbridgeError('internal', 'The client of HubSpot made a body that is no text.');
  }
  return {
    method: call.getHttpMethod(),
    headers: call.getHeaders(),
    maxBytes,
    ...(body === undefined ? {} : { body }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  };
}

function answerOf({ status, headers }: Response, text: string) {
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    body = text;
  }
  return { status, headers, body };
}
