// Notices on the desktop: by the system's program and no shell, once a minute with all that waits, and only on a
// desktop.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { loadConfig } from '../../src/config.ts';
import { startNotices } from '../../src/jobs/notify.ts';
import { invocationOf, type Notice, showOnDesktop } from '../../src/jobs/notify-desktop.ts';
import { createLog } from '../../src/log.ts';
import type { Action } from '../../src/queue/queue.ts';
import { runServe } from '../../src/server.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';

const log = createLog({ level: 'fatal' });
let folder: string;
let programs: string;

/** A notify-send that writes down what it was given, one argument a line. */
function installFake(): string {
  programs = join(folder, 'bin');
  mkdirSync(programs, { recursive: true });
  const said = join(folder, 'said');
  rmSync(said, { force: true });
  const fake = join(programs, 'notify-send');
  writeFileSync(fake, `#!/bin/sh\nprintf '%s\\n' "$@" '' >> '${said}'\nenv > '${said}.env'\n`);
  chmodSync(fake, 0o755);
  return said;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drawbridge-notify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const evil: Notice = {
  title: 'Drawbridge: a decision waits',
  text: '--action=x `id` $(id) "; id #\u001b[2J\u202E\n<a href="http://evil.test">x</a> \\n & \'',
};

test('attack: a summary is text to notify-send: no shell, no option, no markup, no escape', async () => {
  const said = installFake();
  expect(
    await showOnDesktop(evil, { platform: 'linux', environment: { PATH: `${programs}:/usr/bin:/bin` } }),
  ).toBe(true);
  expect(readFileSync(said, 'utf8').split('\n')).toEqual([
    '--app-name=Drawbridge',
    '--',
    'Drawbridge: a decision waits',
    '--action=x `id` $(id) "; id #[2J &#60;a href="http://evil.test"&#62;x&#60;/a&#62; \\\\n &#38; \'',
    '',
    '',
  ]);
});

test('attack: a summary never stands in what osascript or PowerShell reads as a program', () => {
  const mac = invocationOf('darwin', evil);
  expect(mac?.args.slice(0, 6).join(' ')).not.toContain('evil');
  expect(mac?.args.slice(6)).toEqual([evil.title, expect.stringContaining('--action=x')]);
  const windows = invocationOf('win32', evil);
  expect(windows?.args.join(' ')).not.toContain('evil');
  expect(windows?.variables['NOTICE_TEXT']).toContain('evil');
  for (const value of [...(mac?.args.slice(6) ?? []), ...Object.values(windows?.variables ?? {})]) {
    expect(value).not.toMatch(/[\p{Cc}\p{Default_Ignorable_Code_Point}]/u);
  }
});

test('where there is no such program nothing is shown, and nothing fails', async () => {
  const environment = { PATH: join(folder, 'nowhere') };
  expect(await showOnDesktop(evil, { platform: 'linux', environment })).toBe(false);
  expect(await showOnDesktop(evil, { platform: 'aix', environment })).toBe(false);
});

test.each([
  ['a desktop session', { DISPLAY: ':0' }, true],
  ['no desktop', {}, false],
  ['DRAWBRIDGE_NOTIFY=0', { DISPLAY: ':0', DRAWBRIDGE_NOTIFY: '0' }, false],
  ['a server for people elsewhere', { DISPLAY: ':0', DRAWBRIDGE_PUBLIC_URL: 'https://d.example' }, false],
])('with %s: %j shows notices: %s', (_what, environment, shows) => {
  expect(loadConfig(environment, 'linux').desktop !== undefined).toBe(shows);
});

describe('many proposals', () => {
  let store: Store;
  let clock: ManualClock;
  let org: OrgStore;
  let shown: Notice[];
  let listeners: ((orgId: string, action: Action) => void)[];
  const actions = new Map<string, Action>();

  beforeEach(async () => {
    clock = manualClock();
    const home = mkdtempSync(join(folder, 'home-'));
    store = await openStore({ config: loadConfig({ DRAWBRIDGE_HOME: home }), clock, log });
    org = await store.forOrg(await store.createOrg('Home'));
    [shown, listeners] = [[], []];
    return () => store.close();
  });

  function notices(show = async (notice: Notice) => shown.push(notice) > 0) {
    return startNotices({
      queue: {
        onMove(listener) {
          listeners.push(listener);
          return () => listeners.splice(listeners.indexOf(listener), 1);
        },
        get: async (_org, id) => actions.get(id) as Action,
      },
      orgFor: async () => org,
      show,
      clock,
      log,
    });
  }

  function proposed(id: string, listener = 0): void {
    const action = { id, status: 'pending', summary: `Mail ${id}`, proposedBy: { name: 'Agent' } } as Action;
    actions.set(id, action);
    listeners[listener]?.(org.orgId, action);
  }

  test('are told one a minute, together, and of what is decided by then nothing is said', async () => {
    const [one, other] = [notices(), notices()];
    proposed('1');
    await expect
      .poll(() => shown)
      .toEqual([{ title: 'Drawbridge: a decision waits', text: 'Agent: Mail 1' }]);
    proposed('2');
    proposed('3');
    proposed('4');
    await clock.asleep((ms) => ms === 60_000);
    actions.set('3', { ...(actions.get('3') as Action), status: 'rejected' });
    expect(shown).toHaveLength(1);
    clock.advance(60_001);
    await expect
      .poll(() => shown.slice(1))
      .toEqual([{ title: 'Drawbridge: 2 decisions wait', text: 'Agent: Mail 2' }]);
    // The minute is the org's and not the process's.
    proposed('5', 1);
    await clock.asleep((ms) => ms === 60_000);
    expect(shown).toHaveLength(2);
    await one.stop();
    await other.stop();
    expect(shown).toHaveLength(2);
  });

  test('are told to nobody once there turned out to be no program for it', async () => {
    let tries = 0;
    const one = notices(async () => {
      tries += 1;
      return false;
    });
    proposed('1');
    await expect.poll(() => listeners).toEqual([]);
    expect(tries).toBe(1);
    await one.stop();
  });
});

test('a server on a desktop shows a proposal, without its own variables in the program’s environment', async () => {
  const said = installFake();
  const sandbox: Sandbox = await startSandbox({ empty: true });
  const serving = await runServe(
    loadConfig(
      {
        PATH: `${programs}:/usr/bin:/bin`,
        DISPLAY: ':0',
        DRAWBRIDGE_HOME: mkdtempSync(join(folder, 'home-')),
        DRAWBRIDGE_ALLOW_LOOPBACK: '1',
        DRAWBRIDGE_LOG_LEVEL: 'fatal',
      },
      'linux',
    ),
    { port: 0 },
  );
  try {
    const { connections, queue, org, owner } = serving.rooms;
    const { mail, imap, smtp } = sandbox;
    const { id } = await connections.connect(org, 'mailbox', {
      fields: { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
      secrets: { password: mail.password },
    });
    const to = [{ email: 'bo@clients.test' }];
    const payload = { to, cc: [], bcc: [], subject: 'On screen', text: 'x', references: [], attachments: [] };
    await queue.propose(org, owner, { connectionId: id, operation: 'send', payload });
    await expect
      .poll(() => existsSync(said) && readFileSync(said, 'utf8'), { timeout: 10_000 })
      .toContain('On screen');
    expect(readFileSync(`${said}.env`, 'utf8')).not.toContain('DRAWBRIDGE_');
  } finally {
    await serving.close();
    await sandbox.close();
  }
});
