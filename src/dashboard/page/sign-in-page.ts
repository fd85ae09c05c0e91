// The page at which a hosted Drawbridge lets people in: one button an account that the issuer takes. It works
// without scripts, and with the keyboard alone.
import { html } from 'hono/html';
import type { SignInOption } from '../../sign-in-config.ts';
import { page } from './layout.ts';
import type { Markup } from './text.ts';

/** @param to the page of ours to go to afterwards */
export function hostedSignInPage(options: readonly SignInOption[], to: string): Promise<string> {
  return page({
    title: 'Sign in',
    session: undefined,
    content: html`<section class="message">
      <h1>Sign in to Drawbridge</h1>
      <p>Here people decide on what agents propose. You come in with the account whose address a member of your org has entered.</p>
      <form method="post" action="/sign-in/with">
        <input type="hidden" name="to" value="${to}">
        ${options.map(
          ({ id, title }, index) =>
            html`<p><button class="primary" type="submit" name="option" value="${id}" ${index === 0 ? 'autofocus' : ''}>Sign in with ${title}</button></p>`,
        )}
      </form>
      <p class="soft">On the machine that Drawbridge runs on, <code>drawbridge open</code> signs its owner in, too.</p>
    </section>`,
  });
}

/**
 * The way to the issuer as a page of its own: the form's policy would not let a form be sent on to an address
 * of another site, and need not.
 */
export async function leavingPage(url: string, title: string): Promise<string> {
  const document: Markup = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Drawbridge</title>
<meta http-equiv="refresh" content="0; url=${url}"></head>
<body><p><a href="${url}">Go on to ${title}</a></p></body></html>`;
  return document.toString();
}
