// The addresses of editing. Neither decides: the second shows, sealed by the queue, what the decision would be on.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { flagsFor, recipientsIn } from '../payload/recipients.ts';
import { actionIdOf, type Field, fieldsOf, stale } from '../requests.ts';
import { isEditable } from './decision-bar.ts';
import { type Fault, readEdit } from './edit-fields.ts';
import { editPage, reviewPage } from './edit-page.ts';
import { reasonOf } from './routes.ts';

export function editRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { queue } = rooms;
  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  /** @throws DrawbridgeError `conflict` for what no longer waits or has no form */
  async function editable(org: OrgStore, id: string): Promise<Action> {
    const action = await queue.get(org, id);
    if (action.status !== 'pending' || !isEditable(action)) {
      throw new DrawbridgeError('conflict', 'This action cannot be edited here.');
    }
    return action;
  }

  pages.get('/actions/:id/edit', async (c) => {
    const id = actionIdOf(c);
    try {
      return c.html(
        await editPage({ action: await editable(await orgOf(c), id), session: c.get('session') }),
      );
    } catch (thrown) {
      return stale(c, id, thrown);
    }
  });

  pages.post('/actions/:id/edit', async (c) => {
    const id = actionIdOf(c);
    const field = await fieldsOf(c);
    const org = await orgOf(c);
    const session = c.get('session');
    try {
      const action = await editable(org, id);
      const { edited, faults } = editOf(action, field);
      const again = (more: readonly Fault[]) =>
        editPage({ action, session, given: (path) => givenAt(field, path), faults: more });
      if (faults.length > 0) return c.html(await again(faults), 400);
      let sealed: Awaited<ReturnType<typeof queue.previewEdit>>;
      try {
        const given = { actionId: id, hash: field('hash'), edited, channel: 'page' } as const;
        sealed = await queue.previewEdit(org, session.person, given);
      } catch (thrown) {
        if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'invalid_request') throw thrown;
        return c.html(await again([{ path: thrown.field ?? '', text: thrown.message }]), 400);
      }
      const [connections, signed] = await Promise.all([
        rooms.connections.list(org),
        rooms.presence.require(org, action),
      ]);
      const flags = await flagsFor(org, recipientsIn(sealed.payload), connections);
      return c.html(
        await reviewPage({ action, sealed, edited, reason: reasonOf(field), flags, session, signed }),
      );
    } catch (thrown) {
      return stale(c, id, thrown);
    }
  });

  return pages;
}

function givenAt(field: Field, path: string): string {
  if (path === 'reason') return field('reason');
  return path.startsWith('keep ') ? field(`keep.${path.slice('keep '.length)}`) : field(`p.${path}`);
}

/** The payload that the form makes; attachments that were not ticked are left out. */
function editOf(action: Action, field: Field): ReturnType<typeof readEdit> {
  const read = readEdit(action.payload, (path) => field(`p.${path}`));
  const payload = read.edited as { attachments?: unknown };
  if (action.attachments.length === 0 || !Array.isArray(payload.attachments)) return read;
  const attachments = payload.attachments.filter(
    (one: { sha256?: unknown }) => field(`keep.${String(one.sha256)}`) === 'yes',
  );
  return { ...read, edited: { ...payload, attachments } };
}
