// A Dropbox account of the sandbox behind the real door: what the provider's code asks is seen as Dropbox would
// have got it.
import { refusal } from '../../../sandbox/dropbox/answers.ts';
import { createDropbox, type Dropbox, dropboxApp } from '../../../sandbox/dropbox/index.ts';
import type { Call, ProviderHosts } from '../../../sandbox/providers.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import type { WriteContext } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/dropbox/index.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { consentedBearer, openStage } from '../stage.ts';

export interface Scene {
  dropbox: Dropbox;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Requests since the last call of this: route, arguments, content. */
  asked(): { route: string; args: unknown; content?: string }[];
  /** How often `aboutToSend` was called. */
  announced(): number;
}

export const all = [
  'account_info.read',
  'files.metadata.read',
  'files.content.read',
  'files.content.write',
  'sharing.read',
];

export async function openScene(given: { story?: boolean; scopes?: readonly string[] } = {}): Promise<Scene> {
  const clock = manualClock();
  const world = given.story === true ? loadWorld(clock.now()) : emptyWorld(clock.now());
  const dropbox = createDropbox({ clock, world });
  const stage = await openStage([dropbox.emulator], clock);
  const { hosts } = stage;
  const bearer = new Secret(
    consentedBearer(dropbox.authorization, {
      host: 'www.dropbox.com',
      path: '/oauth2',
      app: dropboxApp,
      scopes: given.scopes ?? all,
    }),
  );
  const base = stage.context({
    clock,
    provider,
    fields: { email: world.user.email, root: '3235641' },
    bearer: { fresh: async () => bearer },
  });
  let announced = 0;
  return {
    dropbox,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      return stage.calls().map(shownOf);
    },
    context: {
      ...base,
      effectKey: 'eff_01test',
      attachment: () => Promise.reject(new Error('no attachment here')),
      async aboutToSend() {
        announced += 1;
      },
    },
  };
}

function shownOf({ host, path, headers, body }: Call) {
  const route = `${host}${path}`;
  const header = headers['dropbox-api-arg'];
  if (header === undefined) return { route, args: JSON.parse(body) as unknown };
  return { route, args: JSON.parse(header) as unknown, ...(body === '' ? {} : { content: body }) };
}

/** To be ordered of the sandbox: an error with these tags, in Dropbox's own words. */
export function refusing(tags: readonly (string | object)[], status = 409) {
  const { body = '', headers = {} } = refusal(tags, status);
  return { kind: 'refuse', status, text: body, headers } as const;
}

export const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
