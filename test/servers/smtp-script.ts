// An SMTP server that follows a script, for what no honest server does on demand: refuse one of several
// recipients, hang up after the mail, answer 4xx. It keeps every byte it was sent.
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface Script {
  extensions?: string[];
  /** Reply to RCPT TO of an address; default 250. */
  recipient?: (address: string) => string;
  /** Reply to MAIL FROM; default 250. */
  sender?: string;
  /** Reply to DATA; default 354. */
  data?: string;
  /** Reply to the end of the mail; `hang up` closes without a word. */
  end?: string;
  /** Closes the connection once so many bytes of the mail have come. */
  hangUpAfterBytes?: number;
  login?: string;
}

export interface ScriptedSmtp {
  port: number;
  /** Command lines, in order, log-in aside. */
  commands: string[];
  /** Recipients of each accepted or refused attempt, as they stood on the wire. */
  recipients: string[];
  /** Bytes after 354, up to the final dot. */
  body: string;
  /** The final dot arrived. */
  finished: boolean;
  /** Resolves when the client's connection is gone. */
  closed: Promise<void>;
  stop(): Promise<void>;
}

export async function startScripted(script: Script = {}): Promise<ScriptedSmtp> {
  let gone: () => void = () => undefined;
  const state: ScriptedSmtp = {
    port: 0,
    commands: [],
    recipients: [],
    body: '',
    finished: false,
    closed: new Promise((resolve) => {
      gone = resolve;
    }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => gone());
    converse(socket, script, state);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.port = (server.address() as AddressInfo).port;
  return state;
}

function converse(socket: Socket, script: Script, state: ScriptedSmtp): void {
  let rest = '';
  let inData = false;
  const say = (line: string) => socket.write(`${line}\r\n`);
  say('220 scripted ESMTP');
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (;;) {
      if (inData) {
        const end = `\r\n${rest}`.indexOf('\r\n.\r\n');
        if (script.hangUpAfterBytes !== undefined && rest.length >= script.hangUpAfterBytes) {
          state.body += rest;
          socket.destroy();
          return;
        }
        if (end < 0) return;
        state.body += rest.slice(0, Math.max(0, end - 2));
        state.finished = true;
        rest = rest.slice(end + 3);
        inData = false;
        if (script.end === 'hang up') {
          socket.destroy();
          return;
        }
        say(script.end ?? '250 2.0.0 taken');
        continue;
      }
      const at = rest.indexOf('\r\n');
      if (at < 0) return;
      const line = rest.slice(0, at);
      rest = rest.slice(at + 2);
      const verb = line.slice(0, 4).toUpperCase();
      if (verb !== 'AUTH') state.commands.push(line);
      if (verb === 'EHLO') {
        const lines = ['scripted', ...(script.extensions ?? []), 'AUTH PLAIN'];
        lines.forEach((text, index) => {
          say(`250${index === lines.length - 1 ? ' ' : '-'}${text}`);
        });
      } else if (verb === 'AUTH') say(script.login ?? '235 2.7.0 welcome');
      else if (verb === 'MAIL') say(script.sender ?? '250 2.1.0 ok');
      else if (verb === 'RCPT') {
        const address = /^RCPT TO:<(.*)>/i.exec(line)?.[1] ?? line;
        state.recipients.push(address);
        say(script.recipient?.(address) ?? '250 2.1.5 ok');
      } else if (verb === 'DATA') {
        const reply = script.data ?? '354 go on';
        say(reply);
        inData = reply.startsWith('3');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('502 5.5.1 not known here');
    }
  });
}
