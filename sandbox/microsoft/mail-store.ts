// What Exchange holds of one account's mail: folders, messages in them, and a log of changes that delta links
// point into.
import { payloadOf, snippetOf } from '../google/mail-message.ts';
import { parseAddresses } from '../mime.ts';
import type { Property } from './answers.ts';

export interface Folder {
  id: string;
  name: string;
  /** By which it can be asked for instead of its id: `inbox`. */
  wellKnown?: string;
  parent?: string;
}

export interface OutlookMessage {
  id: string;
  /** Grows with each that comes or moves. */
  at: number;
  folder: string;
  raw: Buffer;
  /** Integer ms. */
  received: number;
  read: boolean;
  draft: boolean;
  properties: Property[];
}

const wellKnown = {
  inbox: 'Inbox',
  sentitems: 'Sent Items',
  drafts: 'Drafts',
  archive: 'Archive',
  junkemail: 'Junk Email',
  deleteditems: 'Deleted Items',
  outbox: 'Outbox',
};

export class OutlookMailStore {
  readonly folders: Folder[] = [];
  readonly #messages = new Map<string, OutlookMessage>();
  readonly #shown = new WeakMap<Buffer, Record<string, unknown>>();
  #log: { folder: string; id: string }[] = [];
  #forgotten = 0;
  #numbers = 0;

  constructor() {
    for (const [name, title] of Object.entries(wellKnown)) {
      this.folders.push({ id: this.#nextId('F'), name: title, wellKnown: name });
    }
  }

  #nextId(letter: string): string {
    this.#numbers += 1;
    return `AAMkAGI2${letter}${String(this.#numbers).padStart(12, '0')}AAA=`;
  }

  addFolder(name: string, parent?: string): Folder {
    const folder = { id: this.#nextId('F'), name, ...(parent === undefined ? {} : { parent }) };
    this.folders.push(folder);
    return folder;
  }

  /** By its id, or the name that it is known by. */
  folder(given: string): Folder | undefined {
    return this.folders.find(({ id, wellKnown: known }) => id === given || known === given.toLowerCase());
  }

  /** Newest first. */
  messages(): OutlookMessage[] {
    return [...this.#messages.values()].sort((a, b) => b.received - a.received || b.at - a.at);
  }

  get(id: string): OutlookMessage | undefined {
    return this.#messages.get(id);
  }

  add(
    raw: Buffer,
    folder: string,
    given: { received: number; read?: boolean; draft?: boolean; properties?: Property[] },
  ): OutlookMessage {
    const id = this.#nextId('M');
    const { received, read = false, draft = false, properties = [] } = given;
    const held = this.folder(folder)?.id ?? folder;
    const message = { id, at: this.#numbers, folder: held, raw, received, read, draft, properties };
    this.#messages.set(id, message);
    this.#log.push({ folder: held, id });
    return message;
  }

  move(id: string, folder: string): void {
    const message = this.#messages.get(id);
    const to = this.folder(folder)?.id;
    if (message === undefined || to === undefined) return;
    this.#log.push({ folder: message.folder, id }, { folder: to, id });
    message.folder = to;
    this.#numbers += 1;
    message.at = this.#numbers;
  }

  remove(id: string): void {
    const message = this.#messages.get(id);
    if (message === undefined) return;
    this.#messages.delete(id);
    this.#log.push({ folder: message.folder, id });
  }

  get version(): number {
    return this.#log.length;
  }

  changedSince(folder: string, version: number): string[] | undefined {
    if (!(version >= this.#forgotten && version <= this.version)) return undefined;
    const changed = this.#log.slice(version).filter((entry) => entry.folder === folder);
    return [...new Set(changed.map(({ id }) => id))];
  }

  /** Delta links from before now are refused with 410. */
  forgetDeltas(): void {
    this.#log.push({ folder: '', id: '' });
    this.#forgotten = this.version;
  }

  /** As the API shows it. */
  shown(message: OutlookMessage): Record<string, unknown> {
    const known = this.#shown.get(message.raw) ?? about(message.raw);
    this.#shown.set(message.raw, known);
    const stamp = new Date(message.received).toISOString();
    return {
      id: message.id,
      '@odata.etag': `W/"${message.at}"`,
      parentFolderId: message.folder,
      receivedDateTime: stamp,
      sentDateTime: stamp,
      isRead: message.read,
      isDraft: message.draft,
      webLink: `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(message.id)}&exvsurl=1`,
      ...known,
    };
  }
}

/** What stands in the mail itself. */
function about(raw: Buffer): Record<string, unknown> {
  const payload = payloadOf(raw);
  const header = (name: string) => payload.headers.find((one) => one.name.toLowerCase() === name)?.value;
  const people = (name: string) =>
    parseAddresses(header(name)).map(({ name: called, email }) => ({
      emailAddress: { name: called ?? email, address: email },
    }));
  const [from] = people('from');
  const references = `${header('references') ?? ''} ${header('in-reply-to') ?? ''}`;
  const first = /<[^<>\s]+>/.exec(references)?.[0] ?? header('message-id') ?? '';
  return {
    subject: header('subject') ?? '',
    bodyPreview: snippetOf(payload),
    ...(from === undefined ? {} : { from, sender: from }),
    toRecipients: people('to'),
    ccRecipients: people('cc'),
    bccRecipients: people('bcc'),
    replyTo: people('reply-to'),
    conversationId: `AAQk${Buffer.from(first).toString('base64url').slice(0, 24)}`,
    internetMessageId: header('message-id') ?? '',
    hasAttachments: (payload.parts ?? []).some(({ filename }) => filename !== ''),
  };
}
