// Tells a member by mail that decisions wait, where that member allowed it: to their own address, in fixed words,
// at most once in fifteen minutes, and never a second time once sending has begun. No agent has a say in any of it
// beyond how many proposals there are (docs/decisions/0036).
import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { MailSend } from '../providers/capabilities.ts';
import { newEffectKey } from '../queue/propose/propose.ts';
import type { Action, Queue } from '../queue/queue.ts';
import type { OrgStore, Store } from '../store/store.ts';
import {
  lastMailAt,
  type MailNotice,
  ownAddress,
  quietMs,
  readMailNotice,
  takeMailTurn,
} from './notify-mail-setting.ts';

/** What is decided at once needs no mail. */
const firstAfterMs = 60_000;
const longestSendMs = 60_000;
const mostCounted = 200;

export interface MailNotices {
  stop(): Promise<void>;
}

interface Given {
  queue: Pick<Queue, 'onMove' | 'list'>;
  connections: Pick<Connections, 'get' | 'writeFor' | 'writeContext'>;
  store: Pick<Store, 'control'>;
  audit: Pick<Audit, 'append'>;
  orgFor(orgId: string): Promise<OrgStore>;
  pageUrl(path: string): string;
  clock: Clock;
  log: Log;
}

export function startMailNotices(given: Given): MailNotices {
  const { queue, clock, log } = given;
  const stopped = new AbortController();
  const { signal } = stopped;
  const waiting = new Set<string>();
  const running = new Set<Promise<void>>();

  async function tell(orgId: string): Promise<void> {
    const org = await given.orgFor(orgId);
    if ((await readMailNotice(org)) === undefined) return;
    await clock.sleep(firstAfterMs, { signal, unref: true });
    for (;;) {
      const last = await lastMailAt(org);
      const rest = last + quietMs - (await org.now());
      if (rest <= 0 || rest > quietMs) {
        // From here on a new proposal begins a round of its own.
        waiting.delete(orgId);
        await sendOne(given, org, last, signal);
        return;
      }
      await clock.sleep(rest, { signal, unref: true });
    }
  }

  const stopListening = queue.onMove((orgId, action) => {
    if (action.status !== 'pending' || action.snoozedUntil !== undefined) return;
    if (signal.aborted || waiting.has(orgId)) return;
    waiting.add(orgId);
    const told = tell(orgId)
      .catch((err: unknown) => {
        // Not tried again: a mail that may have left is not sent twice. The next proposal begins anew.
        if (!signal.aborted) log.warn({ err, orgId }, 'a notice by mail was not sent, or not certainly');
      })
      .finally(() => {
        waiting.delete(orgId);
        running.delete(told);
      });
    running.add(told);
  });

  return {
    async stop() {
      stopListening();
      stopped.abort();
      await Promise.all(running);
    },
  };
}

/** One mail about what waits, if anything new does, and if nobody else is sending it. */
async function sendOne(given: Given, org: OrgStore, last: number, signal: AbortSignal): Promise<void> {
  const notice = await readMailNotice(org);
  if (notice === undefined) return;
  const at = await org.now();
  const all = await given.queue.list(org, { statuses: ['pending'], limit: mostCounted });
  const pending = all.filter(({ assignedTo }) => assignedTo === undefined || assignedTo === notice.member);
  if (!pending.some(({ proposedAt }) => proposedAt >= last)) return;
  const connection = await given.connections.get(org, notice.connection);
  await mustBeOwn(given, org, notice);
  const { name, operation } = await given.connections.writeFor(connection, 'mail.send');
  const payload = operation.input.parse(mailOf(pending, notice, given.pageUrl));
  operation.validate?.(payload);
  const effectKey = newEffectKey();
  if (!(await takeMailTurn(given, org, notice, { last, at, pending: pending.length, key: effectKey })))
    return;
  const context = await given.connections.writeContext(org, connection, name, {
    effectKey,
    before: undefined,
    attachment: () => Promise.reject(new DrawbridgeError('not_found', 'A notice has no attachment.')),
    // Whoever stopped it a moment ago is obeyed, up to the first byte.
    aboutToSend: () => mustBeOwn(given, org, notice),
    signal: AbortSignal.any([signal, AbortSignal.timeout(longestSendMs)]),
  });
  await operation.run(context, payload);
}

/** @throws DrawbridgeError `permission_denied` unless the member still wants it, at an address of their own */
async function mustBeOwn(given: Given, org: OrgStore, notice: MailNotice): Promise<void> {
  const [now, connection] = await Promise.all([
    readMailNotice(org),
    given.connections.get(org, notice.connection),
  ]);
  const own = await ownAddress(given.store, org.orgId, notice.member, connection);
  const isSame =
    now?.to === notice.to && now.connection === notice.connection && now.member === notice.member;
  if (isSame && own === notice.to) return;
  throw new DrawbridgeError(
    'permission_denied',
    'The notice by mail was stopped, or its address is not the member’s own any more; nothing was sent.',
  );
}

const effects: Record<string, string> = {
  send: 'to send something',
  create: 'to create something',
  update: 'to change something',
  delete: 'to delete something',
  money: 'to move money',
};

/** Words of ours and numbers alone: whatever an agent or a provider wrote stays on the page. */
function mailOf(pending: readonly Action[], { to }: MailNotice, pageUrl: Given['pageUrl']): MailSend {
  const count = pending.length;
  const many = count === mostCounted ? `${count} or more` : String(count);
  const kinds = Map.groupBy(pending, ({ effect }) => effects[effect] ?? 'to do something');
  const [first] = pending;
  const path = count === 1 && first !== undefined ? `/actions/${first.id}` : '/';
  return {
    to: [{ email: to }],
    cc: [],
    bcc: [],
    subject: count === 1 ? 'Drawbridge: a decision waits' : `Drawbridge: ${many} decisions wait`,
    text: [
      count === 1 ? 'A proposal waits for your decision:' : `${many} proposals wait for your decision:`,
      '',
      ...[...kinds].map(([kind, of]) => `  ${of.length} ${kind}`),
      '',
      'What exactly is proposed stands on its page, where you decide, signed in:',
      pageUrl(path),
      '',
      'This mail decides nothing, and its link signs nobody in. There is at most one in 15 minutes.',
      'To have none: drawbridge notify --stop',
      '',
    ].join('\n'),
    references: [],
    attachments: [],
  };
}
