// Has a passkey made, or has it sign, before a form is sent. A form says which (data-passkey), where the
// question comes from (data-begin), which field takes the answer (data-answer), and what signs first (data-sign).

function bytes(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function withBytes(list) {
  return (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
}

// The browser's own way to read and write these is newer than passkeys are.
async function create(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    },
  });
  const { response } = credential;
  return answer(credential, {
    clientDataJSON: text(response.clientDataJSON),
    attestationObject: text(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  });
}

async function get(options) {
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: withBytes(options.allowCredentials),
    },
  });
  const { response } = credential;
  return answer(credential, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
  });
}

function answer(credential, response) {
  return { id: credential.id, rawId: credential.id, type: credential.type, response };
}

async function ask(address, fields) {
  const answered = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { Accept: 'application/json' },
  });
  if (!answered.ok) {
    const said = await answered.json().catch(() => undefined);
    throw new Error(said?.error ?? 'The server refused. Load the page again.');
  }
  return answered.json();
}

function tell(form, message) {
  let place = form.querySelector('[data-fault]');
  if (!place) {
    place = document.createElement('p');
    place.className = 'warning';
    place.dataset.fault = '';
    place.setAttribute('role', 'alert');
    form.prepend(place);
  }
  place.hidden = false;
  place.textContent = message;
}

async function step(form, fields, given) {
  fields.delete(given.into);
  const { options, ...rest } = await ask(given.address, fields);
  const answer = await given.with(options);
  form.elements[given.into].value = JSON.stringify({ ...rest, origin: location.origin, answer });
}

async function sign(form, submitter) {
  const fields = new FormData(form, submitter);
  const { passkey, begin, answer: into, sign: before } = form.dataset;
  // Who has a passkey confirms with it that another is made.
  if (before) await step(form, fields, { address: before, into: 'presence', with: get });
  await step(form, fields, { address: begin, into, with: passkey === 'create' ? create : get });
  // Sent by hand, so what the button itself says has to be said for it.
  if (submitter?.name) {
    const named = document.createElement('input');
    named.type = 'hidden';
    named.name = submitter.name;
    named.value = submitter.value;
    form.append(named);
  }
  document.body.dataset.leaving = 'yes';
  HTMLFormElement.prototype.submit.call(form);
}

const signing = new WeakSet();

document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    const { submitter } = event;
    if (!form.dataset.passkey || submitter?.dataset.unsigned !== undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (signing.has(form)) return;
    signing.add(form);
    sign(form, submitter).catch((error) => {
      signing.delete(form);
      tell(
        form,
        error.name === 'NotAllowedError'
          ? 'The passkey was not used: it was cancelled, or took too long. Nothing was sent.'
          : error.name === 'InvalidStateError'
            ? 'This device has a passkey for this place already.'
            : error.message,
      );
    });
  },
  { capture: true },
);
