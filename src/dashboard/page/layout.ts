// The frame of every page: head, navigation, who is signed in. No inline style or script anywhere: the
// content policy would refuse it, and so would we.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Notice } from '../../connections/attention.ts';
import { asset } from '../assets.ts';
import type { Viewer } from '../environment.ts';
import { type Markup, marked } from './text.ts';

export interface PageParts {
  title: string;
  /** Undefined on pages that anyone may see: sign-in and faults. */
  session: Viewer | undefined;
  current?: (typeof links)[number][0];
  /** Address of the event stream that tells when this page is out of date. */
  live?: string | undefined;
  /** Without scripts: reload after so many seconds. */
  refresh?: number | undefined;
  content: Markup;
  /** Stands at the lower edge, always in sight. */
  bar?: Markup;
}

const links = [
  ['approvals', '/', 'Approvals'],
  ['history', '/history', 'History'],
  ['search', '/search', 'Search'],
  ['clients', '/clients', 'Clients'],
  ['sources', '/sources', 'Sources'],
  ['about', '/about', 'About us'],
  ['outputs', '/outputs', 'Outputs'],
  ['connections', '/connections', 'Accounts'],
  ['policy', '/policy', 'Policy'],
  ['connect', '/connect', 'Agents'],
] as const;

export function csrfField(session: Session): Markup {
  return html`<input type="hidden" name="csrf" value="${session.csrf}">`;
}

function navigation(session: Session, current: PageParts['current']): Markup {
  return html`
    <nav aria-label="Pages">
      <ul>
        ${links.map(
          ([name, path, title]) =>
            html`<li><a href="${path}" ${name === current ? html`aria-current="page"` : ''}>${title}</a></li>`,
        )}
      </ul>
    </nav>
    <form class="signed-in" method="post" action="/sign-out">
      ${csrfField(session)}
      <span class="who"><bdi>${session.person.name}</bdi>, <bdi>${session.orgName}</bdi></span>
      <button class="quiet" type="submit">Sign out</button>
    </form>`;
}

const mendWords: Readonly<Record<Notice['kind'], string>> = {
  reconnect: 'Connect again',
  deletions: 'Decide',
  error: 'See the accounts',
  limit: 'See the accounts',
};

/** What needs a person, on every page of theirs. */
function strip(session: Viewer | undefined): Markup {
  const notices = session?.notices ?? [];
  if (notices.length === 0) return '';
  return html`<aside class="needs" aria-label="What needs you"><ul>${notices.map(
    ({ kind, text, path }) =>
      html`<li class="${kind}"><span>${marked(text)}</span> <a href="${path}">${mendWords[kind]}</a></li>`,
  )}</ul></aside>`;
}

/** A whole page as text. */
export async function page(parts: PageParts): Promise<string> {
  const { session, bar } = parts;
  const document = await html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>${parts.title} · Drawbridge</title>
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <link rel="stylesheet" href="${asset('style.css').path}">
  <link rel="stylesheet" href="${asset('accounts.css').path}">
  <link rel="stylesheet" href="${asset('inbox.css').path}">
  <link rel="stylesheet" href="${asset('memory.css').path}">
  <link rel="icon" type="image/svg+xml" href="${asset('icon.svg').path}">
  ${parts.refresh === undefined ? '' : html`<noscript><meta http-equiv="refresh" content="${parts.refresh}"></noscript>`}
  <script type="module" src="${asset('page.js').path}"></script>
  <script type="module" src="${asset('passkeys.js').path}"></script>
  <script type="module" src="${asset('keys.js').path}"></script>
</head>
<body ${parts.live === undefined ? '' : html`data-live="${parts.live}"`}>
  <a class="skip" href="#content">Skip to the content</a>
  <header>
    <div class="wide">
      <a class="brand" href="/"><img src="${asset('icon.svg').path}" alt="" width="26" height="26">Drawbridge</a>
      ${session === undefined ? '' : navigation(session, parts.current)}
    </div>
  </header>
  <main id="content" tabindex="-1">
    <p id="changed" role="status" hidden>Something changed since this page was loaded. <a href="">Load it again</a></p>
    ${strip(session)}
    ${parts.content}
  </main>
  ${bar === undefined ? '' : html`<div class="bar" role="region" aria-label="Your decision"><div class="wide">${bar}</div></div>`}
</body>
</html>`;
  return document.toString();
}
