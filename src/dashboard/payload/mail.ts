// A mail as the person who approves it must see it: who gets it first, then every word of it.
import { html } from 'hono/html';
import type { MailAddress, MailSend } from '../../providers/capabilities.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { bytes } from '../page/words.ts';
import { readHtml } from './mail-html.ts';
import type { Flags } from './recipients.ts';

function addressLine({ email, name }: MailAddress): Markup {
  const at = email.lastIndexOf('@');
  const address = html`<bdi class="address">${marked(email.slice(0, at + 1))}<b>${marked(email.slice(at + 1))}</b></bdi>`;
  return name === undefined || name === ''
    ? address
    : html`<span class="name">${inline(name)}</span> ${address}`;
}

/** A line each, with what is to be said of the address behind it. */
export function people(label: string, list: readonly MailAddress[], flags: Flags): Markup {
  if (list.length === 0) return '';
  return html`<div><dt>${label}</dt><dd><ul class="people">${list.map(
    (one) =>
      html`<li>${addressLine(one)}${(flags.get(one.email.toLowerCase()) ?? []).map(({ kind, text }) => html` <span class="flag ${kind === 'look-alike' ? 'stop' : ''}">${text}</span>`)}</li>`,
  )}</ul></dd></div>`;
}

/** "1 line, 42 characters": how far there is to read. */
function extent(text: string): string {
  const lines = text.split(/\r\n|\n/).length;
  const count = new Intl.NumberFormat('en').format;
  return `${count(lines)} ${lines === 1 ? 'line' : 'lines'}, ${count(text.length)} characters`;
}

/** A frame's height in pixels that holds most messages, until the script measures the real one. */
function roughHeight(htmlText: string): number {
  const text = htmlText.replace(/<[^>]*>/g, '');
  const blocks = htmlText.match(/<(?:p|div|li|tr|h[1-6]|br|blockquote)\b/gi)?.length ?? 0;
  return Math.min(4_000, 80 + Math.ceil(text.length / 70) * 26 + blocks * 22);
}

export function mailView(actionId: string, mail: MailSend, flags: Flags): Markup {
  const hidden = mail.bcc.length > 0;
  return html`
    <section class="sheet" aria-label="The message">
      <dl class="envelope">
        ${people('To', mail.to, flags)}
        ${people('Cc', mail.cc, flags)}
        ${hidden ? people('Bcc, unseen by the others', mail.bcc, flags) : ''}
        <div><dt>Subject</dt><dd class="subject">${inline(mail.subject)}</dd></div>
        ${mail.inReplyTo === undefined ? '' : html`<div><dt>Answers</dt><dd class="mono">${inline(mail.inReplyTo)}</dd></div>`}
      </dl>
      ${mail.html === undefined ? textPart(mail.text, undefined) : bothParts(actionId, mail.text, mail.html)}
      ${attachments(mail)}
      ${
        mail.references.length === 0
          ? ''
          : html`<details><summary>Thread, ${mail.references.length} earlier</summary><ul class="mono">${mail.references.map(
              (id) => html`<li>${inline(id)}</li>`,
            )}</ul></details>`
      }
    </section>`;
}

function textPart(text: string, heading: string | undefined): Markup {
  return html`
    ${heading === undefined ? '' : html`<h2 class="part">${heading} <span class="soft">${extent(text)}</span></h2>`}
    <pre class="text body" dir="auto">${text === '' ? html`<span class="soft">There is no text.</span>` : marked(text)}</pre>
    ${heading === undefined ? html`<p class="soft extent">${extent(text)}</p>` : ''}`;
}

function bothParts(actionId: string, text: string, htmlText: string): Markup {
  const { links } = readHtml(htmlText);
  return html`
    <h2 class="part">As most mail programs show it</h2>
    <iframe class="body" title="The formatted message" sandbox="allow-same-origin" height="${roughHeight(htmlText)}"
      src="/actions/${actionId}/formatted"></iframe>
    <p class="soft extent">Pictures from the network are not loaded here.</p>
    ${
      links.length === 0
        ? ''
        : html`<h3 class="part">Where its links lead</h3><ul class="links">${links.map(
            (link) =>
              html`<li>${link.text === '' ? '' : html`<span>${inline(link.text)}</span> `}<span class="mono">${inline(link.target)}</span></li>`,
          )}</ul>`
    }
    ${textPart(text, 'As plain text, sent along')}
    <details>
      <summary>HTML source, exactly as sent</summary>
      <pre class="source" dir="ltr">${marked(htmlText)}</pre>
    </details>`;
}

function attachments(mail: MailSend): Markup {
  if (mail.attachments.length === 0) return '';
  return html`<h2 class="part">Attachments</h2>
    <ul class="attachments">${mail.attachments.map(
      (file) => html`<li>
        <span class="name">${inline(file.name)}</span>
        <span class="soft">${inline(file.mediaType)}, ${bytes(file.size)}</span>
        <span class="mono soft">SHA-256 ${inline(file.sha256)}</span>
      </li>`,
    )}</ul>`;
}
