// `actions watch`: proposals and moves as they come, from every process, until Ctrl-C. On a terminal a person
// decides there, by keys; nothing is approved that was not shown whole first.
import { emitKeypressEvents } from 'node:readline';
import type { Clock } from '../../clock.ts';
import { toDrawbridgeError } from '../../errors.ts';
import { liveProcesses } from '../../jobs/presence.ts';
import type { Action, ActionEvent, Queue } from '../../queue/queue.ts';
import type { Rooms } from '../../rooms.ts';
import type { OrgStore } from '../../store/store.ts';
import { iso } from '../../time.ts';
import { interruption, openSession, type Session, withRooms } from '../command.ts';
import { canAsk } from '../terminal/ask.ts';
import { openBrowser } from '../terminal/browser.ts';
import type { Output } from '../terminal/output.ts';
import { shownLine } from '../terminal/shown.ts';
import { approveAtTerminal, rejectAtTerminal } from './decide.ts';

const lookEvery = 500;
const mostSeen = 200;
const keysInWords = 'Keys: n next, s show and approve, r reject, o open its page, q quit.';

interface Move {
  action: Action;
  event: ActionEvent;
}

/**
 * Tells each move once, of this process and of others. At first those that are pending are told, as proposed.
 * @returns a function that looks once
 */
function createLookout(queue: Pick<Queue, 'list' | 'events'>, org: OrgStore): () => Promise<Move[]> {
  const seen = new Map<string, { state: string; events: number }>();
  let first = true;
  return async () => {
    const moves: Move[] = [];
    const actions = await queue.list(org, { limit: mostSeen, snoozed: true });
    for (const action of actions.toReversed()) {
      const known = seen.get(action.id);
      const { status, payloadHash, snoozedUntil, assignedTo } = action;
      const state = JSON.stringify([status, payloadHash, snoozedUntil, assignedTo]);
      if (known?.state === state) continue;
      const events = await queue.events(org, action.id);
      seen.set(action.id, { state, events: events.length });
      const fresh = events.slice(known?.events ?? 0);
      if (!first || status === 'pending') moves.push(...fresh.map((event) => ({ action, event })));
    }
    first = false;
    // What fell off the list is not coming back to it.
    const listed = new Set(actions.map(({ id }) => id));
    for (const id of seen.keys()) if (!listed.has(id)) seen.delete(id);
    return moves.sort((a, b) => a.event.at - b.event.at);
  };
}

function writeMove(output: Output, { action, event }: Move): void {
  if (output.json) {
    const { seq: _seq, at, ...rest } = event;
    const { id, summary, payloadHash, accountLabel } = action;
    const line = { actionId: id, at: iso(at), ...rest, from: rest.from ?? null, summary, payloadHash };
    output.line(JSON.stringify({ ...line, account: accountLabel }));
    return;
  }
  const time = output.style('dim', iso(event.at).slice(11, 19));
  if (event.from === undefined) {
    output.line(`${time}  ${output.style('yellow', 'new')}  ${action.id}  ${shownLine(action.summary)}`);
    output.line(
      output.style(
        'dim',
        `          ${shownLine(action.accountLabel)}, by ${shownLine(action.proposedBy.name)}`,
      ),
    );
    return;
  }
  const to = output.style(event.to === 'completed' ? 'green' : 'bold', event.to);
  const what = event.from === event.to ? amended(event) : `${event.from} → ${to}`;
  const by = output.style('dim', `${shownLine(event.by.name)} (${event.channel})`);
  output.line(`${time}  ${what}  ${action.id}  ${shownLine(action.summary)}  ${by}`);
}

/** A change that moved nothing. */
function amended({ detail }: ActionEvent): string {
  if (detail['snoozedUntil'] !== undefined) return 'put off';
  return detail['assignedTo'] === undefined ? 'changed' : 'handed over';
}

type Key = { name?: string; ctrl?: boolean };

/** Keys of the terminal, one at a time, while nothing else asks. */
function createKeys(onKey: (key: Key) => void): { listen(): void; rest(): void } {
  const { stdin } = process;
  const heard = (_text: string | undefined, key: Key) => onKey(key);
  return {
    listen() {
      emitKeypressEvents(stdin);
      stdin.setRawMode(true);
      stdin.on('keypress', heard);
      stdin.resume();
    },
    rest() {
      stdin.off('keypress', heard);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** Who is decided on: the one after `current` that waits, or the first. */
function nextPending(pending: readonly Action[], current: string | undefined): Action | undefined {
  const at = pending.findIndex(({ id }) => id === current);
  return pending[(at + 1) % Math.max(pending.length, 1)];
}

/** What waits, oldest first. */
async function pendingOf({ queue, org }: Rooms): Promise<Action[]> {
  return (await queue.list(org, { statuses: ['pending'], limit: mostSeen })).toReversed();
}

async function decideByKeys(
  session: Session,
  rooms: Rooms,
  stop: AbortController,
): Promise<{ end(): void; quiet(): boolean; said(): void }> {
  const { output } = session;
  let current: string | undefined;
  let busy = false;

  async function act(name: string): Promise<void> {
    const pending = await pendingOf(rooms);
    const action = pending.find(({ id }) => id === current) ?? pending[0];
    if (action === undefined) {
      output.line('Nothing waits.');
      return;
    }
    if (name === 'n') {
      current = nextPending(pending, current)?.id;
      const next = pending.find(({ id }) => id === current) ?? action;
      output.line(`Chosen: ${next.id}  ${shownLine(next.summary)}`);
    } else if (name === 'o') {
      await openBrowser(rooms.pageUrl(`/actions/${action.id}`), `drawbridge actions show ${action.id}`);
    } else if (name === 'r') {
      output.line(`${action.id}  ${shownLine(action.summary)}`);
      await rejectAtTerminal(rooms, action);
    } else if ((await approveAtTerminal(session, rooms, action.id)) === undefined) {
      output.line('Not approved; it stays pending.');
    }
  }

  const keys = createKeys(({ name, ctrl }) => {
    if (name === 'q' || (ctrl === true && name === 'c')) stop.abort();
    else if (name !== undefined && ['n', 'o', 'r', 's'].includes(name)) {
      busy = true;
      keys.rest();
      act(name)
        .catch((thrown: unknown) => output.aside(toDrawbridgeError(thrown).message))
        .finally(() => {
          busy = false;
          if (!stop.signal.aborted) keys.listen();
        });
    }
  });
  keys.listen();
  output.line(keysInWords);
  return {
    end: () => keys.rest(),
    // A line that came in between would tear what the person reads apart.
    quiet: () => busy,
    said: () => output.line(output.style('dim', keysInWords)),
  };
}

/** Runs what was approved, where no server is there to do it. */
async function runApproved({ queue, org, store }: Rooms): Promise<void> {
  const [approved] = await queue.list(org, { statuses: ['approved', 'executing'], limit: 1 });
  if (approved !== undefined && (await liveProcesses(store)).length === 0) await queue.runDue(org);
}

async function lookOn(clock: Clock, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    try {
      await clock.sleep(lookEvery, { signal });
    } catch {
      return; // stopped
    }
  }
}

export async function watch(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const stop = new AbortController();
    const interrupted = interruption();
    interrupted.signal.addEventListener('abort', () => stop.abort());
    const lookout = createLookout(rooms.queue, rooms.org);
    const person = !output.json && output.isTerminal && canAsk();
    if (!output.json) output.line('Watching; Ctrl-C ends it.');
    const keys = person ? await decideByKeys(session, rooms, stop) : undefined;
    try {
      await lookOn(clock, stop.signal, async () => {
        if (keys?.quiet() === true) return;
        const moves = await lookout();
        for (const move of moves) writeMove(output, move);
        if (moves.some(({ event }) => event.to === 'pending')) keys?.said();
        if (person) await runApproved(rooms);
      });
    } finally {
      keys?.end();
      interrupted.end();
    }
  });
}
