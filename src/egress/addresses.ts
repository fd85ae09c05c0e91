// Which addresses Drawbridge may reach: the public internet and nothing else. What is not known to be
// public is refused; loopback is admitted only by the flag.
import ipaddr from 'ipaddr.js';

export type Reach = 'public' | 'loopback' | 'refused';

// Cloud metadata services that answer at addresses of public ranges.
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
const metadataAddresses = new Set(['168.63.129.16']);
// RFC 4291: global unicast. Everything outside of it is special, or not yet given out.
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * What an IP address (as text, IPv6 without brackets) is reachable as. IPv6 forms that carry an IPv4
 * address (mapped, NAT64, 6to4, Teredo) are refused whatever they carry: which network they end in is
 * not ours to know. Ranges: the IANA special-purpose registries (RFC 6890), as ipaddr.js lists them.
 */
export function reachOf(address: string): Reach {
  if (!ipaddr.isValid(address)) return 'refused';
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range === 'loopback') return 'loopback';
  if (range !== 'unicast') return 'refused';
  if (parsed instanceof ipaddr.IPv6) {
    // A zone (fe80::1%eth0) names an interface of this machine.
    return parsed.zoneId === undefined && parsed.match(globalUnicast) ? 'public' : 'refused';
  }
  return metadataAddresses.has(parsed.toString()) ? 'refused' : 'public';
}

/** Whether a URL's host plainly names this machine, without asking DNS. */
export function namesLoopback(hostname: string): boolean {
  const bare = bareHost(hostname).toLowerCase();
  return bare === 'localhost' || bare.endsWith('.localhost') || reachOf(bare) === 'loopback';
}

/** A URL's host without the brackets of an IPv6 address. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}
