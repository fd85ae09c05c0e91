import { describe, expect, test } from 'vitest';
import { namesLoopback, reachOf } from '../../src/egress/addresses.ts';
import { caller, door, serve } from './wire.ts';

const refusedAddresses = [
  ['0.0.0.0', 'this network'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.100.100.200', 'metadata of Alibaba Cloud'],
  ['169.254.169.254', 'metadata of AWS, Google and Azure'],
  ['169.254.170.2', 'metadata of ECS tasks'],
  ['168.63.129.16', 'wire server of Azure'],
  ['192.0.0.192', 'metadata of Oracle Cloud'],
  ['192.0.2.1', 'documentation'],
  ['198.18.0.1', 'benchmarking'],
  ['203.0.113.7', 'documentation'],
  ['192.88.99.1', '6to4 relay'],
  ['224.0.0.1', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::ffff:127.0.0.1', 'loopback in an IPv4-mapped form'],
  ['::ffff:8.8.8.8', 'public in an IPv4-mapped form'],
  ['::127.0.0.1', 'loopback in the deprecated compatible form'],
  ['::ffff:0:127.0.0.1', 'loopback in a translated form'],
  ['64:ff9b::7f00:1', 'loopback behind NAT64'],
  ['64:ff9b::a00:1', 'private behind NAT64'],
  ['64:ff9b:1::1', 'local NAT64'],
  ['2002:7f00:1::', 'loopback in 6to4'],
  ['2001:0:7f00:1::', 'Teredo'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['100::1', 'discard'],
  ['fc00::1', 'unique local'],
  ['fd00:ec2::254', 'metadata of AWS over IPv6'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local with a zone'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['5f00::1', 'segment routing'],
  ['4000::1', 'not given out'],
  ['2606:4700::1111%eth0', 'public with a zone'],
  ['example.com', 'not an address'],
  ['', 'nothing'],
] as const;

describe('the address policy', () => {
  test.each(refusedAddresses)('refuses %s (%s)', (address) => {
    expect(reachOf(address)).toBe('refused');
  });

  test.each(['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111'])(
    'lets %s through',
    (address) => {
      expect(reachOf(address)).toBe('public');
    },
  );

  test.each(['127.0.0.1', '127.255.255.254', '::1'])('knows %s as loopback', (address) => {
    expect(reachOf(address)).toBe('loopback');
  });

  test('a name is loopback only when it plainly says so', () => {
    expect(namesLoopback('localhost')).toBe(true);
    expect(namesLoopback('drawbridge.localhost')).toBe(true);
    expect(namesLoopback('[::1]')).toBe(true);
    expect(namesLoopback('localhost.example.com')).toBe(false);
  });
});

// The URL parser turns each spelling into an address before the policy sees it.
const spellings = [
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0177.0.0.1/',
  'https://0x7f.0.0.1/',
  'https://127.1/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::1]/',
  'https://10.0.0.1/',
  'https://0xa9fea9fe/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[64:ff9b::7f00:1]/',
  'https://①②⑦.0.0.1/',
];

describe('the door', () => {
  test.each(spellings)('does not go to %s', async (url) => {
    const { fetch, egress } = door({ allowLoopback: false });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'permission_denied' });
    const host = new URL(url).hostname;
    await expect(egress.dial(caller, host, 993)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test.each([
    'http://127.0.0.1/',
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,x',
  ])('speaks https alone: %s is refused before anything is opened', async (url) => {
    const resolve = async () => {
      throw new Error('nothing may be looked up');
    };
    const { fetch } = door({ allowLoopback: false, resolve });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test.each([
    'unix:/var/run/docker.sock',
    'https+unix://%2Fvar%2Frun%2Fdocker.sock/info',
    'blob:https://example.com/1',
  ])('opens no Unix socket and no other scheme: %s', async (url) => {
    await expect(door().fetch(url)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test.each(['/var/run/docker.sock', 'mail.example.com/../x', 'a b', 'x@y', ''])(
    'dials host names and addresses alone: "%s" is refused',
    async (host) => {
      await expect(door().egress.dial(caller, host, 993)).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'host',
      });
    },
  );

  test.each([0, -1, 65_536, 1.5])('dials no port %s', async (port) => {
    await expect(door().egress.dial(caller, 'mail.example.com', port)).rejects.toMatchObject({
      field: 'port',
    });
  });

  test('a URL that carries a user name is refused, and not repeated', async () => {
    const refused = door().fetch('https://maria:hunter22@example.com/');
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(refused).rejects.not.toThrow(/hunter22/);
  });

  test('a port where no web server listens (25, SMTP) is refused and not tried again', async () => {
    const clock = door().clock;
    await expect(door({ clock }).fetch('http://127.0.0.1:25/')).rejects.toMatchObject({
      code: 'network',
      retry: 'never',
    });
  });

  test('clear text goes to loopback alone, even where the flag admits it', async () => {
    const { fetch } = door({ resolve: async () => [{ address: '93.184.216.34', family: 4 }] });
    await expect(fetch('http://plain.test/')).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test('the flag admits loopback and nothing else that is not public', async () => {
    const server = await serve((_request, response) => response.end('here'));
    const { fetch } = door();
    expect(await (await fetch(`${server.url}/`)).text()).toBe('here');
    await expect(fetch('https://192.168.1.1/')).rejects.toMatchObject({ code: 'permission_denied' });
  });

  test('dial demands TLS, except on loopback by the flag', async () => {
    const mail = async () => [{ address: '93.184.216.34', family: 4 as const }];
    expect(await door({ resolve: mail }).egress.dial(caller, 'mail.test', 993)).toEqual({
      address: '93.184.216.34',
      port: 993,
      servername: 'mail.test',
      tlsRequired: true,
    });
    const own = async () => [{ address: '127.0.0.1', family: 4 as const }];
    expect(await door({ resolve: own }).egress.dial(caller, 'mail.test', 143)).toMatchObject({
      tlsRequired: false,
    });
    await expect(
      door({ resolve: own, allowLoopback: false }).egress.dial(caller, 'mail.test', 143),
    ).rejects.toThrow(/DRAWBRIDGE_ALLOW_LOOPBACK=1/);
  });
});
