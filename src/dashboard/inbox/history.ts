// The history: every action there ever was, by filter, in pages, and as a table for a spreadsheet.
import { html } from 'hono/html';
import type { ActionLine } from '../../queue/find.ts';
import { type ActionStatus, actionStatuses } from '../../store/tables.ts';
import { iso } from '../../time.ts';
import type { Viewer } from '../environment.ts';
import { page } from '../page/layout.ts';
import type { Markup } from '../page/text.ts';
import { statusWords } from '../page/words.ts';
import { csvLine } from './csv.ts';
import { addressOf, type Choices, type Filters, filterForm, isFiltered } from './inbox.ts';
import { line } from './lines.ts';

export interface HistoryFilters extends Filters {
  status: ActionStatus | undefined;
  /** Days, `2026-03-02`, in UTC; both included. */
  from: string | undefined;
  to: string | undefined;
}

export interface History {
  session: Viewer;
  filters: HistoryFilters;
  choices: Choices;
  lines: readonly ActionLine[];
  next: string | undefined;
  first: boolean;
  now: number;
}

function address(path: string, filters: HistoryFilters, before?: string): string {
  const { provider, askedBy, words, status, from, to } = filters;
  return addressOf(path, { provider, by: askedBy, q: words, status, from, to, before });
}

export function historyPage(given: History): Promise<string> {
  const { filters, lines, first, next, now } = given;
  const filtered = isFiltered(filters);
  const bare = lines.length === 0 && first && !filtered;
  return page({
    title: 'History',
    session: given.session,
    current: 'history',
    content: html`
      <h1>History</h1>
      ${
        bare
          ? ''
          : filterForm(
              '/history',
              filters,
              given.choices,
              undefined,
              html`<div><label for="status">State</label><select id="status" name="status">
          <option value="">Any</option>
          ${actionStatuses.map((one) => html`<option value="${one}" ${one === filters.status ? html`selected` : ''}>${statusWords[one]}</option>`)}
        </select></div>
        <div><label for="from">From</label><input id="from" name="from" type="date" value="${filters.from ?? ''}"></div>
        <div><label for="to">To</label><input id="to" name="to" type="date" value="${filters.to ?? ''}"></div>`,
            )
      }
      ${
        lines.length === 0
          ? html`<section class="empty" role="status">${emptyText(first, filtered)}</section>`
          : html`<ul class="actions" data-lines>${lines.map((one) => line(one, now))}</ul>
            <p class="export"><a href="${address('/history.csv', filters)}" download>Export as CSV</a> <span class="soft">all that match, for a spreadsheet</span></p>`
      }
      <nav class="pager" aria-label="Pages of the history">
        ${first ? '' : html`<a href="${address('/history', filters)}">Newest</a>`}
        ${next === undefined ? '' : html`<a href="${address('/history', filters, next)}">Older</a>`}
      </nav>`,
  });
}

function emptyText(first: boolean, filtered: boolean): Markup {
  if (!first) return html`<p>There is nothing older.</p>`;
  return filtered
    ? html`<h2>Nothing matches</h2><p><a href="/history">Show all of it</a></p>`
    : html`<h2>Nothing was proposed yet</h2><p>What an agent proposes stands here, with what became of it and who decided.</p>`;
}

export const historyColumns = csvLine([
  'id',
  'proposed at',
  'state',
  'summary',
  'provider',
  'operation',
  'effect',
  'account',
  'asked by',
  'decided at',
  'decided by',
  'decided on',
  'reason',
  'finished at',
  'hash',
]);

export function historyRow(action: ActionLine): string {
  const at = (ms: number | undefined) => (ms === undefined ? undefined : iso(ms));
  return csvLine([
    action.id,
    at(action.proposedAt),
    action.status,
    action.summary,
    action.provider,
    action.operation,
    action.effect,
    action.accountLabel,
    action.proposedBy.name,
    at(action.decidedAt),
    action.decidedBy,
    action.decisionChannel,
    action.decisionReason,
    at(action.finishedAt),
    action.payloadHash,
  ]);
}
