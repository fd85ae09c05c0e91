// How long an agent waits for the answer to a proposal, and how soon after a person's yes the provider is called,
// and the mail let out after TLS and log-in (sends are not held here); beside one small durable write, by turns.
// The mailbox is the sandbox's, in this very process.
// Usage: npm run bench:approvals [-- --rounds 60]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSandbox } from '../sandbox/start.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config.ts';
import { createQueue } from '../src/queue/create.ts';
import { openRooms } from '../src/rooms.ts';
import { callTool } from '../src/tools/call/call.ts';
import type { Tool } from '../src/tools/define.ts';
import { sendEmail } from '../src/tools/send-email.ts';
import { median, percentile, row } from './figures.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '60' } } });
const rounds = Number(values.rounds);
const warmUp = 5;
const print = (line: string) => process.stdout.write(`${line}\n`);

const sandbox = await startSandbox({ empty: true });
const home = await mkdtemp(join(tmpdir(), 'drawbridge-approvals-'));
const rooms = await openRooms(
  loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_ALLOW_LOOPBACK: '1', DRAWBRIDGE_LOG_LEVEL: 'fatal' }),
);
const { connections, org, owner, clock, log, policy, presence, audit } = rooms;
/** When an action's provider was called. */
const called = new Map<string, number>();
/** When its mail was let out. */
const left = new Map<string, PromiseWithResolvers<number>>();
const leftOf = (id: string): PromiseWithResolvers<number> => {
  const known = left.get(id) ?? Promise.withResolvers<number>();
  left.set(id, known);
  return known;
};
const queue = createQueue({
  connections,
  clock,
  log,
  policy,
  presence,
  audit,
  actionTtlMs: 3_600_000,
  holdMs: 0,
  proposalsPerMinute: Number.POSITIVE_INFINITY,
  checkpoint: (step, id) => {
    if (step === 'after-verify' && id !== undefined) called.set(id, systemClock.elapsed());
    if (step === 'after-sending-mark' && id !== undefined) leftOf(id).resolve(systemClock.elapsed());
  },
});
const executor = queue.startExecutor(async () => [org]);
try {
  const { mail, imap, smtp } = sandbox;
  const box = await connections.connect(org, 'mailbox', {
    fields: { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
    secrets: { password: mail.password },
  });
  const proposed: number[] = [];
  const calling: number[] = [];
  const leaving: number[] = [];
  const written: number[] = [];
  for (let i = 0; i < rounds + warmUp; i += 1) {
    const began = systemClock.elapsed();
    const result = await callTool(
      sendEmail as unknown as Tool,
      { to: ['bo@b.example'], subject: `Number ${i}`, text: 'Hello', account: box.id },
      async () => ({
        rooms: { ...rooms, queue, approveUrl: (id) => `http://localhost/actions/${id}` },
        org,
        agent: {
          kind: 'agent',
          orgId: org.orgId,
          agentId: 'stdio',
          name: 'bench',
          scopes: ['read', 'propose'],
        },
        signal: new AbortController().signal,
        progress: async () => undefined,
      }),
    );
    const answered = systemClock.elapsed();
    const { actionId } = result.structuredContent as { actionId: string };
    const { payloadHash } = await queue.get(org, actionId);
    const approved = systemClock.elapsed();
    await queue.decide(org, owner, { actionId, verdict: 'approve', hash: payloadHash, channel: 'page' });
    const gone = await leftOf(actionId).promise;
    const wrote = systemClock.elapsed();
    await org.write((tx) =>
      tx.updateTable('connected_sources').set({ updated_at: i }).where('id', '=', box.id).execute(),
    );
    const done = systemClock.elapsed();
    if (i < warmUp) continue;
    proposed.push(answered - began);
    calling.push((called.get(actionId) ?? Number.NaN) - approved);
    leaving.push(gone - approved);
    written.push(done - wrote);
  }
  const reference = median(written);
  print(`${rounds} rounds; the reference is one small durable write`);
  print(row('propose → answer, p50', median(proposed), reference, 'ms', '≤ 15 ms'));
  print(row('approve → provider called, p50', median(calling), reference, 'ms', '≤ 100 ms'));
  print(row('approve → mail let out, p50', median(leaving), reference, 'ms', 'none'));
  print(
    `p95: ${percentile(proposed, 0.95).toFixed(1)} ms, ${percentile(calling, 0.95).toFixed(1)} ms, ${percentile(leaving, 0.95).toFixed(1)} ms`,
  );
} finally {
  await executor.stop();
  await rooms.close();
  await sandbox.close();
  await rm(home, { recursive: true, force: true });
}
