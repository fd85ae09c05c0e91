// Which accounts are connected and how they do; and how an agent is let in. Both only show.
import { html } from 'hono/html';
import type { Session } from '../auth/sign-in.ts';
import type { Connection } from '../connections/connections.ts';
import { page } from './layout.ts';
import { inline, type Markup, marked } from './text.ts';
import { relative, stateWords } from './words.ts';

function card(connection: Connection, now: number): Markup {
  return html`<li>
    <div>
      <span class="summary">${inline(connection.label)}</span>
      <span class="soft">${inline(connection.providerTitle)} · ${
        connection.lastSyncAt === undefined
          ? connection.hasFeeds
            ? 'not synced yet'
            : 'asked when needed'
          : `synced ${relative(connection.lastSyncAt, now)}`
      }</span>
      ${connection.lastError === undefined ? '' : html`<span class="warning">${marked(connection.lastError.message)}</span>`}
    </div>
    <span class="pill state-${connection.state.toLowerCase()}">${stateWords[connection.state]}</span>
  </li>`;
}

export function connectionsPage(given: {
  session: Session;
  connections: readonly Connection[];
  now: number;
}): Promise<string> {
  return page({
    title: 'Accounts',
    session: given.session,
    current: 'connections',
    content: html`
      <h1>Accounts</h1>
      ${
        given.connections.length === 0
          ? html`<section class="empty"><h2>No account is connected</h2><p>Agents can look things up and propose once there is one.</p></section>`
          : html`<ul class="actions">${given.connections.map((one) => card(one, given.now))}</ul>`
      }
      <h2>Connect one</h2>
      <p>In a terminal. The password is asked for there and kept encrypted.</p>
      <pre class="command"><code>drawbridge connect mailbox --email you@example.com
drawbridge connect caldav --url https://dav.example.com --user you</code></pre>`,
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
