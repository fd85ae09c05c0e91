// Reads one file through its reader, as an import does.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openByteSource } from '../../src/jobs/import/byte-source.ts';
import { readerOf } from '../../src/jobs/import/formats.ts';
import type { Item } from '../../src/jobs/import/item.ts';

export interface Reading {
  items: Item[];
  /** Raw payloads of the records, as text. */
  texts: string[];
  /** Their JSON, for structured records. */
  values: Record<string, unknown>[];
  ids: string[];
  problems: { place: string; reason: string }[];
}

/** Writes `content` to a file of that name and reads it from byte `from`; places begin with the bare name. */
export async function reading(name: string, content: string | Uint8Array, from = 0): Promise<Reading> {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-import-'));
  try {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    const source = await openByteSource(file);
    try {
      const reader = await readerOf(file, source);
      if (reader === undefined) throw new Error(`no reader for ${name}`);
      const items: Item[] = [];
      for await (const item of reader({ file, source, from, modifiedAt: 1_700_000_000_000 })) {
        const place = item.place.slice(folder.length + 1);
        // A payload holds until the next item is asked for.
        if ('record' in item) {
          const raw = Uint8Array.from(item.record.raw);
          items.push({ ...item, record: { ...item.record, raw }, place });
        } else items.push({ ...item, place });
      }
      const records = items.flatMap((item) => ('record' in item ? [item.record] : []));
      const texts = records.map(({ raw }) => Buffer.from(raw).toString('utf8'));
      return {
        items,
        texts,
        values: records.flatMap(({ mediaType }, index) =>
          mediaType === 'application/json' ? [JSON.parse(texts[index] ?? '')] : [],
        ),
        ids: records.map(({ externalId }) => externalId),
        problems: items.flatMap((item) =>
          'reason' in item ? [{ place: item.place, reason: item.reason }] : [],
        ),
      };
    } finally {
      await source.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A mail with the given body, LF line ends. */
export function mailOf(number: number, body: string, headers = ''): string {
  return `Message-ID: <m${number}@example.com>\nDate: Tue, 3 Mar 2026 10:0${number % 10}:00 +0000\nFrom: Ann <ann@example.com>\nTo: bob@example.com\nSubject: Number ${number}\n${headers}\n${body}`;
}

export const envelope = 'From ann@example.com Tue Mar  3 10:00:00 2026\n';
