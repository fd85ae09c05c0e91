// What leaves for an embedder's server and what of its answers is believed, at the wire.
import { describe, expect, test } from 'vitest';
import { answerJson, type EmbedWorld, embedWorld, fakeServer, meaningOf } from './world.ts';

const kinds = {
  openai: (url: string) => ({ kind: 'openai', url: `${url}/v1`, model: 'meaning-1' }),
  ollama: (url: string) => ({ kind: 'ollama', url, model: 'minilm' }),
  supabase: (url: string) => ({ kind: 'supabase', url, dimensions: 4 }),
} as const;
type Kind = keyof typeof kinds;
const allKinds = Object.keys(kinds) as Kind[];

async function choose(world: EmbedWorld, settings: unknown): Promise<string> {
  const name = await world.embedding.set(world.org, world.owner, {
    settings,
    key: world.key,
    channel: 'test',
  });
  await world.embedding.settled();
  return name;
}

test.each(allKinds)(
  '%s: passages and questions go to its own path, with the key, and come back as vectors',
  async (kind) => {
    const server = await fakeServer();
    const world = await embedWorld();
    await world.notes({ a: 'A villa.', b: 'The truck.', c: 'Rain.' });
    const name = await choose(world, kinds[kind](server.url));
    expect(name.startsWith(`${kind}:`)).toBe(true);
    expect((await world.found('dwelling'))[0]).toBe('a');
    const paths = { openai: '/v1/embeddings', ollama: '/api/embed', supabase: '/functions/v1/embed' };
    const posts = server.seen.filter(({ method }) => method === 'POST');
    expect(new Set(posts.map(({ url }) => url))).toEqual(new Set([paths[kind]]));
    for (const { headers } of posts) expect(headers.authorization).toBe('Bearer sk-secret-0123456789');
    expect(server.calls().flat().sort()).toEqual(
      ['A house with a garden.', 'a\nA villa.', 'b\nThe truck.', 'c\nRain.', 'dwelling'].sort(),
    );
  },
);

test('vectors that come back in another order belong to the texts of their index', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ a: 'A villa.', b: 'The truck.', c: 'An invoice.' });
  server.instead = (request, response, texts) => {
    if (request.url !== '/v1/embeddings') return false;
    const data = texts.map((text, index) => ({ index, embedding: meaningOf(text) }));
    return answerJson(response, { data: [...data.slice(2), ...data.slice(0, 2)] });
  };
  await choose(world, kinds.openai(server.url));
  for (const [question, id] of [
    ['dwelling', 'a'],
    ['vehicle', 'b'],
    ['payment', 'c'],
  ] as const)
    expect((await world.found(question))[0]).toBe(id);
});

describe('an answer that cannot be right is not believed, and nothing of it is stored', () => {
  const cases: Record<string, (texts: string[]) => unknown> = {
    'a wrong dimension': (texts) => ({
      data: texts.map((_, index) => ({ index, embedding: [1, 2, 3, 4, 5] })),
    }),
    'a dimension that differs within one answer': (texts) => ({
      data: texts.map((_, index) => ({ index, embedding: index === 0 ? [1, 0, 0, 0] : [1, 0, 0] })),
    }),
    'too few vectors': (texts) => ({
      data: texts.slice(1).map((_, index) => ({ index, embedding: [1, 0, 0, 0] })),
    }),
    'an index twice': (texts) => ({ data: texts.map(() => ({ index: 0, embedding: [1, 0, 0, 0] })) }),
    'an index beyond the texts': (texts) => ({
      data: texts.map((_, index) => ({ index: index + 1, embedding: [1, 0, 0, 0] })),
    }),
    'null in a vector': (texts) => ({
      data: texts.map((_, index) => ({ index, embedding: [1, null, 0, 0] })),
    }),
    'a word in a vector': (texts) => ({
      data: texts.map((_, index) => ({ index, embedding: [1, 'NaN', 0, 0] })),
    }),
    'numbers beyond all bounds': (texts) =>
      `{"data":[${texts.map((_, index) => `{"index":${index},"embedding":[1e999,1,0,0]}`).join()}]}`,
    NaN: (texts) =>
      `{"data":[${texts.map((_, index) => `{"index":${index},"embedding":[NaN,1,0,0]}`).join()}]}`,
    'no list': () => ({ ok: true }),
    'no JSON': () => '<html>welcome</html>',
  };
  test.each(Object.entries(cases))('%s', async (_name, answer) => {
    const server = await fakeServer();
    const world = await embedWorld();
    await world.notes({ a: 'A villa.', b: 'The truck.' });
    let calls = 0;
    server.instead = (_request, response, texts) => {
      calls += 1;
      return calls > 1 && answerJson(response, answer(texts));
    };
    await choose(world, kinds.openai(server.url));
    const building = (await world.embedding.status(world.org)).find(({ state }) => state === 'building');
    expect(building?.error?.code).toBe('malformed_response');
    const stored = await world.org.read((db) =>
      db.selectFrom('chunk_vectors').select('seq').where('model', 'like', 'openai:%').execute(),
    );
    expect(stored).toEqual([]);
  });
});

test('a busy server is asked again after the time that it names, and nothing is embedded twice', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ a: 'A villa.', b: 'The truck.' });
  let calls = 0;
  server.instead = (_request, response) => {
    calls += 1;
    return (
      calls === 2 && answerJson(response, { error: { message: 'slow down' } }, 429, { 'retry-after': '120' })
    );
  };
  await choose(world, kinds.openai(server.url));
  const [, building] = await world.embedding.status(world.org);
  expect(building).toMatchObject({ state: 'building', error: { code: 'rate_limited' } });
  expect((building?.retryAt ?? 0) - world.clock.now()).toBeGreaterThan(110_000);
  world.clock.advance(121_000);
  world.embedding.settle(world.org);
  await world.embedding.settled();
  expect((await world.embedding.status(world.org))[0]).toMatchObject({ state: 'current', done: 2 });
});

test.each([
  [401, { error: { message: 'bad key sk-secret-0123456789' } }, 'auth_expired'],
  [403, { error: { message: 'no' } }, 'permission_denied'],
  [404, { error: 'model not found' }, 'not_found'],
  [429, { error: { message: 'spent', code: 'insufficient_quota' } }, 'quota_exhausted'],
  [500, { error: 'oops' }, 'provider_unavailable'],
  [400, { error: { message: 'no such parameter' } }, 'invalid_request'],
] as const)('a refusal with %i is told as it is, and nothing is chosen', async (status, body, code) => {
  const server = await fakeServer();
  const world = await embedWorld();
  server.instead = (_request, response) => answerJson(response, body, status);
  const refused = await choose(world, kinds.openai(server.url)).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code });
  expect(String(refused)).not.toContain('sk-secret');
  expect((await world.embedding.status(world.org)).map(({ state }) => state)).toEqual(['current']);
});

test('a passage that the model refuses costs no other one its vector', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  const notes = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`n${i}`, `Remark ${i} of a house.`]));
  await world.notes({ ...notes, bad: 'Forbidden words.' });
  server.instead = (_request, response, texts) =>
    texts.some((text) => text.includes('Forbidden')) &&
    answerJson(response, { error: { message: 'content' } }, 400);
  await choose(world, kinds.openai(server.url));
  const building = (await world.embedding.status(world.org)).find(({ state }) => state === 'building');
  // One in ten is more than may be left out: the old one goes on answering.
  expect(building).toMatchObject({ done: 10, refused: 1, error: { code: 'invalid_request' } });
  const stored = await world.org.read((db) =>
    db.selectFrom('chunk_vectors').select('seq').where('model', 'like', 'openai:%').execute(),
  );
  expect(stored.length).toBe(9);
});

test('no call holds texts of two orgs, though they work at the same time', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  const other = await world.another('Two');
  const mine = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`m${i}`, `Alpha ${i}.`]));
  const theirs = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${i}`, `Omega ${i}.`]));
  await world.notes(mine);
  await world.notes(theirs, other);
  const settings = { ...kinds.openai(server.url), texts: 7 };
  await Promise.all([
    world.embedding.set(world.org, world.owner, { settings, key: world.key, channel: 'test' }),
    world.embedding.set(other.org, other.owner, { settings, key: world.key, channel: 'test' }),
  ]);
  await world.embedding.settled();
  const batches = server.calls().filter((call) => call.length > 1);
  expect(batches.length).toBeGreaterThan(8);
  for (const batch of batches) {
    const orgs = new Set(batch.map((text) => (text.includes('Alpha') ? 1 : 2)));
    expect(orgs.size).toBe(1);
  }
  expect(await world.found('Alpha', other.org)).not.toContain('m1');
});

describe('a question whose vector does not come is answered by words alone, and the answer says so', () => {
  let before: Awaited<ReturnType<typeof fakeServer>> | undefined;

  async function asked(break_: (world: EmbedWorld, server: Awaited<ReturnType<typeof fakeServer>>) => void) {
    const server = await fakeServer();
    const world = await embedWorld();
    await world.notes({ a: 'A villa.', b: 'The dwelling is old.' });
    await choose(world, kinds.openai(server.url));
    break_(world, server);
    const asking = world.memory.search(world.org, { question: 'dwelling', limit: 5 });
    return { world, asking };
  }

  test('when its server fails', async () => {
    const { asking } = await asked((_world, server) => {
      server.instead = (_request, response) => answerJson(response, { error: 'down' }, 500);
    });
    const answer = await asking;
    expect(answer.passages.map(({ title }) => title)).toEqual(['b']);
    expect(answer.wordsOnly).toMatch(
      /^Found by words alone: the embedder openai:meaning-1@\S+ failed \(provider_unavailable;/,
    );
    // What the server says is no part of what agents read.
    expect(answer.wordsOnly).not.toContain('down');
  });

  test('once for one answer that searches twice, and again when that is over', async () => {
    const { world, asking } = await asked((_world, server) => {
      server.instead = (_request, response) => answerJson(response, { error: 'down' }, 500);
      before = server;
    });
    await asking;
    const calls = before?.calls().length;
    await world.found('dwelling');
    expect(before?.calls().length).toBe(calls);
    if (before !== undefined) before.instead = undefined;
    world.clock.advance(5_000);
    expect(await world.found('dwelling')).toContain('a');
  });

  test('when it takes longer than a second', async () => {
    const { world, asking } = await asked((_world, server) => {
      server.instead = () => true;
    });
    await world.clock.asleep((ms) => ms === 1_000);
    world.clock.advance(1_000);
    const answer = await asking;
    expect(answer.passages.map(({ title }) => title)).toEqual(['b']);
    expect(answer.wordsOnly).toMatch(/within 1 s/);
  });

  test('when the vector has another length', async () => {
    const { asking } = await asked((_world, server) => {
      server.instead = (_request, response) =>
        answerJson(response, { data: [{ index: 0, embedding: [1, 2] }] });
    });
    expect((await asking).wordsOnly).toMatch(/failed \(malformed_response;/);
  });

  test('and says nothing of the kind when it comes', async () => {
    const { asking } = await asked(() => undefined);
    const answer = await asking;
    expect(answer.wordsOnly).toBeUndefined();
    expect(answer.passages.map(({ title }) => title)).toContain('a');
  });
});

test('a model that was pulled anew under its name is another model, and its vectors are not mixed', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes({ a: 'A villa.' });
  await choose(world, kinds.ollama(server.url));
  server.instead = (request, response) =>
    request.url === '/api/tags' &&
    answerJson(response, { models: [{ name: 'minilm:latest', digest: 'e'.repeat(64) }] });
  const restarted = world.process();
  await world.notes({ b: 'The truck.' });
  restarted.settle(world.org);
  await restarted.settled();
  await world.embedding.settled();
  const answer = await restarted.question(world.org, 'dwelling');
  expect(answer).toMatchObject({ unavailable: expect.stringContaining('(conflict;') });
});

test('the key of one server is sent to no other, wherever that one redirects', async () => {
  const elsewhere = await fakeServer();
  const server = await fakeServer();
  const world = await embedWorld();
  server.instead = (_request, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/v1/embeddings` }).end();
    return true;
  };
  await expect(choose(world, kinds.openai(server.url))).rejects.toMatchObject({ code: 'network' });
  expect(elsewhere.seen).toEqual([]);
});

test('an org that chose nothing gets what the environment says, with its key; one that chose does not', async () => {
  const server = await fakeServer();
  const world = await embedWorld({ environment: kinds.openai(server.url) });
  await world.notes({ a: 'A villa.' });
  await world.embedding.settled();
  expect((await world.embedding.status(world.org))[0]).toMatchObject({ state: 'current', done: 1 });
  expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer env-key-0123456789');
  const other = await world.another('Two');
  await world.embedding.set(other.org, other.owner, { settings: 'built-in', channel: 'test' });
  const before = server.seen.length;
  await world.notes({ b: 'The truck.' }, other);
  await world.embedding.settled();
  expect(server.seen.length).toBe(before);
});

test('an environment that names a server which is not there yet is shown, and begun when it is', async () => {
  const server = await fakeServer();
  server.instead = (_request, response) => answerJson(response, { error: 'starting' }, 503);
  const world = await embedWorld({ environment: kinds.openai(server.url) });
  await world.notes({ a: 'A villa.' });
  await world.embedding.settled();
  const [own, late] = await world.embedding.status(world.org);
  expect(own).toMatchObject({ name: 'static-en-256@1', state: 'current' });
  expect(late).toMatchObject({ state: 'waiting', error: { code: 'provider_unavailable' } });
  const asked = server.seen.length;
  world.embedding.settle(world.org);
  await world.embedding.settled();
  expect(server.seen.length).toBe(asked);
  server.instead = undefined;
  world.clock.advance(60_001);
  world.embedding.settle(world.org);
  await world.embedding.settled();
  const states = (await world.embedding.status(world.org)).map(({ state }) => state);
  expect(states).toEqual(['current', 'ready']);
});
