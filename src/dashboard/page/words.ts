// The few words that every page uses for the same thing.
import { html } from 'hono/html';
import type { DocumentKind } from '../../providers/record.ts';
import type { ActionStatus, ConnectionState } from '../../store/tables.ts';
import type { Markup } from './text.ts';

export const statusWords: Record<ActionStatus, string> = {
  pending: 'Waiting for you',
  approved: 'Approved',
  executing: 'Running',
  completed: 'Done',
  failed: 'Failed',
  unknown: 'Unclear',
  rejected: 'Rejected',
  expired: 'Expired',
  cancelled: 'Withdrawn',
};

export function statusPill(status: ActionStatus): Markup {
  return html`<span class="pill ${status}">${statusWords[status]}</span>`;
}

const approveWords: Record<string, string> = {
  send: 'Approve and send',
  create: 'Approve and create',
  update: 'Approve the change',
  delete: 'Approve the deletion',
  money: 'Approve the payment',
};

/** What the button says that lets an effect happen. */
export function approveLabel(effect: string): string {
  return approveWords[effect] ?? 'Approve';
}

/** An action that nothing will move any more. */
export function isFinal(status: ActionStatus): boolean {
  return ['completed', 'failed', 'rejected', 'expired', 'cancelled'].includes(status);
}

export const stateWords: Record<ConnectionState, string> = {
  PENDING: 'Being set up',
  AUTHORIZING: 'Being authorised',
  CONNECTED: 'Connected',
  ACTIVE: 'Working',
  DEGRADED: 'Working, with trouble',
  ERROR: 'Not working',
  EXPIRED: 'Needs to be connected again',
  REVOKED: 'Disconnected',
  DELETED: 'Deleted',
};

export const kindNames: Readonly<Record<DocumentKind, string>> = {
  mail: 'Mail',
  event: 'Event',
  contact: 'Contact',
  company: 'Company',
  deal: 'Deal',
  invoice: 'Invoice',
  listing: 'Listing',
  file: 'File',
  note: 'Note',
  chat: 'Chat',
  transcript: 'Transcript',
  page: 'Page',
  payment: 'Payment',
  ticket: 'Ticket',
  order: 'Order',
  metric: 'Figures',
};

const utc = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  dateStyle: 'medium',
  timeStyle: 'short',
});

/** An instant; the page's script rewrites it in the reader's own time zone. */
export function instant(ms: number): Markup {
  return html`<time datetime="${new Date(ms).toISOString()}" data-local>${utc.format(ms)} UTC</time>`;
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const relativeWords = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "in 23 hours", "5 minutes ago". */
export function relative(ms: number, now: number): string {
  const distance = ms - now;
  for (const [unit, size] of units) {
    if (Math.abs(distance) >= size) return relativeWords.format(Math.round(distance / size), unit);
  }
  return distance <= 0 ? 'just now' : 'in less than a minute';
}

/** "EUR 1,250.00"; the code as it was given where it is no currency. */
export function money({ value, currency }: { value: number; currency: string }): string {
  if (!/^[A-Z]{3}$/.test(currency)) return `${value} ${currency}`;
  return new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' }).format(value);
}

const byteWords = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function bytes(size: number): string {
  if (size < 1_000) return `${size} bytes`;
  if (size < 1_000_000) return `${byteWords.format(size / 1_000)} kB`;
  return `${byteWords.format(size / 1_000_000)} MB`;
}
