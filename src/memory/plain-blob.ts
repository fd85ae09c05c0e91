// A Blob in plain memory, for the mail parser: it collects each part of a mail line by line in one. Node's own
// copies every line into an object outside the heap: a quarter of the time that a mail takes, and memory that is
// given back late.

const encoder = new TextEncoder();

type Part = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

function bytesOf(part: Part): Uint8Array<ArrayBuffer> {
  if (typeof part === 'string') return encoder.encode(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  return new Uint8Array(part);
}

/** Joins its parts at once, so that they may be changed afterwards. As much of Blob as decoders ask for. */
export class PlainBlob {
  readonly size: number;
  readonly type: string;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(parts: readonly Part[] = [], { type = '' }: { type?: string } = {}) {
    const pieces = parts.map(bytesOf);
    this.size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    this.type = type;
    this.#bytes = new Uint8Array(this.size);
    let at = 0;
    for (const piece of pieces) {
      this.#bytes.set(piece, at);
      at += piece.byteLength;
    }
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
}
