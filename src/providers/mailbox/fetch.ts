// Messages as the server holds them, byte for byte; one too large to take whole comes as its header and its
// text, and says so.
import type { MessageStructureObject, SearchObject } from 'imapflow';
import { DrawbridgeError } from '../../errors.ts';
import { reducedMail } from '../mail/reduced.ts';
import { type ImapFlow, messageLimit } from './imap.ts';

const pageBytes = 32 * 1024 * 1024;
const textLimit = 512 * 1024;
const vanishedLimit = 10_000;

export interface Sized {
  uid: number;
  size: number;
  draft: boolean;
}

/** UIDs in `[from, end)` that exist, ascending. */
export async function uidsBetween(client: ImapFlow, from: number, end: number): Promise<number[]> {
  if (end <= from) return [];
  const uids = await searched(client, { uid: `${from}:${end - 1}` });
  return uids.filter((uid) => uid >= from && uid < end).sort((a, b) => a - b);
}

/**
 * What fits, by UID.
 * @throws DrawbridgeError `provider_unavailable` when the server refused: the library says "nothing" then, and
 * nothing would mean that every mail has gone
 */
export async function searched(client: ImapFlow, query: SearchObject): Promise<number[]> {
  const uids = await client.search(query, { uid: true });
  if (Array.isArray(uids)) return uids;
  throw new DrawbridgeError('provider_unavailable', `The IMAP server ${client.host} refused a search.`);
}

/**
 * UIDs below `next` that were removed since a mod-sequence (QRESYNC, RFC 7162 3.2.6); undefined when the server
 * does not tell, or tells of so many that the list of what is left is the better answer. May name UIDs that
 * never were.
 */
export async function vanishedSince(
  client: ImapFlow,
  since: { modseq?: string | undefined; next: number },
): Promise<number[] | undefined> {
  if (since.modseq === undefined || !client.enabled.has('QRESYNC') || since.next <= 1) return undefined;
  const gone: number[] = [];
  const note = (event: { uid?: number; vanished: boolean }) => {
    if (event.vanished && event.uid !== undefined && event.uid < since.next) gone.push(event.uid);
  };
  client.on('expunge', note);
  try {
    await client.fetchAll(
      `1:${since.next - 1}`,
      { uid: true },
      { uid: true, changedSince: BigInt(since.modseq) },
    );
  } finally {
    client.off('expunge', note);
  }
  return gone.length === 0 || gone.length > vanishedLimit ? undefined : gone;
}

export async function sizesOf(client: ImapFlow, uids: number[]): Promise<Sized[]> {
  const found = await client.fetchAll(uids.join(','), { uid: true, size: true, flags: true }, { uid: true });
  return found
    .map(({ uid, size, flags }) => ({ uid, size: size ?? 0, draft: flags?.has('\\Draft') === true }))
    .sort((a, b) => a.uid - b.uid);
}

/** Groups of neighbours that together stay within what a page may weigh. */
export function groupBySize(messages: Sized[]): Sized[][] {
  const groups: Sized[][] = [];
  let weight = Number.POSITIVE_INFINITY;
  for (const message of messages) {
    const size = Math.min(message.size, messageLimit);
    if (weight + size > pageBytes) {
      groups.push([]);
      weight = 0;
    }
    groups.at(-1)?.push(message);
    weight += size;
  }
  return groups;
}

/** The mails of a group, without drafts: a draft is not yet a mail. One that has gone meanwhile is left out. */
export async function fetchMessages(
  client: ImapFlow,
  group: Sized[],
): Promise<{ uid: number; raw: Uint8Array }[]> {
  const mails = group.filter(({ draft }) => !draft);
  const whole = mails.filter(({ size }) => size <= messageLimit);
  const messages: { uid: number; raw: Uint8Array }[] = [];
  if (whole.length > 0) {
    const range = whole.map(({ uid }) => uid).join(',');
    for (const { uid, source } of await client.fetchAll(range, { uid: true, source: true }, { uid: true })) {
      if (source !== undefined) messages.push({ uid, raw: source });
    }
  }
  for (const { uid, size } of mails.filter(({ size }) => size > messageLimit)) {
    const raw = await reduced(client, uid, size);
    if (raw !== undefined) messages.push({ uid, raw });
  }
  return messages.sort((a, b) => a.uid - b.uid);
}

/** Header and first text of a message that is too large, as a message of its own. */
async function reduced(client: ImapFlow, uid: number, size: number): Promise<Buffer | undefined> {
  const found = await client.fetchOne(
    String(uid),
    { uid: true, headers: true, bodyStructure: true },
    { uid: true },
  );
  if (!found || found.headers === undefined) return undefined;
  const part = firstText(found.bodyStructure);
  const text = part === undefined ? '' : await download(client, uid, part.part ?? '1');
  const type = part?.type === 'text/html' ? 'text/html' : 'text/plain';
  return reducedMail({ header: found.headers.toString('latin1'), size, type, text });
}

function firstText(node: MessageStructureObject | undefined): MessageStructureObject | undefined {
  if (node === undefined) return undefined;
  if (node.disposition !== 'attachment' && (node.type === 'text/plain' || node.type === 'text/html'))
    return node;
  for (const child of node.childNodes ?? []) {
    const found = firstText(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function download(client: ImapFlow, uid: number, part: string): Promise<string> {
  const { content } = await client.download(String(uid), part, { uid: true, maxBytes: textLimit });
  if (content === undefined) return '';
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
