// The commands of the sandbox's IMAP server, each with the state it needs and what it answers.
import {
  accountOf,
  append,
  type Command,
  expunge,
  fetchMessages,
  flagsOf,
  noFolder,
  openFolder,
  type Reply,
  search,
  store,
  transfer,
} from './imap-messages.ts';
import type { ImapSession } from './imap-session.ts';
import { BadCommand, matchesPattern, word } from './imap-syntax.ts';
import type { Folder } from './mailboxes.ts';
import { quote } from './mime.ts';

function login(session: ImapSession, user: string, password: string): Reply {
  const account = session.settings.mailboxes.byUser(user);
  if (account === undefined || account.password !== password) {
    return 'NO [AUTHENTICATIONFAILED] wrong user or password';
  }
  session.account = account;
  return `OK [CAPABILITY ${session.settings.capabilities.join(' ')}] signed in`;
}

function folderFlags(folder: Folder): string {
  return ['\\HasNoChildren', ...(folder.specialUse === undefined ? [] : [folder.specialUse])].join(' ');
}

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
      if (session.settings.tellsNextUid) session.send(`* OK [UIDNEXT ${folder.uidNext}] next UID`);
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
