// What a record let go of, as a file: a line that says of whom, each entry as it was hashed, and the signed cut.
// Personal values are not in it: the commitments are.
import { createHash } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.ts';
import { DrawbridgeError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import type { OrgStore } from '../store/store.ts';
import type { AuditCheckpoint } from './audit.ts';
import { hashEntry, readEntry } from './chain.ts';
import { cutPurpose, isSigned, readCheckpoint } from './checkpoint.ts';

const page = 500;

export interface Archived {
  org: string;
  /** First and last entry. */
  from: number;
  to: number;
  /** Hash of the entry before the first, and of the last. */
  prevHash: string;
  head: string;
}

/** @returns the file's name, and SHA-256 of its bytes, hex. It is on the disk, whole, or not there. */
export async function writeArchive(
  org: OrgStore,
  folder: string,
  part: Archived,
  cut: AuditCheckpoint,
): Promise<{ name: string; hash: string }> {
  const name = `${part.org}-${part.from}-${part.to}.jsonl`;
  makeFolder(folder, 'DRAWBRIDGE_AUDIT_ARCHIVE');
  const draft = join(folder, `${name}.draft`);
  const file = await open(draft, 'w', 0o600);
  const hash = createHash('sha256');
  const write = async (line: object): Promise<void> => {
    const text = `${canonicalJson(line)}\n`;
    hash.update(text);
    await file.write(text);
  };
  try {
    await write({ archive: 'drawbridge audit', v: 1, ...part });
    for (let after = part.from - 1; after < part.to; ) {
      const from = after;
      const rows = await org.read((db) =>
        db
          .selectFrom('audit_log')
          .select(['seq', 'entry', 'hash'])
          .where('org_id', '=', org.orgId)
          .where('seq', '>', from)
          .where('seq', '<=', part.to)
          .orderBy('seq')
          .limit(page)
          .execute(),
      );
      for (const { entry, hash: of } of rows) await write({ entry, hash: of });
      const last = rows.at(-1);
      if (last === undefined)
        throw new DrawbridgeError('conflict', 'The record changed while it was exported.');
      after = last.seq;
    }
    await write(cut);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, name));
  return { name, hash: hash.digest('hex') };
}

const header = z.strictObject({
  archive: z.literal('drawbridge audit'),
  v: z.literal(1),
  org: z.string(),
  from: z.int(),
  to: z.int(),
  prevHash: z.string(),
  head: z.string(),
});
const line = z.strictObject({ entry: z.string(), hash: z.string() });

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface ArchiveVerdict extends Archived {
  /** The first entry that does not hold, and why; undefined when all do. */
  bad: { seq: number; why: string } | undefined;
}

/**
 * Walks an archive by itself; nothing of the database is asked.
 * @param isBelieved whether cuts that this public key (base64) signed count
 * @throws DrawbridgeError `invalid_request` for what is no archive
 */
export function verifyArchive(
  lines: readonly string[],
  isBelieved: (key: string) => boolean,
): ArchiveVerdict {
  const [first, ...rest] = lines.filter((text) => text !== '');
  const head = header.safeParse(jsonOf(first));
  const cutText = rest.pop();
  if (!head.success || cutText === undefined) {
    throw new DrawbridgeError('invalid_request', 'The file holds no archive of a record.');
  }
  const { archive: _archive, v: _v, ...part } = head.data;
  const bad = (seq: number, why: string): ArchiveVerdict => ({ ...part, bad: { seq, why } });
  let seq = part.from - 1;
  let previous = part.prevHash;
  for (const text of rest) {
    seq += 1;
    const parsed = line.safeParse(jsonOf(text));
    const entry = parsed.success ? readEntry(parsed.data.entry) : undefined;
    if (!parsed.success || entry === undefined) return bad(seq, 'changed: it is no entry');
    if (hashEntry(parsed.data.entry) !== parsed.data.hash) return bad(seq, 'changed: its hash is another');
    if (entry.seq !== seq || entry.org !== part.org) return bad(seq, 'missing, or out of order');
    if (entry.prev_hash !== previous) return bad(seq, 'fork: it does not follow the entry before it');
    previous = parsed.data.hash;
  }
  const cut = readCheckpoint(cutText);
  if (!isSigned(cut, cutPurpose)) return bad(part.to, 'the cut was altered: its signature does not hold');
  if (!isBelieved(cut.publicKey)) {
    return bad(part.to, `the cut is signed by a key that is not this installation’s (${cut.publicKey})`);
  }
  const whole = seq === part.to && cut.entries === seq && cut.org === part.org;
  if (!whole || cut.head !== previous || part.head !== previous)
    return bad(seq + 1, 'missing: it ends before the cut');
  return { ...part, bad: undefined };
}
