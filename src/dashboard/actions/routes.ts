// The addresses of one action: its page, what a person decides on it, and what becomes of it afterwards. Looking
// changes nothing; each change is a POST that carries the session's token, and a decision also the hash shown.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { contentPolicy } from '../page/content-policy.ts';
import { formattedPart, framedMessage } from '../payload/payload.ts';
import { presenceOf } from '../policy/routes.ts';
import { actionIdOf, type Field, fieldsOf, stale } from '../requests.ts';
import { actionPage } from './action.ts';
import { dayPage } from './day.ts';
import { erasePage } from './erase.ts';
import { gatherEvidence } from './evidence.ts';
import { snoozeUntil } from './snooze.ts';

export function reasonOf(field: Field): string {
  return field('reason').trim().slice(0, 500);
}

/** What was edited, as the page before carried it; undefined where nothing was. */
function editedOf(field: Field): unknown {
  const text = field('edited');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DrawbridgeError('invalid_request', 'edited: is no JSON.', { field: 'edited', cause });
  }
}

export function actionRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { queue, clock } = rooms;
  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgSeenBy(c.get('session').person);

  pages.get('/actions/:id', async (c) => {
    const org = await orgOf(c);
    const action = await queue.get(org, actionIdOf(c));
    const [events, signed, evidence] = await Promise.all([
      queue.events(org, action.id),
      rooms.presence.require(org, action),
      gatherEvidence(rooms, org, action),
    ]);
    return c.html(
      actionPage({ action, events, evidence, signed, session: c.get('session'), now: clock.now() }),
    );
  });

  // The formatted message in a frame of its own: no script runs there, nothing is loaded, nothing is sent.
  pages.get('/actions/:id/formatted', async (c) => {
    const part = formattedPart(await queue.get(await orgOf(c), actionIdOf(c)));
    if (part === undefined) throw new DrawbridgeError('not_found', 'This action has no formatted message.');
    c.header(
      'Content-Security-Policy',
      "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
    );
    return c.html(framedMessage(part));
  });

  // In a frame, too: the calendars may take their time, and the page need not wait.
  pages.get('/actions/:id/day', async (c) => {
    const org = await orgOf(c);
    const text = await dayPage(rooms, org, await queue.get(org, actionIdOf(c)));
    if (text === undefined) throw new DrawbridgeError('not_found', 'This action is no event.');
    c.header(
      'Content-Security-Policy',
      contentPolicy().replace("frame-ancestors 'none'", "frame-ancestors 'self'"),
    );
    return c.html(text);
  });

  /** One change by a person, and back to the action's page. */
  function change(
    path: string,
    make: (
      c: Context<PageEnv>,
      given: { id: string; field: Field; org: OrgStore },
    ) => Promise<{ id: string } | undefined>,
  ): void {
    pages.post(path, async (c) => {
      const id = actionIdOf(c);
      const field = await fieldsOf(c);
      const org = await orgOf(c);
      try {
        const next = await make(c, { id, field, org });
        return c.redirect(`/actions/${next?.id ?? id}`, 303);
      } catch (thrown) {
        return stale(c, id, thrown);
      }
    });
  }

  change('/actions/:id/decision', async (c, { id, field, org }) => {
    const verdict = field('verdict');
    if (verdict !== 'approve' && verdict !== 'reject') {
      throw new DrawbridgeError('invalid_request', 'verdict: must be approve or reject.', {
        field: 'verdict',
      });
    }
    const reason = reasonOf(field);
    const edited = editedOf(field);
    await queue.decide(org, c.get('session').person, {
      actionId: id,
      verdict,
      hash: field('hash'),
      ...(reason === '' ? {} : { reason }),
      ...(edited === undefined ? {} : { edited }),
      channel: 'page',
      presence: presenceOf(field),
    });
    if (verdict === 'approve') rooms.wake();
    return undefined;
  });

  change('/actions/:id/settlement', async (c, { id, field, org }) => {
    const happened = field('happened');
    const reason = reasonOf(field);
    if ((happened !== 'yes' && happened !== 'no') || reason === '') {
      throw new DrawbridgeError('invalid_request', 'Say what you found, and whether it happened.', {
        field: 'reason',
      });
    }
    const settlement = { actionId: id, happened: happened === 'yes', reason, channel: 'page' } as const;
    return queue.settle(org, c.get('session').person, settlement);
  });

  change('/actions/:id/cancel', (c, { id, org }) => queue.cancel(org, c.get('session').person, id, 'page'));

  change('/actions/:id/snooze', (c, { id, field, org }) =>
    queue.snooze(org, c.get('session').person, {
      actionId: id,
      until: snoozeUntil(field, clock.now()),
      channel: 'page',
    }),
  );

  change('/actions/:id/hand-over', (c, { id, field, org }) =>
    queue.handOver(org, c.get('session').person, { actionId: id, to: field('to'), channel: 'page' }),
  );

  change('/actions/:id/undo', async (c, { id, org }) => {
    const { action } = await queue.undo(org, c.get('session').person, id);
    return action;
  });

  pages.get('/actions/:id/erase', async (c) =>
    c.html(await erasePage(await queue.get(await orgOf(c), actionIdOf(c)), c.get('session'))),
  );

  change('/actions/:id/erase', (c, { id, field, org }) => {
    if (field('sure') !== 'yes') {
      throw new DrawbridgeError('invalid_request', 'Say on the page before that you want it.', {
        field: 'sure',
      });
    }
    return queue.erase(org, c.get('session').person, {
      actionId: id,
      reason: reasonOf(field),
      channel: 'page',
    });
  });

  return pages;
}
