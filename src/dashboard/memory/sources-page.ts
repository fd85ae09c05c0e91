// Where memory comes from: each account with what it brought, how its syncing stands and what is next. What is
// happening now moves on the page by itself.
import { html } from 'hono/html';
import type { SyncOverview } from '../../jobs/sync-overview.ts';
import { everyWords } from '../../jobs/sync-schedule.ts';
import type { Viewer } from '../environment.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { relative } from '../page/words.ts';

const count = new Intl.NumberFormat('en');

const plurals: Readonly<Record<string, string>> = {
  mail: 'mails',
  company: 'companies',
};

/** "1,204 mails, 33 events". */
function itemWords(items: Readonly<Record<string, number>>): string {
  const parts = Object.entries(items).map(
    ([kind, number]) => `${count.format(number)} ${number === 1 ? kind : (plurals[kind] ?? `${kind}s`)}`,
  );
  return parts.length === 0 ? 'nothing in memory yet' : parts.join(', ');
}

/** What happens now, in the words that the page's script keeps up to date. */
export function progressWords(job: {
  seen: number;
  total: number | undefined;
  inserted: number;
  updated: number;
}): string {
  const of = job.total === undefined ? '' : ` of ${count.format(job.total)}`;
  return `${count.format(job.seen)}${of} records read, ${count.format(job.inserted)} new, ${count.format(job.updated)} changed`;
}

type Standing = 'running' | 'waiting' | 'asks' | 'failing' | 'paused' | 'fresh' | 'never';

const standingWords: Readonly<Record<Standing, readonly [words: string, pill: string]>> = {
  running: ['Syncing', 'executing'],
  waiting: ['Begins soon', 'pending'],
  asks: ['Asks you', 'unknown'],
  failing: ['Failing', 'failed'],
  paused: ['Paused', 'cancelled'],
  fresh: ['Up to date', 'completed'],
  never: ['Not synced yet', 'pending'],
};

function standingOf({ asked, last, schedule }: SyncOverview): Standing {
  if (last?.state === 'running') return 'running';
  if (asked !== undefined) return 'asks';
  if (schedule?.waitingSince !== undefined) return 'waiting';
  if ((schedule?.failures ?? 0) > 0) return 'failing';
  if (schedule?.paused === true) return 'paused';
  return last === undefined ? 'never' : 'fresh';
}

/** What a person can do about an error, where it does not pass by itself. */
function mendWords(code: string, { connection }: SyncOverview): Markup {
  const again = html`<a href="/connect/${connection.provider}?account=${connection.id}">Connect it again</a>`;
  switch (code) {
    case 'auth_expired':
    case 'auth_revoked':
      return html`${again}: then it goes on by itself.`;
    case 'permission_denied':
      return html`The account may not read this. ${again} and allow it, or ask who manages it.`;
    case 'rate_limited':
    case 'quota_exhausted':
      return 'The provider limits how much may be asked. Nothing needs to be done; syncing less often helps.';
    case 'timeout':
    case 'network':
    case 'provider_unavailable':
      return 'It is tried again by itself, and goes on where it was.';
    default:
      return 'The log of the server tells more. Syncing again goes on where it was.';
  }
}

function broughtWords(last: { inserted: number; updated: number; deleted: number }): string {
  if (last.inserted + last.updated + last.deleted === 0) return 'nothing new';
  return `${count.format(last.inserted)} new, ${count.format(last.updated)} changed, ${count.format(last.deleted)} gone`;
}

function lastWords({ last, connection, items }: SyncOverview, now: number): string {
  const { lastSyncAt } = connection;
  const synced = lastSyncAt === undefined ? 'Never synced' : `Synced ${relative(lastSyncAt, now)}`;
  const brought = last?.state === 'completed' ? ` (${broughtWords(last)})` : '';
  return `${synced}${brought} · ${itemWords(items)}`;
}

function nextWords({ schedule }: SyncOverview, now: number): string {
  if (schedule === undefined) return 'The first sync begins by itself.';
  if (schedule.paused) return 'Paused: it is synced when you say so.';
  const again = schedule.failures > 0 ? 'Tried again' : 'Next';
  const when = schedule.nextAt <= now ? 'any moment' : relative(schedule.nextAt, now);
  return `${again} ${when}, ${everyWords(schedule.everyMs)}.`;
}

function question(one: SyncOverview, session: Viewer): Markup {
  const { asked, connection } = one;
  if (asked === undefined) return '';
  const records = `${count.format(asked.count)} records`;
  return html`<section class="panel brake" aria-label="Deletions of ${connection.label}">
    <h3>${records} are gone at once</h3>
    <p>That is more than a fifth of what ${inline(connection.label)} had. It may be meant, or an error there. Nothing was deleted here.</p>
    ${asked.titles.length === 0 ? '' : html`<ul class="examples">${asked.titles.map((title) => html`<li>${inline(title === '' ? 'without a title' : title)}</li>`)}</ul>`}
    <form class="answers" method="post" action="/sources/${connection.id}/deletions">
      ${csrfField(session)}
      <button class="danger" type="submit" name="answer" value="forget">Delete them here, too</button>
      <button type="submit" name="answer" value="keep">Keep them</button>
    </form>
  </section>`;
}

function problems({ last }: SyncOverview): Markup {
  if (last === undefined || last.rejected === 0) return '';
  return html`<details><summary>${count.format(last.rejected)} could not be read</summary>
    <ul class="examples">${last.problems.map(({ place, reason }) => html`<li>${inline(place)}: ${inline(reason)}</li>`)}</ul>
  </details>`;
}

const choices = [
  ['nightly', 'each night'],
  ['15m', 'every 15 minutes'],
  ['1h', 'every hour'],
  ['6h', 'every 6 hours'],
  ['12h', 'every 12 hours'],
  ['7d', 'every 7 days'],
] as const;

function settings(one: SyncOverview, session: Viewer): Markup {
  const { connection, schedule } = one;
  const now = everyWords(schedule?.everyMs);
  const own = choices.some(([, words]) => words === now) ? [] : [['', now] as const];
  const field = `every-${connection.id}`;
  return html`<details class="confirm"><summary>Settings<span class="unseen-words"> of ${connection.label}</span></summary>
    <form method="post" action="/sources/${connection.id}/every">
      ${csrfField(session)}
      <label for="${field}">How often</label>
      <select id="${field}" name="every">${[...own, ...choices].map(
        ([value, words]) =>
          html`<option value="${value}" ${words === now ? 'selected' : ''}>${words}</option>`,
      )}</select>
      <button type="submit">Keep it</button>
    </form>
    <form method="post" action="/sources/${connection.id}/sync">
      ${csrfField(session)}
      <input type="hidden" name="full" value="yes">
      <p>Everything is read again from the beginning, and what is not there any more is found. That may take long.</p>
      <button type="submit">Read everything again</button>
    </form>
  </details>`;
}

function source(one: SyncOverview, { session, now }: SourcesPage): Markup {
  const { connection, schedule, last } = one;
  const standing = standingOf(one);
  const [words, pill] = standingWords[standing];
  const paused = schedule?.paused === true;
  const running = last?.state === 'running' ? last : undefined;
  return html`<li class="account synced" id="${connection.id}">
    <div class="who-and-what">
      <h2 class="summary">${inline(connection.label)}</h2>
      <p class="soft">${inline(connection.providerTitle)} · ${lastWords(one, now)}</p>
      ${
        running === undefined
          ? ''
          : html`<div class="progress" data-sync="${connection.id}">
              <progress aria-label="Progress of ${connection.label}" ${running.total === undefined ? '' : html`max="${running.total}" value="${running.seen}"`}></progress>
              <p>${progressWords(running)}</p>
            </div>`
      }
      ${
        schedule?.error === undefined
          ? ''
          : html`<p class="warning">${marked(schedule.error.message)} <span class="soft">${relative(schedule.error.at, now)}</span> ${mendWords(schedule.error.code, one)}</p>`
      }
      ${problems(one)}
      <p class="soft">${nextWords(one, now)}</p>
      ${question(one, session)}
    </div>
    <span class="pill ${pill}">${words}</span>
    <div class="deeds">
      <form method="post" action="/sources/${connection.id}/sync">
        ${csrfField(session)}
        <button type="submit" ${running !== undefined || standing === 'waiting' ? 'disabled' : ''}>Sync now<span class="unseen-words"> ${connection.label}</span></button>
      </form>
      <form method="post" action="/sources/${connection.id}/${paused ? 'resume' : 'pause'}">
        ${csrfField(session)}
        <button class="quiet" type="submit">${paused ? 'Resume' : 'Pause'}<span class="unseen-words"> ${connection.label}</span></button>
      </form>
      ${settings(one, session)}
    </div>
  </li>`;
}

export interface SourcesPage {
  session: Viewer;
  sources: readonly SyncOverview[];
  live: string;
  now: number;
}

export function sourcesPage(given: SourcesPage): Promise<string> {
  const { session, sources, live } = given;
  return page({
    title: 'Sources',
    session,
    current: 'sources',
    live,
    refresh: 30,
    content: html`
      <h1>Sources</h1>
      <p class="lead">What memory is made of, and how fresh it is. Accounts are synced each night, or as often as you say.</p>
      ${
        sources.length === 0
          ? html`<section class="empty"><h2>Nothing is synced yet</h2><p>Once an account with mail, events, files or records is connected, it is brought into memory by itself. <a href="/connections">Connect an account</a></p></section>`
          : html`<ul class="accounts">${sources.map((one) => source(one, given))}</ul>`
      }`,
  });
}
