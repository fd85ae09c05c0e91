// How something is written to QuickBooks: under a request id made from the effect's key, so that a repeat gets
// the first answer instead of a second effect; and only when the books still say what a person read.
import { createHash } from 'node:crypto';
import { DrawbridgeError } from '../../errors.ts';
import type { LiveRecord, ProviderContext, WriteContext, WriteOutcome } from '../define.ts';
import { addressOf, type Query, type RequestAt, sendWriteAt } from '../request.ts';
import type { Raw } from './entities.ts';
import { http, version } from './http.ts';
import type { Sale, Which } from './payload.ts';
import { getRecord, select } from './reads.ts';
import { pageOf } from './shown.ts';

/** Time for the first attempt to come to its end before its answer is asked for again. */
const replayAfterMs = 2_000;

/** Of 50 characters that Intuit takes. https://developer.intuit.com/app/developer/qbo/docs/learn/rest-api-features */
export function requestId(effectKey: string): string {
  return createHash('sha256').update(effectKey).digest('hex').slice(0, 32);
}

/**
 * An action that was refused for a record changed meanwhile, and approved anew, must not get that refusal again:
 * what is written over is part of what is asked.
 */
function requestIdOf({ effectKey, before }: WriteContext): string {
  const over = before?.fields['version'];
  return requestId(over === undefined ? effectKey : `${effectKey}/${String(over)}`);
}

/**
 * The answer of a write. Where it got lost on the way it is asked for once more, by the same request id.
 * @throws EffectRefused, DrawbridgeError as `sendWrite`
 */
export async function write<Output>(context: WriteContext, write: Writing<Output>): Promise<Output> {
  const { path, params = {}, query = {}, ...rest } = write;
  const url = addressOf(context, http, {
    path,
    params,
    query: { ...query, requestid: requestIdOf(context), ...version },
  });
  const request = { ...rest, method: 'POST' } as const;
  try {
    return await sendWriteAt(context, http, url, request);
  } catch (lost) {
    if (!isLost(lost)) throw lost;
    context.signal?.throwIfAborted();
    await context.clock.sleep(replayAfterMs, { signal: context.signal });
    try {
      return await sendWriteAt(context, http, url, request);
    } catch {
      // Also a refusal now says nothing certain about the first attempt.
      throw lost;
    }
  }
}

type Writing<Output> = Pick<RequestAt<Output>, 'body' | 'headers' | 'output'> & { query?: Query } & (
    | { path: '/customer' | '/invoice' | '/estimate' | '/payment'; params?: never }
    | { path: '/invoice/{id}/send'; params: { id: string } }
  );

function isLost(thrown: unknown): boolean {
  if (!(thrown instanceof DrawbridgeError)) return false;
  return thrown.code === 'network' || thrown.code === 'provider_unavailable';
}

/** @throws DrawbridgeError `conflict` where customer, currency or items are not what the payload calls them */
export async function assertParties(
  context: ProviderContext,
  { customer, currency, lines }: Pick<Sale, 'customer' | 'currency'> & { lines: Sale['lines'] },
): Promise<void> {
  const found = await getRecord(context, 'Customer', customer.id);
  assertSame('customer', customer.id, { was: customer.name, is: found.DisplayName });
  const own = found.CurrencyRef?.value;
  if (own !== undefined) assertSame('currency of customer', customer.id, { was: currency, is: own });
  const wanted = new Map(lines.map(({ item }) => [item.id, item.name]));
  if (wanted.size === 0) return;
  const items = await select(context, {
    from: 'Item',
    where: [{ property: 'Id', is: 'in', values: [...wanted.keys()] }],
    most: wanted.size,
  });
  const names = new Map(items.map(({ Id, Name }) => [Id, Name]));
  for (const [id, was] of wanted) assertSame('item', id, { was, is: names.get(id) });
}

type Paper = 'Invoice' | 'Estimate' | 'Payment';

/** What names a paper, how much it is, and its version: a change of anything else shows there. */
export function standing(paper: Raw[Paper]): Record<string, unknown> {
  return {
    number: ('PaymentRefNum' in paper ? paper.PaymentRefNum : paper.DocNumber) ?? null,
    customer: paper.CustomerRef?.name ?? null,
    total: paper.TotalAmt ?? null,
    ...('Balance' in paper ? { owed: paper.Balance ?? null } : {}),
    currency: paper.CurrencyRef?.value ?? null,
    version: paper.SyncToken ?? null,
  };
}

/** What a payload says of the paper as it was read. */
interface Told {
  which: Which;
  syncToken?: string;
  total?: number;
  currency?: string;
}

/** @throws DrawbridgeError `conflict` where `fields`, as `standing` gives them, are of another paper or version */
export function assertTold({ which, ...told }: Told, fields: LiveRecord['fields'], what = 'invoice'): void {
  const is = (name: string) => (fields[name] === null ? undefined : String(fields[name]));
  assertSame(`customer of ${what}`, which.id, { was: which.customer, is: is('customer') });
  assertSame(`number of ${what}`, which.id, { was: which.number, is: is('number') });
  if (told.syncToken !== undefined) {
    assertSame(`version of ${what}`, which.id, { was: told.syncToken, is: is('version') });
  }
  if (told.total !== undefined) {
    assertSame(`total of ${what}`, which.id, {
      was: told.total.toFixed(2),
      is: typeof fields['total'] === 'number' ? fields['total'].toFixed(2) : undefined,
    });
  }
  if (told.currency !== undefined && is('currency') !== undefined) {
    assertSame(`currency of ${what}`, which.id, { was: told.currency, is: is('currency') });
  }
}

/**
 * The version that may be written over: the one that was approved, or, where nothing was approved of it, the one
 * that was read. @throws DrawbridgeError `not_found`, `conflict` when the paper is another by now
 */
export async function unchanged(
  context: WriteContext,
  told: Told,
  entity: Paper = 'Invoice',
): Promise<string> {
  const what = entity.toLowerCase();
  const fields = standing(await getRecord(context, entity, told.which.id));
  const approved = context.before?.fields;
  if (approved === undefined) assertTold(told, fields, what);
  for (const name of Object.keys(approved === undefined ? {} : fields)) {
    const [was, is] = [approved?.[name], fields[name]].map((value) => String(value ?? 'empty'));
    assertSame(`${name} of ${what}`, told.which.id, { was, is });
  }
  return String(fields['version']);
}

/** How much is taken out of the books: what the paper amounts to as it was approved. */
export function totalOf({ total, currency }: { total: number; currency: string }, live?: LiveRecord) {
  const stands = live?.fields['total'];
  return { amount: { value: typeof stands === 'number' ? stands : total, currency } };
}

/** The version that was there before the write. */
export function versionBefore(context: WriteContext, { syncToken }: { syncToken: string }): string {
  return String(context.before?.fields['version'] ?? syncToken);
}

export function assertSame(
  what: string,
  id: string,
  { was, is }: { was: string | undefined; is: string | undefined },
): void {
  if (was === is) return;
  throw new DrawbridgeError(
    'conflict',
    `The ${what} ${id} is not ${was ?? 'empty'} in QuickBooks, as was proposed. Nothing was sent.`,
    { retry: 'ask' },
  );
}

export function outcomeOf(
  context: ProviderContext,
  entity: 'Customer' | 'Invoice' | 'Estimate' | 'Payment',
  record: Pick<Raw['Customer'], 'Id'>,
  details: Record<string, string | number | undefined>,
): WriteOutcome {
  const told = Object.entries(details).filter(([, value]) => value !== undefined);
  return {
    reference: record.Id,
    url: pageOf(context, entity, record.Id),
    details: { id: record.Id, ...Object.fromEntries(told) },
  };
}

/** Members that have a value. */
export function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
