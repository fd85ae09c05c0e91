// What is known of each chunk of a block beside its terms, as one compressed blob.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { letGo } from './let-go.ts';

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

/** As they follow one another in a blob. */
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

/** The columns of a block of the usual size in one piece: put together from smaller ones they take it twice. */
const chunkSize = 150_000;
/** Where one block after another is decoded: what each left lying would be tens of megabytes at a million chunks. */
let room = new Uint8Array(0);

/**
 * Good until the next is decoded. Trusts its own blob. Little-endian machines, as all that Node runs on are.
 */
export function decodeColumns(bytes: Uint8Array): Columns {
  const plain = zstdDecompressSync(bytes, { chunkSize });
  const size = plain.readUInt32LE(0);
  const head = JSON.parse(plain.subarray(4, 4 + size).toString()) as {
    slots: number;
    kinds: string[];
    connections: string[];
  };
  const { slots, kinds, connections } = head;
  const columns = plain.subarray(4 + size);
  if (room.length < columns.length) room = new Uint8Array(columns.length);
  room.set(columns);
  letGo(plain);
  const { buffer } = room;
  // The widest first, so that each lies on a whole number of its own.
  let at = 0;
  const next = (width: number): [ArrayBuffer, number, number] => {
    const from = at;
    at += width * slots;
    return [buffer, from, slots];
  };
  return {
    writtenAt: new Float64Array(...next(8)),
    thread: new Float64Array(...next(8)),
    seqs: new Uint32Array(...next(4)),
    headerLength: new Uint16Array(...next(2)),
    bodyLength: new Uint16Array(...next(2)),
    kind: new Uint16Array(...next(2)),
    connection: new Uint16Array(...next(2)),
    firsts: new Uint8Array(...next(1)),
    kinds,
    connections,
  };
}
