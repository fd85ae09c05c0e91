// A host becomes addresses here, and only admitted ones come out. Sockets are opened to what was judged:
// no second look-up lies between the check and the connection.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { DrawbridgeError } from '../errors.ts';
import { bareHost, reachOf } from './addresses.ts';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** All addresses of a host name. The system's own resolver unless a test hands in another. */
export type Resolve = (hostname: string) => Promise<Address[]>;

export const systemResolve: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export interface Admitted {
  addresses: [Address, ...Address[]];
  /** Every address is this machine's own. */
  loopback: boolean;
}

/** What may be reached: `public` servers, `any` of those and loopback, or `loopback` alone (clear text). */
export type Policy = 'public' | 'any' | 'loopback';

/**
 * The addresses of `host` that `policy` lets through; the others are left out.
 * @throws DrawbridgeError `permission_denied` when none is, `network` when the name has none.
 */
export async function admit(host: string, policy: Policy, resolve: Resolve): Promise<Admitted> {
  const bare = bareHost(host);
  const family = isIP(bare);
  const found: Address[] =
    family === 0 ? await look(bare, resolve) : [{ address: bare, family: family === 6 ? 6 : 4 }];
  const admitted = found.filter(({ address }) => {
    const reach = reachOf(address);
    return reach === 'loopback' ? policy !== 'public' : reach === 'public' && policy !== 'loopback';
  });
  const [first, ...rest] = admitted;
  if (first === undefined) throw refusal(bare, found, policy);
  return {
    addresses: [first, ...rest],
    loopback: admitted.every(({ address }) => reachOf(address) === 'loopback'),
  };
}

async function look(hostname: string, resolve: Resolve): Promise<Address[]> {
  try {
    const found = await resolve(hostname);
    if (found.length > 0) return found;
  } catch (cause) {
    throw new DrawbridgeError(
      'network',
      `No address was found for ${hostname}: check the spelling, and DNS.`,
      {
        cause,
      },
    );
  }
  throw new DrawbridgeError('network', `The name ${hostname} has no address: check the spelling.`);
}

function refusal(host: string, found: Address[], policy: Policy): DrawbridgeError {
  if (policy === 'loopback') {
    return new DrawbridgeError('permission_denied', `${host} may only be reached with https or TLS.`);
  }
  const local = found.every(({ address }) => reachOf(address) === 'loopback');
  const mend = local ? ' DRAWBRIDGE_ALLOW_LOOPBACK=1 admits servers on this machine.' : '';
  return new DrawbridgeError(
    'permission_denied',
    `${host} is not on the public internet, and Drawbridge connects to public servers only.${mend}`,
  );
}
