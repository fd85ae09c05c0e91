// Who may see a file at Dropbox: whoever is connected, and the members of the shared folder that holds it. What
// Dropbox does not tell, or would not tell the end of (a file that is shared by itself), is the account's own.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import type { DropboxFile } from './files.ts';
import { call } from './http.ts';

/** Levels that show that something is there, and not what stands in it. */
const blind = new Set(['traverse', 'no_access']);
const membership = z.object({ access_type: z.object({ '.tag': z.string() }) });
/** Invitees are left out: they have not come in. */
const members = z.object({
  users: z.array(membership.extend({ user: z.object({ email: z.string() }) })),
  groups: z.array(membership.extend({ group: z.object({ group_id: z.string() }) })),
  cursor: z.string().optional(),
});

export interface Readers {
  /** Lower case. @throws DrawbridgeError */
  of(file: DropboxFile): Promise<string[]>;
  /** A short mark of who is in that shared folder: another one says that somebody came or left. Empty: nobody is known. */
  mark(folder: string): Promise<string>;
  /** Ids of the shared folders that were asked for. */
  asked(): string[];
}

/** For one run: each shared folder is asked for once. */
export function readersIn(context: ProviderContext): Readers {
  const email = context.fields['email'];
  const own = typeof email === 'string' ? [email.toLowerCase()] : [];
  const folders = new Map<string, Promise<string[]>>();

  function ofFolder(id: string): Promise<string[]> {
    const asked = folders.get(id) ?? membersOf(context, id);
    folders.set(id, asked);
    return asked;
  }

  return {
    async of({ sharing_info }) {
      const others = sharing_info === undefined ? [] : await ofFolder(sharing_info.parent_shared_folder_id);
      return [...new Set([...own, ...others])];
    },
    async mark(id) {
      const all = await ofFolder(id);
      if (all.length === 0) return '';
      return createHash('sha256').update(all.join('\n')).digest('base64url').slice(0, 16);
    },
    asked: () => [...folders.keys()],
  };
}

/** Sorted. Nobody, where the account may not know, or it is shared no more. */
async function membersOf(context: ProviderContext, folder: string): Promise<string[]> {
  const readers = new Set<string>();
  const route = '/sharing/list_folder_members';
  try {
    for (let cursor: string | undefined; ; ) {
      const page: z.infer<typeof members> =
        cursor === undefined
          ? await call(context, route, { shared_folder_id: folder, limit: 1000 }, members)
          : await call(context, `${route}/continue`, { cursor }, members);
      for (const { user, access_type } of page.users) {
        if (!blind.has(access_type['.tag'])) readers.add(user.email.toLowerCase());
      }
      // A group is noted, and nobody is known to be in it.
      for (const { group, access_type } of page.groups) {
        if (!blind.has(access_type['.tag'])) readers.add(`group:${group.group_id.toLowerCase()}`);
      }
      if (page.cursor === undefined || page.cursor === cursor) break;
      cursor = page.cursor;
    }
  } catch (error) {
    const untold = ['permission_denied', 'not_found', 'invalid_request'];
    if (!(error instanceof DrawbridgeError) || !untold.includes(error.code)) throw error;
    context.log.info({ err: error, folder }, 'who is in a shared folder is not told');
    return [];
  }
  return [...readers].sort();
}
