// The page on which a person connects an account: what is asked at the provider, in words; what to fill in; and
// where its app is not registered yet, how that is done.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { ConnectForm, FormField, ScopeInWords } from '../../connections/connect/form.ts';
import type { Connection, Offer } from '../../connections/connections.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';

export interface ConnectPage {
  session: Session;
  form: ConnectForm;
  offer: Pick<Offer, 'status'>;
  /** Exactly as it has to be registered at the provider. */
  redirectUrl: string;
  /** The account that is connected again. */
  again: Pick<Connection, 'id' | 'label' | 'fields'> | undefined;
  /** What was chosen or typed before; credentials are never shown again. */
  given: { fields: Readonly<Record<string, string>>; access: 'read' | 'write'; via: 'api' | 'mcp' };
  /** Whether this person may register the app. */
  mayRegister: boolean;
  /** Its app is registered, and entered again: another one, or without the slip of before. */
  appAnew?: boolean | undefined;
  /** What was wrong with it: at a field, or with the whole. */
  fault?: { field: string | undefined; message: string } | undefined;
}

export function connectAccountPage(given: ConnectPage): Promise<string> {
  const { form, again, offer } = given;
  const title = again === undefined ? `Connect ${form.title}` : `Connect ${form.title} again`;
  return page({
    title,
    session: given.session,
    current: 'connections',
    content: html`
      <p class="crumb"><a href="/connections">Accounts</a></p>
      <h1>${title}</h1>
      ${again === undefined ? '' : html`<p class="lead">The account is ${inline(again.label)}. Its records stay, and no other account can take its place.</p>`}
      ${fault(given)}
      ${offer.status === 'off' ? off(form) : needsApp(given) ? (given.mayRegister ? registration(given) : askOwner(given)) : connectForm(given)}`,
  });
}

/** A server of the provider's own registers us by itself: that way needs no app. */
function needsApp({ form, offer, given, appAnew }: ConnectPage): boolean {
  if (appAnew === true && form.consent !== undefined) return true;
  return offer.status === 'not-configured' && !(form.hasMcp && given.via === 'mcp');
}

function askOwner(given: ConnectPage): Markup {
  const { form } = given;
  return html`<section class="empty"><h2>Its app is not registered here yet</h2><p>${form.title} lets programs in by an app that an owner of this organisation registers, once for all accounts. Ask an owner to open this page.</p></section>${byMcp(form)}${byToken(given)}`;
}

function byMcp(form: ConnectForm): Markup {
  return form.hasMcp
    ? html`<p class="soft">Or connect it by <a href="/connect/${form.provider}?via=mcp">${form.title}’s own MCP server</a>, which needs no app.</p>`
    : html``;
}

function off(form: ConnectForm): Markup {
  return html`<section class="empty"><h2>Switched off</h2><p>${form.title} is switched off in this installation (DRAWBRIDGE_PROVIDERS_OFF). No call is made to it.</p></section>`;
}

/** A fault that belongs to no field of the form stands above it. */
function fault({ fault: found, form }: ConnectPage): Markup {
  if (found === undefined || isFieldOf(form, found.field)) return '';
  return html`<section class="panel failed" role="alert"><h2>That did not work</h2><p>${marked(found.message)}</p></section>`;
}

function isFieldOf(form: ConnectForm, name: string | undefined): boolean {
  return [...form.fields, ...form.secrets].some((field) => field.name === name) || name === 'clientSecret';
}

function connectForm(given: ConnectPage): Markup {
  const { form, again, session } = given;
  return html`<form class="sheet connect" method="post" action="/api/v1/integrations/${form.provider}/connect">
    ${csrfField(session)}
    ${again === undefined ? '' : html`<input type="hidden" name="account" value="${again.id}">`}
    ${form.fields.map((field) => fieldRow(field, given))}
    ${form.secrets.map((secret) => secretRow(secret, given))}
    ${form.consent === undefined ? '' : accessChoice(given, form.consent)}
    ${form.hasMcp ? viaChoice(given) : ''}
    ${form.consent === undefined ? '' : html`<p class="soft">You go to ${form.title}, sign in there and agree. Drawbridge never sees your password. You can disconnect at any time.</p>`}
    <p><button class="primary" type="submit">${form.consent === undefined ? 'Connect' : `Go on to ${form.title}`}</button> <a class="aside" href="/connections">Not now</a></p>
    ${form.consent === undefined ? '' : html`<p class="soft">${form.title} says that it does not know the app? <a href="/connect/${form.provider}?app=anew">Enter its client ID${form.consent.appHasSecret ? ' and secret' : ''} again</a>.</p>`}
  </form>`;
}

function fieldRow(field: FormField, { given, again, fault: found }: ConnectPage): Markup {
  const id = `field-${field.name}`;
  const stored = again?.fields[field.name];
  const value = given.fields[field.name] ?? (stored === undefined ? (field.preset ?? '') : String(stored));
  const wrong = found?.field === field.name ? found.message : undefined;
  const described = html`aria-describedby="${id}-hint ${wrong === undefined ? '' : `${id}-fault`}" ${wrong === undefined ? '' : html`aria-invalid="true" autofocus`}`;
  return html`<div class="row">
    <label for="${id}">${words(field.name)}${field.required || field.preset !== undefined ? '' : html` <span class="soft">(optional)</span>`}</label>
    <p class="soft" id="${id}-hint">${field.description}${field.example === undefined ? '' : `, such as ${field.example}`}</p>
    ${
      field.choices === undefined
        ? html`<input id="${id}" name="field.${field.name}" value="${value}" autocomplete="off" spellcheck="false" ${described}>`
        : html`<select id="${id}" name="field.${field.name}" ${described}>${field.required || field.preset !== undefined ? '' : html`<option value="">none of these</option>`}${field.choices.map((choice) => html`<option ${choice === value ? 'selected' : ''}>${choice}</option>`)}</select>`
    }
    ${wrong === undefined ? '' : html`<p class="warning" role="alert" id="${id}-fault">${marked(wrong)}</p>`}
  </div>`;
}

function secretRow(secret: ConnectForm['secrets'][number], { fault: found }: ConnectPage): Markup {
  const id = `secret-${secret.name}`;
  const wrong = found?.field === secret.name ? found.message : undefined;
  return html`<div class="row">
    <label for="${id}">${secret.title}${secret.required ? '' : html` <span class="soft">(optional)</span>`}</label>
    <p class="soft" id="${id}-hint">${secret.hint}</p>
    <input id="${id}" name="secret.${secret.name}" type="password" autocomplete="off" aria-describedby="${id}-hint ${wrong === undefined ? '' : `${id}-fault`}" ${wrong === undefined ? '' : html`aria-invalid="true" autofocus`}>
    ${wrong === undefined ? '' : html`<p class="warning" role="alert" id="${id}-fault">${marked(wrong)}</p>`}
  </div>`;
}

function accessChoice({ form, given }: ConnectPage, consent: NonNullable<ConnectForm['consent']>): Markup {
  const writes = form.proposes.length > 0;
  return html`<fieldset class="row">
    <legend>What agents may do with it</legend>
    ${
      writes
        ? html`<label class="choice"><input type="radio" name="access" value="write" ${given.access === 'write' ? 'checked' : ''}>
            <span><b>Read, and propose changes.</b> <span class="soft">You approve each one before it happens: ${form.proposes.join(', ')}.</span></span></label>`
        : ''
    }
    <label class="choice"><input type="radio" name="access" value="read" ${given.access === 'read' || !writes ? 'checked' : ''}>
      <span><b>Only read.</b> <span class="soft">No permission to change anything is asked for.</span></span></label>
    <details><summary>What ${form.title} is asked for</summary>
      <h3>To read</h3>${scopeList(consent.read)}
      ${writes ? html`<h3>To carry out what you approve</h3>${scopeList(consent.write.filter(({ scope }) => !consent.read.some((one) => one.scope === scope)))}` : ''}
    </details>
  </fieldset>`;
}

function scopeList(scopes: readonly ScopeInWords[]): Markup {
  if (scopes.length === 0) return html`<p class="soft">Nothing more.</p>`;
  return html`<ul class="scopes">${scopes.map(
    ({ scope, needed }) =>
      html`<li>${needed.length === 0 ? 'To know whose account it is' : sentence(needed)} <code>${scope}</code></li>`,
  )}</ul>`;
}

function viaChoice({ form, given }: ConnectPage): Markup {
  return html`<fieldset class="row">
    <legend>By which way</legend>
    <label class="choice"><input type="radio" name="via" value="api" ${given.via === 'api' ? 'checked' : ''}><span><b>${form.title}’s API.</b> <span class="soft">Its records can be kept in memory.</span></span></label>
    <label class="choice"><input type="radio" name="via" value="mcp" ${given.via === 'mcp' ? 'checked' : ''}><span><b>${form.title}’s own MCP server.</b> <span class="soft">With the tools that ${form.title} offers there.</span></span></label>
  </fieldset>`;
}

/** Without an app. */
function byToken(given: ConnectPage): Markup {
  const { form, session } = given;
  const pasted = form.secrets.find(({ name }) => name === form.pasted);
  if (pasted === undefined) return '';
  return html`<section class="sheet connect">
      <h2>With a secret of your own, without an app</h2>
      <form method="post" action="/api/v1/integrations/${form.provider}/connect">
        ${csrfField(session)}
        ${given.again === undefined ? '' : html`<input type="hidden" name="account" value="${given.again.id}">`}
        ${form.fields.map((field) => fieldRow(field, given))}
        ${secretRow({ ...pasted, required: true }, given)}
        <p><button type="submit">Connect with it</button></p>
      </form>
    </section>`;
}

/** How the app is registered, and where its credentials go. */
function registration(given: ConnectPage): Markup {
  const { form, session, redirectUrl, fault: found } = given;
  const { consent } = form;
  if (consent === undefined) return '';
  const steps = consent.registration.map((step) => step.replaceAll('{redirectUrl}', redirectUrl));
  return html`
    ${byToken(given)}
    <section class="sheet connect">
      <h2>${given.appAnew === true ? `The app at ${form.title}` : `${form.pasted === undefined ? 'First' : 'Or'}, register an app at ${form.title}`}</h2>
      <p class="soft">${form.title} lets programs in by apps of their owners. You do this once; every account is then connected with it.</p>
      ${byMcp(form)}
      <ol class="steps">${steps.map((step) => html`<li>${linked(step)}</li>`)}</ol>
      <div class="row">
        <label for="redirect-url">Redirect URL</label>
        <p class="copy"><input id="redirect-url" class="mono" readonly value="${redirectUrl}"><button type="button" data-copy="redirect-url" hidden>Copy</button></p>
      </div>
      <form method="post" action="/connect/${form.provider}/app">
        ${csrfField(session)}
        <input type="hidden" name="access" value="${given.given.access}">
        <input type="hidden" name="via" value="${given.given.via}">
        ${Object.entries(given.given.fields).map(([name, value]) => html`<input type="hidden" name="field.${name}" value="${value}">`)}
        ${given.again === undefined ? '' : html`<input type="hidden" name="account" value="${given.again.id}">`}
        <div class="row">
          <label for="client-id">Client ID</label>
          <input id="client-id" name="clientId" required autocomplete="off" spellcheck="false">
        </div>
        ${
          consent.appHasSecret
            ? html`<div class="row"><label for="client-secret">Client secret</label>
              <p class="soft" id="client-secret-hint">It is stored encrypted and shown to nobody again.</p>
              <input id="client-secret" name="clientSecret" type="password" required autocomplete="off" aria-describedby="client-secret-hint">
              ${found?.field === 'clientSecret' ? html`<p class="warning" role="alert">${marked(found.message)}</p>` : ''}</div>`
            : ''
        }
        <p><button class="primary" type="submit">Save, and go on</button></p>
      </form>
      <p class="soft">Or set DRAWBRIDGE_${consent.app.toUpperCase().replaceAll('-', '_')}_CLIENT_ID${consent.appHasSecret ? ' and …_CLIENT_SECRET' : ''} in the environment, which comes before what is entered here.</p>
    </section>`;
}

const address = /\b(?:https:\/\/)?(?:[a-z0-9-]+\.)+(?:com|example|io|net|org|dev|app|google)(?:\/[\w./#-]*)?/;

/** A step with the first address of the provider in it as a link; ours is there to be copied. */
function linked(step: string): Markup {
  const found = address.exec(step);
  if (found === null || step.includes('/callback')) return step;
  const [text] = found;
  const clean = text.replace(/[.]$/, '');
  const href = clean.startsWith('https://') ? clean : `https://${clean}`;
  const at = found.index;
  return html`${step.slice(0, at)}<a href="${href}" target="_blank" rel="noreferrer">${clean}</a>${step.slice(at + clean.length)}`;
}

const abbreviations = /\b(?:api|id|imap|smtp|url)\b/gi;

/** `imapHost` as "IMAP host". */
function words(name: string): string {
  const text = name
    .replace(/[_-]+/g, ' ')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .toLowerCase();
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return whole.replace(abbreviations, (word) => word.toUpperCase());
}

function sentence(needed: readonly string[]): string {
  const all = needed.slice(0, 6).map((title) => title.charAt(0).toLowerCase() + title.slice(1));
  const text = `${all.join(', ')}${needed.length > all.length ? ' and more' : ''}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
