// Who the org works with: a list to search, and above it who could be the same, for a person to decide.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { ClientMerge } from '../../memory/clients/book.ts';
import type { Client } from '../../memory/memory.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup } from '../page/text.ts';
import { relative } from '../page/words.ts';

/** A client's name as a link, with what tells them from others of that name. */
export function clientLink(client: Client): Markup {
  const [email] = client.emails;
  return html`<a href="/clients/${client.id}">${inline(client.name)}</a>${email === undefined || email === client.name ? '' : html` <span class="soft">${inline(email)}</span>`}`;
}

function evidenceList({ evidence }: ClientMerge): Markup {
  return html`<ul class="evidence">${evidence.map(
    ({ text, documentId }) =>
      html`<li>${inline(text)}${documentId === undefined ? '' : html` <a href="/clients/documents/${documentId}">in this record</a>`}</li>`,
  )}</ul>`;
}

export function proposal(merge: ClientMerge, session: Session): Markup {
  const { id, client, other, score } = merge;
  return html`<li class="account proposal">
    <div class="who-and-what">
      <h3 class="summary">${clientLink(client)} and ${clientLink(other)}</h3>
      ${evidenceList(merge)}
      <form class="decide" method="post" action="/clients/merges/${id}">
        ${csrfField(session)}
        <button class="primary" name="decision" value="accept" type="submit">One client</button>
        <button name="decision" value="reject" type="submit">Two clients</button>
      </form>
    </div>
    <span class="pill pending">${Math.round(score * 100)} % likely</span>
  </li>`;
}

const done = {
  proposed: 'Proposed',
  accepted: 'Done',
  rejected: 'Kept apart',
  undone: 'Taken back',
} as const;

/** A decision that was taken, with what takes it back. */
export function decided(merge: ClientMerge, session: Session, now: number): Markup {
  const { id, kind, state, client, other, by, at } = merge;
  const what = kind === 'merge' ? 'joined with' : 'parted from';
  const open = state === 'accepted' || state === 'rejected';
  return html`<li>
    <p>${inline(client.name)} ${state === 'rejected' ? 'and' : what} ${inline(other.name)}${other.emails[0] === undefined ? '' : html` <span class="soft">${inline(other.emails[0])}</span>`}: ${done[state]}, ${by === undefined ? 'by a record' : inline(by)}, ${relative(at, now)}</p>
    ${evidenceList(merge)}
    ${
      open
        ? html`<form method="post" action="/clients/merges/${id}">${csrfField(session)}<button name="decision" value="undo" type="submit">Take it back</button></form>`
        : ''
    }
  </li>`;
}

export function clientsPage(parts: {
  session: Session;
  words: string;
  clients: readonly Client[];
  proposals: readonly ClientMerge[];
  fault?: string | undefined;
  now: number;
}): Promise<string> {
  const { session, words, clients, proposals, fault, now } = parts;
  const empty =
    words === ''
      ? html`<section class="empty"><h2>No clients yet</h2><p>They come by themselves from mail, calendars and contacts. <a href="/connections">Connect an account</a>, or import a file.</p></section>`
      : html`<section class="empty"><h2>Nobody is called so</h2><p>Try the beginning of a name or of an address. <a href="/clients">Show all</a></p></section>`;
  return page({
    title: 'Clients',
    session,
    current: 'clients',
    content: html`
      <h1>Clients</h1>
      <p class="lead">People and companies that you work with, and what your records say of them.</p>
      ${fault === undefined ? '' : html`<p class="warning" role="alert">${inline(fault)}</p>`}
      <form class="find" method="get" action="/clients" role="search">
        <label for="words">Name or address</label>
        <input id="words" name="q" type="search" maxlength="200" value="${words}" autocomplete="off">
        <button type="submit">Find</button>
      </form>
      ${
        proposals.length === 0
          ? ''
          : html`<section aria-labelledby="same"><h2 id="same">Could be the same</h2><ul class="accounts">${proposals.map((one) => proposal(one, session))}</ul></section>`
      }
      ${
        clients.length === 0
          ? empty
          : html`<section aria-labelledby="all"><h2 id="all">${words === '' ? 'Last in contact' : 'Found'}</h2><ul class="accounts">${clients.map(
              (client) => html`<li class="account">
                <div class="who-and-what">
                  <h3 class="summary">${clientLink(client)}</h3>
                  <p class="soft">${client.company === undefined ? '' : html`${inline(client.company)}, `}${client.documentCount} ${client.documentCount === 1 ? 'record' : 'records'}${client.lastContactAt === undefined ? '' : html`, ${client.lastContactAt > now ? 'next' : 'last'} contact ${relative(client.lastContactAt, now)}`}</p>
                </div>
                ${client.kind === 'company' ? html`<span class="pill">Company</span>` : ''}
              </li>`,
            )}</ul></section>`
      }`,
  });
}
