// An Outlook account of the sandbox behind the real door: what the provider's code asks is seen as Microsoft
// would have got it.
import { createHash } from 'node:crypto';
import { createMicrosoft, type MicrosoftSandbox, microsoftApp } from '../../../sandbox/microsoft/graph.ts';
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import type { WriteContext } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/outlook/index.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { consentedBearer, openStage } from '../stage.ts';

export interface Scene {
  microsoft: MicrosoftSandbox;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Requests since the last call of this. */
  asked(): { method: string; path: string; headers: Record<string, string>; body: string }[];
  announced(): number;
}

const all = [
  'User.Read',
  'Mail.Read',
  'Mail.Send',
  'Mail.ReadWrite',
  'Calendars.Read',
  'Calendars.ReadWrite',
];

export async function openScene(
  given: { empty?: boolean; scopes?: readonly string[]; attachments?: Uint8Array[] } = {},
): Promise<Scene> {
  const clock = manualClock();
  const world = given.empty === true ? emptyWorld(clock.now()) : loadWorld(clock.now());
  const microsoft = createMicrosoft({ clock, world });
  const stage = await openStage([microsoft.emulator], clock);
  const { hosts } = stage;
  const base = stage.context({
    clock,
    provider,
    fields: { tenant: 'common', email: world.user.email },
    bearer: {
      fresh: async () =>
        new Secret(
          consentedBearer(microsoft.authorization, {
            host: 'login.microsoftonline.com',
            path: '/common/oauth2/v2.0',
            app: microsoftApp,
            scopes: given.scopes ?? all,
          }),
        ),
    },
  });
  let announced = 0;
  return {
    microsoft,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      return stage.calls().map(({ method, path, headers, body }) => ({ method, path, headers, body }));
    },
    context: {
      ...base,
      effectKey: 'eff_01test',
      async attachment(sha256) {
        const found = given.attachments?.find(
          (bytes) => createHash('sha256').update(bytes).digest('hex') === sha256,
        );
        if (found === undefined) throw new DrawbridgeError('not_found', 'no such attachment');
        return found;
      },
      async aboutToSend() {
        announced += 1;
      },
    },
  };
}
