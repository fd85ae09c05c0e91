// Decisions in the conversation, by clients of both eras over HTTP: where the org allowed the client to carry them,
// and nowhere else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as NewClient, StreamableHTTPClientTransport as NewHttp } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { createKeys } from '../../src/auth/keys.ts';
import { createMembers } from '../../src/auth/members.ts';
import { createCarriers } from '../../src/queue/decide/carriers.ts';
import type { Action } from '../../src/queue/queue.ts';
import type { Serving } from '../../src/serving.ts';
import { serveFrom } from '../protocol/serve.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-decision-'));
let sandbox: Sandbox;
let serving: Serving;
let mcp: URL;
let requestInit: { headers: Record<string, string> };
let keyId: string;
const carriers = createCarriers();

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
  serving = await serveFrom(home);
  const { rooms } = serving;
  const { mail, imap, smtp } = sandbox;
  await rooms.connections.connect(rooms.org, 'mailbox', {
    fields: { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
    secrets: { password: mail.password },
  });
  const made = await createKeys(rooms).create(rooms.org.orgId, 'writer', ['read', 'propose']);
  keyId = made.id;
  mcp = new URL(`${serving.web()?.programUrl}/mcp`);
  requestInit = { headers: { Authorization: `Bearer ${made.key.reveal()}` } };
});

afterAll(async () => {
  await serving?.close();
  await sandbox?.close();
  rmSync(home, { recursive: true, force: true });
});

afterEach(async () => {
  const { org, owner } = serving.rooms;
  for (const { client } of await carriers.list(org))
    await carriers.deny(org, owner, { client, channel: 'terminal' });
});

const allow = () =>
  carriers.allow(serving.rooms.org, serving.rooms.owner, { client: keyId, channel: 'terminal' });

interface Asked {
  mode?: unknown;
  message: string;
  url?: unknown;
}
type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, string> };
type Result = {
  structuredContent?: { actionId: string; status: string };
  content?: unknown;
  isError?: unknown;
};
interface Caller {
  asked: Asked[];
  propose(args?: Record<string, unknown>): Promise<Result>;
  close(): Promise<void>;
}
type Elicitation = { form?: Record<string, never>; url?: Record<string, never> };
type Open = (
  answer: (asked: Asked) => Answer | Promise<Answer>,
  elicitation?: Elicitation,
  key?: string,
) => Promise<Caller>;

const withKey = (key: string | undefined) =>
  key === undefined ? requestInit : { headers: { Authorization: `Bearer ${key}` } };

let proposals = 0;
const mail = (args: Record<string, unknown>) => {
  proposals += 1;
  return {
    name: 'send-email',
    arguments: {
      to: ['Bo <bo@clients.test>'],
      cc: ['cy@clients.test'],
      subject: `Viewing ${proposals}`,
      text: 'Ten.',
      ...args,
    },
  };
};

const openOld: Open = async (answer, elicitation = { form: {} }, key) => {
  const asked: Asked[] = [];
  const client = new OldClient({ name: 'old', version: '1' }, { capabilities: { elicitation } });
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    const one = { ...params } as Asked;
    asked.push(one);
    return answer(one) as never;
  });
  await client.connect(new OldHttp(mcp, { requestInit: withKey(key) }) as never);
  return {
    asked,
    propose: (args = {}) => client.callTool(mail(args)) as Promise<Result>,
    close: () => client.close(),
  };
};

const openNew: Open = async (answer, elicitation = { form: {} }, key) => {
  const asked: Asked[] = [];
  const client = new NewClient(
    { name: 'new', version: '1' },
    { capabilities: { elicitation }, versionNegotiation: { mode: 'auto' } },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const one = { ...params } as Asked;
    asked.push(one);
    return answer(one) as never;
  });
  await client.connect(new NewHttp(mcp, { requestInit: withKey(key) }));
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  return {
    asked,
    propose: (args = {}) => client.callTool(mail(args)) as Promise<Result>,
    close: () => client.close(),
  };
};

async function actionOf(result: Result): Promise<Action> {
  expect(result.isError, JSON.stringify(result.content)).toBeFalsy();
  return serving.rooms.queue.get(serving.rooms.org, result.structuredContent?.actionId ?? 'none');
}

const approve: Answer = { action: 'accept', content: { decision: 'approve', reason: 'Go' } };

describe.each([
  ['an older client', openOld],
  ['a new client', openNew],
])('through %s', (who, open) => {
  test('a person who was shown the whole action approves it, in their own name', async () => {
    await allow();
    const { asked, propose } = await open(() => approve);
    const result = await propose();
    const action = await actionOf(result);
    expect(asked).toHaveLength(1);
    for (const words of [
      'Bo <bo@clients.test>',
      'cy@clients.test',
      'Ten.',
      'Viewing',
      sandbox.mail.address,
      action.payloadHash,
    ]) {
      expect(asked[0]?.message).toContain(words);
    }
    expect(['approved', 'executing', 'completed']).toContain(action.status);
    expect(action).toMatchObject({
      decisionChannel: 'elicitation',
      decidedBy: { name: serving.rooms.owner.name },
      decisionReason: 'Go',
    });
    expect(JSON.stringify(result.content)).toContain('The person decided here: approve.');
    const events = await serving.rooms.queue.events(serving.rooms.org, action.id);
    expect(events.find(({ to }) => to === 'approved')?.detail).toMatchObject({
      client: keyId,
      hash: action.payloadHash,
    });
  });

  test('a person rejects it there, and the agent reads why', async () => {
    await allow();
    const { propose } = await open(() => ({
      action: 'accept',
      content: { decision: 'reject', reason: 'Wrong Bo' },
    }));
    const action = await actionOf(await propose());
    expect(action).toMatchObject({ status: 'rejected', decisionReason: 'Wrong Bo' });
  });

  test.each<[string, Answer]>([
    ['a decline', { action: 'decline' }],
    ['a cancel', { action: 'cancel' }],
    ['an empty answer', { action: 'accept', content: {} }],
    ['an answer that is none', { action: 'accept', content: { decision: 'yes' } }],
  ])('%s leaves the action pending', async (_what, answer) => {
    await allow();
    const { asked, propose } = await open(() => answer);
    const result = await propose();
    expect(asked).toHaveLength(1);
    expect((await actionOf(result)).status).toBe('pending');
    expect(JSON.stringify(result.content)).toContain('decided nothing');
  });

  test('attack: a client that answers by itself is not even asked where the org did not allow it', async () => {
    const { asked, propose } = await open(() => approve);
    expect((await actionOf(await propose())).status).toBe('pending');
    expect(asked).toEqual([]);
  });

  test('attack: a key that acts for another member is not asked for the owner’s decision, and proposes in its member’s name', async () => {
    const { rooms } = serving;
    const member = `${who.replaceAll(' ', '-')}@ann.test`;
    await createMembers(rooms).add(rooms.org.orgId, { email: member, name: 'Ann', role: 'member' });
    const made = await createKeys(rooms).create(rooms.org.orgId, 'desk', ['read', 'propose'], { member });
    await carriers.allow(rooms.org, rooms.owner, { client: made.id, channel: 'terminal' });
    const { asked, propose } = await open(() => approve, { form: {} }, made.key.reveal());
    const action = await actionOf(await propose());
    expect(action).toMatchObject({ status: 'pending', proposedBy: { kind: 'agent', name: 'desk for Ann' } });
    expect(asked).toEqual([]);
  });

  test('what was allowed and then denied decides nothing, though the dialogue was open meanwhile', async () => {
    await allow();
    const { org, owner } = serving.rooms;
    const { asked, propose } = await open(async () => {
      await carriers.deny(org, owner, { client: keyId, channel: 'terminal' });
      return approve;
    });
    const result = await propose();
    expect(asked).toHaveLength(1);
    expect((await actionOf(result)).status).toBe('pending');
  });

  test('where the org wants a signature, nobody is asked there, and no answer decides', async () => {
    await allow();
    const { org, owner, policy } = serving.rooms;
    await policy.setSignedEffects(org, owner, { effects: ['send'], channel: 'terminal' });
    try {
      const { asked, propose } = await open(() => approve);
      const action = await actionOf(await propose());
      expect(action.status).toBe('pending');
      expect(asked).toEqual([]);
      await expect(
        serving.rooms.queue.decide(org, owner, {
          actionId: action.id,
          verdict: 'approve',
          hash: action.payloadHash,
          channel: 'elicitation',
          client: keyId,
        }),
      ).rejects.toMatchObject({ code: 'permission_denied' });
    } finally {
      await policy.setSignedEffects(org, owner, { effects: [], channel: 'terminal' });
    }
  });

  test('what is too long for a dialogue is decided on its page, which the client opens', async () => {
    await allow();
    const { asked, propose } = await open(() => ({ action: 'accept' }), { form: {}, url: {} });
    const result = await propose({ text: 'x'.repeat(5_000) });
    const action = await actionOf(result);
    expect(asked).toMatchObject([{ mode: 'url', url: `${serving.web()?.url}/actions/${action.id}` }]);
    expect(action.status).toBe('pending');
  });

  test('the same proposal again asks nobody again', async () => {
    await allow();
    const { asked, propose } = await open(() => ({ action: 'decline' }));
    await propose({ subject: `Nagging ${who}` });
    await propose({ subject: `Nagging ${who}` });
    expect(asked).toHaveLength(1);
  });
});

test('a client that fails to ask leaves the action pending, and the answer is the ordinary one', async () => {
  await allow();
  const { asked, propose } = await openOld(() => Promise.reject(new Error('no window')));
  const result = await propose();
  expect(asked).toHaveLength(1);
  expect((await actionOf(result)).status).toBe('pending');
});

test('silence leaves the action pending: a client that goes away while it asks decided nothing', async () => {
  await allow();
  const { asked, propose, close } = await openOld(() => new Promise(() => undefined));
  const called = propose({ subject: 'Silence' }).then(
    () => 'answered',
    () => 'gone',
  );
  await expect.poll(() => asked).toHaveLength(1);
  await close();
  expect(await called).toBe('gone');
  const { org, queue } = serving.rooms;
  const pending = await queue.list(org, { statuses: ['pending'] });
  expect(pending.find(({ summary }) => summary.includes('Silence'))).toBeDefined();
});

test('an agent that asked to hear of its action is told of each move, and reads it there', async () => {
  const client = new OldClient({ name: 'old', version: '1' });
  const told: string[] = [];
  client.setNotificationHandler(
    ResourceUpdatedNotificationSchema,
    ({ params }) => void told.push(params.uri),
  );
  await client.connect(new OldHttp(mcp, { requestInit }) as never);
  const action = await actionOf((await client.callTool(mail({}))) as Result);
  const uri = `action://${action.id}`;
  await client.subscribeResource({ uri });
  const { org, owner, queue, clock } = serving.rooms;
  const person = { actionId: action.id, channel: 'page' } as const;
  await queue.snooze(org, owner, { ...person, until: clock.now() + 60_000 });
  await expect.poll(() => told).toEqual([uri]);
  await queue.decide(org, owner, { ...person, verdict: 'reject', hash: action.payloadHash });
  await expect.poll(() => told).toEqual([uri, uri]);
  const [content] = (await client.readResource({ uri })).contents;
  expect(JSON.parse(String((content as { text?: unknown }).text))).toMatchObject({ status: 'rejected' });
});

test('attack: an answer to a question that was never asked decides nothing', async () => {
  await allow();
  const call = async (extra: object) => {
    const response = await fetch(mcp, {
      method: 'POST',
      headers: {
        ...requestInit.headers,
        Accept: 'application/json, text/event-stream',
        'Content-Type': 'application/json',
        'MCP-Protocol-Version': '2026-07-28',
        'Mcp-Method': 'tools/call',
        'Mcp-Name': 'send-email',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'send-email',
          arguments: { to: ['bo@clients.test'], subject: 'Unasked', text: 'Ten.' },
          ...extra,
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
          },
        },
      }),
    });
    return response.text();
  };
  const inputResponses = { decision: approve };
  const asked = await call({ inputResponses });
  expect(asked).toContain('input_required');
  const state = /"requestState":"([^"]+)"/.exec(asked)?.[1] ?? '';
  const { org, queue } = serving.rooms;
  const pending = async () =>
    (await queue.list(org, { statuses: ['pending'] })).find(({ summary }) => summary.includes('Unasked'));
  expect(await pending()).toBeDefined();
  await call({ inputResponses, requestState: `${state.slice(0, -6)}AAAAAA` });
  expect(await pending()).toBeDefined();
  // The state that the server gave, and only that, makes it an answer.
  await call({ inputResponses, requestState: state });
  expect(await pending()).toBeUndefined();
});

test('attack: nobody decides by this road for a client, or in a name, that the org did not allow', async () => {
  const { org, owner, queue } = serving.rooms;
  const { propose } = await openOld(() => approve);
  const action = await actionOf(await propose());
  const decision = {
    actionId: action.id,
    verdict: 'approve',
    hash: action.payloadHash,
    channel: 'elicitation',
  } as const;
  const refused = { code: 'permission_denied' };
  await expect(queue.decide(org, owner, decision)).rejects.toMatchObject(refused);
  await expect(queue.decide(org, owner, { ...decision, client: keyId })).rejects.toMatchObject(refused);
  await allow();
  await expect(queue.decide(org, owner, { ...decision, client: 'stdio' })).rejects.toMatchObject(refused);
  const another = { ...owner, memberId: 'mbr_other' };
  await expect(queue.decide(org, another, { ...decision, client: keyId })).rejects.toMatchObject(refused);
  const agent = { kind: 'agent', orgId: org.orgId, agentId: keyId, name: 'x', scopes: ['propose'] };
  await expect(queue.decide(org, agent as never, { ...decision, client: keyId })).rejects.toMatchObject(
    refused,
  );
  expect((await queue.get(org, action.id)).status).toBe('pending');
});

test('attack: an agent is no person who could allow itself', async () => {
  const { org } = serving.rooms;
  const agent = { kind: 'agent', orgId: org.orgId, agentId: keyId, name: 'x', scopes: ['propose'] };
  await expect(async () =>
    carriers.allow(org, agent as never, { client: keyId, channel: 'mcp' }),
  ).rejects.toMatchObject({ code: 'permission_denied' });
  expect(await carriers.list(org)).toEqual([]);
});

test('a setting that cannot be read allows nobody', async () => {
  const { org, queue } = serving.rooms;
  await allow();
  await org.write((tx) =>
    tx
      .updateTable('org_settings')
      .set({ value: '{"client":"all"}' })
      .where('org_id', '=', org.orgId)
      .where('name', '=', 'elicitation_clients')
      .execute(),
  );
  const { asked, propose } = await openNew(() => approve);
  const { id } = await actionOf(await propose());
  expect(asked).toEqual([]);
  expect((await queue.get(org, id)).status).toBe('pending');
});
