// Which accounts are connected and how they do; and how an agent is let in. Both only show.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Connection, Offer } from '../../connections/connections.ts';
import { isOwn } from '../../providers/own.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { relative, stateWords } from '../page/words.ts';

const badStates = new Set(['EXPIRED', 'AUTHORIZING', 'ERROR', 'DEGRADED']);

function card(connection: Connection, given: AccountsPage): Markup {
  const { id, provider, state, lastError, mcpServerUrl } = connection;
  const isOurs = isOwn(provider);
  return html`<li class="account" id="${id}">
    <div class="who-and-what">
      <h2 class="summary">${inline(connection.label)}</h2>
      <p class="soft">${inline(connection.providerTitle)}${mcpServerUrl === undefined ? '' : ' by its MCP server'} · ${freshness(connection, given.now)}</p>
      ${lastError === undefined ? '' : html`<p class="warning">${marked(lastError.message)} <span class="soft">${relative(lastError.at, given.now)}</span></p>`}
    </div>
    <span class="pill state-${state.toLowerCase()}">${stateWords[state]}</span>
    ${
      isOurs
        ? ''
        : html`<div class="deeds">
        <a class="${badStates.has(state) ? 'button' : 'quiet-link'}" href="/connect/${provider}?account=${id}">Connect again<span class="unseen-words"> ${connection.label}</span></a>
        <details class="confirm">
          <summary>Disconnect<span class="unseen-words"> ${connection.label}</span></summary>
          <form method="post" action="/connections/${id}/disconnect">
            ${csrfField(given.session)}
            <p>The grant is ended at the provider and the credentials are deleted. What it brought stays in memory; what waits for approval with it cannot run.</p>
            <button class="danger" type="submit">Disconnect it</button>
          </form>
        </details>
      </div>`
    }
  </li>`;
}

/** Begun, and nobody has come back from the provider: no account yet. */
const isUnfinished = ({ state, account }: Connection): boolean => state === 'AUTHORIZING' && account === '';

function unfinishedLine({ provider, providerTitle }: Connection): Markup {
  return html`<p class="soft">${inline(providerTitle)}: not finished · <a href="/connect/${provider}">Begin again</a></p>`;
}

function freshness({ lastSyncAt, hasFeeds }: Connection, now: number): string {
  if (!hasFeeds) return 'asked when needed';
  return lastSyncAt === undefined ? 'not synced yet' : `synced ${relative(lastSyncAt, now)}`;
}

function offerNote({ status, pasted }: Offer): string {
  if (status === 'available') return '';
  if (status === 'off') return 'switched off here';
  return pasted === undefined ? 'its app is not registered here yet' : 'by a secret that you paste';
}

function offerLine(offer: Offer): Markup {
  const note = offerNote(offer);
  return html`<li>${offer.status === 'off' ? html`<span>${offer.title}</span>` : html`<a href="/connect/${offer.id}">${offer.title}</a>`}${note === '' ? '' : html` <span class="soft">${note}</span>`}</li>`;
}

export interface AccountsPage {
  session: Session;
  connections: readonly Connection[];
  offers: readonly Offer[];
  /** The one that was connected just now. */
  connected: Connection | undefined;
  live: string;
  now: number;
}

export function connectionsPage(given: AccountsPage): Promise<string> {
  const { connected, offers } = given;
  const connections = given.connections.filter((one) => !isUnfinished(one));
  return page({
    title: 'Accounts',
    session: given.session,
    current: 'connections',
    live: given.live,
    content: html`
      <h1>Accounts</h1>
      ${connected === undefined ? '' : html`<section class="panel done" role="status"><h2>Connected</h2><p>${inline(connected.label)} (${inline(connected.providerTitle)}) is connected.${connected.hasFeeds ? ' Its records are being brought into memory.' : ''}</p></section>`}
      ${
        connections.length === 0
          ? html`<section class="empty"><h2>No account is connected</h2><p>Agents can look things up and propose once there is one. Choose below where yours is.</p></section>`
          : html`<ul class="accounts">${connections.map((one) => card(one, given))}</ul>`
      }
      ${given.connections.filter(isUnfinished).map(unfinishedLine)}
      <section class="offers">
        <h2>Connect an account</h2>
        <ul>${offers.toSorted((a, b) => a.title.localeCompare(b.title, 'en')).map(offerLine)}</ul>
        <p class="soft">Each can be connected in a terminal, too: <code>drawbridge connect</code> lists them.</p>
      </section>`,
  });
}

export function connectPage(given: { session: Session; mcpUrl: string }): Promise<string> {
  const remote = {
    mcpServers: { drawbridge: { url: given.mcpUrl, headers: { Authorization: 'Bearer dbk_…' } } },
  };
  return page({
    title: 'Agents',
    session: given.session,
    current: 'connect',
    content: html`
      <h1>Agents</h1>
      <p class="lead">An agent can read and propose. Whatever way it comes in, it can never approve.</p>
      <h2>On this machine</h2>
      <p>One command writes the client’s configuration:</p>
      <pre class="command"><code>drawbridge install claude-desktop
drawbridge install claude-code</code></pre>
      <h2>Over HTTP</h2>
      <p>Make a key in a terminal (it is shown once), then paste this into the client’s configuration and put the key in:</p>
      <pre class="command"><code>drawbridge keys create --name "My agent"</code></pre>
      <pre class="source"><code>${JSON.stringify(remote, null, 2)}</code></pre>`,
  });
}
