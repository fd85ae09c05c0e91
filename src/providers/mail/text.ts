// The words of one mail, as a person would read them, and the names of what is attached.
import { parseMail } from './parse.ts';

const mostText = 100_000;

export interface MailText {
  text: string;
  attachments: { name: string; mediaType: string; size: number }[];
}

/** Of a mail that has HTML alone, its text without marks. Longer ones are cut, and say so. */
export async function textOfMail(raw: Uint8Array): Promise<MailText> {
  const read = await parseMail(raw);
  const text = (read.text ?? (await plain(read.html))).replaceAll('\r\n', '\n').trim();
  return {
    text:
      text.length > mostText ? `${text.slice(0, mostText)}\n[cut: ${text.length} characters in all]` : text,
    attachments: read.attachments.map(({ filename, mimeType, content }) => ({
      name: filename ?? '',
      mediaType: mimeType,
      size: typeof content === 'string' ? content.length : content.byteLength,
    })),
  };
}

async function plain(html: string | undefined): Promise<string> {
  if (html === undefined) return '';
  const { convert } = await import('html-to-text');
  return convert(html, { wordwrap: false, limits: { maxInputLength: 2_000_000 } });
}
