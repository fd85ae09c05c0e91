// The mail that the sandbox holds: accounts, folders and messages, with the numbers IMAP promises
// (UIDs that only grow, a MODSEQ a change). SMTP delivers into it, IMAP shows it.
import { EventEmitter } from 'node:events';

export interface StoredMessage {
  uid: number;
  /** Without \Recent; system flags begin with a backslash. */
  flags: Set<string>;
  /** Integer ms. */
  internalDate: number;
  raw: Buffer;
  modseq: number;
}

export class Folder {
  readonly name: string;
  /** `\Sent` and its kin (RFC 6154), or undefined. */
  readonly specialUse: string | undefined;
  readonly messages: StoredMessage[] = [];
  readonly changes = new EventEmitter().setMaxListeners(0);
  uidValidity: number;
  uidNext = 1;
  highestModseq = 1;

  constructor(name: string, uidValidity: number, specialUse?: string) {
    this.name = name;
    this.uidValidity = uidValidity;
    this.specialUse = specialUse;
  }

  add(raw: Buffer, internalDate: number, flags: Iterable<string> = []): StoredMessage {
    const message = { uid: this.uidNext, flags: new Set(flags), internalDate, raw, modseq: this.#bump() };
    this.uidNext += 1;
    this.messages.push(message);
    this.changes.emit('change');
    return message;
  }

  setFlags(message: StoredMessage, flags: Iterable<string>): void {
    message.flags = new Set(flags);
    message.modseq = this.#bump();
    this.changes.emit('change');
  }

  remove(message: StoredMessage): void {
    const at = this.messages.indexOf(message);
    if (at < 0) return;
    this.messages.splice(at, 1);
    this.#bump();
    this.changes.emit('change');
  }

  /** What a server does after it lost its index: every UID is new, under a new UIDVALIDITY. */
  renumber(): void {
    this.uidValidity += 1;
    this.uidNext = 1;
    for (const message of this.messages) {
      message.uid = this.uidNext;
      message.modseq = this.#bump();
      this.uidNext += 1;
    }
    this.changes.emit('change');
  }

  #bump(): number {
    this.highestModseq += 1;
    return this.highestModseq;
  }
}

export class Account {
  readonly user: string;
  readonly password: string;
  /** Lower-case addresses whose mail arrives here. */
  readonly addresses: ReadonlySet<string>;
  readonly folders = new Map<string, Folder>();

  constructor(user: string, password: string, addresses: Iterable<string>, uidValidity: number) {
    this.user = user;
    this.password = password;
    this.addresses = new Set([...addresses].map((address) => address.toLowerCase()));
    const uses: [string, string | undefined][] = [
      ['INBOX', undefined],
      ['Archive', '\\Archive'],
      ['Drafts', '\\Drafts'],
      ['Junk', '\\Junk'],
      ['Sent', '\\Sent'],
      ['Trash', '\\Trash'],
    ];
    for (const [name, use] of uses) this.folders.set(name, new Folder(name, uidValidity, use));
  }

  /** INBOX is spelt in any case (RFC 3501 5.1). */
  folder(name: string): Folder | undefined {
    return this.folders.get(name.toUpperCase() === 'INBOX' ? 'INBOX' : name);
  }

  create(name: string): Folder | undefined {
    if (this.folder(name) !== undefined) return undefined;
    const folder = new Folder(name, this.inbox.uidValidity);
    this.folders.set(name, folder);
    return folder;
  }

  get inbox(): Folder {
    const inbox = this.folders.get('INBOX');
    if (inbox === undefined) throw new Error(`the account ${this.user} has no INBOX`);
    return inbox;
  }
}

export class Mailboxes {
  readonly accounts: Account[] = [];
  /** Where mail to anyone else arrives: the clients of the story, so that it can be shown. */
  catchAll: Account | undefined;

  byUser(user: string): Account | undefined {
    return this.accounts.find((account) => account.user.toLowerCase() === user.toLowerCase());
  }

  byAddress(address: string): Account | undefined {
    return this.accounts.find((account) => account.addresses.has(address.toLowerCase())) ?? this.catchAll;
  }

  /** Puts `raw` into the INBOX of each recipient's account, once an account. */
  deliver(recipients: Iterable<string>, raw: Buffer, now: number): void {
    const accounts = new Set([...recipients].map((recipient) => this.byAddress(recipient)));
    for (const account of accounts) account?.inbox.add(raw, now);
  }
}
