// The keys that do what the pages' links do, told where they work; a reader can switch them off, for those who
// speak to their machine (WCAG 2.1.4). No key decides anything.
import { html } from 'hono/html';
import type { Markup } from './text.ts';

const keys = {
  list: [
    ['j', 'the next action'],
    ['k', 'the one before'],
    ['Enter', 'open it'],
    ['/', 'search'],
    ['?', 'this help'],
  ],
  action: [
    ['u', 'back to the list'],
    ['e', 'edit'],
    ['r', 'reject, with a reason'],
    ['?', 'this help'],
  ],
} as const;

export function keysDialog(kind: keyof typeof keys): Markup {
  return html`<button type="button" class="quiet" data-keys-open hidden>Keys</button>
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">${keys[kind].map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>
      <p><label class="check"><input type="checkbox" data-keys-on checked> Use these keys in this browser</label></p>
      <form method="dialog" data-again><button type="submit">Close</button></form>
    </dialog>`;
}
