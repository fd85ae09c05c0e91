// Every provider of the catalog with its other side: what test/conformance runs over all of them, and what
// demo connects. A provider without an entry here fails the suite.
import { createHmac } from 'node:crypto';
import { type Emulated, type EmulatedFeed, type Ground, letter, numbers } from './emulated.ts';
import { emulatedDropbox } from './emulated-dropbox.ts';
import { emulatedMailchimp } from './emulated-mailchimp.ts';
import { emulatedMicrosoft } from './emulated-microsoft.ts';
import { emulatedMls } from './emulated-mls.ts';
import { emulatedNotion } from './emulated-notion.ts';
import { emulatedServers } from './emulated-servers.ts';
import { emulatedShopify } from './emulated-shopify.ts';
import { emulatedSlack } from './emulated-slack.ts';
import { createGoogle, type GoogleSandbox, googleApp } from './google/google.ts';
import { createHubspot, hubspotApp } from './hubspot/index.ts';
import type { ObjectType } from './hubspot/state.ts';
import { fillWithStory } from './hubspot/story.ts';
import { createQuickbooks, quickbooksApp } from './quickbooks/index.ts';
import type { Entity } from './quickbooks/state.ts';
import { fillBooks } from './quickbooks/story.ts';
import { createZillow } from './zillow.ts';

export const emulated: Readonly<Record<string, (ground: Ground) => Emulated | Promise<Emulated>>> = {
  gmail(ground) {
    const google = createGoogle(ground);
    const [first] = google.mail.messages();
    const ids = { id: first?.id ?? '' };
    return {
      ...throughGoogle(google),
      fields: {},
      samples: {
        search: { query: 'subject:the' },
        get: ids,
        thread: { id: first?.threadId ?? '' },
      },
      feeds: {
        mail: {
          add: (count, says) =>
            numbers(count).map((n) => {
              const raw = Buffer.from(letter(ground.world.user.email, n, ground.clock.now(), says));
              return google.mail.add(raw, ['INBOX'], ground.clock.now()).id;
            }),
          remove: (id) => google.mail.remove(id),
        },
      },
    };
  },

  'google-calendar'(ground) {
    const google = createGoogle(ground);
    const [main] = google.calendars;
    if (main === undefined) throw new Error('the sandbox has no calendar');
    const now = ground.clock.now();
    const idOf = (event: string) => `${encodeURIComponent(main.id)}/${event}`;
    let made = 0;
    return {
      ...throughGoogle(google),
      fields: {},
      samples: {
        get: { eventId: main.events()[0]?.id ?? '' },
        'free-busy': { from: now, to: now + 7 * 86_400_000 },
      },
      feeds: {
        events: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const at = (hours: number) => ({ dateTime: new Date(now + hours * 3_600_000).toISOString() });
              const stamp = new Date(now).toISOString();
              const id = `numbered${made}`;
              return idOf(
                main.put({
                  id,
                  status: 'confirmed',
                  iCalUID: `${id}@google.com`,
                  summary: `Number ${made} ${says}`,
                  start: at(made),
                  end: at(made + 1),
                  created: stamp,
                  updated: stamp,
                  sequence: 0,
                }).id,
              );
            }),
          remove: (externalId) => main.cancel(externalId.split('/').at(-1) ?? ''),
        },
      },
    };
  },

  'google-drive'(ground) {
    const google = createGoogle(ground);
    const { files } = google;
    const sheet = files.files().find(({ name }) => name.startsWith('Listing sheet'))?.id ?? '';
    return {
      ...throughGoogle(google),
      fields: {},
      samples: { get: { id: sheet }, text: { id: sheet }, download: { id: sheet, format: 'pdf' } },
      feeds: {
        files: {
          add: (count, says = '') =>
            numbers(count).map(
              (n) =>
                files.put({
                  name: `Number ${n}.txt`,
                  mimeType: 'text/plain',
                  bytes: Buffer.from(`This is number ${n}. ${says}`),
                }).id,
            ),
          remove: (id) => files.remove(id),
        },
      },
    };
  },

  hubspot({ clock, world }) {
    const hubspot = createHubspot({ clock });
    fillWithStory(hubspot.state, world);
    const idOf = (type: ObjectType) => ({ id: hubspot.state.all(type)[0]?.id ?? '' });
    const feed = (type: ObjectType, property: string): EmulatedFeed => ({
      add: (count, says = '') =>
        numbers(count).map(
          (n) => `${type}/${hubspot.state.create(type, { [property]: `Number ${n} ${says}`.trim() }).id}`,
        ),
      remove(externalId) {
        const object = hubspot.state.get({ type, id: externalId.split('/').at(-1) ?? '' });
        if (object !== undefined) hubspot.state.archive(object);
      },
    });
    const types = {
      contact: 'contacts',
      company: 'companies',
      deal: 'deals',
      note: 'notes',
      ticket: 'tickets',
    } as const;
    return {
      emulators: [hubspot],
      way: { kind: 'browser', ...hubspotApp, authorization: hubspot.auth },
      fields: {},
      samples: Object.fromEntries(
        Object.entries(types).flatMap(([one, type]) => [
          [`get-${one}`, idOf(type)],
          [`list-${one}-associations`, { ...idOf(type), to: type === 'contacts' ? 'companies' : 'contacts' }],
        ]),
      ),
      feeds: {
        contacts: feed('contacts', 'lastname'),
        companies: feed('companies', 'name'),
        deals: feed('deals', 'dealname'),
        notes: feed('notes', 'hs_note_body'),
        tickets: feed('tickets', 'subject'),
      },
      sign({ method, url, body }, secret, now) {
        const signature = createHmac('sha256', secret)
          .update(`${method}${url}${body}${now}`)
          .digest('base64');
        return {
          method,
          url,
          body,
          headers: { 'x-hubspot-request-timestamp': String(now), 'x-hubspot-signature-v3': signature },
        };
      },
    };
  },

  quickbooks({ clock, world }) {
    const quickbooks = createQuickbooks({ clock });
    fillBooks(quickbooks, world);
    const { books } = quickbooks;
    const idOf = (entity: Entity) => ({ id: books.all(entity)[0]?.Id ?? '' });
    const feed = (entity: Entity): EmulatedFeed => {
      const [pattern] = books.all(entity);
      return {
        add: (count, says = '') =>
          numbers(count).map((n) => {
            const { Id: _id, SyncToken: _token, ...body } = pattern ?? { Id: '', SyncToken: '' };
            const name =
              entity === 'Customer'
                ? { DisplayName: `Number ${n} ${says}`.trim() }
                : { PrivateNote: `Number ${n} ${says}` };
            return `${entity.toLowerCase()}/${books.add(entity, { ...body, ...name }).Id}`;
          }),
        remove: (externalId) => books.delete(entity, externalId.split('/').at(-1) ?? ''),
      };
    };
    return {
      emulators: [quickbooks],
      way: { kind: 'browser', ...quickbooksApp, authorization: quickbooks.auth },
      fields: {},
      samples: {
        'get-customer': idOf('Customer'),
        'get-invoice': idOf('Invoice'),
        'get-estimate': idOf('Estimate'),
        'get-payment': idOf('Payment'),
      },
      feeds: {
        customers: feed('Customer'),
        invoices: feed('Invoice'),
        payments: feed('Payment'),
        estimates: feed('Estimate'),
      },
      sign({ method, url, body }, secret) {
        const signature = createHmac('sha256', secret).update(body).digest('base64');
        return { method, url, body, headers: { 'intuit-signature': signature } };
      },
    };
  },

  zillow({ clock, world }) {
    const key = 'sandbox-only-rapidapi-key';
    const zillow = createZillow({ clock, key, listings: world.listings });
    const [first] = zillow.listings();
    return {
      emulators: [zillow],
      way: { kind: 'form', secrets: { rapidapi_key: key }, wrong: { rapidapi_key: 'another-rapidapi-key' } },
      fields: {},
      samples: { search: { location: first?.city ?? '' }, get: { id: String(first?.zpid) } },
      feeds: {},
    };
  },

  ...emulatedDropbox,
  ...emulatedMailchimp,
  ...emulatedMicrosoft,
  ...emulatedMls,
  ...emulatedNotion,
  ...emulatedSlack,
  ...emulatedServers,
  ...emulatedShopify,
};

function throughGoogle(google: GoogleSandbox): Pick<Emulated, 'emulators' | 'way'> {
  return {
    emulators: [google.emulator],
    way: { kind: 'browser', ...googleApp, authorization: google.authorization },
  };
}
