// The inbox: what waits for a decision, by view and filter, in pages. Each line leads to the action; nothing
// can be decided from a list, so that nobody approves what they have not seen.
import { html } from 'hono/html';
import type { ActionLine, Asker } from '../../queue/find.ts';
import type { Viewer } from '../environment.ts';
import { keysDialog } from '../page/keys-dialog.ts';
import { page } from '../page/layout.ts';
import type { Markup } from '../page/text.ts';
import { grouped, line } from './lines.ts';

export const views = {
  waiting: 'Waiting',
  mine: 'Mine',
  snoozed: 'Snoozed',
  moving: 'On its way',
  unclear: 'Unclear',
  done: 'Done',
} as const;
export type View = keyof typeof views;

export interface Filters {
  provider: string | undefined;
  askedBy: string | undefined;
  words: string | undefined;
}

/** What the filters can be set to. */
export interface Choices {
  providers: readonly { id: string; title: string }[];
  askers: readonly Asker[];
}

export interface Inbox {
  session: Viewer;
  view: View;
  filters: Filters;
  choices: Choices;
  lines: readonly ActionLine[];
  /** The last id of this page, when there is a next one. */
  next: string | undefined;
  first: boolean;
  /** How many stand in each view that needs somebody. */
  counts: Readonly<Record<Exclude<View, 'done'>, number>>;
  /** Shown above what waits, on the first page without filters. */
  unclear: readonly ActionLine[];
  /** Whether an account is connected yet; decides what the empty page says. */
  connected: boolean;
  live: string;
  now: number;
}

/** The address of a list; what is not set stands not in it. */
export function addressOf(path: string, given: Record<string, string | undefined>): string {
  const set = Object.entries(given).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  return set.length === 0 ? path : `${path}?${new URLSearchParams(set)}`;
}

function addressFor({ filters, view }: Inbox, more: { view?: View; before?: string } = {}): string {
  const show = more.view ?? view;
  return addressOf('/', {
    show: show === 'waiting' ? undefined : show,
    provider: filters.provider,
    by: filters.askedBy,
    q: filters.words,
    before: more.before,
  });
}

export function inboxPage(given: Inbox): Promise<string> {
  const { view, counts, lines, unclear } = given;
  const waiting = counts.waiting;
  const bare = lines.length === 0 && unclear.length === 0 && given.first && !isFiltered(given.filters);
  return page({
    title: waiting === 0 ? 'Approvals' : `(${waiting}) Approvals`,
    session: given.session,
    current: 'approvals',
    live: given.live,
    content: html`
      <div class="head"><h1>Approvals</h1>${keysDialog('list')}</div>
      ${tabs(given)}
      ${bare ? '' : filterForm('/', given.filters, given.choices, view === 'waiting' ? undefined : view)}
      ${unclear.length === 0 ? '' : html`<section><h2>Unclear: please look</h2><ul class="actions">${unclear.map((one) => line(one, given.now))}</ul></section>`}
      ${
        lines.length === 0
          ? nothing(given)
          : html`<section><h2 class="unseen-words">${views[view]}</h2><ul class="actions" data-lines>${grouped(lines, given.now)}</ul></section>`
      }
      ${pager(given)}`,
  });
}

/** Whether anything is left out; where nothing is and nothing stands there, there is nothing to search. */
export function isFiltered(filters: object): boolean {
  return Object.values(filters).some((value) => value !== undefined);
}

function tabs(given: Inbox): Markup {
  return html`<nav class="tabs" aria-label="Which actions"><ul>${Object.entries(views).map(
    ([name, title]) => {
      const view = name as View;
      const count = view === 'done' ? 0 : given.counts[view];
      return html`<li><a href="${addressFor(given, { view })}" ${view === given.view ? html`aria-current="page"` : ''}>${title}${count === 0 ? '' : html` <span class="count">${count}</span>`}</a></li>`;
    },
  )}</ul></nav>`;
}

/** Provider, asker and words, as a form that is only looked at. */
export function filterForm(
  path: string,
  filters: Filters,
  choices: Choices,
  show: string | undefined,
  more: Markup = '',
): Markup {
  const option = (value: string, title: Markup, chosen: string | undefined) =>
    html`<option value="${value}" ${value === chosen ? html`selected` : ''}>${title}</option>`;
  return html`<form class="filters" method="get" action="${path}" role="search" data-again>
    ${show === undefined ? '' : html`<input type="hidden" name="show" value="${show}">`}
    <div><label for="q">Search</label><input id="q" name="q" type="search" maxlength="200" value="${filters.words ?? ''}" autocomplete="off"></div>
    <div><label for="provider">Provider</label><select id="provider" name="provider">
      ${option('', 'All', filters.provider ?? '')}${choices.providers.map(({ id, title }) => option(id, title, filters.provider))}
    </select></div>
    <div><label for="by">Asked by</label><select id="by" name="by">
      ${option('', 'Anyone', filters.askedBy ?? '')}${choices.askers.map(({ id, name }) => option(id, name, filters.askedBy))}
    </select></div>
    ${more}
    <button type="submit">Show</button>
  </form>`;
}

const emptyWords: Record<Exclude<View, 'waiting'>, [title: string, text: string]> = {
  mine: ['Nothing was handed to you', 'What another member hands over to you stands here.'],
  snoozed: ['Nothing is put off', 'What you put off waits here until its time, and may expire meanwhile.'],
  moving: ['Nothing is on its way', 'What was approved stands here until the provider has answered.'],
  unclear: [
    'Nothing is unclear',
    'When a provider’s answer is lost, the action waits here for somebody to look.',
  ],
  done: ['Nothing was decided yet', 'What was done, rejected, withdrawn or expired stands here.'],
};

function nothing({ view, filters, first, connected }: Inbox): Markup {
  if (isFiltered(filters) || !first) {
    return html`<section class="empty"><h2>Nothing matches</h2><p><a href="${addressOf('/', { show: view === 'waiting' ? undefined : view })}">Show all of them</a></p></section>`;
  }
  if (view !== 'waiting') {
    const [title, text] = emptyWords[view];
    return html`<section class="empty"><h2>${title}</h2><p>${text}</p></section>`;
  }
  return html`<section class="empty">
    <h2>Nothing waits for you</h2>
    <p>When an agent wants to send a mail or book an event, it appears here, whole, before anything happens. Nothing leaves without you.</p>
    ${
      connected
        ? html`<p>Give an agent the way in: <a href="/connect">connect an agent</a>.</p>`
        : html`<p>No account is connected yet.</p>
          <p><a class="button" href="/connections">Connect an account</a></p>`
    }
  </section>`;
}

function pager(given: Inbox): Markup {
  if (given.first && given.next === undefined) return '';
  return html`<nav class="pager" aria-label="Pages of the list">
    ${given.first ? '' : html`<a href="${addressFor(given)}">Newest</a>`}
    ${given.next === undefined ? '' : html`<a href="${addressFor(given, { before: given.next })}">Older</a>`}
  </nav>`;
}
