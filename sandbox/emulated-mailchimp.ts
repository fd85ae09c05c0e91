// Mailchimp's other side, as test/conformance and demo meet it.
import { type Emulated, type Ground, numbers } from './emulated.ts';
import { hash } from './mailchimp/contacts.ts';
import { createMailchimp, mailchimpApp } from './mailchimp/index.ts';
import { fillWithNewsletters } from './mailchimp/story.ts';

export const emulatedMailchimp: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  mailchimp({ clock, world }) {
    const mailchimp = createMailchimp({ clock });
    fillWithNewsletters(mailchimp, world);
    const { contacts, campaigns, authorization } = mailchimp;
    const [audience] = contacts.audiences.values();
    if (audience === undefined) throw new Error('the sandbox has no audience');
    const [someone] = audience.contacts.values();
    const [sent] = campaigns.all.values();
    let made = 0;
    const list = { audience: audience.id };
    return {
      emulators: [mailchimp],
      way: {
        kind: 'browser',
        ...mailchimpApp,
        authorization,
        wrong: { api_key: 'ffffffffffffffffffffffffffffffff-us14' },
      },
      fields: {},
      samples: {
        'list-audience-fields': list,
        'list-contacts': list,
        'search-contacts': { query: 'a' },
        'get-contact': { ...list, email: someone?.email ?? '' },
        'get-campaign': { id: sent?.id ?? '' },
        'get-report': { id: sent?.id ?? '' },
      },
      feeds: {
        contacts: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const email = `number${made}@numbers.example`;
              contacts.add(audience, email, { mergeFields: { FNAME: `Number ${made}`, LNAME: says } });
              return `${audience.id}/${hash(email)}`;
            }),
          remove: (externalId) => void audience.contacts.delete(externalId.split('/').at(-1) ?? ''),
        },
        campaigns: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const settings = { subject_line: `Number ${made}`, title: `Number ${made}` };
              const sent = clock.now() + made * 1000;
              return campaigns.add(audience.id, settings, {
                status: 'sent',
                sent,
                text: `Number ${made}. ${says}`,
              }).id;
            }),
          remove: (externalId) => void campaigns.all.delete(externalId),
        },
      },
    };
  },
};
