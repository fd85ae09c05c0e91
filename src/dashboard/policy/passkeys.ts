// A person's passkeys: what signs approvals where the org asks for it.
import { html } from 'hono/html';
import type { Passkey } from '../../auth/passkeys.ts';
import type { Session } from '../../auth/sign-in.ts';
import type { Deed } from '../../queue/decide/presence.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup } from '../page/text.ts';
import { relative } from '../page/words.ts';

export interface PasskeysPage {
  session: Session;
  passkeys: readonly Passkey[];
  signed: readonly string[];
  now: number;
}

/** Has a passkey sign before the form is sent (assets/passkeys.js). */
export function signing(kind: Deed['kind']): Markup {
  return html`data-passkey="get" data-begin="/passkeys/sign/${kind}" data-answer="presence"`;
}

function card(passkey: Passkey, { session, now }: PasskeysPage): Markup {
  const { id, name, createdAt, lastUsedAt } = passkey;
  return html`<li class="account">
    <div class="who-and-what">
      <h2 class="summary">${inline(name)}</h2>
      <p class="soft">Enrolled ${relative(createdAt, now)}, ${lastUsedAt === undefined ? 'never used' : html`used ${relative(lastUsedAt, now)}`}</p>
    </div>
    <div class="deeds"><details class="confirm">
      <summary>Remove<span class="unseen-words"> ${name}</span></summary>
      <form method="post" action="/passkeys/remove" ${signing('remove')}>
        ${csrfField(session)}
        <input type="hidden" name="presence">
        <input type="hidden" name="id" value="${id}">
        <p>A passkey of yours confirms it. From now on this one signs nothing, and what it has signed and has not run will not run.</p>
        <button class="danger" type="submit">Remove it</button>
      </form>
    </details></div>
  </li>`;
}

export function passkeysPage(parts: PasskeysPage): Promise<string> {
  const { passkeys, session, signed } = parts;
  return page({
    title: 'Passkeys',
    session,
    current: 'policy',
    content: html`
      <p class="crumb"><a href="/policy">← Policy</a></p>
      <h1>Your passkeys</h1>
      <p class="lead">${signed.length === 0 ? 'No approval has to be signed yet; that is chosen under Policy.' : `Here a passkey signs approvals of: ${signed.join(', ')}.`}</p>
      ${
        passkeys.length === 0
          ? html`<section class="empty"><h2>No passkey</h2><p>One is made by this device, a phone or a security key. It proves that you were there when something was approved.</p></section>`
          : html`<ul class="accounts">${passkeys.map((one) => card(one, parts))}</ul>`
      }
      <section class="offers" aria-labelledby="enrol-title">
        <h2 id="enrol-title">Enrol a passkey</h2>
        <form class="connect" method="post" action="/passkeys" data-passkey="create" data-begin="/passkeys/begin" data-answer="response" ${passkeys.length === 0 ? '' : html`data-sign="/passkeys/sign/enrol"`}>
          ${csrfField(session)}
          <input type="hidden" name="presence">
          <input type="hidden" name="response">
          <div class="row"><label for="name">What to call it</label>
            <input id="name" name="name" required maxlength="80" autocomplete="off"></div>
          <p class="warning" role="alert" data-fault hidden></p>
          <noscript><p class="warning">A browser makes passkeys by script, and scripts are off.</p></noscript>
          <button class="primary" type="submit">Enrol a passkey</button>
        </form>
      </section>`,
  });
}
