// What agents made from memory, and what informed each of it: by section, with its age at use, and flagged where
// the source says something else by now.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { InformedBy, InformingSource, Receipts } from '../../memory/receipts/receipts.ts';
import { ageInWords } from '../../time.ts';
import { page } from '../page/layout.ts';
import { inline, type Markup } from '../page/text.ts';
import { relative } from '../page/words.ts';

const stateWords = { unchanged: 'Unchanged', changed: 'Changed since', vanished: 'Gone' } as const;

type Outputs = Awaited<ReturnType<Receipts['outputs']>>;

export function outputsPage(parts: { session: Session; outputs: Outputs; now: number }): Promise<string> {
  const { session, outputs, now } = parts;
  return page({
    title: 'Outputs',
    session,
    current: 'outputs',
    content: html`
      <h1>Outputs</h1>
      <p class="lead">Briefs and mails whose sources agents have put on record.</p>
      ${
        outputs.length === 0
          ? html`<section class="empty"><h2>None yet</h2><p>Ask an agent for a research brief: it records which passages it used, and they stand here.</p></section>`
          : html`<ul class="accounts">${outputs.map(
              ({ id, title, at, by, sources }) => html`<li class="account">
                <div class="who-and-what">
                  <h2 class="summary"><a href="/outputs/${id}">${inline(title)}</a></h2>
                  <p class="soft">${inline(by)}, ${relative(at, now)}</p>
                </div>
                <span class="pill">${sources} ${sources === 1 ? 'source' : 'sources'}</span>
              </li>`,
            )}</ul>`
      }`,
  });
}

function sourceLine(source: InformingSource, now: number): Markup {
  const { title, kind, documentId, source: account, state, usedAt, verifiedAt, by, writtenAt } = source;
  const score = source.scores['score'];
  const called = inline(title || kind || 'A record');
  const name =
    documentId === undefined ? called : html`<a href="/clients/documents/${documentId}">${called}</a>`;
  return html`<li class="account">
    <div class="who-and-what">
      <h3 class="summary">${title === undefined ? 'A source that is gone' : name}</h3>
      <p>${kind === undefined ? '' : html`${kind}, `}${account === undefined ? '' : html`from ${inline(account)}`}${writtenAt === undefined ? '' : html`, written ${relative(writtenAt, now)}`}</p>
      <p class="soft">Used ${relative(usedAt, now)} by ${inline(by)}; verified ${ageInWords(Math.max(0, usedAt - verifiedAt))} before that${score === undefined ? '' : html`; score ${score.toFixed(2)}`}</p>
    </div>
    <span class="pill ${state === 'unchanged' ? '' : 'failed'}">${stateWords[state]}</span>
  </li>`;
}

export function outputPage(parts: { session: Session; output: InformedBy; now: number }): Promise<string> {
  const { session, output, now } = parts;
  const flagged = output.sources.filter(({ state }) => state !== 'unchanged').length;
  const sections = Map.groupBy(output.sources, ({ section }) => section);
  return page({
    title: output.title,
    session,
    current: 'outputs',
    content: html`
      <p><a href="/outputs">Outputs</a></p>
      <h1>${inline(output.title)}</h1>
      <p class="lead">Informed by ${output.sources.length} ${output.sources.length === 1 ? 'source' : 'sources'}; ${inline(output.by)}, ${relative(output.at, now)}.</p>
      ${
        flagged === 0
          ? html`<p class="soft">Every source still says what it said.</p>`
          : html`<p class="warning" role="status">${flagged === 1 ? 'One source has' : `${flagged} sources have`} changed or gone since. Check before you rely on it.</p>`
      }
      ${[...sections].map(
        ([section, sources]) =>
          html`<section><h2>${inline(section)}</h2><ul class="accounts">${sources.map((one) => sourceLine(one, now))}</ul></section>`,
      )}`,
  });
}
