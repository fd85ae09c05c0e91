// `reranker`: a second model that reads the first passages of an answer and puts them in order. None, unless a person
// chooses one: all but a local one are sent those passages.
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { toDrawbridgeError } from '../../errors.ts';
import { off } from '../../memory/rerank/reranker.ts';
import { rerankerKinds } from '../../memory/rerank/settings.ts';
import type { Rooms } from '../../rooms.ts';
import { openSession, positive, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { keyFrom } from './key-file.ts';

interface Given {
  json?: boolean;
  url?: string;
  model?: string;
  folder?: string;
  precision?: string;
  passages?: string;
  tokens?: string;
  timeout?: string;
  keyFile?: string;
}

async function show({ output }: Session, { reranking, org }: Rooms): Promise<void> {
  const chosen = await reranking.chosen(org);
  if (chosen === undefined) {
    if (output.json) output.value({ name: null });
    else output.line('None: passages stand as memory ranks them, and nothing is sent.');
    return;
  }
  const { name, host, settings, by } = chosen;
  const asked = await reranking.probe(org, chosen).then(
    (ms) => ({ answeredInMs: Math.round(ms) }),
    (thrown: unknown) => {
      const { code, message } = toDrawbridgeError(thrown);
      return { error: { code, message } };
    },
  );
  if (output.json) {
    output.value({ name, by, sentTo: host ?? null, settings, ...asked });
    return;
  }
  const whose = by === 'environment' ? '  (as DRAWBRIDGE_RERANKER says)' : '';
  output.line(`${output.style('bold', shownLine(name))}${whose}`);
  output.line(
    host === undefined
      ? '  Runs on this machine: nothing is sent.'
      : `  Each question and the first ${settings.passages} passages found for it are sent to ${shownLine(host)}, without what is hidden from agents.`,
  );
  output.line(
    'error' in asked
      ? `  ${asked.error.code}: ${shownLine(asked.error.message)}`
      : `  Answered two passages in ${asked.answeredInMs} ms; an answer waits ${settings.timeoutMs} ms at most.`,
  );
}

async function status(options: Given): Promise<void> {
  const session = openSession(options);
  await withRooms(session, (rooms) => show(session, rooms));
}

function settingsOf(kind: string, given: Given): unknown {
  if (kind === off || kind === 'environment') return kind;
  if (!(rerankerKinds as readonly string[]).includes(kind))
    throw usageError(`${kind}: is none of ${[off, ...rerankerKinds, 'environment'].join(', ')}.`);
  const count = (flag: string, text: string | undefined) =>
    text === undefined ? undefined : positive(flag)(text);
  const folder = given.folder === undefined ? undefined : resolve(given.folder);
  const settings = {
    kind,
    url: given.url,
    model: given.model ?? (folder === undefined ? undefined : basename(folder)),
    folder,
    precision: given.precision,
    passages: count('--passages', given.passages),
    tokens: count('--tokens', given.tokens),
    timeoutMs: count('--timeout', given.timeout),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

async function set(kind: string, given: Given): Promise<void> {
  const session = openSession(given);
  const settings = settingsOf(kind, given);
  const key = await keyFrom(given.keyFile);
  await withRooms(session, async (rooms) => {
    // Which server reads an org's text is for its people to say.
    await refuseBelowAgent('reranker set', await stdioServers(rooms.store));
    await rooms.reranking.set(rooms.org, rooms.owner, { settings, key, channel: 'terminal' });
    await show(session, rooms);
  });
}

export function declare(command: Command): void {
  const json = ['--json', 'answer as JSON'] as const;
  command
    .command('status', { isDefault: true })
    .alias('show')
    .description('which reranker there is, what it is sent, and whether it answers')
    .option(...json)
    .action(status);
  command
    .command('set')
    .description('choose a reranker: it is asked once, and nothing changes unless it answers')
    .argument('<kind>', `${off}, ${rerankerKinds.join(', ')}; environment: what DRAWBRIDGE_RERANKER says`)
    .option('--url <address>', 'of its server, up to what stands before /rerank')
    .option('--model <name>', 'as the server names it')
    .option('--key-file <path>', 'the key of the server, in a file; - for standard input')
    .option('--folder <path>', 'local: where the model is')
    .option('--precision <kind>', 'local: fp32, fp16, q8, int8, uint8 or q4')
    .option('--passages <n>', 'how many of an answer are put in order, at most 40 (default: 30)')
    .option('--tokens <n>', 'most tokens of a question and a passage together')
    .option('--timeout <ms>', 'how long an answer waits for it (default: 1500)')
    .option(...json)
    .action(set);
}
