// Gmail's official client inside the door, and a message as it hands it over.
import type { gmail_v1 } from '@googleapis/gmail';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { ask, throughTheDoor } from '../google.ts';
import { reducedMail } from '../mail/reduced.ts';

/** The largest message that is taken whole, as the mailbox does: 25 MB, which are 36 as Base64 in JSON. Bytes. */
const messageAnswerLimit = 36 * 1024 * 1024;

/** The client is loaded with the first call: the catalog reads this provider, and needs none of it. */
export async function gmailOf(context: ProviderContext): Promise<gmail_v1.Gmail> {
  const { gmail } = (await import('@googleapis/gmail')).default;
  return gmail({ version: 'v1', ...throughTheDoor(context) });
}

export async function profileOf(
  context: ProviderContext,
): Promise<{ email: string; historyId: string; messages: number | undefined }> {
  const client = await gmailOf(context);
  const profile = await ask(() => client.users.getProfile({ userId: 'me' }));
  return {
    email: needed(profile.emailAddress, 'address'),
    historyId: needed(profile.historyId, 'history'),
    messages: profile.messagesTotal ?? undefined,
  };
}

/** The account's address: learned when it was connected, asked for where it was not. */
export async function ownAddress(context: ProviderContext): Promise<string> {
  const known = context.fields['email'];
  return typeof known === 'string' && known !== '' ? known : (await profileOf(context)).email;
}

/** A member that Gmail always sends. @throws DrawbridgeError `malformed_response` */
export function needed<T>(value: T | null | undefined, what: string): T {
  if (value !== null && value !== undefined && value !== '') return value;
  throw new DrawbridgeError('malformed_response', `Gmail answered without the ${what} of it.`);
}

export interface RawMessage {
  id: string;
  threadId: string;
  labels: readonly string[];
  /** RFC 822, byte for byte. */
  raw: Buffer;
}

/**
 * The message whole; of one that is too large the header and the text.
 * @throws DrawbridgeError `not_found`
 */
export async function rawMessage(context: ProviderContext, id: string): Promise<RawMessage> {
  const client = await gmailOf(context);
  try {
    const message = await ask(() =>
      client.users.messages.get(
        { userId: 'me', id, format: 'raw' },
        { maxContentLength: messageAnswerLimit },
      ),
    );
    return { ...about(message), raw: Buffer.from(needed(message.raw, 'bytes'), 'base64url') };
  } catch (error) {
    if (!(error instanceof DrawbridgeError) || error.code !== 'malformed_response') throw error;
    // In this format what is large comes apart, by an id of its own.
    const message = await ask(() => client.users.messages.get({ userId: 'me', id, format: 'full' }));
    return { ...about(message), raw: reduced(message) };
  }
}

function about(message: gmail_v1.Schema$Message): Omit<RawMessage, 'raw'> {
  return {
    id: needed(message.id, 'id'),
    threadId: needed(message.threadId, 'thread'),
    labels: message.labelIds ?? [],
  };
}

function reduced({ payload, sizeEstimate }: gmail_v1.Schema$Message): Buffer {
  const lines = (payload?.headers ?? []).map(({ name, value }) => `${name ?? ''}: ${value ?? ''}\r\n`);
  const part = firstText(payload);
  return reducedMail({
    header: Buffer.from(lines.join('')).toString('latin1'),
    size: sizeEstimate ?? 0,
    type: part?.mimeType === 'text/html' ? 'text/html' : 'text/plain',
    text: Buffer.from(part?.body?.data ?? '', 'base64url').toString('utf8'),
  });
}

function firstText(part: gmail_v1.Schema$MessagePart | undefined): gmail_v1.Schema$MessagePart | undefined {
  const readable = part?.mimeType === 'text/plain' || part?.mimeType === 'text/html';
  if (readable && part?.body?.data != null && !part.filename) return part;
  for (const child of part?.parts ?? []) {
    const found = firstText(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A Gmail id (of a message, a thread, a draft): what else could stand in its place would change the address. */
export const idForm = /^[A-Za-z0-9_-]{1,128}$/;

/** The message's page, in the browser session of this very account. */
export function pageOf(email: string, id: string): string {
  return `https://mail.google.com/mail/u/?authuser=${encodeURIComponent(email)}#all/${id}`;
}

/** `work` over all, at most `width` at a time, answers in order. */
export async function several<In, Out>(
  all: readonly In[],
  width: number,
  work: (one: In) => Promise<Out>,
): Promise<Out[]> {
  const results = new Array<Out>(all.length);
  const entries = all.entries();
  const lane = async () => {
    for (const [index, one] of entries) results[index] = await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(width, all.length) }, lane));
  return results;
}
