// The commands of the sandbox's IMAP server, each with the state it needs and what it answers.
import { fetchItem, fetchItems, marksSeen } from './imap-fetch.ts';
import { compileSearch } from './imap-search.ts';
import type { ImapSession, Selected } from './imap-session.ts';
import { BadCommand, inSet, matchesPattern, parseDateTime, type Token, word } from './imap-syntax.ts';
import type { Account, Folder, StoredMessage } from './mailboxes.ts';
import { quote } from './mime.ts';

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

const noFolder = 'NO [NONEXISTENT] there is no such folder';

function login(session: ImapSession, user: string, password: string): Reply {
  const account = session.settings.mailboxes.byUser(user);
  if (account === undefined || account.password !== password) {
    return 'NO [AUTHENTICATIONFAILED] wrong user or password';
  }
  session.account = account;
  return `OK [CAPABILITY ${session.settings.capabilities.join(' ')}] signed in`;
}

function accountOf(session: ImapSession): Account {
  if (session.account === undefined) throw new Error('not signed in');
  return session.account;
}

function openFolder(session: ImapSession): Selected {
  if (session.selected === undefined) throw new Error('no folder is selected');
  return session.selected;
}

function folderFlags(folder: Folder): string {
  return ['\\HasNoChildren', ...(folder.specialUse === undefined ? [] : [folder.specialUse])].join(' ');
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

const flagsOf = (token: Token | undefined): string[] =>
  (Array.isArray(token) ? token : [word(token, 'flags')]).map((flag) => word(flag, 'a flag'));

function select(readOnly: boolean): Command {
  return {
    needs: 'login',
    run(session, { args }) {
      const folder = accountOf(session).folder(word(args[0], 'a folder'));
      session.closeFolder();
      if (folder === undefined) return noFolder;
      if (Array.isArray(args[1])) session.condstore = true;
      session.open(folder, readOnly);
      const unseen = folder.messages.findIndex((message) => !message.flags.has('\\Seen'));
      const flags = '\\Answered \\Flagged \\Deleted \\Seen \\Draft';
      session.send(`* FLAGS (${flags})`);
      session.send(`* OK [PERMANENTFLAGS (${readOnly ? '' : `${flags} \\*`})] kept flags`);
      session.send(`* ${folder.messages.length} EXISTS`);
      session.send('* 0 RECENT');
      if (unseen >= 0) session.send(`* OK [UNSEEN ${unseen + 1}] first unseen`);
      session.send(`* OK [UIDVALIDITY ${folder.uidValidity}] UIDs are valid`);
      session.send(`* OK [UIDNEXT ${folder.uidNext}] next UID`);
      if (session.settings.capabilities.includes('CONDSTORE')) {
        session.send(`* OK [HIGHESTMODSEQ ${folder.highestModseq}] highest`);
      }
      return `OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] opened`;
    },
  };
}

function list(kind: 'LIST' | 'LSUB'): Command {
  return {
    needs: 'login',
    run(session, { args }) {
      const pattern = word(args[0], 'a reference') + word(args[1], 'a pattern');
      if (pattern === '') {
        session.send(`* ${kind} (\\Noselect) "/" ""`);
        return 'OK listed';
      }
      for (const folder of accountOf(session).folders.values()) {
        if (matchesPattern(folder.name, pattern)) {
          session.send(`* ${kind} (${folderFlags(folder)}) "/" ${quote(folder.name)}`);
        }
      }
      return 'OK listed';
    },
  };
}

const statusItems: Record<string, (folder: Folder) => number> = {
  MESSAGES: (folder) => folder.messages.length,
  RECENT: () => 0,
  UIDNEXT: (folder) => folder.uidNext,
  UIDVALIDITY: (folder) => folder.uidValidity,
  UNSEEN: (folder) => folder.messages.filter((message) => !message.flags.has('\\Seen')).length,
  HIGHESTMODSEQ: (folder) => folder.highestModseq,
};

async function idle(session: ImapSession): Promise<Reply> {
  session.send('+ idling');
  session.tellChanges();
  session.watch(() => session.tellChanges());
  const line = await session.nextLine();
  session.watch(undefined);
  return line.toUpperCase() === 'DONE' ? 'OK idled' : 'BAD expected DONE';
}

function fetchMessages(session: ImapSession, { args, uid }: Given): Reply {
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

function store(session: ImapSession, { args, uid }: Given): Reply {
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

function search(session: ImapSession, { args, uid }: Given): Reply {
  const { view } = openFolder(session);
  const fits = compileSearch(args, view);
  const numbers = view.flatMap((message, index) =>
    fits(message, index + 1) ? [uid ? message.uid : index + 1] : [],
  );
  session.send(['* SEARCH', ...numbers].join(' '));
  return 'OK searched';
}

function expunge(session: ImapSession, { args, uid }: Given): Reply {
  const open = openFolder(session);
  if (open.readOnly) return 'NO [READ-ONLY] opened for reading';
  const among = uid ? pick(open, word(args[0], 'a UID set'), true).map(([message]) => message) : open.view;
  for (const message of [...among]) if (message.flags.has('\\Deleted')) open.folder.remove(message);
  return 'OK expunged';
}

function transfer(move: boolean): Command {
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

function append(session: ImapSession, { args }: Given): Reply {
  const folder = accountOf(session).folder(word(args[0], 'a folder'));
  if (folder === undefined) return 'NO [TRYCREATE] there is no such folder';
  const rest = args.slice(1);
  const flags = Array.isArray(rest[0]) ? flagsOf(rest.shift()) : [];
  const date = rest.length > 1 ? parseDateTime(word(rest.shift(), 'a date')) : session.settings.clock.now();
  const message = folder.add(Buffer.from(word(rest[0], 'a message'), 'latin1'), date, flags);
  return `OK [APPENDUID ${folder.uidValidity} ${message.uid}] appended`;
}

const nothing = (needs: Command['needs'], reply: string): Command => ({ needs, run: () => reply });

export const commands: Record<string, Command | undefined> = {
  CAPABILITY: {
    needs: 'nothing',
    run(session) {
      session.send(`* CAPABILITY ${session.settings.capabilities.join(' ')}`);
      return 'OK listed';
    },
  },
  NOOP: nothing('nothing', 'OK nothing done'),
  CHECK: nothing('folder', 'OK checked'),
  ID: {
    needs: 'nothing',
    run(session) {
      session.send('* ID ("name" "Drawbridge sandbox")');
      return 'OK introduced';
    },
  },
  LOGOUT: {
    needs: 'nothing',
    run(session) {
      session.send('* BYE until next time');
      return 'OK signed out';
    },
  },
  LOGIN: {
    needs: 'nothing',
    run: (session, { args }) => login(session, word(args[0], 'a user'), word(args[1], 'a password')),
  },
  AUTHENTICATE: {
    needs: 'nothing',
    async run(session, { args }) {
      if (word(args[0], 'a mechanism').toUpperCase() !== 'PLAIN') return 'NO no such mechanism';
      if (args[1] === undefined) session.send('+ ');
      const answer = args[1] === undefined ? await session.nextLine() : word(args[1], 'a response');
      const [, user = '', password = ''] = Buffer.from(answer, 'base64').toString('utf8').split('\0');
      return login(session, user, password);
    },
  },
  NAMESPACE: {
    needs: 'login',
    run(session) {
      session.send('* NAMESPACE (("" "/")) NIL NIL');
      return 'OK named';
    },
  },
  ENABLE: {
    needs: 'login',
    run(session, { args }) {
      const enabled = args.filter((name) => String(name).toUpperCase() === 'CONDSTORE');
      if (enabled.length > 0) session.condstore = true;
      session.send(['* ENABLED', ...enabled].join(' '));
      return 'OK enabled';
    },
  },
  LIST: list('LIST'),
  LSUB: list('LSUB'),
  STATUS: {
    needs: 'login',
    run(session, { args }) {
      const folder = accountOf(session).folder(word(args[0], 'a folder'));
      if (folder === undefined) return noFolder;
      const values = flagsOf(args[1]).map((item) => {
        const value = statusItems[item.toUpperCase()];
        if (value === undefined) throw new BadCommand(`unknown status item ${item}`);
        return `${item.toUpperCase()} ${value(folder)}`;
      });
      session.send(`* STATUS ${quote(folder.name)} (${values.join(' ')})`);
      return 'OK told';
    },
  },
  CREATE: {
    needs: 'login',
    run: (session, { args }) =>
      accountOf(session).create(word(args[0], 'a folder')) === undefined
        ? 'NO [ALREADYEXISTS] the folder exists'
        : 'OK created',
  },
  SUBSCRIBE: nothing('login', 'OK every folder is subscribed'),
  UNSUBSCRIBE: nothing('login', 'OK every folder stays subscribed'),
  SELECT: select(false),
  EXAMINE: select(true),
  CLOSE: {
    needs: 'folder',
    run(session, given) {
      if (!openFolder(session).readOnly) expunge(session, { ...given, uid: false });
      session.closeFolder();
      return 'OK closed';
    },
  },
  UNSELECT: {
    needs: 'folder',
    run(session) {
      session.closeFolder();
      return 'OK closed';
    },
  },
  IDLE: { needs: 'login', run: idle },
  FETCH: { needs: 'folder', run: fetchMessages },
  STORE: { needs: 'folder', run: store },
  SEARCH: { needs: 'folder', run: search },
  EXPUNGE: { needs: 'folder', run: expunge },
  COPY: transfer(false),
  MOVE: transfer(true),
  APPEND: { needs: 'login', run: append },
};
