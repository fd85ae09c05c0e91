// A file as bytes with stable positions: UTF-8, ASCII or an 8-bit encoding as it lies on disk, UTF-16 as
// the UTF-8 it means. Nothing reads a file whole but the UTF-16 case, which is capped.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DrawbridgeError } from '../../errors.ts';
import { mebibytes } from './item.ts';

export interface ByteSource {
  size: number;
  /** Bytes from `from` (before `to`) to the end, in pieces; each holds until the next is asked for. */
  pieces(from: number, to?: number): AsyncIterable<Buffer>;
  read(from: number, to: number): Promise<Buffer>;
  close(): Promise<void>;
}

const pieceBytes = 256 * 1024;
const largestUtf16 = 64 * 1024 * 1024;

/** Fills `target` from the file's byte `from`; less only where the file ends. */
async function fill(target: Buffer, handle: FileHandle, from: number): Promise<Buffer> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return target.subarray(0, filled);
}

function readFully(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  return fill(Buffer.allocUnsafeSlow(Math.max(0, to - from)), handle, from);
}

function utf16Label(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return undefined;
}

function inMemory(bytes: Buffer, handle: FileHandle): ByteSource {
  return {
    size: bytes.length,
    async *pieces(from, to = bytes.length) {
      for (let at = from; at < to; at += pieceBytes) yield bytes.subarray(at, Math.min(to, at + pieceBytes));
    },
    read: async (from, to) => bytes.subarray(from, to),
    close: () => handle.close(),
  };
}

/** @throws DrawbridgeError `invalid_request` for a UTF-16 file above 64 MiB */
export async function openByteSource(file: string): Promise<ByteSource> {
  // The walk has resolved every link: one that stands here now was put there since.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const { size } = await handle.stat();
    const label = utf16Label(await readFully(handle, 0, 2));
    if (label !== undefined) {
      if (size > largestUtf16) {
        throw new DrawbridgeError(
          'invalid_request',
          `A UTF-16 file may have ${mebibytes(largestUtf16)}; convert this one to UTF-8.`,
        );
      }
      const text = new TextDecoder(label).decode(await readFully(handle, 0, size));
      return inMemory(Buffer.from(text, 'utf8'), handle);
    }
    return {
      size,
      async *pieces(from, to = Number.POSITIVE_INFINITY) {
        const store = Buffer.allocUnsafeSlow(pieceBytes);
        for (let at = from; at < to; ) {
          const piece = await fill(store.subarray(0, Math.min(pieceBytes, to - at)), handle, at);
          if (piece.length === 0) return;
          at += piece.length;
          yield piece;
        }
      },
      read: (from, to) => readFully(handle, from, to),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Text of bytes that say nothing about their encoding: UTF-8 where valid, else Windows-1252. A BOM is dropped. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
