// Which reader reads which Office file, and what is said of those that none can.
import { type Normalised, UnreadableRecord } from '../normalised.ts';
import { readDocx } from './docx.ts';
import { readPptx } from './pptx.ts';
import { readXlsx } from './xlsx.ts';

const readers = {
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': readDocx,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': readXlsx,
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': readPptx,
};

/** Compound files hold an encrypted document, or one in a format from before 2007 ([MS-CFB], 2.2). */
const compound = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const encrypted = Buffer.from('EncryptedPackage', 'utf16le');

/** @throws UnreadableRecord for what is no such file, is damaged, or would inflate beyond the bounds */
export function readOffice(raw: Uint8Array, mediaType: keyof typeof readers): Normalised {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.subarray(0, compound.length).equals(compound)) {
    if (!bytes.includes(encrypted))
      throw new UnreadableRecord('is in an Office format from before 2007: save it as docx, xlsx or pptx');
    return {
      title: '',
      text: '[This file is encrypted: its words cannot be read without the password]',
      spans: [],
      cut: 'sections',
      people: [],
      facts: { unread: 'encrypted' },
    };
  }
  return readers[mediaType](raw);
}
