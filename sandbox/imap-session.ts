// One client's conversation with the sandbox's IMAP server: reads commands, keeps the state of RFC 3501
// chapter 3, and tells of changes only where the protocol allows it.
import type { Socket } from 'node:net';
import type { Clock } from '../src/clock.ts';
import type { Faults } from './faults.ts';
import { commands } from './imap-commands.ts';
import type { Command, Reply } from './imap-messages.ts';
import { BadCommand, tokenize } from './imap-syntax.ts';
import type { Account, Folder, Mailboxes, StoredMessage } from './mailboxes.ts';

export interface ImapSettings {
  clock: Clock;
  mailboxes: Mailboxes;
  capabilities: readonly string[];
  tellsNextUid: boolean;
  faults: Faults;
  heard(command: string): void;
}

/** The folder a client has open. `view` is what it has been told: its sequence numbers count in it. */
export interface Selected {
  folder: Folder;
  readOnly: boolean;
  view: StoredMessage[];
  /** MODSEQ up to which flag changes have been told. */
  told: number;
}

// During these a server must not renumber messages (RFC 3501 7.4.1).
const keepsNumbers = new Set(['FETCH', 'STORE', 'SEARCH']);

export class ImapSession {
  readonly settings: ImapSettings;
  readonly #socket: Socket;
  #input = Buffer.alloc(0);
  #literal = '';
  #awaited = 0;
  #work: Promise<void> = Promise.resolve();
  #line: ((line: string) => void) | undefined;
  #onChange: (() => void) | undefined;
  account: Account | undefined;
  selected: Selected | undefined;
  condstore = false;

  constructor(socket: Socket, settings: ImapSettings) {
    this.#socket = socket;
    this.settings = settings;
    // A client that goes away mid-answer is its own affair.
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => this.#receive(bytes));
    this.send(`* OK [CAPABILITY ${settings.capabilities.join(' ')}] Sandbox mail is ready`);
  }

  /** One response line, latin1. */
  send(line: string): void {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.from(`${line}\r\n`, 'latin1'));
  }

  /** Takes the next raw line instead of reading it as a command (AUTHENTICATE, IDLE). */
  nextLine(): Promise<string> {
    return new Promise((resolve) => {
      this.#line = resolve;
      this.#drain();
    });
  }

  open(folder: Folder, readOnly: boolean): void {
    this.closeFolder();
    this.selected = { folder, readOnly, view: [...folder.messages], told: folder.highestModseq };
  }

  closeFolder(): void {
    this.watch(undefined);
    this.selected = undefined;
  }

  /** Calls `onChange` at each change of the open folder, until called with undefined. */
  watch(onChange: (() => void) | undefined): void {
    const changes = this.selected?.folder.changes;
    if (this.#onChange !== undefined) changes?.off('change', this.#onChange);
    this.#onChange = onChange;
    if (onChange !== undefined) changes?.on('change', onChange);
  }

  /** Tells what changed in the open folder since the client last heard. */
  tellChanges(): void {
    const open = this.selected;
    if (open === undefined) return;
    const present = new Set(open.folder.messages);
    for (let i = open.view.length - 1; i >= 0; i -= 1) {
      const message = open.view[i];
      if (message === undefined || present.has(message)) continue;
      open.view.splice(i, 1);
      this.send(`* ${i + 1} EXPUNGE`);
    }
    for (const [index, message] of open.view.entries()) {
      if (message.modseq <= open.told) continue;
      const modseq = this.condstore ? ` MODSEQ (${message.modseq})` : '';
      this.send(`* ${index + 1} FETCH (UID ${message.uid} FLAGS (${[...message.flags].join(' ')})${modseq})`);
    }
    if (open.folder.messages.length > open.view.length) {
      open.view = [...open.folder.messages];
      this.send(`* ${open.view.length} EXISTS`);
    }
    open.told = open.folder.highestModseq;
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.closeFolder();
  }

  #receive(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    this.#drain();
  }

  #drain(): void {
    for (;;) {
      if (this.#awaited > 0) {
        if (this.#input.length < this.#awaited) return;
        this.#literal += this.#input.subarray(0, this.#awaited).toString('latin1');
        this.#input = this.#input.subarray(this.#awaited);
        this.#awaited = 0;
      }
      const end = this.#input.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#input.subarray(0, end).toString('latin1');
      this.#input = this.#input.subarray(end + 2);
      const taker = this.#line;
      if (taker !== undefined) {
        this.#line = undefined;
        taker(line);
        continue;
      }
      const literal = /\{(\d+)(\+?)\}$/.exec(line);
      this.#literal += line;
      if (literal !== null) {
        this.#literal += '\r\n';
        this.#awaited = Number(literal[1]);
        if (literal[2] === '') this.send('+ go on');
        continue;
      }
      const whole = this.#literal;
      this.#literal = '';
      // AUTHENTICATE and IDLE take lines of their own: the next command waits for this one to end.
      this.#work = this.#work.then(() => this.#run(whole));
    }
  }

  async #run(text: string): Promise<void> {
    const tag = /^[^\s]+/.exec(text)?.[0] ?? '*';
    try {
      const [, first, ...rest] = tokenize(text);
      let name = typeof first === 'string' ? first.toUpperCase() : '';
      const uid = name === 'UID';
      if (uid) name = String(rest.shift() ?? '').toUpperCase();
      const label = uid ? `UID ${name}` : name;
      this.settings.heard(label);
      const command = commands[name];
      if (command === undefined) throw new BadCommand(`unknown command ${label}`);
      const reply = await this.#withFaults(label, () => this.#judged(command, { tag, args: rest, uid }));
      if (reply === undefined) return;
      if (uid || !keepsNumbers.has(name)) this.tellChanges();
      this.send(`${tag} ${reply}`);
      if (name === 'LOGOUT') this.end();
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.send(`${tag} ${thrown instanceof BadCommand ? 'BAD' : 'NO [SERVERBUG]'} ${message}`);
    }
  }

  async #judged(command: Command, given: Parameters<Command['run']>[1]): Promise<Reply> {
    if (command.needs !== 'nothing' && this.account === undefined) return 'NO please log in first';
    if (command.needs === 'folder' && this.selected === undefined) return 'BAD no folder is selected';
    return await command.run(this, given);
  }

  async #withFaults(label: string, work: () => Promise<Reply>): Promise<string | undefined> {
    const fault = this.settings.faults.take(label);
    if (fault?.kind === 'hold') await fault.until;
    if (fault?.kind === 'refuse') return `NO ${fault.text ?? '[UNAVAILABLE] ordered to fail'}`;
    if (fault?.kind === 'garble') return fault.body;
    if (fault?.kind === 'drop') {
      if (fault.after === 'effect') await work();
      this.#socket.destroy();
      return undefined;
    }
    return await work();
  }
}
