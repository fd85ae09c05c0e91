// The story's mail as it is written down: threads of messages in plain text, one file a strand. This reads
// them; compose.ts makes RFC 5322 of them.
//
//   # Subject of a thread
//   @ 12 09:40 elena > maren cc=daniel att=letter.pdf lang=fr html unread
//   Subject: only where it answers nobody
//   The words, one line a paragraph …

export interface ScriptMessage {
  thread: string;
  /** 1 is the first of its thread. */
  number: number;
  subject: string;
  /** Set where a message does not answer but starts a talk of its own. */
  ownSubject: string | undefined;
  day: number;
  time: string;
  from: string;
  to: string[];
  cc: string[];
  attachments: string[];
  language: string | undefined;
  /** `html` (both forms), `html-only`, `latin1`, `noquote`, `nosig`, `unread`, `flagged`, `archive`, `junk`. */
  marks: Set<string>;
  body: string;
}

const header = /^@ (\d+) (\d\d:\d\d) (\S+) > (\S+)(.*)$/;

function keys(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

/** @throws Error with the place, when a line cannot be read */
export function parseScript(name: string, text: string): ScriptMessage[] {
  const messages: ScriptMessage[] = [];
  let subject: string | undefined;
  let thread = 0;
  let number = 0;
  let lines: string[] = [];
  let open: ScriptMessage | undefined;

  function finish(): void {
    if (open !== undefined) {
      if (lines[0]?.startsWith('Subject: ')) open.ownSubject = lines.shift()?.slice('Subject: '.length);
      open.body = lines.join('\n').trim();
    }
    if (open?.body === '') throw new Error(`${name}: an empty message in "${open.subject}"`);
    open = undefined;
    lines = [];
  }

  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('# ')) {
      finish();
      subject = line.slice(2).trim();
      thread += 1;
      number = 0;
      continue;
    }
    if (!line.startsWith('@ ')) {
      lines.push(line);
      continue;
    }
    finish();
    const match = header.exec(line);
    if (match === null || subject === undefined)
      throw new Error(`${name}:${index + 1}: not a message: ${line}`);
    const options = (match[5] ?? '').split(' ').filter((option) => option !== '');
    const valued = new Map(
      options.filter((option) => option.includes('=')).map((option) => option.split('=') as [string, string]),
    );
    number += 1;
    open = {
      thread: `${name}-${thread}`,
      number,
      subject,
      ownSubject: undefined,
      day: Number(match[1]),
      time: match[2] ?? '',
      from: match[3] ?? '',
      to: keys(match[4]),
      cc: keys(valued.get('cc')),
      attachments: keys(valued.get('att')),
      language: valued.get('lang'),
      marks: new Set(options.filter((option) => !option.includes('='))),
      body: '',
    };
    messages.push(open);
  }
  finish();
  return messages;
}
