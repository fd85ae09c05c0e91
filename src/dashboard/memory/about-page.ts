// What the org says of itself: every entry, the form that adds one, and an entry with its versions.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import { type BrainEntry, type BrainKind, brainKinds } from '../../memory/receipts/brain.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { relative } from '../page/words.ts';
import type { Field } from '../requests.ts';

const kindWords: Readonly<Record<BrainKind, string>> = {
  service: 'A service',
  price: 'A price',
  voice: 'How we write',
  policy: 'A rule of ours',
  fact: 'A fact',
};

interface Given {
  field: Field;
  fault: string;
}

function faultLine(given: Given | undefined): Markup {
  return given === undefined ? '' : html`<p class="warning" role="alert">${marked(given.fault)}</p>`;
}

function fields(value: Field): Markup {
  return html`
    <div class="row"><label for="kind">What it is</label>
      <select id="kind" name="kind">${brainKinds.map(
        (kind) =>
          html`<option value="${kind}" ${value('kind') === kind ? 'selected' : ''}>${kindWords[kind]}</option>`,
      )}</select></div>
    <div class="row"><label for="title">Title</label>
      <input id="title" name="title" required maxlength="200" autocomplete="off" value="${value('title')}"></div>
    <div class="row"><label for="text">Text</label> <span class="soft" id="text-hint">As an agent should quote it.</span>
      <textarea id="text" name="text" required maxlength="20000" rows="6" aria-describedby="text-hint">${value('text')}</textarea></div>`;
}

export function aboutPage(parts: {
  session: Session;
  entries: readonly BrainEntry[];
  given?: Given | undefined;
  now: number;
}): Promise<string> {
  const { session, entries, given, now } = parts;
  return page({
    title: 'About us',
    session,
    current: 'about',
    content: html`
      <h1>About us</h1>
      <p class="lead">Services, prices, how you write: what agents should know of you. They find and cite it; only people change it.</p>
      ${faultLine(given)}
      ${
        entries.length === 0
          ? html`<section class="empty"><h2>Nothing yet</h2><p>Begin with what you are asked most: what you do, what it costs, how you sign a mail.</p></section>`
          : html`<ul class="accounts">${entries.map(
              (entry) => html`<li class="account" id="${entry.id}">
                <div class="who-and-what">
                  <h2 class="summary"><a href="/about/${entry.id}">${inline(entry.title)}</a></h2>
                  <p class="entry">${marked(entry.text)}</p>
                  <p class="soft">${inline(entry.by)}, ${relative(entry.at, now)}${entry.version > 1 ? html`, version ${entry.version}` : ''}</p>
                </div>
                <span class="pill">${kindWords[entry.kind]}</span>
              </li>`,
            )}</ul>`
      }
      <details ${entries.length === 0 || given !== undefined ? 'open' : ''}><summary>Add an entry</summary>
        <form class="connect" method="post" action="/about">
          ${csrfField(session)}
          ${fields(given?.field ?? (() => ''))}
          <button class="primary" type="submit">Add it</button>
        </form>
      </details>`,
  });
}

export function entryPage(parts: {
  session: Session;
  /** Newest first, at least one. */
  versions: readonly BrainEntry[];
  given?: Given | undefined;
  now: number;
}): Promise<string> {
  const { session, versions, given, now } = parts;
  const [newest] = versions;
  if (newest === undefined) throw new Error('an entry has at least one version');
  const { id, title, removed } = newest;
  const restore = (version: number) => html`<form method="post" action="/about/${id}/restore">
      ${csrfField(session)}
      <input type="hidden" name="version" value="${version}">
      <button type="submit">Make this the newest</button>
    </form>`;
  const shown: Field =
    given?.field ?? ((name) => ({ kind: newest.kind, title, text: newest.text })[name] ?? '');
  return page({
    title,
    session,
    current: 'about',
    content: html`
      <p><a href="/about">About us</a></p>
      <h1>${inline(title)}</h1>
      ${faultLine(given)}
      ${
        removed
          ? html`<p class="warning">Removed ${relative(newest.at, now)} by ${inline(newest.by)}: no answer holds it. Make an earlier version the newest to bring it back.</p>`
          : html`<form class="connect" method="post" action="/about/${id}">
              ${csrfField(session)}
              <input type="hidden" name="version" value="${newest.version}">
              ${fields(shown)}
              <button class="primary" type="submit">Keep the change</button>
            </form>
            <details class="confirm"><summary>Remove</summary>
              <form method="post" action="/about/${id}/remove">
                ${csrfField(session)}
                <p>No answer holds it any more. Its versions stay, and each can be brought back.</p>
                <button class="danger" type="submit">Remove it</button>
              </form>
            </details>`
      }
      <h2>Versions</h2>
      <ol class="versions">${versions.map(
        (one) => html`<li value="${one.version}">
          <p class="soft">${inline(one.by)}, ${relative(one.at, now)}${one.removed ? ', removed' : ''}</p>
          ${one.removed ? '' : html`<p><strong>${inline(one.title)}</strong></p><p class="entry">${marked(one.text)}</p>`}
          ${one.version === newest.version || one.removed ? '' : restore(one.version)}
        </li>`,
      )}</ol>`,
  });
}
