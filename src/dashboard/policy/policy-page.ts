// The rules for what agents propose, and the form that adds one. A rule reads here as it reads in the terminal.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Connection } from '../../connections/connections.ts';
import type { ListedRule } from '../../queue/policy/policy.ts';
import { type days, writeEffects } from '../../queue/policy/rules.ts';
import { matchInWords, outcomeWords } from '../../queue/policy/words.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { relative } from '../page/words.ts';
import { signing } from './passkeys.ts';

export interface PolicyPage {
  session: Session;
  rules: readonly ListedRule[];
  signed: readonly string[];
  hasPasskey: boolean;
  connections: readonly Connection[];
  /** What was filled in, and what is wrong with it. */
  given?: { field(name: string): string; fault: string } | undefined;
  now: number;
}

const effectWords: Readonly<Record<(typeof writeEffects)[number], string>> = {
  create: 'create a record',
  update: 'change a record',
  delete: 'delete',
  send: 'send',
  money: 'move money',
};
const dayWords: Readonly<Record<(typeof days)[number], string>> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

function ruleCard(listed: ListedRule, { session, now }: PolicyPage): Markup {
  const { id, rule, memberId, createdBy, createdAt } = listed;
  const name = rule?.name ?? id;
  const whose =
    memberId === undefined ? '' : memberId === session.person.memberId ? 'Your own. ' : 'A person’s own. ';
  const removable = memberId === undefined || memberId === session.person.memberId;
  return html`<li class="account" id="${id}">
    <div class="who-and-what">
      <h2 class="summary">${inline(name)}</h2>
      <p>${rule === undefined ? html`<span class="warning">Broken: it asks about everything until it is removed.</span>` : marked(matchInWords(rule.match))}</p>
      <p class="soft">${whose}Added by ${inline(createdBy)} ${relative(createdAt, now)}</p>
    </div>
    <span class="pill">${rule === undefined ? 'broken' : outcomeWords[rule.outcome]}</span>
    ${
      removable
        ? html`<div class="deeds"><details class="confirm">
      <summary>Remove<span class="unseen-words"> ${name}</span></summary>
      <form method="post" action="/policy/${id}/remove">
        ${csrfField(session)}
        <p>What waits is judged without it when it runs. What was decided keeps its record.</p>
        <button class="danger" type="submit">Remove it</button>
      </form>
    </details></div>`
        : ''
    }
  </li>`;
}

function text(given: PolicyPage['given'], name: string, label: string, hint: string): Markup {
  return html`<div class="row"><label for="${name}">${label}</label> <span class="soft" id="${name}-hint">${hint}</span>
    <input id="${name}" name="${name}" value="${given?.field(name) ?? ''}" maxlength="500" autocomplete="off" aria-describedby="${name}-hint"></div>`;
}

function ticks(
  given: PolicyPage['given'],
  kind: string,
  legend: string,
  words: Readonly<Record<string, string>>,
): Markup {
  return html`<fieldset class="row"><legend>${legend}</legend>${Object.entries(words).map(
    ([value, title]) =>
      html`<label class="choice"><input type="checkbox" name="${kind}-${value}" value="yes" ${given?.field(`${kind}-${value}`) === 'yes' ? 'checked' : ''}><span>${title}</span></label>`,
  )}</fieldset>`;
}

function addForm(parts: PolicyPage): Markup {
  const { session, given, connections } = parts;
  const chosen = given?.field('outcome') ?? 'ask';
  const outcomes = [
    ['deny', 'Refuse it: nothing is queued, and the agent is told which rule'],
    ['ask', 'Ask a person'],
    ['auto', 'Approve it by the rule (never what an agent sends, pays or deletes)'],
  ] as const;
  return html`<form class="connect" method="post" action="/policy">
    ${csrfField(session)}
    <div class="row"><label for="name">Name</label>
      <input id="name" name="name" required maxlength="120" autocomplete="off" value="${given?.field('name') ?? ''}"></div>
    <fieldset class="row"><legend>What becomes of it</legend>${outcomes.map(
      ([value, title]) =>
        html`<label class="choice"><input type="radio" name="outcome" value="${value}" ${value === chosen ? 'checked' : ''}><span>${title}</span></label>`,
    )}</fieldset>
    <p class="soft">It is about what meets everything that is filled in below. With nothing filled in, it is about every write.</p>
    ${ticks(given, 'effect', 'Effect', effectWords)}
    ${text(given, 'providers', 'Providers', 'gmail, hubspot')}
    ${text(given, 'operations', 'Operations', 'send, or gmail.send')}
    <div class="row"><label for="connection">Account</label>
      <select id="connection" name="connection"><option value="">any</option>${connections.map(
        (one) =>
          html`<option value="${one.id}" ${given?.field('connection') === one.id ? 'selected' : ''}>${one.label} (${one.providerTitle})</option>`,
      )}</select></div>
    ${text(given, 'domains', 'Domains of recipients', 'example.com, *.example.com')}
    ${text(given, 'above', 'Amounts above', '1000 EUR')}
    <details><summary>Hours of the day, and who proposes</summary>
      ${text(given, 'between', 'Hours', '09:00-17:00')}
      ${ticks(given, 'day', 'Days', dayWords)}
      ${text(given, 'timeZone', 'Time zone of the hours', 'Europe/Berlin')}
      ${text(given, 'by', 'Proposed by', 'agent, person, or agent:ID')}
    </details>
    <label class="choice"><input type="checkbox" name="mine" value="yes" ${given?.field('mine') === 'yes' ? 'checked' : ''}><span>Only for what I propose or approve myself. It can only make the org’s rules stricter.</span></label>
    <button class="primary" type="submit">Add the rule</button>
  </form>`;
}

function presenceForm({ session, signed, hasPasskey }: PolicyPage): Markup {
  return html`<form class="connect" method="post" action="/policy/presence" ${hasPasskey ? signing('effects') : ''}>
    ${csrfField(session)}
    ${hasPasskey ? html`<input type="hidden" name="presence">` : ''}
    <fieldset class="row"><legend>Approvals that a passkey signs</legend>
      ${writeEffects.map(
        (effect) =>
          html`<label class="choice"><input type="checkbox" name="signed-${effect}" value="yes" ${signed.includes(effect) ? 'checked' : ''}><span>${effectWords[effect]}</span></label>`,
      )}
    </fieldset>
    <p class="soft">It holds from when the first passkey is enrolled; then a terminal can approve these no more. <a href="/passkeys">Your passkeys</a></p>
    <button type="submit">Keep this choice</button>
  </form>`;
}

export function policyPage(parts: PolicyPage): Promise<string> {
  const { rules, given } = parts;
  return page({
    title: 'Policy',
    session: parts.session,
    current: 'policy',
    content: html`
      <h1>Policy</h1>
      <p class="lead">The strictest rule that matches wins. Where none does, a person is asked.</p>
      ${given === undefined ? '' : html`<p class="warning" role="alert">${marked(given.fault)}</p>`}
      ${
        rules.length === 0
          ? html`<section class="empty"><h2>No rules</h2><p>A person is asked about every write. Add a rule to refuse some at once, or to let harmless ones through.</p></section>`
          : html`<ul class="accounts">${rules.map((one) => ruleCard(one, parts))}</ul>`
      }
      <section class="offers" aria-labelledby="add-title"><h2 id="add-title">Add a rule</h2>${addForm(parts)}</section>
      <section class="offers" aria-labelledby="presence-title"><h2 id="presence-title">Proof of presence</h2>${presenceForm(parts)}</section>`,
  });
}
