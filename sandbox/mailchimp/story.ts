// What the brokerage has in Mailchimp: two audiences out of the people of the story, two newsletters and a draft.
import type { World } from '../world.ts';
import type { Mailchimp } from './index.ts';

const day = 86_400_000;

export function fillWithNewsletters(
  { contacts, campaigns }: Mailchimp,
  { contacts: people, dates }: World,
): void {
  const past = dates.at(1, '09:00:00');
  const news = contacts.addAudience('a1b2c3d4e5', 'Port Ansel news', past);
  const clients = contacts.addAudience('f6e5d4c3b2', 'Past clients', past);
  for (const [index, { name, email, phone, role }] of people.entries()) {
    if (role === 'agent' || role === 'staff') continue;
    const [first = '', ...rest] = name.split(' ');
    const joined = past + index * day;
    contacts.add(role === 'client' ? clients : news, email, {
      mergeFields: { FNAME: first, LNAME: rest.join(' '), ...(phone === undefined ? {} : { PHONE: phone }) },
      tags: new Map(role === 'client' ? [['Client', joined]] : []),
      joined,
      changed: joined,
    });
  }
  const [left] = [...news.contacts.values()];
  if (left !== undefined)
    Object.assign(left, { status: 'unsubscribed', reason: 'N/A (Unsubscribed by the contact)' });
  const letters = [
    [
      'Open houses this weekend',
      'Three homes open their doors this weekend: Heron Court, Kelp Lane and Tern Street.',
    ],
    [
      'What homes sold for',
      'Prices in Port Ansel over the last quarter, street by street, and what that means for sellers.',
    ],
  ] as const;
  for (const [index, [subject, text]] of letters.entries()) {
    const sent = dates.at(150 + index * 20, '10:00:00');
    const settings = letter(subject);
    const numbers = { emails: 214 + index, opens: 160, uniqueOpens: 98, clicks: 31, clickers: 22 };
    campaigns.add(news.id, settings, {
      status: 'sent',
      created: sent - day,
      sent,
      text,
      html: `<p>${text}</p>`,
      numbers,
    });
  }
  const draft = 'Do you still like your home? A look at what it is worth today.';
  campaigns.add(clients.id, letter('A year on'), {
    text: draft,
    html: `<p>${draft}</p>`,
    created: dates.at(178, '10:00:00'),
  });
}

function letter(subject: string): Record<string, string> {
  return {
    subject_line: subject,
    title: subject,
    from_name: 'Tidewell Homes',
    reply_to: 'office@tidewell.example',
  };
}
