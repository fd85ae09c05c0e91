// What the brokerage says to each other: an open channel, one for offers, and a direct message.
import type { World } from '../world.ts';
import type { SlackState } from './state.ts';

const hour = 3_600_000;

export const people = {
  maren: 'U0MAREN',
  tobias: 'U0TOBIAS',
  priya: 'U0PRIYA',
  bot: 'U0DRAWBRIDGE',
} as const;
export const places = { general: 'C0GENERAL', offers: 'C0OFFERS', priya: 'D0PRIYA' } as const;

export function fillWithPeople(state: SlackState, { contacts }: Pick<World, 'contacts'>): void {
  for (const [key, id] of Object.entries(people)) {
    const known = contacts.find((one) => one.key === key);
    if (known === undefined) continue;
    state.addUser({ id, name: key, real_name: known.name, email: known.email });
  }
  state.addUser({ id: people.bot, name: 'drawbridge', real_name: 'Drawbridge', is_bot: true });
  state.addUser({ id: 'USLACKBOT', name: 'slackbot', real_name: 'Slackbot' });
  const { maren, tobias, priya, bot } = people;
  state.addChannel({
    id: places.general,
    name: 'general',
    members: [maren, tobias, priya, bot],
    topic: 'The office',
  });
  state.addChannel({ id: places.offers, name: 'offers', members: [maren, tobias, bot], is_private: true });
  state.addChannel({ id: places.priya, is_im: true, members: [maren, priya] });
}

/** @param now integer ms */
export function fillWithStory(state: SlackState, now: number): void {
  const { maren, tobias, priya } = people;
  const ago = (hours: number) => now - hours * hour;
  state.post(
    places.general,
    { user: priya, subtype: 'channel_join', text: `<@${priya}> has joined the channel` },
    ago(400),
  );
  state.post(
    places.general,
    { user: priya, text: 'Sign riders are back from the printer, they are in the closet.' },
    ago(300),
  );
  const keys = state.post(
    places.general,
    { user: tobias, text: 'Who has the keys to 14 Bellwether?' },
    ago(50),
  );
  state.post(
    places.general,
    { user: priya, text: 'Lockbox, code is with the front desk.', thread_ts: keys.ts },
    ago(49),
  );
  state.post(
    places.general,
    {
      user: tobias,
      text: `Thanks <@${priya}> &amp; see <https://example.com/keys|the list>`,
      thread_ts: keys.ts,
    },
    ago(48),
  );
  const sheet = state.addFile({
    name: 'sign-order.txt',
    mimetype: 'text/plain',
    bytes: Buffer.from('Order 2291: six sign riders, navy on white, due Friday.'),
    user: priya,
  });
  state.post(places.general, { user: priya, text: 'The order for the next signs:', files: [sheet] }, ago(30));
  state.post(
    places.offers,
    { user: maren, text: 'The Lindholms will counter at 742,000, they want a rent-back of 30 days.' },
    ago(20),
  );
  state.post(places.offers, { user: tobias, text: 'Then my buyers go to 735 and no more.' }, ago(19));
  state.post(places.priya, { user: priya, text: 'The photographer comes at nine, not ten.' }, ago(10));
}
