// Statements of QuickBooks's query language, put together from typed parts: no text of a caller becomes
// anything but a literal. https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries
import { DrawbridgeError } from '../../errors.ts';

export type EntityName = 'Customer' | 'Item' | 'Invoice' | 'Payment' | 'Estimate';

export type Property =
  | 'Id'
  | 'Active'
  | 'Balance'
  | 'CompanyName'
  | 'CustomerRef'
  | 'DisplayName'
  | 'DocNumber'
  | 'DueDate'
  | 'MetaData.LastUpdatedTime'
  | 'Name'
  | 'PrimaryEmailAddr'
  | 'TxnDate';

export type Condition =
  | { property: Property; is: '=' | '<' | '>' | '<=' | '>='; value: string; field?: string }
  /** Anywhere in it; `%` in the text stands for any characters. */
  | { property: Property; is: 'contains'; value: string; field?: string }
  | { property: Property; is: 'in'; values: readonly string[]; field?: string }
  | { property: 'Active'; is: 'any' };

export interface Select {
  from: EntityName;
  where?: readonly Condition[];
  orderBy?: { property: Property; descending?: boolean };
  /** Counted from 1. */
  start?: number;
  /** 1 to 1,000. */
  most: number;
}

/** @throws DrawbridgeError `invalid_request` with `field` for a text that no literal can hold for certain */
export function statement({ from, where = [], orderBy, start = 1, most }: Select): string {
  return [
    `select * from ${from}`,
    ...(where.length === 0 ? [] : [`where ${where.map(condition).join(' and ')}`]),
    ...(orderBy === undefined
      ? []
      : [`orderby ${orderBy.property}${orderBy.descending === true ? ' desc' : ''}`]),
    `startposition ${whole(start)}`,
    `maxresults ${whole(most)}`,
  ].join(' ');
}

function condition(one: Condition): string {
  switch (one.is) {
    case 'any':
      return `${one.property} in (true, false)`;
    case 'in':
      return `${one.property} in (${one.values.map((value) => literal(value, one.field)).join(', ')})`;
    case 'contains':
      return `${one.property} like ${literal(`%${one.value}%`, one.field)}`;
    default:
      return `${one.property} ${one.is} ${literal(one.value, one.field)}`;
  }
}

/**
 * A quote is written with a backslash before it. How a backslash itself is written Intuit does not say; where
 * the guess were wrong it would swallow the closing quote, so a text that has one is refused.
 */
function literal(value: string, field = 'query'): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\\\u0000-\u001f\u007f]/.test(value) || !value.isWellFormed()) {
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: QuickBooks cannot be asked for a text with a backslash or a control character.`,
      { field },
    );
  }
  return `'${value.replaceAll("'", "\\'")}'`;
}

function whole(count: number): string {
  if (Number.isSafeInteger(count) && count >= 1) return String(count);
  throw new DrawbridgeError('internal', 'A query of QuickBooks was made with an unusable number.');
}
