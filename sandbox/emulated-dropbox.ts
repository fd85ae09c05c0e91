// The other side of Dropbox, as test/conformance and demo meet it.
import { createHmac } from 'node:crypto';
import { createDropbox, dropboxApp } from './dropbox/index.ts';
import { lower } from './dropbox/store.ts';
import { type Emulated, type Ground, numbers } from './emulated.ts';

export const emulatedDropbox: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  dropbox(ground) {
    const { emulator, authorization, files } = createDropbox(ground);
    const sheet = files.entries().find(({ path }) => path.endsWith('.md'))?.path ?? '';
    let made = 0;
    return {
      emulators: [emulator],
      way: { kind: 'browser', ...dropboxApp, authorization },
      fields: {},
      samples: {
        search: { query: 'tern street' },
        get: { path: sheet },
        text: { path: '/shared/house-rules.txt' },
        download: { path: '/shared/house-rules.txt' },
      },
      feeds: {
        files: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              return lower(files.put(`/Numbers/Number ${made}.txt`, `This is number ${made}. ${says}`).path);
            }),
          remove: (id) => files.remove(id),
        },
      },
      sign({ method, url, body }, secret) {
        const signature = createHmac('sha256', secret).update(body).digest('hex');
        return { method, url, body, headers: { 'x-dropbox-signature': signature } };
      },
    };
  },
};
