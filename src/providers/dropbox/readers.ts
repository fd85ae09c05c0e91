// Who may see a file at Dropbox: whoever is connected, the members of the shared folder that holds it, and those
// whom the file itself was shared with. What Dropbox does not tell is taken for the account's own.
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
  /** A short mark of who is in that shared folder: another one says that somebody came or left. */
  mark(folder: string): Promise<string>;
  /** The marks of all shared folders that were asked for. */
  marks(): Promise<Record<string, string>>;
}

/** For one run: each shared folder is asked for once. */
export function readersIn(context: ProviderContext): Readers {
  const email = context.fields['email'];
  const own = typeof email === 'string' ? [email.toLowerCase()] : [];
  const folders = new Map<string, Promise<string[]>>();

  function ofFolder(id: string): Promise<string[]> {
    const asked =
      folders.get(id) ?? told(context, '/sharing/list_folder_members', { shared_folder_id: id, limit: 1000 });
    folders.set(id, asked);
    return asked;
  }
  const mark = async (id: string) =>
    createHash('sha256')
      .update((await ofFolder(id)).join('\n'))
      .digest('base64url')
      .slice(0, 16);

  return {
    mark,
    async of({ id, sharing_info, has_explicit_shared_members }) {
      const others =
        has_explicit_shared_members === true
          ? await told(context, '/sharing/list_file_members', { file: id, limit: 300 })
          : sharing_info === undefined
            ? []
            : await ofFolder(sharing_info.parent_shared_folder_id);
      return [...new Set([...own, ...others])];
    },
    marks: async () =>
      Object.fromEntries(await Promise.all([...folders.keys()].map(async (id) => [id, await mark(id)]))),
  };
}

type Asking = '/sharing/list_folder_members' | '/sharing/list_file_members';

/** Nobody, where the account may not know, or it is shared no more. */
async function told(context: ProviderContext, route: Asking, args: object): Promise<string[]> {
  const readers = new Set<string>();
  try {
    for (let cursor: string | undefined; ; ) {
      const page: z.infer<typeof members> =
        cursor === undefined
          ? await call(context, route, args, members)
          : await call(context, `${route}/continue`, { cursor }, members);
      for (const { user, access_type } of page.users)
        if (!blind.has(access_type['.tag'])) readers.add(user.email.toLowerCase());
      // A group is noted, and nobody is known to be in it.
      for (const { group, access_type } of page.groups)
        if (!blind.has(access_type['.tag'])) readers.add(`group:${group.group_id.toLowerCase()}`);
      if (page.cursor === undefined || page.cursor === cursor) break;
      cursor = page.cursor;
    }
  } catch (error) {
    const secret = ['permission_denied', 'not_found', 'invalid_request'];
    if (!(error instanceof DrawbridgeError) || !secret.includes(error.code)) throw error;
    context.log.info({ err: error }, 'who is in a shared folder is not told');
    return [];
  }
  return [...readers].sort();
}
