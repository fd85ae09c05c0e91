// `doctor`: every part's health, and how to mend what is broken. Exit code 1 when something is.
import type { Command } from 'commander';
import { toDrawbridgeError } from '../../errors.ts';
import { openSession, type Session, withRooms } from '../command.ts';
import { shown } from '../terminal/shown.ts';
import { type Check, checkDisk, checkHome, checkKey, checkNode } from './machine.ts';
import {
  type CallReport,
  checkConnections,
  checkIndex,
  checkNetwork,
  checkReranker,
  checkSchedule,
  checkServers,
  checkSignIn,
  checkStore,
  reportCalls,
  storedCredentials,
} from './rooms.ts';

/** All checks that can be made, in order; one that throws is a broken part and ends no other. */
async function examine(session: Session): Promise<{ checks: Check[]; calls?: CallReport }> {
  const { config } = session;
  let calls: CallReport | undefined;
  const checks = [checkNode(), await checkHome(config), await checkKey(config, 0), await checkDisk(config)];
  try {
    await withRooms(session, async (rooms) => {
      const key = await checkKey(config, await storedCredentials(rooms));
      checks.splice(2, 1, key);
      if (session.output.json) calls = await reportCalls(rooms);
      const parts: [string, () => Promise<Check[]>][] = [
        ['database', () => checkStore(rooms)],
        ['schedule', () => checkSchedule(rooms)],
        ['search index', () => checkIndex(rooms)],
        ['reranker', () => checkReranker(rooms)],
        ['servers', () => checkServers(rooms)],
        ['network', () => checkNetwork(rooms)],
        ['sign-in', () => checkSignIn(rooms)],
        ['connections', () => checkConnections(rooms)],
      ];
      for (const [part, check] of parts) {
        try {
          checks.push(...(await check()));
        } catch (thrown) {
          rooms.log.debug({ err: thrown, part }, 'check failed');
          checks.push({ part, state: 'broken', message: toDrawbridgeError(thrown).message });
        }
      }
    });
  } catch (thrown) {
    const { message, cause } = toDrawbridgeError(thrown);
    const why = cause instanceof Error ? ` (${cause.message})` : '';
    checks.push({ part: 'database', state: 'broken', message: `${message}${why}` });
  }
  return { checks, ...(calls === undefined ? {} : { calls }) };
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const { checks, calls } = await examine(session);
  const healthy = checks.every(({ state }) => state !== 'broken');
  if (output.json) output.value({ healthy, checks, ...calls });
  else {
    const marks = {
      ok: output.style('green', '✓'),
      warning: output.style('yellow', '!'),
      broken: output.style('red', '✗'),
    };
    for (const { part, state, message, mend } of checks) {
      output.line(`${marks[state]} ${output.style('bold', shown(part))}: ${shown(message)}`);
      if (mend !== undefined) output.line(`    ${shown(mend)}`);
    }
    output.line(healthy ? '\nEverything that must work does.' : '\nSomething is broken.');
  }
  if (!healthy) process.exitCode = 1;
}

export function declare(command: Command): void {
  command.option('--json', 'answer as JSON').action(doctor);
}
