// A question to memory, and what it answers: passages with the words that were asked for marked, each with its
// source and its age.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Connection } from '../../connections/connections.ts';
import type { MemoryAnswer, Passage } from '../../memory/memory.ts';
import { type DocumentKind, documentKinds } from '../../providers/record.ts';
import { type Judge, verdictOf } from '../../recall/verdict.ts';
import { ageInWords } from '../../time.ts';
import { page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { instant, kindNames } from '../page/words.ts';

/** What was asked, as it stands in the address. */
export interface Asked {
  words: string;
  kind: DocumentKind | undefined;
  account: string;
  since: string;
  until: string;
}

/** `text` with what stands at `marks` marked. */
function withMarks(text: string, marks: readonly (readonly [number, number])[] = []): Markup {
  const pieces: Markup[] = [];
  let from = 0;
  for (const [start, end] of marks) {
    if (start < from || end <= start) continue;
    pieces.push(marked(text.slice(from, start)), html`<mark>${marked(text.slice(start, end))}</mark>`);
    from = end;
  }
  pieces.push(marked(text.slice(from)));
  return html`${pieces}`;
}

function alikeLine({ alike }: Passage): Markup {
  if (alike === undefined || alike.inThread + alike.copies === 0) return '';
  const said = [
    ...(alike.inThread === 0 ? [] : [`and ${alike.inThread} more in this thread`]),
    ...(alike.copies === 0 ? [] : [`and ${alike.copies} more that say the same`]),
  ];
  return html`<p class="soft">${said.join(', ')}</p>`;
}

function hit(passage: Passage, judge: Judge): Markup {
  const { title, kind, source, snippet, writtenAt, url, people, documentId, marks } = passage;
  const { age, freshness } = verdictOf(passage, judge);
  const names = people
    .map((person) => person.name ?? person.address ?? '')
    .filter((name) => name !== '')
    .slice(0, 3);
  return html`<li class="account hit">
    <div class="who-and-what">
      <h2 class="summary"><a href="/clients/documents/${documentId}">${inline(title === '' ? kindNames[kind] : title)}</a></h2>
      <p class="soft">${inline(source)}${names.length === 0 ? '' : html`, ${inline(names.join(', '))}`}${writtenAt === undefined ? '' : html`, ${instant(writtenAt)}`}</p>
      <p class="passage">${withMarks(snippet, marks)}</p>
      ${(passage.attribution ?? []).map((line) => html`<p class="soft">${inline(line)}</p>`)}
      ${alikeLine(passage)}
      <p class="soft">Known to be so ${ageInWords(age)} ago${freshness === 'stale' ? html` <strong class="stale">out of date: ask its source anew on <a href="/sources">Sources</a></strong>` : ''}${
        url !== undefined && /^https?:\/\//i.test(url)
          ? html` · <a href="${url}" rel="noreferrer noopener" target="_blank">At the source</a>`
          : ''
      }</p>
    </div>
    <span class="pill">${kindNames[kind]}</span>
  </li>`;
}

function form(asked: Asked, connections: readonly Connection[]): Markup {
  const narrowed = [asked.kind, asked.account, asked.since, asked.until].some(
    (one) => one !== undefined && one !== '',
  );
  return html`<form class="search" method="get" action="/search" role="search">
    <div class="find">
      <input type="search" name="q" aria-label="What you want to know" maxlength="1000" value="${asked.words}" placeholder="What did Maria say about the roof since March?" ${asked.words === '' ? 'autofocus' : ''}>
      <button class="primary" type="submit">Search</button>
    </div>
    <details ${narrowed ? 'open' : ''}><summary>Narrow it</summary>
      <div class="find">
        <label>Kind <select name="kind"><option value="">Any</option>${documentKinds.map(
          (kind) =>
            html`<option value="${kind}" ${kind === asked.kind ? 'selected' : ''}>${kindNames[kind]}</option>`,
        )}</select></label>
        <label>Account <select name="account"><option value="">Any</option>${connections.map(
          ({ id, label }) =>
            html`<option value="${id}" ${id === asked.account ? 'selected' : ''}>${label}</option>`,
        )}</select></label>
        <label>From <input type="date" name="since" value="${asked.since}"></label>
        <label>Before <input type="date" name="until" value="${asked.until}"></label>
      </div>
    </details>
  </form>`;
}

function nothing(holdsAny: boolean): Markup {
  return holdsAny
    ? html`<section class="empty"><h2>Nothing answers that</h2><p>Try other words, or fewer bounds.</p></section>`
    : html`<section class="empty"><h2>Memory is empty</h2><p><a href="/connections">Connect an account</a>, and what it holds is found here.</p></section>`;
}

export function searchPage(parts: {
  session: Session;
  asked: Asked;
  connections: readonly Connection[];
  /** Undefined: nothing was asked yet. */
  found: { answer: MemoryAnswer; judge: Judge; next: string | undefined } | undefined;
  holdsAny: boolean;
  fault?: string | undefined;
}): Promise<string> {
  const { session, asked, connections, found, holdsAny, fault } = parts;
  const { passages = [], understood = [], unreranked, client } = found?.answer ?? {};
  return page({
    title: asked.words === '' ? 'Search' : `${asked.words.slice(0, 60)} · Search`,
    session,
    current: 'search',
    content: html`
      <h1>Search</h1>
      ${form(asked, connections)}
      ${fault === undefined ? '' : html`<p class="warning" role="alert">${marked(fault)}</p>`}
      ${understood.length === 0 ? '' : html`<p class="soft">Understood: ${understood.map((one, i) => html`${i === 0 ? '' : ', '}${inline(one)}`)}</p>`}${unreranked === undefined ? '' : html`<p class="soft">${inline(unreranked)}</p>`}
      ${client === undefined ? '' : html`<p>About <a href="/clients/${client.id}">${inline(client.name)}</a></p>`}
      ${
        found === undefined
          ? holdsAny
            ? html`<p class="lead">Everything that your accounts hold, in your own words: names, amounts, "since the offer", "from Maria".</p>`
            : nothing(false)
          : passages.length === 0
            ? nothing(holdsAny)
            : html`<ol class="accounts hits">${passages.map((one) => hit(one, found.judge))}</ol>`
      }
      ${found?.next === undefined ? '' : html`<p><a href="${found.next}" rel="next">More</a></p>`}`,
  });
}
