// Attack: somebody of one org, person or agent, asks for what is another's by its real id. Whatever the road, it
// is answered exactly as an id that never was: neither content nor existence comes across. The tables below
// name every route, argument and template; one that is missing here fails.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resourceKinds } from '../../src/resources/surface.ts';
import { callTool } from '../../src/tools/call/call.ts';
import { tools } from '../../src/tools/surface.ts';
import { type Kind, mark, neverWas, openTwoOrgs, type Scene } from './two-orgs.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openTwoOrgs();
});
afterAll(() => scene.close());

interface RouteCase {
  /** What the id is of. */
  of: Kind;
  path: (id: string) => string;
  fields?: (id: string) => Record<string, string>;
}

const at = (of: Kind, path: (id: string) => string, fields?: RouteCase['fields']): RouteCase => ({
  of,
  path,
  ...(fields === undefined ? {} : { fields }),
});
const onAction = (rest: string, fields: Record<string, string> = {}): RouteCase[] => [
  at(
    'action',
    (id) => `/actions/${id}${rest}`,
    () => fields,
  ),
];
const hash = 'a'.repeat(64);

/** By route: where it takes an id. None: it names nothing of an org. */
const routes: Record<string, RouteCase[]> = {
  'GET /healthz': [],
  'GET /assets/:hash/:name': [],
  'GET /favicon.ico': [],
  // Tools and resources, below.
  'ALL /mcp': [],
  'GET /sign-in': [],
  'POST /sign-in': [],
  'POST /sign-out': [],
  // Who comes in by them: test/security/hosted-orgs.test.ts.
  'POST /sign-in/with': [
    at(
      'action',
      () => '/sign-in/with',
      (id) => ({ option: 'issuer', to: `/actions/${id}` }),
    ),
    at(
      'member',
      () => '/sign-in/with',
      (id) => ({ option: id, to: '/' }),
    ),
  ],
  // The same for everybody: where access tokens come from.
  'GET /.well-known/oauth-protected-resource': [],
  'GET /.well-known/oauth-protected-resource/mcp': [],
  'GET /sign-in/callback': [
    at('member', (id) => `/sign-in/callback?state=${id}&code=${id}`),
    at('action', (id) => `/sign-in/callback?error=${id}&state=${id}`),
  ],
  // The way back: bound to a state of one person in one browser (test/http/integrations.test.ts).
  'GET /api/v1/integrations/:provider/callback': [],
  'GET /api/v1/integrations': [],
  'GET /api/v1/integrations/events': [],
  'POST /api/v1/integrations/:provider/connect': [
    at(
      'connection',
      () => '/api/v1/integrations/mailbox/connect',
      (id) => ({ account: id }),
    ),
    at(
      'connection',
      () => '/api/v1/integrations/gmail/connect',
      (id) => ({ account: id }),
    ),
  ],
  'DELETE /api/v1/integrations/:id': [at('connection', (id) => `/api/v1/integrations/${id}`)],
  'GET /connections': [at('connection', (id) => `/connections?connected=${id}`)],
  'GET /connect': [],
  'GET /connect/:provider': [at('connection', (id) => `/connect/mailbox?account=${id}`)],
  'POST /connect/:provider/app': [],
  'POST /connections/:id/disconnect': [at('connection', (id) => `/connections/${id}/disconnect`)],
  'GET /': [
    at('action', (id) => `/?before=${id}`),
    at('connection', (id) => `/?words=${id}`),
    at('key', (id) => `/?by=${id}`),
  ],
  'GET /history': [at('action', (id) => `/history?before=${id}`), at('key', (id) => `/history?by=${id}`)],
  'GET /history.csv': [at('action', (id) => `/history.csv?before=${id}`)],
  'GET /events': [],
  'GET /actions/:id': onAction(''),
  'GET /actions/:id/formatted': onAction('/formatted'),
  'GET /actions/:id/day': onAction('/day'),
  'GET /actions/:id/edit': onAction('/edit'),
  'POST /actions/:id/edit': onAction('/edit', { hash, verdict: 'approve' }),
  'POST /actions/:id/decision': [
    ...onAction('/decision', { hash, verdict: 'approve' }),
    ...onAction('/decision', { hash, verdict: 'reject' }),
  ],
  'POST /actions/:id/settlement': onAction('/settlement', { happened: 'yes', reason: 'seen' }),
  'POST /actions/:id/cancel': onAction('/cancel'),
  'POST /actions/:id/snooze': onAction('/snooze', { for: '1h', until: '1h' }),
  'POST /actions/:id/hand-over': [
    ...onAction('/hand-over', { to: 'mbr_owner' }),
    at(
      'member',
      () => `/actions/${scene.ours.action}/hand-over`,
      (id) => ({ to: id }),
    ),
  ],
  'POST /actions/:id/undo': onAction('/undo'),
  'GET /actions/:id/erase': onAction('/erase'),
  'POST /actions/:id/erase': onAction('/erase', { sure: 'yes', reason: 'asked' }),
  'POST /actions/:id/presence': onAction('/presence', { hash, verdict: 'approve' }),
  'GET /about': [],
  'POST /about': [],
  'GET /about/:id': [at('entry', (id) => `/about/${id}`)],
  'POST /about/:id': [
    at(
      'entry',
      (id) => `/about/${id}`,
      () => ({ kind: 'fact', title: 'x', text: 'x', version: '1' }),
    ),
  ],
  'POST /about/:id/remove': [at('entry', (id) => `/about/${id}/remove`)],
  'POST /about/:id/restore': [
    at(
      'entry',
      (id) => `/about/${id}/restore`,
      () => ({ version: '1' }),
    ),
  ],
  'GET /clients': [at('client', (id) => `/clients?q=${id}`)],
  'GET /clients/:id': [at('client', (id) => `/clients/${id}`)],
  'GET /clients/documents/:id': [at('document', (id) => `/clients/documents/${id}`)],
  'POST /clients/merges/:id': ['accept', 'reject', 'undo'].map((decision) =>
    at(
      'merge',
      (id) => `/clients/merges/${id}`,
      () => ({ decision }),
    ),
  ),
  'POST /clients/:id/merge': [
    at(
      'client',
      (id) => `/clients/${id}/merge`,
      (id) => ({ other: id }),
    ),
  ],
  'POST /clients/:id/split': [
    at(
      'client',
      (id) => `/clients/${id}/split`,
      () => ({ 'key-0': `${mark}@two.example` }),
    ),
  ],
  'POST /clients/:id/facts': [
    at(
      'client',
      (id) => `/clients/${id}/facts`,
      () => ({ name: 'likes', value: 'x' }),
    ),
  ],
  'POST /clients/:id/facts/:fact': ['correct', 'remove'].map((change) =>
    at(
      'fact',
      (id) => `/clients/${scene.theirs.client}/facts/${id}`,
      () => ({ change, value: 'x' }),
    ),
  ),
  'GET /search': [at('connection', (id) => `/search?q=anything&account=${id}`)],
  'GET /sources': [],
  'GET /sources/events': [at('connection', (id) => `/sources/events?seen=${id}`)],
  'POST /sources/:id/sync': [at('connection', (id) => `/sources/${id}/sync`)],
  'POST /sources/:id/pause': [at('connection', (id) => `/sources/${id}/pause`)],
  'POST /sources/:id/resume': [at('connection', (id) => `/sources/${id}/resume`)],
  'POST /sources/:id/every': [
    at(
      'connection',
      (id) => `/sources/${id}/every`,
      () => ({ every: '6h' }),
    ),
  ],
  'POST /sources/:id/deletions': [
    at(
      'connection',
      (id) => `/sources/${id}/deletions`,
      () => ({ answer: 'forget' }),
    ),
  ],
  'GET /outputs': [],
  'GET /outputs/:id': [at('output', (id) => `/outputs/${id}`)],
  'GET /policy': [],
  'POST /policy': [],
  'POST /policy/presence': [],
  'POST /policy/:id/remove': [at('rule', (id) => `/policy/${id}/remove`)],
  'GET /passkeys': [],
  'POST /passkeys/begin': [],
  'POST /passkeys': [],
  'POST /passkeys/sign/:kind': [
    at(
      'passkey',
      () => '/passkeys/sign/remove',
      (id) => ({ id }),
    ),
  ],
  'POST /passkeys/remove': [
    at(
      'passkey',
      () => '/passkeys/remove',
      (id) => ({ id }),
    ),
  ],
};

const mounted = () =>
  scene.app.routes
    .filter(({ method, path }) => method !== 'ALL' || path === '/mcp')
    .map(({ method, path }) => `${method} ${path}`);

/** The answer without what every answer has of its own, and without the id that was asked for. */
function told(answer: { status: number; headers: unknown; body: string }, id: string): string {
  const { location } = answer.headers as { location?: string };
  const text = `${answer.status} ${location ?? ''}\n${answer.body}`;
  return text.replaceAll(id, '{id}').replaceAll(encodeURIComponent(id), '{id}');
}

async function request(method: string, { path, fields }: RouteCase, id: string): Promise<string> {
  const { cookie, csrf, origin } = scene;
  const changes = method !== 'GET';
  const answer = await scene.ask(path(id), {
    method,
    headers: {
      cookie,
      ...(changes
        ? { origin, 'x-csrf-token': csrf, 'content-type': 'application/x-www-form-urlencoded' }
        : {}),
    },
    ...(changes ? { body: new URLSearchParams({ ...fields?.(id), csrf }).toString() } : {}),
  });
  return told(answer, id);
}

/** Every row of the neighbour's org, as text. */
async function neighbourRows(): Promise<string> {
  const rows: unknown[] = [];
  for (const table of [
    'connected_sources',
    'action_queue',
    'source_documents',
    'policy_rules',
    'passkeys',
    'org_brain',
    'client_intelligence',
    'client_facts',
    'client_merges',
    'outputs',
    'source_attribution',
  ] as const) {
    rows.push(await scene.neighbour.read((db) => db.selectFrom(table).selectAll().execute()));
  }
  return JSON.stringify(rows);
}

describe('routes', () => {
  test('each route is named here, so that a new one cannot be forgotten', () => {
    expect(Object.keys(routes).sort()).toEqual([...new Set(mounted())].sort());
  });

  test('an id of another org is answered like one that never was, at every route, and changes nothing', async () => {
    const before = await neighbourRows();
    for (const [route, cases] of Object.entries(routes)) {
      const [method = ''] = route.split(' ');
      for (const one of cases) {
        const real = await request(method, one, scene.theirs[one.of]);
        const never = await request(method, one, neverWas(scene.theirs[one.of]));
        expect({ route, told: real }).toEqual({ route, told: never });
        expect({ route, leaks: real.toLowerCase().includes(mark) }).toEqual({ route, leaks: false });
      }
    }
    expect(await neighbourRows()).toBe(before);
  });

  test('the same requests for our own ids are answered otherwise: the matrix can tell', async () => {
    for (const route of ['GET /actions/:id', 'GET /connect/:provider']) {
      const [one] = routes[route] ?? [];
      if (one === undefined) throw new Error(route);
      const id = one.of === 'action' ? scene.ours.action : scene.ours.connection;
      expect(await request('GET', one, id)).toMatch(/^200/);
      expect(await request('GET', one, neverWas(id))).toMatch(/^404/);
    }
  });

  test('no page that can be looked at without an id tells of the neighbours', async () => {
    const pages = mounted().filter((route) => /^GET [^:]*$/.test(route) && !route.endsWith('/events'));
    for (const route of pages) {
      const { body } = await scene.ask(route.slice(4), { headers: { cookie: scene.cookie } });
      expect({ route, leaks: body.toLowerCase().includes(mark) }).toEqual({ route, leaks: false });
    }
  });
});

describe('tools', () => {
  const mail = { to: ['bo@b.example'], subject: 's', text: 't' };
  const event = {
    title: 't',
    start: '2027-03-01T15:00',
    durationMinutes: 30,
    timeZone: 'Europe/Berlin',
  };
  const used = { output: 'brief', section: 's', used: [1] };
  const times = { from: '2027-03-01T09:00', to: '2027-03-01T17:00', timeZone: 'Europe/Berlin' };
  const uriOf = (id: string): string => `ime://documents/${id}`;
  type Naming = { of: Kind; input: (id: string) => object };
  const named = (of: Kind, input: Naming['input']): Naming => ({ of, input });
  const byLabel = (input: (account: string) => object): Naming[] => [
    named('connection', (id) => input(id)),
    // A label is a name, too.
    named('connection', (id) =>
      input(id === scene.theirs.connection ? `${mark}@mail.example` : `nobody@mail.example`),
    ),
  ];

  /** By tool and argument: how it names something. Arguments that name nothing stand in `plain`. */
  const namingArguments: Record<string, Record<string, Naming[]>> = {
    search: {
      account: byLabel((account) => ({ question: 'lease', account })),
      client: [named('client', (client) => ({ question: 'lease', client }))],
      cursor: [named('document', (cursor) => ({ question: 'lease', cursor }))],
    },
    'ime-search': {
      clients: [named('client', (id) => ({ question: 'lease', clients: [id] }))],
      cursor: [named('document', (cursor) => ({ question: 'lease', cursor }))],
    },
    'client-profile': {
      client: [
        named('client', (client) => ({ client })),
        named('client', (id) => ({ client: `ime://clients/${id}` })),
      ],
    },
    'property-detail': {
      id: [named('document', (id) => ({ id }))],
      account: byLabel((account) => ({ id: '1', account })),
      cursor: [named('document', (cursor) => ({ id: '1', cursor }))],
    },
    'send-email': {
      replyTo: [named('document', (id) => ({ ...mail, replyTo: uriOf(id) }))],
      attachments: [named('document', (id) => ({ ...mail, attachments: [uriOf(id)] }))],
      citations: [named('document', (id) => ({ ...mail, citations: [uriOf(id)] }))],
      account: byLabel((account) => ({ ...mail, account })),
    },
    'schedule-event': {
      citations: [named('document', (id) => ({ ...event, citations: [uriOf(id)] }))],
      account: byLabel((account) => ({ ...event, account })),
    },
    'check-availability': {
      account: byLabel((account) => ({ ...times, account })),
      cursor: [named('document', (cursor) => ({ ...times, cursor }))],
    },
    'read-source': {
      uri: [
        named('document', (id) => ({ uri: uriOf(id) })),
        named('client', (id) => ({ uri: `ime://clients/${id}` })),
        named('connection', (id) => ({ uri: `ime://sources/${id}` })),
        named('connection', (id) => ({ uri: `connection://${id}` })),
        named('action', (id) => ({ uri: `action://${id}` })),
      ],
    },
    'record-attribution': {
      receiptId: [named('receipt', (receiptId) => ({ ...used, receiptId }))],
      // Its own name for what it makes: another org may use the same.
      output: [named('output', (output) => ({ ...used, receiptId: 'rcp_none', output }))],
    },
    'informed-by': { output: [named('output', (output) => ({ output }))] },
    'action-status': { actionId: [named('action', (actionId) => ({ actionId }))] },
    'cancel-action': { actionId: [named('action', (actionId) => ({ actionId }))] },
    'list-actions': { cursor: [named('action', (cursor) => ({ cursor }))] },
    'list-connections': { cursor: [named('connection', (cursor) => ({ cursor }))] },
    'connect-provider': {
      account: [named('connection', (account) => ({ provider: 'mailbox', account }))],
    },
    'find-operation': { account: byLabel((account) => ({ query: '', account })) },
    'run-operation': {
      account: byLabel((account) => ({ operation: 'send', account, input: {} })),
      citations: [named('document', (id) => ({ operation: 'send', account: 'x', citations: [uriOf(id)] }))],
    },
  };
  const plain = new Set(
    [
      'question kinds since until property maxAge limit minScore url address to cc bcc subject text markdown',
      'note title start end durationMinutes timeZone attendees location description reminders recurrence from',
      'workingHours offset length waitSeconds status provider access query effect operation input',
      'conversation idempotencyKey section role used',
    ].flatMap((line) => line.split(' ')),
  );

  async function call(name: string, input: object): Promise<string> {
    const tool = tools.find((known) => known.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    const result = await callTool(tool, input, async () => ({
      rooms: scene.toolRooms,
      org: scene.rooms.org,
      agent: scene.agent,
      signal: new AbortController().signal,
      progress: async () => undefined,
    }));
    // The marks of frames are random.
    return JSON.stringify(result)
      .replace(/mark \S+ returns\]/g, 'mark')
      .replace(/\[[\w-]{12}\]/g, '[]');
  }

  test('each argument of each tool is named here as one that names something, or as one that does not', () => {
    const unknown = tools.flatMap((tool) => {
      const { shape } = tool.input as unknown as { shape: Record<string, unknown> };
      return Object.keys(shape)
        .filter((name) => namingArguments[tool.name]?.[name] === undefined && !plain.has(name))
        .map((name) => `${tool.name}: ${name}`);
    });
    expect(unknown).toEqual([]);
  });

  test('what another org has is not there, whichever tool and argument names it', async () => {
    const before = await neighbourRows();
    for (const tool of tools) {
      const { shape } = tool.input as unknown as { shape: Record<string, unknown> };
      for (const [argument, cases] of Object.entries(namingArguments[tool.name] ?? {})) {
        if (!(argument in shape)) continue;
        for (const { of, input } of cases) {
          const [real, never] = [scene.theirs[of], neverWas(scene.theirs[of])];
          const clean = (text: string, id: string) =>
            text.replaceAll(id, '{id}').replaceAll(/(?:zanzibar|nobody)@mail\.example/g, '{label}');
          const asked = clean(await call(tool.name, input(real)), real);
          const where = { tool: tool.name, argument };
          expect({ ...where, told: asked }).toEqual({
            ...where,
            told: clean(await call(tool.name, input(never)), never),
          });
          expect({ ...where, leaks: asked.toLowerCase().includes(mark) }).toEqual({ ...where, leaks: false });
        }
      }
    }
    expect(await neighbourRows()).toBe(before);
  });

  test('a cursor of another org leads nowhere', async () => {
    const theirs = { ...scene.agent, orgId: scene.neighbour.orgId };
    for (let i = 0; i < 30; i += 1) {
      await scene.rooms.memory.ingest(
        scene.neighbour,
        { connectionId: scene.theirs.connection, provider: 'mailbox' },
        {
          records: [
            {
              externalId: `page-${i}`,
              kind: 'note',
              mediaType: 'application/json',
              title: `${mark} ${i}`,
              raw: Buffer.from(JSON.stringify({ text: `lease ${i} of ${mark}` })),
            },
          ],
        },
      );
    }
    const tool = tools.find(({ name }) => name === 'ime-search');
    if (tool === undefined) throw new Error('no ime-search');
    const first = await callTool(tool, { question: 'lease', limit: 5 }, async () => ({
      rooms: scene.toolRooms,
      org: scene.neighbour,
      agent: theirs,
      signal: new AbortController().signal,
      progress: async () => undefined,
    }));
    const cursor = (first as { structuredContent?: { nextCursor?: string } }).structuredContent?.nextCursor;
    expect(cursor).toBeDefined();
    const told = await call('ime-search', { question: 'lease', limit: 5, cursor });
    expect(told).toContain('"isError":true');
    expect(told.toLowerCase()).not.toContain(mark);
  });

  test('no list of a tool or resource holds anything of the neighbours', async () => {
    const lists = [
      await call('list-connections', {}),
      await call('list-actions', {}),
      await call('find-operation', { query: '' }),
      await call('search', { question: mark }),
      await call('ime-search', { question: `lease ${mark}` }),
      JSON.stringify(
        await Promise.all(
          resourceKinds.map((kind) => kind.list({ rooms: scene.toolRooms, org: scene.rooms.org }, 50)),
        ),
      ),
    ];
    for (const list of lists)
      expect(list.toLowerCase().replaceAll(`question`, '')).not.toContain(`${mark} pays`);
    for (const list of lists) for (const id of Object.values(scene.theirs)) expect(list).not.toContain(id);
  });
});

test('each resource template reads the neighbour’s real id as one that never was', async () => {
  const kinds: Record<string, Kind> = {
    'ime://documents/': 'document',
    'ime://clients/': 'client',
    'ime://sources/': 'connection',
    'ime://outputs/': 'output',
    'action://': 'action',
    'connection://': 'connection',
  };
  expect(resourceKinds.map(({ prefix }) => prefix).sort()).toEqual(Object.keys(kinds).sort());
  const context = { rooms: scene.toolRooms, org: scene.rooms.org };
  for (const kind of resourceKinds) {
    const real = scene.theirs[kinds[kind.prefix] as Kind];
    const why = (id: string) =>
      kind.read(context, id).then(
        () => 'it was read',
        (error: { code: string; message: string }) => `${error.code} ${error.message.replaceAll(id, '{id}')}`,
      );
    expect(await why(real)).toBe(await why(neverWas(real)));
    expect(await why(real)).toMatch(/^not_found /);
    const listed = await kind.list(context, 500);
    expect(listed.filter((entry) => entry.id === real)).toEqual([]);
  }
});
