// A client: each fact with its source, age and history; what people say in its place; who they were taken for.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { ClientMerge } from '../../memory/clients/book.ts';
import type { ClientFact } from '../../memory/clients/facts.ts';
import type { ClientProfile } from '../../memory/clients/profile.ts';
import type { FactFamily } from '../../memory/facts/claim.ts';
import type { DocumentKind } from '../../providers/record.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup } from '../page/text.ts';
import { kindNames, relative } from '../page/words.ts';
import { clientLink, decided, proposal } from './clients-page.ts';

const familyWords: Readonly<Record<FactFamily, string>> = {
  contact: 'Who, and how to reach them',
  deal: 'Deals',
  invoice: 'Invoices and payments',
  question: 'Open questions',
  meeting: 'Meetings',
  property: 'Homes',
  preference: 'Wishes',
  note: 'What you say',
};

function sourceOf({ document, origin, by, span }: ClientFact): Markup {
  if (document === undefined)
    return origin === 'person' ? html`${inline(by ?? '')} says so` : html`added by ${inline(by ?? '')}`;
  const place = span === undefined ? '' : `?from=${span.start}&to=${span.end}`;
  return html`<a href="/clients/documents/${document.id}${place}">${inline(document.title || document.kind)}</a>, ${inline(document.source)}`;
}

/** One fact; `history`: what stood in its place before. */
function factItem(
  fact: ClientFact,
  history: readonly ClientFact[],
  parts: { session: Session; clientId: string; now: number },
): Markup {
  const { session, clientId, now } = parts;
  const { id, name, value, validFrom, verifiedAt, confidence, origin, alsoSaid, disputed } = fact;
  return html`<li class="fact" id="${id}">
    <p>${name === value ? '' : html`<span class="name">${inline(name)}</span> `}<strong>${inline(value)}</strong>${origin === 'person' ? html` <span class="pill">Yours</span>` : origin === 'enricher' ? html` <span class="pill">Added</span>` : ''}${confidence < 0.6 ? html` <span class="pill unknown">Uncertain</span>` : ''}</p>
    <p class="soft">${sourceOf(fact)}; ${relative(validFrom, now)}, verified ${relative(verifiedAt, now)}${alsoSaid === 0 ? '' : html`; ${alsoSaid} more ${alsoSaid === 1 ? 'record says' : 'records say'} the same`}</p>
    ${disputed === undefined ? '' : html`<p class="warning">A newer record says ${inline(disputed)}.</p>`}
    ${
      history.length === 0
        ? ''
        : html`<details><summary>Before: ${history.length}</summary><ul>${history.map(
            (old) =>
              html`<li>${inline(old.value)} <span class="soft">${sourceOf(old)}; ${relative(old.validFrom, now)}${old.validUntil === undefined ? '' : html` until ${relative(old.validUntil, now)}`}</span></li>`,
          )}</ul></details>`
    }
    <details><summary>Correct or remove<span class="hidden"> ${inline(name)}: ${inline(value)}</span></summary>
      <form class="edit" method="post" action="/clients/${clientId}/facts/${id}">
        ${csrfField(session)}
        <label for="value-${id}">What is right</label>
        <input id="value-${id}" name="value" maxlength="500" value="${value}" autocomplete="off">
        <button class="primary" name="change" value="correct" type="submit">Correct it</button>
        <button name="change" value="remove" type="submit">Remove it</button>
      </form>
    </details>
  </li>`;
}

function factSections(parts: { session: Session; profile: ClientProfile; now: number }): Markup {
  const { session, profile, now } = parts;
  const bySlot = Map.groupBy(profile.facts, ({ slot }) => slot);
  const standing = profile.facts.filter(
    ({ stands, family, name, data }) =>
      stands &&
      !(family === 'contact' && name === 'name') &&
      !(family === 'meeting' && Number(data['start']) < now),
  );
  const families = Map.groupBy(standing, ({ family }) => family);
  const order = Object.keys(familyWords) as FactFamily[];
  const clientId = profile.client.id;
  return html`${order.flatMap((family) => {
    const facts = families.get(family);
    if (facts === undefined) return [];
    return html`<section aria-labelledby="f-${family}"><h2 id="f-${family}">${familyWords[family]}</h2><ul class="known">${facts.map(
      (fact) =>
        factItem(
          fact,
          (bySlot.get(fact.slot) ?? []).filter((old) => old.id !== fact.id && old.value !== fact.value),
          { session, clientId, now },
        ),
    )}</ul></section>`;
  })}`;
}

function addForm(session: Session, clientId: string): Markup {
  return html`<details class="add"><summary>Add a fact</summary>
    <form class="edit" method="post" action="/clients/${clientId}/facts">
      ${csrfField(session)}
      <label for="name">What about</label>
      <input id="name" name="name" required maxlength="60" autocomplete="off" placeholder="budget, role, likes …">
      <label for="value">What is so</label>
      <input id="value" name="value" required maxlength="500" autocomplete="off">
      <button class="primary" type="submit">Add it</button>
    </form>
  </details>`;
}

function identity(parts: {
  session: Session;
  profile: ClientProfile;
  merges: readonly ClientMerge[];
  now: number;
}): Markup {
  const { session, profile, merges, now } = parts;
  const { id, emails } = profile.client;
  const open = merges.filter(({ state }) => state === 'proposed');
  const past = merges.filter(({ state }) => state !== 'proposed');
  return html`<section aria-labelledby="one"><h2 id="one">Is this one client?</h2>
    ${open.length === 0 ? '' : html`<ul class="accounts">${open.map((one) => proposal(one, session))}</ul>`}
    ${
      emails.length < 2
        ? ''
        : html`<details><summary>An address is somebody else’s</summary>
          <form class="edit" method="post" action="/clients/${id}/split">
            ${csrfField(session)}
            <fieldset><legend>These belong to another client</legend>${emails.map(
              (email, i) =>
                html`<label class="check" for="split-${i}"><input id="split-${i}" type="checkbox" name="key-${i}" value="${email}"> ${inline(email)}</label>`,
            )}</fieldset>
            <button type="submit">Part them</button>
          </form></details>`
    }
    <details><summary>Join with another client</summary>
      <form class="edit" method="post" action="/clients/${id}/merge">
        ${csrfField(session)}
        <label for="other">Address or name of the other</label>
        <input id="other" name="other" required maxlength="200" autocomplete="off">
        <button type="submit">Join them</button>
      </form>
    </details>
    ${past.length === 0 ? html`<p class="soft">Nothing was decided about it yet.</p>` : html`<ul class="decisions">${past.map((one) => decided(one, session, now))}</ul>`}
  </section>`;
}

export function clientPage(parts: {
  session: Session;
  profile: ClientProfile;
  merges: readonly ClientMerge[];
  fault?: string | undefined;
  now: number;
}): Promise<string> {
  const { session, profile, merges, fault, now } = parts;
  const { client, timeline, people } = profile;
  return page({
    title: client.name,
    session,
    current: 'clients',
    content: html`
      <p><a href="/clients">Clients</a></p>
      <h1>${inline(client.name)}</h1>
      <p class="lead">${client.kind === 'company' ? 'Company' : 'Person'}${client.company === undefined ? '' : html`, ${inline(client.company)}`}; ${client.documentCount} ${client.documentCount === 1 ? 'record' : 'records'}${client.lastContactAt === undefined ? '' : html`, ${client.lastContactAt > now ? 'next' : 'last'} contact ${relative(client.lastContactAt, now)}`}.</p>
      ${fault === undefined ? '' : html`<p class="warning" role="alert">${inline(fault)}</p>`}
      ${profile.facts.some(({ stands }) => stands) ? factSections({ session, profile, now }) : html`<section class="empty"><h2>Nothing known yet</h2><p>Facts come from contacts, deals, invoices, meetings and mail. You can add what you know.</p></section>`}
      ${addForm(session, client.id)}
      ${people.length === 0 ? '' : html`<section aria-labelledby="people"><h2 id="people">People there</h2><ul>${people.map((one) => html`<li>${clientLink(one)}</li>`)}</ul></section>`}
      <section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
        ${
          timeline.length === 0
            ? html`<p class="soft">No record that you may see.</p>`
            : html`<ol class="timeline">${timeline.map(
                ({ id, kind, title, source, writtenAt }) =>
                  html`<li><a href="/clients/documents/${id}">${inline(title || kind)}</a> <span class="soft">${kindNames[kind]}, ${inline(source)}${writtenAt === undefined ? '' : html`, ${relative(writtenAt, now)}`}</span></li>`,
              )}</ol>`
        }
      </section>
      ${identity({ session, profile, merges, now })}`,
  });
}

/** A record's own words, with the passage that says so marked. */
export function recordPage(parts: {
  session: Session;
  title: string;
  kind: DocumentKind;
  source: string;
  text: string;
  writtenAt: number | undefined;
  mark: { from: number; to: number } | undefined;
  now: number;
}): Promise<string> {
  const { session, title, kind, source, text, writtenAt, mark, now } = parts;
  const marked = mark !== undefined && mark.to > mark.from && mark.to <= text.length ? mark : undefined;
  const lines = (part: string): Markup => inlineLines(part);
  return page({
    title: title || kind,
    session,
    current: 'clients',
    content: html`
      <p><a href="/clients">Clients</a></p>
      <h1>${inline(title || kind)}</h1>
      <p class="soft">${kindNames[kind]}, ${inline(source)}${writtenAt === undefined ? '' : html`, ${relative(writtenAt, now)}`}. Written by others.</p>
      <div class="entry record">${
        marked === undefined
          ? lines(text)
          : html`${lines(text.slice(0, marked.from))}<mark id="here">${lines(text.slice(marked.from, marked.to))}</mark>${lines(text.slice(marked.to))}`
      }</div>`,
  });
}

const mostShown = 20_000;

function inlineLines(text: string): Markup {
  const parts = text.slice(0, mostShown).split('\n');
  return parts.map((line, i) => html`${i === 0 ? '' : html`<br>`}${inline(line)}`);
}
