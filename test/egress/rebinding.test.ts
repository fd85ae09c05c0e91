// DNS that answers differently each time it is asked. The socket is replaced: a public address must not be
// dialled in a test.
import { Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, expect, test, vi } from 'vitest';
import type { Address } from '../../src/egress/admit.ts';
import { caller, door, serve } from './wire.ts';

afterEach(() => vi.restoreAllMocks());

const open: Address = { address: '93.184.216.34', family: 4 };
const inside: Address = { address: '10.0.0.7', family: 4 };

/** Answers each question with the next of `answers`, the last for ever. */
function resolver(...answers: Address[][]) {
  return vi.fn(async () => (answers.length > 1 ? answers.shift() : answers[0]) ?? []);
}

/** Takes the place of TLS sockets: asks the look-up as Node does, notes where it would go, goes nowhere. */
function dialledBy(run: () => Promise<unknown>): Promise<{ dialled: string[]; outcome: unknown }> {
  const dialled: string[] = [];
  vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions & { lookup: never }) => {
    const socket = new Socket();
    const lookup: (
      host: string,
      options: { all: true },
      done: (error: Error | null, found?: Address[]) => void,
    ) => void = options.lookup;
    lookup(options.host ?? '', { all: true }, (error, found = []) => {
      if (error === null) dialled.push(...found.map(({ address }) => address));
      socket.destroy(error ?? Object.assign(new Error('no network in tests'), { code: 'ENETUNREACH' }));
    });
    return socket;
  }) as never);
  return run().then(
    (outcome) => ({ dialled, outcome }),
    (outcome) => ({ dialled, outcome }),
  );
}

test('DNS rebinding: what is dialled is what was judged, and nothing is asked in between', async () => {
  const resolve = resolver([open], [inside]);
  const { fetch } = door({ allowLoopback: false, resolve });
  const { dialled } = await dialledBy(() => fetch('https://rebind.test/', { method: 'POST' }));
  expect(dialled).toEqual(['93.184.216.34']);
  expect(resolve).toHaveBeenCalledTimes(1);
});

test('DNS rebinding: a later connection is judged anew', async () => {
  const resolve = resolver([open], [inside]);
  const { fetch } = door({ allowLoopback: false, resolve });
  await dialledBy(() => fetch('https://rebind.test/', { method: 'POST' }));
  const { dialled, outcome } = await dialledBy(() => fetch('https://rebind.test/', { method: 'POST' }));
  expect(dialled).toEqual([]);
  expect(outcome).toMatchObject({ code: 'permission_denied' });
});

test('of several addresses only the public ones are dialled', async () => {
  const mapped: Address = { address: '::ffff:127.0.0.1', family: 6 };
  const { fetch } = door({ allowLoopback: false, resolve: resolver([inside, mapped, open]) });
  const { dialled } = await dialledBy(() => fetch('https://mixed.test/', { method: 'POST' }));
  expect(dialled).toEqual(['93.184.216.34']);
});

test.each(['10.0.0.7', '169.254.169.254', '127.0.0.1', '::1', '64:ff9b::a00:7', 'fd00::1'])(
  'a name that resolves to %s is refused at connect time',
  async (address) => {
    const resolve = resolver([{ address, family: address.includes(':') ? 6 : 4 }]);
    const { fetch, egress } = door({ allowLoopback: false, resolve });
    await expect(fetch('https://inside.test/')).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(egress.dial(caller, 'inside.test', 993)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  },
);

test('with the flag too, a server on loopback is dialled at the address that was judged', async () => {
  const server = await serve((_request, response) => response.end('one'));
  const resolve = resolver([{ address: '127.0.0.1', family: 4 }], [inside]);
  const { fetch } = door({ resolve });
  const answer = await fetch(`http://own.test:${server.port}/`);
  expect(await answer.text()).toBe('one');
  expect(resolve).toHaveBeenCalledTimes(1);
});
