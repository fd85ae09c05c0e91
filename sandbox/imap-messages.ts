// What a client does with messages on the sandbox's IMAP server: fetch, flag, search, copy, move, expunge,
// append.
import { fetchItem, fetchItems, marksSeen } from './imap-fetch.ts';
import { compileSearch } from './imap-search.ts';
import type { ImapSession, Selected } from './imap-session.ts';
import { BadCommand, inSet, parseDateTime, type Token, word } from './imap-syntax.ts';
import type { Account, StoredMessage } from './mailboxes.ts';

/** The tagged answer without its tag: `OK …`, `NO …`, `BAD …`. */
export type Reply = string;

export interface Given {
  tag: string;
  args: Token[];
  uid: boolean;
}

export interface Command {
  needs: 'nothing' | 'login' | 'folder';
  run(session: ImapSession, given: Given): Reply | Promise<Reply>;
}

export const noFolder = 'NO [NONEXISTENT] there is no such folder';

export function accountOf(session: ImapSession): Account {
  if (session.account === undefined) throw new Error('not signed in');
  return session.account;
}

export function openFolder(session: ImapSession): Selected {
  if (session.selected === undefined) throw new Error('no folder is selected');
  return session.selected;
}

/** Messages of the client's view that a set names, with their sequence numbers. */
function pick(open: Selected, set: string, uid: boolean): [StoredMessage, number][] {
  const largest = uid ? (open.view.at(-1)?.uid ?? 0) : open.view.length;
  const wanted = inSet(set, largest);
  return open.view
    .map((message, index): [StoredMessage, number] => [message, index + 1])
    .filter(([message, sequence]) => wanted(uid ? message.uid : sequence));
}

/** `(CHANGEDSINCE 12)` as 12. */
function modifier(token: Token | undefined, name: string): number | undefined {
  if (!Array.isArray(token)) return undefined;
  const at = token.findIndex((item) => typeof item === 'string' && item.toUpperCase() === name);
  return at < 0 ? undefined : Number(word(token[at + 1], 'a mod-sequence'));
}

export const flagsOf = (token: Token | undefined): string[] =>
  (Array.isArray(token) ? token : [word(token, 'flags')]).map((flag) => word(flag, 'a flag'));

export function fetchMessages(session: ImapSession, { args, uid }: Given): Reply {
  const open = openFolder(session);
  const items = fetchItems(args[1]);
  const since = modifier(args[2], 'CHANGEDSINCE');
  if (uid && !items.some((item) => item.toUpperCase() === 'UID')) items.unshift('UID');
  if (since !== undefined) {
    session.condstore = true;
    if (!items.some((item) => item.toUpperCase() === 'MODSEQ')) items.push('MODSEQ');
  }
  for (const [message, sequence] of pick(open, word(args[0], 'a sequence set'), uid)) {
    if (since !== undefined && message.modseq <= since) continue;
    if (!open.readOnly && !message.flags.has('\\Seen') && items.some(marksSeen)) {
      open.folder.setFlags(message, [...message.flags, '\\Seen']);
    }
    session.send(`* ${sequence} FETCH (${items.map((item) => fetchItem(message, item)).join(' ')})`);
  }
  return 'OK fetched';
}

export function store(session: ImapSession, { args, uid }: Given): Reply {
  const open = openFolder(session);
  if (open.readOnly) return 'NO [READ-ONLY] opened for reading';
  const rest = args.slice(1);
  const unchangedSince = modifier(rest[0], 'UNCHANGEDSINCE');
  if (unchangedSince !== undefined) rest.shift();
  const verb = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(word(rest[0], 'FLAGS'));
  if (verb === null) throw new BadCommand('expected FLAGS');
  const flags = flagsOf(rest[1]);
  const modified: number[] = [];
  for (const [message, sequence] of pick(open, word(args[0], 'a sequence set'), uid)) {
    if (unchangedSince !== undefined && message.modseq > unchangedSince) {
      modified.push(uid ? message.uid : sequence);
      continue;
    }
    const kept = [...message.flags].filter((flag) => !flags.includes(flag));
    const next = verb[1] === '' ? flags : verb[1] === '+' ? [...kept, ...flags] : kept;
    open.folder.setFlags(message, next);
    const modseq = session.condstore ? ` MODSEQ (${message.modseq})` : '';
    if (verb[2] === undefined) {
      session.send(`* ${sequence} FETCH (UID ${message.uid} FLAGS (${next.join(' ')})${modseq})`);
    }
  }
  open.told = open.folder.highestModseq;
  return modified.length === 0 ? 'OK stored' : `OK [MODIFIED ${modified.join(',')}] stored the others`;
}

export function search(session: ImapSession, { args, uid }: Given): Reply {
  const { view } = openFolder(session);
  const fits = compileSearch(args, view);
  const numbers = view.flatMap((message, index) =>
    fits(message, index + 1) ? [uid ? message.uid : index + 1] : [],
  );
  session.send(['* SEARCH', ...numbers].join(' '));
  return 'OK searched';
}

export function expunge(session: ImapSession, { args, uid }: Given): Reply {
  const open = openFolder(session);
  if (open.readOnly) return 'NO [READ-ONLY] opened for reading';
  const among = uid ? pick(open, word(args[0], 'a UID set'), true).map(([message]) => message) : open.view;
  for (const message of [...among]) if (message.flags.has('\\Deleted')) open.folder.remove(message);
  return 'OK expunged';
}

export function transfer(move: boolean): Command {
  return {
    needs: 'folder',
    run(session, { args, uid }) {
      const open = openFolder(session);
      const target = accountOf(session).folder(word(args[1], 'a folder'));
      if (target === undefined) return noFolder.replace('NONEXISTENT', 'TRYCREATE');
      const from: number[] = [];
      const to: number[] = [];
      for (const [message] of pick(open, word(args[0], 'a sequence set'), uid)) {
        from.push(message.uid);
        to.push(target.add(message.raw, message.internalDate, message.flags).uid);
        if (move) open.folder.remove(message);
      }
      if (from.length === 0) return 'OK nothing to copy';
      const code = `[COPYUID ${target.uidValidity} ${from.join(',')} ${to.join(',')}]`;
      if (!move) return `OK ${code} copied`;
      session.send(`* OK ${code} moved`);
      return 'OK moved';
    },
  };
}

export function append(session: ImapSession, { args }: Given): Reply {
  const folder = accountOf(session).folder(word(args[0], 'a folder'));
  if (folder === undefined) return 'NO [TRYCREATE] there is no such folder';
  const rest = args.slice(1);
  const flags = Array.isArray(rest[0]) ? flagsOf(rest.shift()) : [];
  const date = rest.length > 1 ? parseDateTime(word(rest.shift(), 'a date')) : session.settings.clock.now();
  const message = folder.add(Buffer.from(word(rest[0], 'a message'), 'latin1'), date, flags);
  return `OK [APPENDUID ${folder.uidValidity} ${message.uid}] appended`;
}
