// What Gmail holds of one account: messages under labels, threads, drafts, and the history of changes.
import { fieldOf, parseFields, splitHeader } from '../mime.ts';
import { type Payload, payloadOf } from './mail-message.ts';

export interface GmailMessage {
  id: string;
  threadId: string;
  labels: Set<string>;
  raw: Buffer;
  /** Integer ms. */
  internalDate: number;
  /** Of its last change. */
  historyId: number;
}

export interface Change {
  id: number;
  kind: 'messagesAdded' | 'messagesDeleted' | 'labelsAdded' | 'labelsRemoved';
  message: { id: string; threadId: string; labelIds: string[] };
  labels: string[];
}

export const systemLabels = [
  'INBOX',
  'SENT',
  'DRAFT',
  'SPAM',
  'TRASH',
  'UNREAD',
  'STARRED',
  'IMPORTANT',
  'CHAT',
];

export class GmailStore {
  readonly email: string;
  /** Label id → name. */
  readonly userLabels = new Map<string, string>();
  /** Draft id → message id. */
  readonly drafts = new Map<string, string>();
  readonly #messages = new Map<string, GmailMessage>();
  readonly #payloads = new WeakMap<Buffer, Payload>();
  #history: Change[] = [];
  #historyId = 1000;
  #oldest = 0;
  #ids = 0x18f0a0000000000n;

  constructor(email: string) {
    this.email = email;
  }

  get historyId(): number {
    return this.#historyId;
  }

  nextId(): string {
    this.#ids += 1n;
    return this.#ids.toString(16);
  }

  /** Newest first, as Gmail lists them. */
  messages(): GmailMessage[] {
    return [...this.#messages.values()].sort(
      (a, b) => b.internalDate - a.internalDate || (a.id < b.id ? 1 : -1),
    );
  }

  get(id: string): GmailMessage | undefined {
    return this.#messages.get(id);
  }

  add(raw: Buffer, labels: Iterable<string>, at: number, given: { threadId?: string } = {}): GmailMessage {
    const id = this.nextId();
    const threadId = given.threadId ?? this.#threadOf(raw) ?? id;
    const message = { id, threadId, labels: new Set(labels), raw, internalDate: at, historyId: 0 };
    this.#messages.set(id, message);
    this.#note('messagesAdded', message, []);
    return message;
  }

  remove(id: string): boolean {
    const message = this.#messages.get(id);
    if (message === undefined) return false;
    this.#messages.delete(id);
    this.#note('messagesDeleted', message, []);
    return true;
  }

  label(message: GmailMessage, change: { add?: Iterable<string>; remove?: Iterable<string> }): void {
    const added = [...(change.add ?? [])].filter((label) => !message.labels.has(label));
    const removed = [...(change.remove ?? [])].filter((label) => message.labels.has(label));
    for (const label of added) message.labels.add(label);
    for (const label of removed) message.labels.delete(label);
    if (added.length > 0) this.#note('labelsAdded', message, added);
    if (removed.length > 0) this.#note('labelsRemoved', message, removed);
  }

  /** Changes after that point; undefined when it is unknown or forgotten. */
  changesSince(historyId: number): Change[] | undefined {
    if (!(historyId >= this.#oldest && historyId <= this.#historyId)) return undefined;
    return this.#history.filter(({ id }) => id > historyId);
  }

  /** What Gmail does after some days: points of the history before now are refused. */
  forgetHistory(): void {
    this.#historyId += 1;
    this.#oldest = this.#historyId;
    this.#history = [];
  }

  payload(message: GmailMessage): Payload {
    const known = this.#payloads.get(message.raw) ?? payloadOf(message.raw);
    this.#payloads.set(message.raw, known);
    return known;
  }

  headerOf(message: GmailMessage, name: string): string | undefined {
    return fieldOf(parseFields(splitHeader(message.raw).header), name);
  }

  #threadOf(raw: Buffer): string | undefined {
    const fields = parseFields(splitHeader(raw).header);
    const named = `${fieldOf(fields, 'in-reply-to') ?? ''} ${fieldOf(fields, 'references') ?? ''}`;
    const ids = new Set(named.match(/<[^<>\s]+>/g) ?? []);
    if (ids.size === 0) return undefined;
    for (const message of this.#messages.values()) {
      if (ids.has(this.headerOf(message, 'message-id') ?? '')) return message.threadId;
    }
    return undefined;
  }

  #note(kind: Change['kind'], message: GmailMessage, labels: string[]): void {
    this.#historyId += 7;
    message.historyId = this.#historyId;
    const { id, threadId } = message;
    this.#history.push({
      id: this.#historyId,
      kind,
      message: { id, threadId, labelIds: [...message.labels] },
      labels,
    });
  }
}
