// The other side of providers at Microsoft, as test/conformance and demo meet it.
import { type Emulated, type Ground, letter, numbers } from './emulated.ts';
import { createMicrosoft, microsoftApp } from './microsoft/graph.ts';

export const emulatedMicrosoft: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  outlook(ground) {
    const { emulator, authorization, mail, calendar } = createMicrosoft(ground);
    const now = ground.clock.now();
    const inbox = mail.folder('inbox')?.id ?? '';
    const [first] = mail.messages();
    let made = 0;
    return {
      emulators: [emulator],
      way: { kind: 'browser', ...microsoftApp, authorization },
      fields: {},
      samples: {
        search: { query: 'the' },
        get: { id: first?.id ?? '' },
        events: { from: iso(now), to: iso(now + 7 * 86_400_000) },
        'get-event': { id: calendar.events()[0]?.id ?? '' },
        'free-busy': { from: now, to: now + 7 * 86_400_000 },
      },
      feeds: {
        mail: {
          add: (count, says) =>
            numbers(count).map((n) => {
              const raw = Buffer.from(letter(ground.world.user.email, n, ground.clock.now(), says));
              const { id } = mail.add(raw, inbox, { received: ground.clock.now() });
              return `${encodeURIComponent(inbox)}/${id}`;
            }),
          remove: (externalId) => mail.remove(externalId.split('/').at(-1) ?? ''),
        },
        events: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const at = (hours: number) => ({ dateTime: iso(now + hours * 3_600_000) });
              const id = `numbered${made}`;
              const stamp = iso(now);
              return calendar.put({
                id,
                status: 'confirmed',
                iCalUID: `${id}@outlook.example`,
                summary: `Number ${made} ${says}`,
                start: at(made),
                end: at(made + 1),
                created: stamp,
                updated: stamp,
                sequence: 0,
              }).id;
            }),
          remove: (id) => void calendar.cancel(id),
        },
      },
    };
  },
};

const iso = (ms: number): string => new Date(ms).toISOString();
