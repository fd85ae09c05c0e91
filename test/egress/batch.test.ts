// A call that holds several is to the provider's limits what those would be: none of them comes by unseen.
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { Batch, CallLimit } from '../../src/egress/egress.ts';
import { createSlots } from '../../src/egress/slots.ts';
import { manualClock } from './manual-clock.ts';
import { caller, door, serve } from './wire.ts';

const silent = (calls: number): Batch => ({ calls, answers: () => [] });
const never = new AbortController().signal;

test('each of them is taken from the bucket', async () => {
  const clock = manualClock();
  const server = await serve((_request, response) => response.end());
  const { egress } = door({ clock });
  const limit: CallLimit = { perSecond: 1, burst: 5, concurrent: 4 };
  const fetch = egress.fetchFor({ ...caller, limit });
  await fetch(server.url, { method: 'POST', batch: silent(5) });
  const after = fetch(server.url);
  expect(await clock.asleep((ms) => ms <= 1000)).toBe(1000);
  expect(server.seen).toHaveLength(1);
  clock.advance(1000);
  await after;
});

test('as many slots are held as there may be calls at once', async () => {
  const begun = Promise.withResolvers<ServerResponse>();
  const server = await serve((request, response) => {
    if (request.method === 'POST') begun.resolve(response);
    else response.end();
  });
  const { egress } = door();
  const limit: CallLimit = { perSecond: 1000, burst: 1000, concurrent: 4 };
  const fetch = egress.fetchFor({ ...caller, limit });
  const batch = fetch(server.url, { method: 'POST', batch: silent(20) });
  const answer = await begun.promise;
  const behind = fetch(`${server.url}/behind`);
  // Another connection's call comes and goes meanwhile.
  await egress.fetchFor({ ...caller, connectionId: 'con_b', limit })(`${server.url}/elsewhere`);
  expect(server.seen.map(({ url }) => url)).toEqual(['/', '/elsewhere']);
  answer.end();
  await batch;
  await behind;
  expect(server.seen.map(({ url }) => url)).toEqual(['/', '/elsewhere', '/behind']);
});

test('one that is refused for its rate pauses all of the connection, though the batch was answered', async () => {
  const clock = manualClock();
  const server = await serve((_request, response) => response.end('a part was refused'));
  const { fetch } = door({ clock });
  const heard: string[] = [];
  const batch: Batch = {
    calls: 2,
    answers(body) {
      heard.push(body);
      return [
        { status: 200, headers: new Headers() },
        { status: 429, headers: new Headers({ 'retry-after': '7' }) },
        { status: 503, headers: new Headers({ 'retry-after': '19' }) },
      ];
    },
  };
  expect((await fetch(server.url, { method: 'POST', batch })).status).toBe(200);
  expect(heard).toEqual(['a part was refused']);
  const after = fetch(server.url);
  expect(await clock.asleep((ms) => ms <= 20_000)).toBe(7000);
  expect(server.seen).toHaveLength(1);
  clock.advance(7000);
  await after;
});

test('slots that are taken together are not overtaken, nor lost by who gives up', async () => {
  const slots = createSlots(3);
  const order: string[] = [];
  const enter = (name: string, wanted: number, signal = never) =>
    slots.enter(signal, wanted).then(
      (leave) => {
        order.push(name);
        return leave;
      },
      () => () => undefined,
    );
  const first = await enter('first', 1);
  const all = enter('all', 9);
  const late = enter('late', 1);
  await Promise.resolve();
  expect(order).toEqual(['first']);
  first();
  const leaveAll = await all;
  expect(order).toEqual(['first', 'all']);
  leaveAll();
  const leaveLate = await late;

  const stop = new AbortController();
  const given = enter('given up', 3, stop.signal);
  const behind = enter('behind', 2);
  stop.abort(new Error('gave up'));
  await given;
  const leaveBehind = await behind;
  expect(order).toEqual(['first', 'all', 'late', 'behind']);
  expect(slots.rests()).toBe(false);
  leaveLate();
  leaveBehind();
  expect(slots.rests()).toBe(true);
});
