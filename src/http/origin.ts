// What the local web server is called, and which names it answers to. A name of its own keeps its cookies
// apart from every other program's on localhost; any other name is a rebinding attack or a mistake.
import { lookup } from 'node:dns/promises';

const localName = 'drawbridge.localhost';

/** Address of the local pages. `name` comes from `findLocalName`. */
export function localOrigin(port: number, name: string = localName): string {
  return port === 80 ? `http://${name}` : `http://${name}:${port}`;
}

export interface LocalPages {
  /** Host name for links that a person opens in a browser. */
  name: string;
  /** Why it is not drawbridge.localhost; undefined when it is. */
  note: string | undefined;
}

type Lookup = (name: string) => Promise<{ address: string }[]>;

/**
 * The name of the local pages on this machine. Chromium, Edge and Firefox take every `*.localhost` for
 * loopback without asking a resolver (RFC 6761, 6.3); Safari asks macOS, which may not know it. A resolver
 * that sends the name elsewhere is never followed. Programs are not meant: they get 127.0.0.1.
 */
export async function findLocalName(
  platform: NodeJS.Platform = process.platform,
  resolve: Lookup = (name) => lookup(name, { all: true }),
): Promise<LocalPages> {
  const addresses = await resolve(localName).then(
    (found) => found.map((one) => one.address),
    () => [],
  );
  if (!addresses.every((address) => address === '::1' || address.startsWith('127.'))) {
    return {
      name: 'localhost',
      note: `${localName} leads to ${addresses.join(', ')} here, not to this machine; the pages are at localhost.`,
    };
  }
  if (addresses.length === 0 && platform === 'darwin') {
    return {
      name: 'localhost',
      note: `${localName} does not resolve on this machine, and Safari needs that; the pages are at localhost.`,
    };
  }
  return { name: localName, note: undefined };
}

export interface OwnOrigin {
  /** As a browser writes it in `Origin`. */
  origin: string;
  /** Whether the browser came over https, so that its cookies may be bound to it. */
  secure: boolean;
}

const localHost = /^(?:drawbridge\.localhost|localhost|127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?$/;

/**
 * The origin that a `Host` header names, when it is one of ours: a local name with the port that was
 * really connected to, or the host of the public address. Undefined for anything else.
 */
export function ownOrigin(
  host: string | undefined,
  port: number | undefined,
  publicUrl: string | undefined,
): OwnOrigin | undefined {
  if (host === undefined) return undefined;
  const name = host.toLowerCase();
  if (publicUrl !== undefined) {
    const url = new URL(publicUrl);
    const standardPort = url.protocol === 'https:' ? ':443' : ':80';
    if (name === url.host || (url.port === '' && name === `${url.hostname}${standardPort}`)) {
      return { origin: url.origin, secure: url.protocol === 'https:' };
    }
  }
  const match = localHost.exec(name);
  if (match === null || port === undefined || Number(match[1] ?? 80) !== port) return undefined;
  return { origin: new URL(`http://${name}`).origin, secure: false };
}
