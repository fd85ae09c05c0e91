// Times in the reader's own zone, frames as high as what they hold, one click one decision, and word of
// changes. Every page works without it.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
for (const element of document.querySelectorAll('time[data-local]')) {
  element.textContent = full.format(new Date(element.dateTime));
}
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const withDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
for (const element of document.querySelectorAll('[data-span]')) {
  const { from, to } = element.dataset;
  element.textContent = `For you: ${withDay.formatRange(new Date(from), new Date(to))} (${zone})`;
}

for (const field of document.querySelectorAll('input[data-zone]')) field.value = zone;

// Counts down to the moment at which an approved send leaves.
for (const timer of document.querySelectorAll('[data-until]')) {
  const until = Date.parse(timer.dataset.until);
  const count = () => {
    const left = Math.ceil((until - Date.now()) / 1_000);
    timer.textContent = left > 0 ? `It leaves in ${left} s. Until then it can be stopped.` : 'It leaves now.';
    if (left > 0) setTimeout(count, 250);
  };
  count();
}

for (const frame of document.querySelectorAll('iframe.body')) {
  const resize = () => {
    const root = frame.contentDocument?.documentElement;
    if (root) frame.height = String(Math.max(60, root.scrollHeight + 4));
  };
  frame.addEventListener('load', resize);
  window.addEventListener('resize', resize);
  resize();
}

// Looking may be repeated; a decision is sent once.
for (const form of document.querySelectorAll('form:not([data-again])')) {
  form.addEventListener('submit', (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = 'yes';
    document.body.dataset.leaving = 'yes';
  });
}

// Who comes back by the browser's own button finds the page as it is now, with forms that work.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// Who opens the field means to write in it.
for (const details of document.querySelectorAll('details.reject')) {
  details.addEventListener('toggle', () => {
    if (details.open) details.querySelector('input[name=reason]').focus();
  });
}

// Copies what stands in the field beside the button.
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = 'Copied';
  });
}

/** What stands here is no longer so: nothing of it may be decided. */
function retire() {
  document.getElementById('changed').hidden = false;
  for (const button of document.querySelectorAll('.bar button')) button.disabled = true;
  const badge = document.querySelector('.head .pill');
  if (badge) {
    badge.className = 'pill';
    badge.textContent = 'Out of date';
  }
}

function isBusy() {
  const field = document.activeElement;
  return field instanceof HTMLInputElement || document.querySelector('details[open] form') !== null;
}

const address = document.body.dataset.live;
if (address) {
  const source = new EventSource(address);
  source.addEventListener('changed', () => {
    source.close();
    if (document.body.dataset.leaving) return;
    // Never under the hands of someone who types, or who is about to press a button.
    if (isBusy() || document.querySelector('.bar')) retire();
    else location.reload();
  });
  // How far a sync is, on the page of sources.
  source.addEventListener('progress', (event) => {
    const { id, value, max, words } = JSON.parse(event.data);
    const place = document.querySelector(`[data-sync="${id}"]`);
    if (!place) return;
    place.querySelector('p').textContent = words;
    const bar = place.querySelector('progress');
    if (max === null) bar.removeAttribute('value');
    else Object.assign(bar, { max, value });
  });
  window.addEventListener('pagehide', () => source.close());
}
