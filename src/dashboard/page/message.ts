// Pages that say one thing: what went wrong and what to do, or how to come in.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import { page } from './layout.ts';
import { type Markup, marked } from './text.ts';

export function messagePage(given: {
  title: string;
  session: Session | undefined;
  text: string;
  link?: { path: string; title: string } | undefined;
}): Promise<string> {
  return page({
    title: given.title,
    session: given.session,
    content: html`<section class="message">
      <h1>${given.title}</h1>
      <p>${marked(given.text)}</p>
      ${given.link === undefined ? '' : html`<p><a class="button" href="${given.link.path}">${given.link.title}</a></p>`}
    </section>`,
  });
}

/** For a browser without a session. */
export function signedOutPage(): Promise<string> {
  return page({
    title: 'Sign in',
    session: undefined,
    content: html`<section class="message">
      <h1>Sign in to decide</h1>
      <p>Drawbridge shows its pages only to a person who comes from this machine’s terminal. Run this there, and the browser opens signed in:</p>
      <pre class="command"><code>drawbridge open</code></pre>
      <p class="soft">Then follow your link again. It carries no password, so it is safe wherever you found it.</p>
    </section>`,
  });
}

/** One button that spends the link: looking at this page, as mail scanners and previews do, spends nothing. */
export function signInPage(token: string, to: string): Promise<string> {
  return page({
    title: 'Sign in',
    session: undefined,
    content: html`<section class="message">
      <h1>Sign in to Drawbridge</h1>
      <p>This opens a session in this browser, in which you can approve what agents propose. The link works once, within a minute.</p>
      <form method="post" action="/sign-in">
        <input type="hidden" name="token" value="${token}">
        <input type="hidden" name="to" value="${to}">
        <button class="primary" type="submit" autofocus>Sign in</button>
      </form>
    </section>`,
  });
}

/**
 * For who follows a link here from another site: the session's cookie does not come along with that, but
 * does with this page's own next step.
 */
export async function steppingStone(path: string): Promise<string> {
  const document: Markup = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Drawbridge</title>
<meta http-equiv="refresh" content="0; url=${path}"></head>
<body><p><a href="${path}">Go on to Drawbridge</a></p></body></html>`;
  return document.toString();
}
