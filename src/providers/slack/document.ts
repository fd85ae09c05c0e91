// A conversation as memory reads it: a message with its replies, turn by turn, and the files in it.
import type { ProviderContext } from '../define.ts';
import type { Person, SourceRecord, Structured } from '../record.ts';
import { fileRecord, nameOf } from './files.ts';
import type { RawMessage } from './shapes.ts';
import { plain, timeOf } from './words.ts';
import type { People } from './workspace.ts';

/** Where a conversation is. */
export interface Place {
  channel: string;
  /** `#offers` */
  name: string;
  people: People;
  /** Undefined: whoever is in the workspace. */
  readers: string[] | undefined;
}

/** What Slack itself says of a channel: who came, who went, what it is called now. */
const noise = /^(channel|group)_|^(un)?pinned_item$|^bot_(add|remove)$|^reminder_add$/;
export const isNoise = ({ subtype }: RawMessage): boolean => noise.test(subtype ?? '');
/** The place of a message that was deleted while it had replies. */
export const isTombstone = ({ subtype }: RawMessage): boolean => subtype === 'tombstone';

export function authorOf(message: RawMessage, people: People): string {
  const { user, bot_profile, username, bot_id } = message;
  const known = user == null ? undefined : people.nameOf(user);
  return [username, bot_profile?.name, known, user, bot_id].find((one) => one != null && one !== '') ?? '';
}

/** The words of one message: its text, what is attached, the names of its files. */
export function wordsOf(message: RawMessage, people: People): string {
  if (isTombstone(message)) return '';
  const attached = (message.attachments ?? []).flatMap(({ title, text, fallback }) => {
    const said = [title, text].filter((one) => one != null && one !== '');
    return said.length > 0 ? said : [fallback];
  });
  const parts = [message.text, ...attached].flatMap((one) => (one == null || one === '' ? [] : [one]));
  const files = message.files.map((file) => `[file: ${nameOf(file)}]`);
  return [...parts.map((part) => plain(part, people.nameOf)), ...files].join('\n');
}

/** Of the page of a message at Slack. The form is known, not verified. */
export function pageOf({ fields }: Pick<ProviderContext, 'fields'>, channel: string, ts: string): string {
  return `https://${String(fields['workspace'])}/archives/${channel}/p${ts.replace('.', '')}`;
}

/**
 * @param messages the first one and its replies, in their order
 * @returns undefined where nobody said anything
 */
export function conversationRecord(
  context: ProviderContext,
  { channel, name, people, readers }: Place,
  messages: readonly RawMessage[],
): SourceRecord | undefined {
  const [root] = messages;
  if (root === undefined) return undefined;
  const turns = messages.flatMap((message) => {
    const text = wordsOf(message, people);
    return text === '' ? [] : [{ speaker: authorOf(message, people), at: timeOf(message.ts), text }];
  });
  const [first] = turns;
  if (first === undefined) return undefined;
  const line = first.text.split('\n', 1)[0] ?? '';
  const url = pageOf(context, channel, root.ts);
  const body: Structured = {
    title: `${name}: ${line.length > 100 ? `${line.slice(0, 99)}…` : line}`,
    people: peopleIn(messages, people),
    thread: `${channel}/${root.ts}`,
    url,
    at: timeOf(root.ts),
    turns,
    facts: { channel: name },
  };
  return {
    externalId: `${channel}/${root.ts}`,
    kind: 'chat',
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(body)),
    labels: [name],
    ...(readers === undefined ? {} : { readers }),
  };
}

function peopleIn(messages: readonly RawMessage[], people: People): Person[] {
  const found = new Map<string, Person>();
  for (const message of messages) {
    const name = authorOf(message, people);
    const address = message.user == null ? undefined : people.addressOf(message.user);
    if (isTombstone(message) || name === '' || found.has(name)) continue;
    const role = found.size === 0 ? 'from' : 'speaker';
    found.set(name, { name, role, ...(address === undefined ? {} : { address }) });
  }
  return [...found.values()];
}

/** Below the conversation that it is in. */
const fileKey = (root: string, file: string): string => `${root}/${file}`;

/**
 * The files of a conversation, each as a record.
 * @param wanted by the key of a file: one that is known needs not be read again
 */
export async function* filesIn(
  context: ProviderContext,
  { channel, name, people, readers }: Place,
  messages: readonly RawMessage[],
  wanted: (key: string, message: RawMessage) => boolean,
): AsyncGenerator<{ key: string; record: SourceRecord | undefined }> {
  const root = messages[0]?.ts ?? '';
  for (const message of messages) {
    const author = authorOf(message, people);
    const address = message.user == null ? undefined : people.addressOf(message.user);
    for (const file of message.files) {
      const key = fileKey(root, file.id);
      if (!wanted(key, message)) {
        yield { key, record: undefined };
        continue;
      }
      const record = await fileRecord(context, file, {
        externalId: `${channel}/${key}`,
        threadId: `${channel}/${root}`,
        writtenAt: timeOf(message.ts),
        labels: [name],
        people: [{ name: author, role: 'from', ...(address === undefined ? {} : { address }) }],
        ...(readers === undefined ? {} : { readers }),
      });
      yield { key, record };
    }
  }
}
