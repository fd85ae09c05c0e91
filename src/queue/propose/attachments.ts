// Bytes attached to an action are copied when it is proposed, found by their hash, and checked by it again
// before they leave.
import { createHash } from 'node:crypto';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Attachment } from '../queue.ts';

export type AttachmentRow = Omit<OrgTables['action_attachments'], 'org_id' | 'action_id'>;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The rows to store: one a content and name. The payload must name exactly these, each by its SHA-256 in a property
 * `sha256` (and its true `size` where it gives one), so that the hash a person approves covers them.
 * @throws DrawbridgeError `invalid_request` naming the field.
 */
export function sealAttachments(
  attachments: readonly Attachment[],
  payload: unknown,
  limit: number,
): AttachmentRow[] {
  const total = attachments.reduce((sum, one) => sum + one.bytes.byteLength, 0);
  if (total > limit) {
    throw new DrawbridgeError(
      'invalid_request',
      `attachments: hold ${megabytes(total)} together; at most ${megabytes(limit)} are allowed. Leave some out, or send a link.`,
      { field: 'attachments' },
    );
  }
  const rows = new Map<string, AttachmentRow>();
  for (const { name, mediaType, bytes } of attachments) {
    const hash = sha256(bytes);
    rows.set(`${hash}/${name}`, { sha256: hash, name, media_type: mediaType, size: bytes.byteLength, bytes });
  }
  const named = namedIn(payload);
  const sizes = new Map([...rows.values()].map((row) => [row.sha256, row.size]));
  for (const { hash, said, path } of named) {
    const size = sizes.get(hash);
    if (size === undefined) {
      throw new DrawbridgeError('invalid_request', `${path}: names bytes that are not attached.`, {
        field: path,
      });
    }
    if (said !== undefined && said !== size) {
      throw new DrawbridgeError('invalid_request', `${path}: the size must be ${size}, as attached.`, {
        field: path,
      });
    }
  }
  const hashes = new Set(named.map((one) => one.hash));
  const stray = [...rows.values()].find((row) => !hashes.has(row.sha256));
  if (stray !== undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      `attachments: ${JSON.stringify(stray.name)} is not named in the payload, so nobody would approve it.`,
      { field: 'attachments' },
    );
  }
  return [...rows.values()];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

interface Named {
  hash: string;
  /** The size that the payload gives. */
  said: number | undefined;
  path: string;
}

function namedIn(payload: unknown): Named[] {
  const found: Named[] = [];
  const open: { value: unknown; path: string }[] = [{ value: payload, path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (value === null || typeof value !== 'object') continue;
    for (const [key, inner] of Object.entries(value)) {
      open.push({ value: inner, path: path === '' ? key : `${path}.${key}` });
    }
    if ('sha256' in value && typeof value.sha256 === 'string') {
      const said = 'size' in value && typeof value.size === 'number' ? value.size : undefined;
      found.push({ hash: value.sha256, said, path: path === '' ? 'payload' : path });
    }
  }
  return found;
}

/**
 * The bytes behind a hash that the payload names.
 * @throws DrawbridgeError `not_found`; `conflict` when what is stored is not what was hashed.
 */
export async function attachmentBytes(org: OrgStore, actionId: string, hash: string): Promise<Uint8Array> {
  const row = await org.read((db) =>
    db
      .selectFrom('action_attachments')
      .select('bytes')
      .where('org_id', '=', org.orgId)
      .where('action_id', '=', actionId)
      .where('sha256', '=', hash)
      .executeTakeFirst(),
  );
  if (row === undefined) throw new DrawbridgeError('not_found', 'An attachment is no longer stored.');
  if (sha256(row.bytes) !== hash) {
    throw new DrawbridgeError('conflict', 'A stored attachment is not what was approved; nothing was sent.');
  }
  return row.bytes;
}
