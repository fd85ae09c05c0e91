// Which of an account's mailboxes are read, so that each mail is seen once and nothing thrown away is.
import type { ListResponse } from 'imapflow';
import type { ImapFlow } from './imap.ts';

const left = new Set(['\\Trash', '\\Junk', '\\Drafts', '\\Flagged']);

/**
 * The mailboxes to sync. Gmail shows each mail under every label it carries, so there "All Mail" alone is
 * read: it holds each mail once, without spam and trash. Elsewhere `\All` (RFC 6154) is a virtual copy of the
 * real mailboxes and is left out.
 */
export function syncedMailboxes(client: ImapFlow, listed: ListResponse[]): ListResponse[] {
  const selectable = listed.filter((one) => !isMarked(one, '\\Noselect') && !isMarked(one, '\\NonExistent'));
  const all = selectable.find(({ specialUse }) => specialUse === '\\All');
  if (all !== undefined && isGmail(client)) return [all];
  return selectable.filter(
    (one) => one.specialUse !== '\\All' && !left.has(one.specialUse ?? '') && !isMarked(one, '\\Important'),
  );
}

/** Where a mail that we sent can stand: "All Mail" or Sent, then the inbox (a mail to oneself). */
export function searchedForSent(listed: ListResponse[]): string[] {
  const paths = ['\\All', '\\Sent', '\\Inbox'].flatMap((use) =>
    listed.filter(({ specialUse }) => specialUse === use).map(({ path }) => path),
  );
  return paths.length > 0 ? paths : ['INBOX'];
}

/** Case says nothing in a mailbox's attributes (RFC 3501 9): GNU's imap4d writes `\NoSelect`. */
function isMarked({ flags }: ListResponse, attribute: string): boolean {
  return [...flags].some((flag) => flag.toLowerCase() === attribute.toLowerCase());
}

function isGmail(client: ImapFlow): boolean {
  return client.capabilities.has('X-GM-EXT-1');
}
