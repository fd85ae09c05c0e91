// Attachments are documents of their own that live and go with their mail. Each is known by the mail's own
// id and its content; its bytes stand in the mail alone.

/** Stands between the two in an attachment's external id. */
export const attachedMark = ' attachment:';

/** The external id of an attachment. `id`: of its content, 32 hex digits. */
export function attachedId(mail: string, id: string): string {
  return `${mail}${attachedMark}${id}`;
}

/** The mail and the content that an external id names; undefined where it is no attachment's. */
export function attachedTo(externalId: string): { mail: string; id: string } | undefined {
  const at = externalId.lastIndexOf(attachedMark);
  const id = at === -1 ? '' : externalId.slice(at + attachedMark.length);
  return /^[0-9a-f]{32}$/u.test(id) ? { mail: externalId.slice(0, at), id } : undefined;
}
