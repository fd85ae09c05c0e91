// Which hosts a service may be on.
const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;
const hostName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/;

/** A public host name, or a server of one's own on loopback (which egress admits only by its flag). */
export function isServiceHost(host: string): boolean {
  return hostName.test(host) || loopbackHost.test(host);
}
