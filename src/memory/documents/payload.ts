// A payload as it is stored: packed where that makes it smaller. The document's text stands in most payloads nearly
// word for word, and its other columns hold most of the headers, so they serve as the dictionary: what is stored is the
// rest. Facts stand in most payloads, too, and are packed with them.
import { deflateSync, inflateSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { alone, asStored, short, shortWindow, textOf } from './packed.ts';

/**
 * How `raw` is stored: as it came; by zlib, with the text as its dictionary; by zstd; by zlib, with the usual words of
 * payloads, the other columns and the text; the same with the facts, a NUL between them, in front of the payload. Written
 * into rows: never renumbered.
 */
const codings = { plain: 0, text: 1, zstd: 2, row: 3, facts: 4 } as const;

export interface Packed {
  coding: number;
  bytes: Uint8Array;
  /** The facts are among the bytes. */
  withFacts: boolean;
}

/** What stands in other columns, as it is stored; `people` and `facts` as JSON. */
export interface Beside {
  external_id: string;
  title: string;
  people: string;
  facts: string;
  text: string;
}

/** Longer ones gain little by the text, and zstd is ten times as fast. */
const mostByText = 200_000;
/** Deflate looks back no further (RFC 1951). */
const window = 32_768;
/** Of what stands before the text: so much of the text stays in the window. */
const mostBefore = 4_096;
/** Shorter ones are left as they are. */
const least = 64;

// What mail and JSON are made of, the most frequent last. Part of what is stored: never changed. Another one is another
// coding.
const usual = [
  'Return-Path: <\r\nDelivered-To: \r\nReceived: by  with SMTP id ; \r\nReceived: from  ([',
  ']) by  with ESMTPS id  for <>; (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);\r\n',
  'Received-SPF: pass (domain of  designates  as permitted sender) client-ip=;\r\n',
  'Authentication-Results: ; dkim=pass header.i=@ header.s= header.b=; spf=pass smtp.mailfrom=; ',
  'dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=\r\nARC-Seal: i=1; a=rsa-sha256; t=; cv=none; d=; s=;\r\n',
  'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=; s=; t=; h=from:to:subject:date:message-id:mime-version:',
  'content-type:in-reply-to:references:reply-to:cc; bh=\r\nX-Mailer: \r\nUser-Agent: Mozilla Thunderbird\r\n',
  'X-Received: \r\nX-Priority: 3\r\nImportance: Normal\r\nThread-Topic: \r\nThread-Index: \r\n',
  'Accept-Language: en-US\r\nContent-Language: en-US\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\n',
  'List-Unsubscribe: <https://\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: <\r\nReply-To: \r\n',
  '<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>',
  '<div dir="ltr"></div><br><p style="margin:0"><span style="font-family:Arial,sans-serif;font-size:12px;color:',
  '"><a href="https://www.</a></span></p><table border="0" cellpadding="0" cellspacing="0" width="100%"><tbody>',
  '<tr><td></td></tr></tbody></table><blockquote class="gmail_quote"></blockquote></body></html>&nbsp;',
  '{"id":"","type":"","name":"","email":"","status":"","url":"https://","createdAt":"","updatedAt":"2024-01-01T00:00:00.000Z",',
  '"properties":{"":null,"":true,"":false,"":[],"":{}}}',
  'Content-Type: multipart/mixed; boundary="\r\nContent-Type: application/pdf; name="\r\n',
  'Content-Disposition: attachment; filename="\r\nContent-Transfer-Encoding: base64\r\n',
  'Content-Type: multipart/alternative; boundary="\r\nContent-Type: text/html; charset="UTF-8"\r\n',
  'Mon, Tue, Wed, Thu, Fri, Sat, Sun,  Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec 2023 2024 2025 2026 ',
  '00:00 GMT\r\nMessage-ID: <\r\nFrom: \r\nTo: \r\nCc: \r\nSubject: Re: \r\nDate:  +0000\r\nIn-Reply-To: <\r\n',
  'References: <\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n',
  'Content-Transfer-Encoding: quoted-printable\r\n\r\n',
].join('');

/** What the facts of mail are made of, where they are no part of the dictionary. Part of what is stored, too. */
const usualFacts = '{"messageId":"<","inReplyTo":"<","references":["<","<>"],"';

const textBytes = (text: string) => Buffer.from(asStored(text.slice(0, window))).subarray(0, window);

function dictionaryOf({ external_id, title, people, facts, text }: Beside): Buffer {
  const before = Buffer.from(asStored(`${usual}${facts}${people}${external_id} ${title}`));
  const own = textBytes(text);
  return Buffer.concat([before.subarray(-mostBefore), own.subarray(0, window - mostBefore)]);
}

function deflated(raw: Uint8Array, dictionary: Buffer): Uint8Array {
  const few = raw.length + dictionary.length < shortWindow;
  return deflateSync(raw, few ? { ...short, dictionary } : { dictionary });
}

/** `undefined` where packing makes it no smaller. */
export function packPayload(raw: Uint8Array, beside: Beside): Packed | undefined {
  if (raw.length < least) return undefined;
  const withFacts = raw.length <= mostByText;
  const bytes = withFacts
    ? // JSON holds no NUL.
      deflated(
        Buffer.concat([Buffer.from(`${beside.facts}\0`), raw]),
        dictionaryOf({ ...beside, facts: usualFacts }),
      )
    : zstdCompressSync(raw);
  if (bytes.length >= raw.length) return undefined;
  return { coding: withFacts ? codings.facts : codings.zstd, bytes: alone(bytes), withFacts };
}

interface PackedRow extends Beside {
  raw: Uint8Array;
  raw_coding: number;
  text_packed: Uint8Array | null;
}

/**
 * The payload as it came, and the facts as JSON. A row that is not the one that they were packed with is an error, never
 * another payload.
 */
export function unpack(row: PackedRow): { raw: Uint8Array; facts: string } {
  const { facts } = row;
  switch (row.raw_coding) {
    case codings.text:
      return { raw: inflateSync(row.raw, { dictionary: textBytes(textOf(row)) }), facts };
    case codings.zstd:
      return { raw: zstdDecompressSync(row.raw), facts };
    case codings.row:
      return {
        raw: inflateSync(row.raw, { dictionary: dictionaryOf({ ...row, text: textOf(row) }) }),
        facts,
      };
    case codings.facts: {
      const dictionary = dictionaryOf({ ...row, facts: usualFacts, text: textOf(row) });
      const both = inflateSync(row.raw, { dictionary });
      const end = both.indexOf(0);
      return { raw: both.subarray(end + 1), facts: both.toString('utf8', 0, end) };
    }
    default:
      return { raw: row.raw, facts };
  }
}

export const payloadOf = (row: PackedRow): Uint8Array => unpack(row).raw;
