// The other side of Slack, as test/conformance and demo meet it.
import { createHmac } from 'node:crypto';
import { type Emulated, type Ground, numbers } from './emulated.ts';
import { createSlack, slackApp } from './slack/index.ts';
import { people, places } from './slack/story.ts';

export const emulatedSlack: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  slack(ground) {
    const slack = createSlack(ground);
    const { state, authorization } = slack;
    const root = state.shown(places.general).find(({ ts }) => state.replies(places.general, ts).length > 0);
    const [file] = [...state.files.keys()];
    let made = 0;
    return {
      emulators: [slack],
      way: { kind: 'browser', ...slackApp, authorization },
      fields: {},
      samples: {
        'get-channel': { channel: places.general },
        history: { channel: places.general },
        thread: { channel: places.general, ts: root?.ts ?? '' },
        'get-user': { id: people.priya },
        'file-text': { id: file ?? '' },
      },
      feeds: {
        messages: {
          add: (count, says = '') =>
            numbers(count).map((n) => {
              const text = `This is number ${n}. ${says}`;
              return `${places.general}/${state.post(places.general, { user: people.priya, text }).ts}`;
            }),
          remove: (externalId) => state.delete(places.general, externalId.split('/').at(-1) ?? ''),
        },
        users: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const id = `U0NUMBER${made}`;
              const name = `number${made}`;
              const email = `${name}@tidewell.example`;
              return `users/${state.addUser({ id, name, real_name: `Number ${made} ${says}`.trim(), email }).id}`;
            }),
          remove(externalId) {
            const user = state.users.find(({ id }) => `users/${id}` === externalId);
            if (user !== undefined) user.deleted = true;
          },
        },
      },
      sign({ method, url, body }, secret, now) {
        const time = String(Math.floor(now / 1000));
        const signature = createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex');
        const headers = { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${signature}` };
        return { method, url, body, headers };
      },
    };
  },
};
