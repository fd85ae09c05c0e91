// Keys that do what the page's links do. None of them decides anything, and none works while somebody types,
// with a modifier, or once switched off.

const dialog = document.getElementById('keys');
const setting = 'drawbridge-keys';

function isOn() {
  return localStorage.getItem(setting) !== 'off';
}

if (dialog) {
  const opener = document.querySelector('[data-keys-open]');
  opener.hidden = false;
  opener.addEventListener('click', () => dialog.showModal());
  const box = dialog.querySelector('[data-keys-on]');
  box.checked = isOn();
  box.addEventListener('change', () => localStorage.setItem(setting, box.checked ? 'on' : 'off'));

  const lines = () =>
    [...document.querySelectorAll('a[data-line]')].filter(
      (link) => link.closest('details:not([open])') === null,
    );

  const step = (by) => {
    const all = lines();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    all[next].focus();
    sessionStorage.setItem(`line ${location.pathname}${location.search}`, all[next].getAttribute('href'));
  };

  const press = (selector) => {
    const found = document.querySelector(selector);
    if (found) found.click();
  };

  const deeds = {
    j: () => step(1),
    k: () => step(-1),
    '/': () => document.getElementById('q')?.focus(),
    '?': () => dialog.showModal(),
    u: () => press('.crumb a'),
    e: () => press('a[data-edit]'),
    r: () => press('details.reject > summary'),
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open || !isOn()) return;
    if (event.target.closest('input, textarea, select, [contenteditable]')) return;
    const deed = deeds[event.key];
    if (deed === undefined) return;
    event.preventDefault();
    deed();
  });

  // A list that was loaded again by itself keeps the place of who walks it by keyboard.
  const place = sessionStorage.getItem(`line ${location.pathname}${location.search}`);
  const again = performance.getEntriesByType('navigation')[0]?.type === 'reload';
  if (place && again)
    lines()
      .find((link) => link.getAttribute('href') === place)
      ?.focus();
}
