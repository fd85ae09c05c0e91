// Mail for measuring: from a seed, the same each time; words by Zipf's law, threads with quotes, signatures,
// now and then an attachment.
import { newId } from '../src/ids.ts';
import type { Source } from '../src/memory/memory.ts';
import type { SourceRecord } from '../src/providers/record.ts';
import type { OrgStore } from '../src/store/store.ts';

/** An account to which records can belong. */
export async function addSource(org: OrgStore): Promise<Source> {
  const id = newId('con', Date.now());
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id,
        provider: 'mailbox',
        account: 'owner@agency.test',
        label: 'owner@agency.test',
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute(),
  );
  return { connectionId: id, provider: 'mailbox' };
}

/** mulberry32: 32 bits of state, uniform in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const syllables =
  'ba be bi bo bu ca ce co da de di do fa fe fi ga ge go ha he hi ho ka ke la le li lo lu ma me mi mo mu na ne ni no pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi za zo'.split(
    ' ',
  );
const common =
  'the to and of a in is for you that it we i on this be with as are will have at if or from not your by our can an all was please so but do they has me when would there which about what my up out more time new any see let also just know could'.split(
    ' ',
  );
const vocabularySize = 60_000;

export interface Words {
  /** A word, the frequent ones more often: rank r with a chance like 1/(r + 2.7). */
  next(): string;
  /** The word of a rank from 0. */
  at(rank: number): string;
}

/** An invented vocabulary behind the most common English words. */
export function zipfWords(next: () => number): Words {
  const at = (rank: number): string => {
    const known = common[rank];
    if (known !== undefined) return known;
    let word = '';
    for (let n = rank; n > 0 || word.length < 4; n = Math.floor(n / syllables.length)) {
      word += syllables[n % syllables.length];
      if (word.length > 12) break;
    }
    return word;
  };
  // Inverse of the law's cumulative form: cheap, and near enough for measuring.
  const span = Math.log((vocabularySize + 2.7) / 2.7);
  return { at, next: () => at(Math.floor(2.7 * Math.exp(next() * span) - 2.7)) };
}

function sentence(words: Words, next: () => number): string {
  const length = 6 + Math.floor(next() * 14);
  const made = Array.from({ length }, () => words.next()).join(' ');
  const figure = next() < 0.08 ? ` $${Math.floor(100 + next() * 900)},000` : '';
  return `${made.charAt(0).toUpperCase()}${made.slice(1)}${figure}.`;
}

function paragraph(words: Words, next: () => number): string {
  return Array.from({ length: 1 + Math.floor(next() * 4) }, () => sentence(words, next)).join(' ');
}

const people = 400;
const begin = Date.UTC(2024, 0, 1);

/** A question of the kind people ask, of words that the records hold. */
export function generateQuestions(seed: number, count: number): string[] {
  const next = random(seed ^ 0x5eed);
  const words = zipfWords(next);
  return Array.from({ length: count }, () => {
    const rare = Array.from({ length: 3 + Math.floor(next() * 3) }, () =>
      words.at(60 + Math.floor(next() ** 2 * 4000)),
    );
    const some = Array.from({ length: 4 }, () => words.next());
    return `What did ${words.at(500 + Math.floor(next() * people))} say about the ${rare.join(' ')} and ${some.join(' ')}?`;
  });
}

export interface GenerateOptions {
  /** Mean size of a message in bytes, attachments included. Default about 1,500: text alone. */
  meanBytes?: number;
}

/** `count` mail messages, the same for the same seed. */
export function* generateRecords(
  seed: number,
  count: number,
  { meanBytes = 0 }: GenerateOptions = {},
): Generator<SourceRecord> {
  const next = random(seed);
  const words = zipfWords(next);
  const open: { root: string; last: string; subject: string; quoted: string }[] = [];
  for (let i = 0; i < count; i += 1) {
    const id = `<m${seed}.${i}@bench.test>`;
    const who = Math.floor(next() * people);
    const name = `${words.at(500 + who)} ${words.at(2000 + who)}`;
    const reply = open.length > 0 && next() < 0.55 ? open[Math.floor(next() * open.length)] : undefined;
    const subject = reply?.subject ?? [1, 2, 3, 4].map(() => words.next()).join(' ');
    const body = Array.from({ length: 1 + Math.floor(next() * 5) }, () => paragraph(words, next)).join(
      '\r\n\r\n',
    );
    const quote =
      reply === undefined
        ? ''
        : `\r\n\r\nOn Mon, 4 Mar 2024 at 10:12, ${name} <p${who}@clients.test> wrote:\r\n${reply.quoted}`;
    const headers = [
      `Message-ID: ${id}`,
      `From: ${name} <p${who}@clients.test>`,
      'To: Owner <owner@agency.test>',
      `Subject: ${reply === undefined ? '' : 'Re: '}${subject}`,
      `Date: ${new Date(begin + i * 600_000).toUTCString()}`,
      ...(reply === undefined
        ? []
        : [`In-Reply-To: ${reply.last}`, `References: ${reply.root} ${reply.last}`]),
      'MIME-Version: 1.0',
    ];
    const text = `${body}${quote}\r\n\r\n-- \r\n${name}\r\nClients Ltd`;
    const missing = meanBytes * (0.2 + next() * 1.6) - text.length - 500;
    const raw =
      missing > 300
        ? withAttachment(headers, text, missing, next)
        : [...headers, 'Content-Type: text/plain; charset=utf-8', '', text].join('\r\n');
    if (reply === undefined) {
      open.push({ root: id, last: id, subject, quoted: quoted(body) });
      if (open.length > 200) open.shift();
    } else {
      reply.last = id;
      reply.quoted = quoted(body);
    }
    yield { externalId: id, kind: 'mail', mediaType: 'message/rfc822', raw: Buffer.from(raw) };
  }
}

function quoted(body: string): string {
  return body
    .split('\r\n')
    .map((line) => `> ${line}`)
    .join('\r\n');
}

function withAttachment(headers: string[], text: string, bytes: number, next: () => number): string {
  const data = Buffer.alloc(Math.floor(bytes * 0.74));
  for (let i = 0; i + 4 <= data.length; i += 4) data.writeUInt32LE(Math.floor(next() * 4_294_967_296), i);
  const lines = data.toString('base64').match(/.{1,76}/gu) ?? [];
  return [
    ...headers,
    'Content-Type: multipart/mixed; boundary="part"',
    '',
    '--part',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '--part',
    'Content-Type: application/pdf; name="plan.pdf"',
    'Content-Disposition: attachment; filename="plan.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    ...lines,
    '--part--',
    '',
  ].join('\r\n');
}
