// A notice by mail: to the member who allowed it, at their own address, in our own words, once in fifteen minutes,
// and never twice. Asserted on what reaches the mail server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import type { Agent } from '../../src/auth/principal.ts';
import { loadConfig } from '../../src/config.ts';
import { type MailNotices, startMailNotices } from '../../src/jobs/notify-mail.ts';
import {
  allowMailNotice,
  lastMailAt,
  readMailNotice,
  stopMailNotice,
  takeMailTurn,
} from '../../src/jobs/notify-mail-setting.ts';
import { createLog } from '../../src/log.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';

const minute = 60_000;
const evil = 'Click https://evil.test/?token=1 <b>now</b>\r\nBcc: eve@evil.test';

let sandbox: Sandbox;
let home: string;
let rooms: Rooms;
let org: OrgStore;
let clock: ManualClock;
let notices: MailNotices[];
let lines: string[];
let count = 0;

beforeAll(async () => {
  sandbox = await startSandbox({ empty: true });
});
afterAll(() => sandbox.close());

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'drawbridge-notice-'));
  rooms = await openRooms(
    loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_ALLOW_LOOPBACK: '1', DRAWBRIDGE_LOG_LEVEL: 'silent' }),
  );
  clock = manualClock(Date.now());
  org = { ...rooms.org, now: async () => clock.now() };
  [notices, lines] = [[], []];
});
afterEach(async () => {
  for (const one of notices) await one.stop();
  await rooms.close();
  rmSync(home, { recursive: true });
});

function start(more: Partial<Parameters<typeof startMailNotices>[0]> = {}): void {
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  const pageUrl = (path: string) => `http://drawbridge.localhost:7331${path}`;
  notices.push(startMailNotices({ ...rooms, orgFor: async () => org, pageUrl, clock, log, ...more }));
}

async function connect(): Promise<string> {
  const { mail, imap, smtp } = sandbox;
  const { id } = await rooms.connections.connect(rooms.org, 'mailbox', {
    fields: { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
    secrets: { password: mail.password },
  });
  return id;
}

async function allow(id: string): Promise<void> {
  const connection = await rooms.connections.get(org, id);
  await allowMailNotice(rooms, org, rooms.owner, { connection, channel: 'terminal' });
}

async function propose(connectionId: string) {
  count += 1;
  const agent: Agent = {
    kind: 'agent',
    orgId: org.orgId,
    agentId: 'key_1',
    name: evil,
    scopes: ['read', 'propose'],
  };
  const payload = {
    to: [{ email: 'bo@clients.test' }],
    cc: [],
    bcc: [],
    subject: `${count} Click https://evil.test`,
    text: evil,
    references: [],
    attachments: [],
  };
  const { action } = await rooms.queue.propose(org, agent, {
    connectionId,
    operation: 'send',
    payload,
    note: evil,
    conversation: evil,
  });
  return action;
}

/** Lets the wait of that length pass, once somebody waits so long. */
async function pass(ms: number): Promise<void> {
  await clock.asleep((asleep) => asleep > ms - 1_000 && asleep <= ms);
  clock.advance(ms);
}
const received = () => sandbox.smtp.received();

test('who allowed it gets one mail for all that waits, at the own address, with a link that holds no credential', async () => {
  const before = received().length;
  const id = await connect();
  await allow(id);
  start();
  const [first] = [await propose(id), await propose(id)];
  await pass(minute);
  await expect.poll(() => received().length).toBe(before + 1);
  const mail = received()[before];
  expect(mail?.to).toEqual([sandbox.mail.address]);
  const text = String(mail?.raw ?? '');
  expect(text).toContain('Subject: Drawbridge: 2 decisions wait');
  expect(text).toContain('http://drawbridge.localhost:7331/');
  expect(text).toContain('2 to send something');
  expect(text).toMatch(/^Message-ID: <dbx[a-z2-7]{26}@/im);
  expect(text).not.toMatch(/evil|Click|token|Bcc|[0-9a-f]{32}/i);
  expect(text).not.toContain(first?.payloadHash);
  expect((await rooms.queue.get(org, first?.id ?? '')).status).toBe('pending');
  const [entry] = await rooms.audit.list(org, { limit: 1 });
  expect(entry).toMatchObject({ kind: 'notice.mailed', facts: { pending: 2, connection: id } });
  expect((await rooms.audit.verify(org)).bad).toBeUndefined();
});

test('within fifteen minutes there is no second one, from any process; then one tells of all that came', async () => {
  const before = received().length;
  const id = await connect();
  await allow(id);
  start();
  start();
  await propose(id);
  await clock.asleep((ms) => ms === minute);
  clock.advance(minute);
  await expect.poll(() => received().length).toBe(before + 1);
  await propose(id);
  await propose(id);
  await clock.asleep((ms) => ms === minute);
  clock.advance(minute);
  await clock.asleep((ms) => ms > 10 * minute);
  expect(received()).toHaveLength(before + 1);
  clock.advance(14 * minute);
  await expect.poll(() => received().length).toBe(before + 2);
  expect(String(received()[before + 1]?.raw)).toContain('3 decisions wait');
});

test('of two processes that begin at once, one takes the turn, and the other sends nothing', async () => {
  const id = await connect();
  await allow(id);
  const notice = await readMailNotice(org);
  if (notice === undefined) throw new Error('it was allowed');
  const at = clock.now();
  const take = (key: string) => takeMailTurn(rooms, org, notice, { last: 0, at, pending: 1, key });
  expect((await Promise.all([take('a'), take('b')])).sort()).toEqual([false, true]);
  expect(await lastMailAt(org)).toBe(at);
  const begun = (await rooms.audit.list(org)).filter(({ kind }) => kind === 'notice.mailed');
  expect(begun).toHaveLength(1);
});

test('nobody is told who did not allow it, or stopped it, or has decided by then', async () => {
  const before = received().length;
  const id = await connect();
  let looks = 0;
  const list: Rooms['queue']['list'] = async (...asked) => {
    const found = await rooms.queue.list(...asked);
    looks += 1;
    return found;
  };
  start({ queue: { ...rooms.queue, list } });
  await propose(id);
  await allow(id);
  const action = await propose(id);
  await clock.asleep((ms) => ms === minute);
  for (const one of await rooms.queue.list(org, { statuses: ['pending'] })) {
    const decision = { verdict: 'reject', hash: one.payloadHash, channel: 'page' } as const;
    await rooms.queue.decide(org, rooms.owner, { actionId: one.id, ...decision });
  }
  clock.advance(minute);
  expect((await rooms.queue.get(org, action.id)).status).toBe('rejected');
  // Whoever woke has looked before the next one is there, which would be a reason to write.
  await expect.poll(() => looks).toBe(1);
  await propose(id);
  await clock.asleep((ms) => ms === minute);
  await stopMailNotice(rooms, org, rooms.owner, 'terminal');
  clock.advance(minute);
  for (const one of notices.splice(0)) await one.stop();
  expect(received()).toHaveLength(before);
});

test('attack: an address that was put into the setting, and is not the member’s own, gets nothing', async () => {
  const before = received().length;
  const id = await connect();
  await allow(id);
  await org.write((tx) =>
    tx
      .updateTable('org_settings')
      .set({
        value: JSON.stringify({
          connection: id,
          member: rooms.owner.memberId,
          to: 'eve@evil.test',
          since: 0,
        }),
      })
      .where('name', '=', 'notice_mail')
      .execute(),
  );
  start();
  await propose(id);
  await pass(minute);
  await expect.poll(() => lines.join('')).toContain('not the member’s own');
  expect(received()).toHaveLength(before);
});

test('attack: an agent allows and stops nothing', async () => {
  const id = await connect();
  const connection = await rooms.connections.get(org, id);
  const agent = { kind: 'agent', orgId: org.orgId, agentId: 'key_1', name: 'x', scopes: [] } as never;
  const given = { connection, channel: 'mcp' };
  await expect(allowMailNotice(rooms, org, agent, given)).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await allow(id);
  await expect(stopMailNotice(rooms, org, agent, 'mcp')).rejects.toMatchObject({ code: 'permission_denied' });
  const kinds = (await rooms.audit.list(org, { subject: 'notice_mail' })).map(({ kind }) => kind);
  expect(kinds).toEqual(['notice.mail-allowed']);
});

test('a mail whose sending failed after it began is not sent again', async () => {
  const before = received().length;
  const id = await connect();
  await allow(id);
  let begun = 0;
  start({
    connections: {
      ...rooms.connections,
      writeFor: async (connection, capability) => {
        const found = await rooms.connections.writeFor(connection, capability);
        return {
          ...found,
          operation: {
            ...found.operation,
            run: async (context) => {
              await context.aboutToSend();
              begun += 1;
              throw new Error('the line went dead');
            },
          },
        };
      },
    },
  });
  await propose(id);
  await pass(minute);
  await expect.poll(() => lines.join('')).toContain('the line went dead');
  clock.advance(60 * minute);
  for (const one of notices.splice(0)) await one.stop();
  expect([begun, received().length]).toEqual([1, before]);
});
