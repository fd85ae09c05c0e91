// Debian's Radicale on loopback, in a folder of its own: a real CalDAV server for the tests that need one.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilListening } from './dovecot.ts';
import { freePort } from './free-port.ts';

const binary = '/usr/bin/radicale';

/** Why tests with Radicale are skipped here; undefined when they run. */
export const radicaleMissing = existsSync(binary)
  ? undefined
  : 'skipped: Radicale is not installed (apt-get install radicale)';

export interface Radicale {
  url: string;
  user: string;
  password: string;
  /** Makes a calendar of the user and returns its URL. */
  makeCalendar(name: string, displayName?: string): Promise<string>;
  request(url: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

export async function startRadicale(user = 'alice'): Promise<Radicale> {
  const root = mkdtempSync(join(tmpdir(), 'radicale-'));
  const port = await freePort();
  const password = 'correct-horse';
  writeFileSync(join(root, 'users'), `${user}:${password}\n`);
  writeFileSync(
    join(root, 'config'),
    `
[server]
hosts = 127.0.0.1:${port}
[auth]
type = htpasswd
htpasswd_filename = ${root}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = ${root}/collections
[logging]
level = warning
`,
  );
  const lines: string[] = [];
  const child = spawn(binary, ['--config', join(root, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const stopped = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await untilListening(
      port,
      () => child.exitCode === null,
      () => lines.join(''),
    );
  } catch (error) {
    child.kill();
    throw error;
  }
  const url = `http://127.0.0.1:${port}/`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const request = (target: string, init: RequestInit = {}) =>
    fetch(target, { ...init, headers: { ...init.headers, authorization } });
  return {
    url,
    user,
    password,
    request,
    async makeCalendar(name, displayName = name) {
      const calendar = `${url}${user}/${name}/`;
      const response = await request(calendar, {
        method: 'MKCALENDAR',
        body: `<?xml version="1.0"?><c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop><d:displayname>${displayName}</d:displayname><c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>`,
      });
      if (response.status !== 201) throw new Error(`MKCALENDAR answered ${response.status}`);
      return calendar;
    },
    async stop() {
      child.kill('SIGTERM');
      await stopped;
      rmSync(root, { recursive: true, force: true });
    },
  };
}
