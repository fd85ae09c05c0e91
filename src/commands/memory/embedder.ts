// `embedder`: what turns text into vectors for search. Choosing another one embeds everything anew in the background,
// switches when that is done, and can be undone.
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import type { EmbedderStatus } from '../../memory/embed/embedder-status.ts';
import { builtIn, embedderKinds } from '../../memory/embed/settings.ts';
import type { Rooms } from '../../rooms.ts';
import { iso } from '../../time.ts';
import {
  interruption,
  openSession,
  positive,
  type Session,
  stdioServers,
  usageError,
  withRooms,
} from '../command.ts';
import { createProgress } from '../terminal/progress.ts';
import { shownLine } from '../terminal/shown.ts';
import { keyFrom } from './key-file.ts';

interface Common {
  json?: boolean;
}
interface Given extends Common {
  url?: string;
  model?: string;
  folder?: string;
  function?: string;
  dimensions?: string;
  tokens?: string;
  texts?: string;
  passagePrefix?: string;
  questionPrefix?: string;
  pooling?: string;
  precision?: string;
  keyFile?: string;
  now?: boolean;
}

const channel = 'terminal';
const drawEveryMs = 500;

const percent = ({ done, total }: EmbedderStatus): number =>
  total === 0 ? 100 : Math.floor((done / total) * 1000) / 10;

function jsonOf(status: EmbedderStatus): object {
  const { retryAt, purgeAt, error } = status;
  return {
    ...status,
    percent: percent(status),
    ...(error === undefined ? {} : { error: { ...error, at: iso(error.at) } }),
    ...(retryAt === undefined ? {} : { retryAt: iso(retryAt) }),
    ...(purgeAt === undefined ? {} : { purgeAt: iso(purgeAt) }),
  };
}

const words: Record<EmbedderStatus['state'], string> = {
  current: 'answers',
  building: 'being made',
  former: 'kept to go back to',
  purging: 'being removed',
  ready: 'always there to go back to',
  waiting: 'is what the environment says, and could not be asked yet',
};

function show({ output }: Session, listed: readonly EmbedderStatus[]): void {
  if (output.json) {
    output.value(listed.map(jsonOf));
    return;
  }
  for (const one of listed) {
    const { name, state, done, total, refused, error, retryAt, purgeAt } = one;
    const counted =
      state === 'current' || state === 'building' ? `  ${done} of ${total} passages (${percent(one)} %)` : '';
    output.line(`${output.style('bold', shownLine(name))}  ${words[state]}${counted}`);
    if (refused > 0) output.line(`  ${refused} passages were refused by the model: found by words alone.`);
    if (error !== undefined) {
      output.line(`  ${iso(error.at)}  ${error.code}: ${shownLine(error.message)}`);
      if (retryAt !== undefined) output.line(`  Tried again from ${iso(retryAt)} on.`);
    }
    if (purgeAt !== undefined)
      output.line(`  Its vectors go ${iso(purgeAt)}; at once: drawbridge embedder purge`);
  }
}

/** Which server reads an org's text is for its people to say. */
async function asPerson(session: Session, act: string, work: (rooms: Rooms) => Promise<void>): Promise<void> {
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(`embedder ${act}`, await stdioServers(rooms.store));
    await work(rooms);
  });
}

async function status(options: Common): Promise<void> {
  const session = openSession(options);
  await withRooms(session, async ({ embedding, org }) => show(session, await embedding.status(org)));
}

function settingsOf(kind: string, given: Given): unknown {
  if (kind === builtIn || kind === 'environment') return kind;
  if (!(embedderKinds as readonly string[]).includes(kind))
    throw usageError(`${kind}: is none of ${[builtIn, ...embedderKinds, 'environment'].join(', ')}.`);
  const { url, function: name, passagePrefix, questionPrefix, pooling, precision } = given;
  const count = (flag: string, text: string | undefined) =>
    text === undefined ? undefined : positive(flag)(text);
  const folder = given.folder === undefined ? undefined : resolve(given.folder);
  const settings = {
    kind,
    url,
    model: given.model ?? (folder === undefined ? undefined : basename(folder)),
    folder,
    function: name,
    dimensions: count('--dimensions', given.dimensions),
    tokens: count('--tokens', given.tokens),
    texts: count('--texts', given.texts),
    passagePrefix,
    questionPrefix,
    pooling,
    precision,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Until it is done, or has to wait; what is left then is a server's. */
async function workNow(session: Session, { embedding, org }: Rooms): Promise<void> {
  const { output, clock } = session;
  const progress = createProgress(output, clock);
  const { signal, end } = interruption();
  let shown = Number.NEGATIVE_INFINITY;
  try {
    const alone = await embedding.work(org, {
      signal,
      async onStep() {
        if (clock.elapsed() - shown < drawEveryMs) return;
        shown = clock.elapsed();
        const busy = (await embedding.status(org)).find(({ state }) => state === 'building');
        if (busy !== undefined) progress.show(busy.done, busy.total, busy.name);
      },
    });
    if (!alone) output.aside('Another Drawbridge process is at it.');
  } finally {
    progress.end();
    end();
  }
}

async function set(kind: string, given: Given): Promise<void> {
  const session = openSession(given);
  const { output } = session;
  const settings = settingsOf(kind, given);
  const key = await keyFrom(given.keyFile);
  await asPerson(session, 'set', async (rooms) => {
    const { embedding, org, owner } = rooms;
    const name = await embedding.set(org, owner, {
      settings,
      key,
      channel,
      work: given.now === true,
    });
    if (given.now === true) await workNow(session, rooms);
    if (!output.json) output.aside(`Chosen: ${shownLine(name)}`);
    const listed = await embedding.status(org);
    show(session, listed);
    if (listed.some(({ state }) => state === 'building'))
      output.aside(
        'A running server makes the vectors and switches when they are there; to do it here: add --now. Taken back: drawbridge embedder undo',
      );
  });
}

async function undo(options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'undo', async ({ embedding, org, owner }) => {
    const name = await embedding.undo(org, owner, channel);
    if (!session.output.json) session.output.aside(`Answers again: ${shownLine(name)}`);
    show(session, await embedding.status(org));
  });
}

async function purge(options: Common): Promise<void> {
  const session = openSession(options);
  await asPerson(session, 'purge', async (rooms) => {
    const names = await rooms.embedding.purge(rooms.org, rooms.owner, channel);
    if (names.length > 0) await workNow(session, rooms);
    else if (!session.output.json) session.output.aside('There are no vectors of a former embedder.');
    show(session, await rooms.embedding.status(rooms.org));
  });
}

export function declare(command: Command): void {
  const json = ['--json', 'answer as JSON'] as const;
  command
    .command('status', { isDefault: true })
    .alias('show')
    .description('which embedder answers, how far another one is, and what went wrong')
    .option(...json)
    .action(status);
  command
    .command('set')
    .description('choose an embedder: it is asked once, and nothing changes unless it answers')
    .argument('<kind>', `${builtIn}, ${embedderKinds.join(', ')}; environment: what DRAWBRIDGE_EMBEDDER says`)
    .option('--url <address>', 'of its server')
    .option('--model <name>', 'as the server names it')
    .option('--key-file <path>', 'the key of the server, in a file; - for standard input')
    .option('--folder <path>', 'local: where the model is')
    .option('--function <name>', 'supabase: the edge function (default: embed)')
    .option('--dimensions <n>', 'length of the vectors, for models that can be shortened')
    .option('--tokens <n>', 'most tokens of one text')
    .option('--texts <n>', 'most texts of one call')
    .option('--passage-prefix <words>', 'what the model wants before a passage')
    .option('--question-prefix <words>', 'what the model wants before a question')
    .option('--pooling <way>', 'local: mean or cls')
    .option('--precision <kind>', 'local: fp32, fp16, q8, int8, uint8 or q4')
    .option('--now', 'make the vectors here, and wait for it')
    .option(...json)
    .action(set);
  command
    .command('undo')
    .description('give up what is being made; else go back to what answered before')
    .option(...json)
    .action(undo);
  command
    .command('purge')
    .description('remove the vectors of former embedders: there is no going back to them')
    .option(...json)
    .action(purge);
}
