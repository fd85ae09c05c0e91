// The other side of providers of listings by the RESO Web API, as test/conformance and demo meet it.
import type { Emulated, Ground } from './emulated.ts';
import { numbers } from './emulated.ts';
import { createMls, type Manner, type Mls } from './reso/server.ts';

export const mlsHost = 'api.anselcoastmls.example';
export const mlsRoot = '/reso/odata';
export const mlsToken = 'sandbox-only-mls-server-token';

export const emulatedMls: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  reso: (ground) =>
    through(mlsOf(ground, 'reso', 'plain', [mlsHost], mlsRoot), {
      host: `https://${mlsHost}${mlsRoot}`,
      copyright: '© Ansel Coast MLS. Deemed reliable, not guaranteed.',
    }),
  bridge: (ground) =>
    through(mlsOf(ground, 'bridge', 'bridge', ['api.bridgedataoutput.com'], '/api/v2/OData/anselcoast'), {
      dataset: 'anselcoast',
    }),
  spark: (ground) =>
    through(
      mlsOf(ground, 'spark', 'spark', ['sparkapi.com', 'replication.sparkapi.com'], '/Version/3/Reso/OData'),
      {
        role: 'usual',
      },
    ),
};

function mlsOf(
  { clock, world }: Ground,
  provider: string,
  manner: Manner,
  hosts: readonly [string, ...string[]],
  root: string,
): Mls {
  return createMls({ clock, listings: world.listings, provider, manner, hosts, root, token: mlsToken });
}

function through({ emulator, market }: Mls, fields: Record<string, string>): Emulated {
  const key = market.keyAt('14 Heron Court');
  return {
    emulators: [emulator],
    way: { kind: 'form', secrets: { token: mlsToken }, wrong: { token: 'another-mls-server-token' } },
    fields,
    samples: {
      search: { location: 'Port Ansel, OR' },
      get: { id: key },
      media: { listing: key },
      'price-history': { listing: key },
    },
    feeds: {
      listings: {
        add: (count, says = '') =>
          numbers(count).map(() => market.add(says === '' ? {} : { PublicRemarks: `A home. ${says}` })),
        remove: (id) => market.remove(id),
      },
    },
  };
}
