// In how many bits signatures differ from a question's. JavaScript has no instruction that counts bits and WebAssembly
// has one, so the loop over all signatures is written in it: a sixth of the time.

/** Names of the instructions used: https://webassembly.github.io/spec/core/binary/instructions.html */
const code = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load32: 0x28,
  load64: 0x29,
  store32: 0x36,
  number: 0x41,
  less: 0x49,
  lessOrEqual: 0x4d,
  ones32: 0x69,
  add: 0x6a,
  subtract: 0x6b,
  xor32: 0x73,
  left: 0x74,
  right: 0x76,
  ones64: 0x7b,
  add64: 0x7c,
  xor64: 0x85,
  narrow: 0xa7,
} as const;
const int32 = 0x7f;
const nothing = 0x40;
/** Loads and stores lie on whole words of four bytes. */
const aligned = 2;

/** 0 to 8,191, as all numbers here are: the top bit of a signed number's last byte would be its sign. */
const number = (value: number) => (value < 64 ? [value] : [(value & 127) | 128, value >>> 7]);
const section = (id: number, bytes: readonly number[]) => [id, ...number(bytes.length), ...bytes];
const named = (name: string) => [name.length, ...new TextEncoder().encode(name)];

/** Signatures looked at in one call. With what is found of them they stay in the processor's nearest memory. */
const atOnce = 1_024;
const pageBytes = 65_536;
const foundBytes = 8;

/**
 * The function (from, to, wanted, found, most) → n: of the signatures between two addresses those that differ from the
 * one at `wanted` in `most` bits or fewer. Address and bits of each are written at `found`, one after another; n: how many.
 */
function program(words: number): Uint8Array {
  const [from, to, wanted, found, most, end, bits] = [0, 1, 2, 3, 4, 5, 6];
  const pairs = words >> 1;
  const counted: number[] = [code.number, 0, code.set, bits];
  if (pairs > 0) {
    for (let pair = 0; pair < pairs; pair += 1) {
      counted.push(code.get, from, code.load64, aligned, ...number(pair * 8));
      counted.push(code.get, wanted, code.load64, aligned, ...number(pair * 8));
      counted.push(code.xor64, code.ones64, ...(pair === 0 ? [] : [code.add64]));
    }
    counted.push(code.narrow, code.set, bits);
  }
  if (words % 2 === 1) {
    counted.push(code.get, from, code.load32, aligned, ...number(pairs * 8));
    counted.push(code.get, wanted, code.load32, aligned, ...number(pairs * 8));
    counted.push(code.xor32, code.ones32, code.get, bits, code.add, code.set, bits);
  }
  const body = [
    ...[code.get, found, code.set, end],
    ...[code.loop, nothing],
    ...counted,
    // Written whether it is near or not, and kept by moving on: a branch would be guessed wrong too often.
    ...[code.get, end, code.get, from, code.store32, aligned, 0],
    ...[code.get, end, code.get, bits, code.store32, aligned, 4],
    ...[code.get, bits, code.get, most, code.lessOrEqual, code.number, 3, code.left],
    ...[code.get, end, code.add, code.set, end],
    ...[code.get, from, code.number, ...number(words * 4), code.add, code.tee, from],
    ...[code.get, to, code.less, code.branchIf, 0],
    code.end,
    ...[code.get, end, code.get, found, code.subtract, code.number, 3, code.right],
    code.end,
  ];
  const locals = [1, 2, int32];
  const parameters = new Array(5).fill(int32);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters.length, ...parameters, 1, int32]),
    ...section(2, [1, ...named('room'), ...named('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...named('near'), 0, 0]),
    ...section(10, [1, ...number(locals.length + body.length), ...locals, ...body]),
  ]);
}

interface Room {
  words: Int32Array;
  bytes: Uint8Array;
  near(from: number, to: number, wanted: number, found: number, most: number): number;
}

const rooms = new Map<number, Room>();

/** The program for signatures of so many words, with memory of its own: one in each thread. */
function roomOf(words: number): Room {
  let room = rooms.get(words);
  if (room === undefined) {
    const bytes = words * 4 * (atOnce + 1) + atOnce * foundBytes;
    const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program(words)), {
      room: { memory },
    });
    room = {
      words: new Int32Array(memory.buffer),
      bytes: new Uint8Array(memory.buffer),
      near: exports['near'] as Room['near'],
    };
    rooms.set(words, room);
  }
  return room;
}

/**
 * Calls `each` for the signatures in `bits` that differ from `wanted` in `most` bits or fewer, in their order. What
 * `each` returns is the most from there on, or a little later.
 */
export function eachNear(
  bits: Uint8Array,
  wanted: Int32Array,
  most: number,
  each: (index: number, differing: number) => number,
): void {
  const { length } = wanted;
  const size = length * 4;
  const room = roomOf(length);
  const found = length * (atOnce + 1);
  room.words.set(wanted);
  let limit = most;
  for (let at = 0; at < bits.length; at += atOnce * size) {
    const some = bits.subarray(at, at + atOnce * size);
    room.bytes.set(some, size);
    const count = room.near(size, size + some.length, 0, found * 4, limit);
    for (let i = 0; i < count; i += 1) {
      const place = ((room.words[found + 2 * i] ?? 0) - size + at) / size;
      limit = each(place, room.words[found + 2 * i + 1] ?? 0);
    }
  }
}
