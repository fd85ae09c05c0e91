// What stands in for Node's Blob in the parse worker gives the same bytes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlainBlob } from '../../src/memory/plain-blob.ts';

const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ minLength: 4 }).map((bytes) => Uint8Array.from(bytes).subarray(1, 3)),
  fc.uint8Array().map((bytes) => Uint8Array.from(bytes).buffer),
);

test('a plain blob is the bytes that Node makes of the same parts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part), async (parts) => {
      const plain = new PlainBlob(parts, { type: 'text/plain' });
      const own = new Blob(parts, { type: 'text/plain' });
      expect([plain.size, plain.type]).toEqual([own.size, own.type]);
      expect(Buffer.from(await plain.arrayBuffer())).toEqual(Buffer.from(await own.arrayBuffer()));
    }),
  );
});

test('a plain blob keeps what it was made of, though the parts change', async () => {
  const part = Uint8Array.of(1, 2, 3);
  const blob = new PlainBlob([part]);
  part.fill(9);
  new Uint8Array(await blob.arrayBuffer()).fill(7);
  expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([1, 2, 3]);
});
