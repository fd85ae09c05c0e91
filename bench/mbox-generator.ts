// Writes a mail folder of any size, the same for the same seed: messages of 10 kB on average, three in ten
// with an attachment, in threads between a few hundred people.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const syllables =
  'ka lo mi ren sta vor del ing ter mo pra shi lun quo bel fra nis ov hu dra pe con ti zan'.split(' ');

function vocabulary(random: () => number, size: number): string[] {
  return Array.from({ length: size }, () =>
    Array.from(
      { length: 1 + Math.floor(random() * 3.5) },
      () => syllables[Math.floor(random() * syllables.length)],
    ).join(''),
  );
}

export interface Generated {
  messages: number;
  bytes: number;
}

export async function generateMbox(file: string, messages: number, seed = 1): Promise<Generated> {
  const random = seeded(seed);
  const words = vocabulary(random, 20_000);
  // Words near the front are common, as in real text.
  const word = () => words[Math.floor(random() ** 3 * words.length)] ?? '';
  const people = Array.from({ length: 300 }, (_, n) => `${word()} ${word()} <p${n}@example.com>`);
  const person = () => people[Math.floor(random() ** 2 * people.length)] ?? '';
  const sentence = () => `${Array.from({ length: 5 + Math.floor(random() * 14) }, word).join(' ')}.`;
  const subjects: { subject: string; id: string }[] = [];
  const out = createWriteStream(file, { highWaterMark: 1024 * 1024 });
  let bytes = 0;

  for (let n = 0; n < messages; n += 1) {
    const at = new Date(Date.UTC(2020, 0, 1) + n * 97_000);
    const id = `<m${n}.${seed}@example.com>`;
    const parent = random() < 0.6 ? subjects[Math.floor(random() * subjects.length)] : undefined;
    const subject = parent === undefined ? sentence().slice(0, 60) : `Re: ${parent.subject}`;
    if (parent === undefined) {
      subjects.push({ subject, id });
      if (subjects.length > 500) subjects.shift();
    }
    const paragraphs = Array.from({ length: 2 + Math.floor(random() * 6) }, () =>
      Array.from({ length: 2 + Math.floor(random() * 4) }, sentence).join(' '),
    );
    const text = `${paragraphs.join('\n\n')}\n\n-- \n${word()} ${word()}\n`;
    const quote =
      parent === undefined
        ? ''
        : `\nOn ${at.toUTCString()}, somebody wrote:\n${paragraphs.map((line) => `> ${line}`).join('\n')}\n`;
    const head = [
      `From p@example.com ${at.toUTCString().replace(',', '')}`,
      `Message-ID: ${id}`,
      ...(parent === undefined ? [] : [`In-Reply-To: ${parent.id}`, `References: ${parent.id}`]),
      `Date: ${at.toUTCString()}`,
      `From: ${person()}`,
      `To: ${person()}, ${person()}`,
      `Subject: ${subject}`,
      'MIME-Version: 1.0',
    ];
    let body: string;
    if (random() < 0.3) {
      const boundary = `b${n}x`;
      const size = Math.floor(-Math.log(1 - random()) * 14_500);
      const content = Buffer.alloc(size, Math.floor(random() * 256).toString(16) + word());
      const base64 = content.toString('base64').replace(/.{76}/g, '$&\n');
      head.push(`Content-Type: multipart/mixed; boundary=${boundary}`);
      body = `--${boundary}\nContent-Type: text/plain; charset=utf-8\n\n${text}${quote}\n--${boundary}\nContent-Type: application/pdf; name="file-${n}.pdf"\nContent-Disposition: attachment; filename="file-${n}.pdf"\nContent-Transfer-Encoding: base64\n\n${base64}\n--${boundary}--\n`;
    } else {
      const html = `<html><body>${[...paragraphs, ...paragraphs].map((line) => `<p style="margin:0 0 12px">${line}</p>`).join('\n')}</body></html>`;
      const boundary = `a${n}x`;
      head.push(`Content-Type: multipart/alternative; boundary=${boundary}`);
      body = `--${boundary}\nContent-Type: text/plain; charset=utf-8\n\n${text}${quote}\n--${boundary}\nContent-Type: text/html; charset=utf-8\n\n${html}${quote.length > 0 ? `<blockquote>${quote}</blockquote>` : ''}\n--${boundary}--\n`;
    }
    const message = `${head.join('\n')}\n\n${body.replace(/^(>*From )/gm, '>$1')}\n`;
    bytes += Buffer.byteLength(message);
    if (!out.write(message)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  return { messages, bytes };
}
