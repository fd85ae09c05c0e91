// A message too large to take whole, as one of its own: its header and its first text, saying so.

/**
 * @param whole `header`: the header block, each line ending in CRLF, with or without the closing empty line;
 * `size` of the whole message, bytes.
 */
export function reducedMail(whole: {
  header: string;
  size: number;
  type: 'text/plain' | 'text/html';
  text: string;
}): Buffer {
  const { type, text } = whole;
  const megabytes = Math.round(whole.size / 1_048_576);
  const note = `[Drawbridge took the header and the text of this message alone: it has ${megabytes} MB.]`;
  const body = Buffer.from(type === 'text/html' ? `<p>${note}</p>\n${text}` : `${note}\n\n${text}`).toString(
    'base64',
  );
  return Buffer.from(
    `${withoutContentHeaders(whole.header)}MIME-Version: 1.0\r\nContent-Type: ${type}; charset=utf-8\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${body.replace(/.{76}/g, '$&\r\n')}\r\n`,
    'latin1',
  );
}

/** The header block without the fields that describe the old body. */
function withoutContentHeaders(header: string): string {
  const fields = header.replace(/\r?\n$/, '').match(/^[^\s].*(?:\r?\n[ \t].*)*\r?\n?/gm) ?? [];
  return fields
    .filter((field) => !/^(?:content-|mime-version)/i.test(field))
    .map((field) => `${field.replace(/\r?\n/g, '\r\n').replace(/(?:\r\n)?$/, '')}\r\n`)
    .join('');
}
