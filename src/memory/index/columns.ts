// What is known of each chunk of a block beside its terms, as one compressed blob.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Arrays beside one another, an entry a chunk. */
export interface Columns {
  seqs: Uint32Array;
  /** 1 where a document begins. */
  firsts: Uint8Array;
  headerLength: Uint16Array;
  bodyLength: Uint16Array;
  /** Integer ms; 0 for unknown. */
  writtenAt: Float64Array;
  /** See `threadNumber`; 0 for none. */
  thread: Float64Array;
  /** Indices into the lists of names. */
  kind: Uint16Array;
  connection: Uint16Array;
  kinds: string[];
  connections: string[];
}

export function emptyColumns(slots: number): Columns {
  return {
    seqs: new Uint32Array(slots),
    firsts: new Uint8Array(slots),
    headerLength: new Uint16Array(slots),
    bodyLength: new Uint16Array(slots),
    writtenAt: new Float64Array(slots),
    thread: new Float64Array(slots),
    kind: new Uint16Array(slots),
    connection: new Uint16Array(slots),
    kinds: [],
    connections: [],
  };
}

const arrays = [
  'writtenAt',
  'thread',
  'seqs',
  'headerLength',
  'bodyLength',
  'kind',
  'connection',
  'firsts',
] as const;

/** The first of the entries, in the same memory. */
export function firstOf(columns: Columns, slots: number): Columns {
  const { seqs, firsts, headerLength, bodyLength, writtenAt, thread, kind, connection } = columns;
  return {
    seqs: seqs.subarray(0, slots),
    firsts: firsts.subarray(0, slots),
    headerLength: headerLength.subarray(0, slots),
    bodyLength: bodyLength.subarray(0, slots),
    writtenAt: writtenAt.subarray(0, slots),
    thread: thread.subarray(0, slots),
    kind: kind.subarray(0, slots),
    connection: connection.subarray(0, slots),
    kinds: columns.kinds,
    connections: columns.connections,
  };
}

export function encodeColumns(columns: Columns): Uint8Array {
  const { kinds, connections } = columns;
  const head = Buffer.from(JSON.stringify({ slots: columns.seqs.length, kinds, connections }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  const parts = arrays.map((name) => {
    const { buffer, byteOffset, byteLength } = columns[name];
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return zstdCompressSync(Buffer.concat([size, head, ...parts]));
}

/** Trusts its own blob. Little-endian machines, as all that Node runs on are. */
export function decodeColumns(bytes: Uint8Array): Columns {
  const plain = zstdDecompressSync(bytes);
  const size = plain.readUInt32LE(0);
  const head = JSON.parse(plain.subarray(4, 4 + size).toString()) as {
    slots: number;
    kinds: string[];
    connections: string[];
  };
  const columns = { ...emptyColumns(head.slots), kinds: head.kinds, connections: head.connections };
  let at = 4 + size;
  for (const name of arrays) {
    const { buffer, byteLength } = columns[name];
    new Uint8Array(buffer).set(plain.subarray(at, at + byteLength));
    at += byteLength;
  }
  return columns;
}
