// Logging in by digest (RFC 7616, RFC 2617), for calendar servers that take no password as it is: Baïkal asks for it
// unless its owner chose otherwise.
import { createHash, randomBytes } from 'node:crypto';

export interface Challenge {
  realm: string;
  nonce: string;
  opaque: string | undefined;
  /** As the server wrote it: it is said back. Undefined: MD5. */
  algorithm: string | undefined;
  /** Whether `qop=auth` is offered; servers of RFC 2069 know none. */
  counts: boolean;
  /** What was said was right but for the nonce. */
  stale: boolean;
}

export interface Asked {
  method: string;
  url: string;
  user: string;
  password: string;
  /** How often this nonce was used, this time among them. */
  count: number;
  clientNonce?: string;
}

const hashes: Readonly<Record<string, string>> = { 'SHA-256': 'sha256', MD5: 'md5' };
const parameter = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g;

const baseOf = (algorithm = 'MD5') => algorithm.toUpperCase().replace(/-SESS$/, '');

/** The strongest digest that a `WWW-Authenticate` offers; undefined where it offers none, or the password as it is too. */
export function challengeIn(header: string | null): Challenge | undefined {
  // Several challenges stand in one line, divided by the same comma as their parameters: a scheme has no `=`.
  const offers = (header ?? '').split(/(?:^|,)\s*(?=[A-Za-z][\w-]*\s+[\w-]+\s*=|(?:Basic|Negotiate)\b)/i);
  if (offers.some((offer) => /^\s*Basic\b/i.test(offer))) return undefined;
  const known = offers.flatMap((offer) => {
    if (!/^\s*Digest\s/i.test(offer)) return [];
    const said = new Map(
      [...offer.matchAll(parameter)].map(([, name = '', quoted, plain]) => [
        name.toLowerCase(),
        quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '',
      ]),
    );
    const [nonce, qop, algorithm] = [said.get('nonce'), said.get('qop'), said.get('algorithm')];
    const counts = qop?.split(',').some((one) => one.trim().toLowerCase() === 'auth') === true;
    // `auth-int` alone would sign the body as well.
    if (nonce === undefined || (qop !== undefined && !counts) || !(baseOf(algorithm) in hashes)) return [];
    const stale = said.get('stale')?.toLowerCase() === 'true';
    return [{ realm: said.get('realm') ?? '', nonce, opaque: said.get('opaque'), algorithm, counts, stale }];
  });
  const strength = ({ algorithm }: Challenge) => Object.keys(hashes).indexOf(baseOf(algorithm));
  return known.toSorted((a, b) => strength(a) - strength(b))[0];
}

const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

/** The `Authorization` that answers a challenge. */
export function answerTo(challenge: Challenge, asked: Asked): string {
  const { realm, nonce, opaque, algorithm, counts } = challenge;
  const hash = (text: string) =>
    createHash(hashes[baseOf(algorithm)] ?? 'md5')
      .update(text)
      .digest('hex');
  const { pathname, search } = new URL(asked.url);
  const uri = `${pathname}${search}`;
  const cnonce = asked.clientNonce ?? randomBytes(16).toString('hex');
  const nc = asked.count.toString(16).padStart(8, '0');
  const who = hash(`${asked.user}:${realm}:${asked.password}`);
  const secret = /-sess$/i.test(algorithm ?? '') ? hash(`${who}:${nonce}:${cnonce}`) : who;
  const what = hash(`${asked.method}:${uri}`);
  const response = hash(
    counts ? `${secret}:${nonce}:${nc}:${cnonce}:auth:${what}` : `${secret}:${nonce}:${what}`,
  );
  return `Digest ${[
    `username=${quote(asked.user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(counts ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
  ].join(', ')}`;
}
