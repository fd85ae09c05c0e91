import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { registerSecret, Secret, scrub } from '../../src/secret.ts';

const value = (n: number) => `no-token-shape-${n}-of-a-test`;

describe('what is masked', () => {
  test('a value in each of its encodings, the longer one whole', () => {
    const short = new Secret('abc/def ghi');
    const long = new Secret('abc/def ghi and more');
    const forms = (secret: Secret) => [
      secret.reveal(),
      encodeURIComponent(secret.reveal()),
      Buffer.from(secret.reveal()).toString('base64'),
    ];
    for (const form of [...forms(long), ...forms(short)]) expect(scrub(`<${form}>`)).toBe('<[secret]>');
  });

  test('a value that is held stays masked, however many come after it', () => {
    const held = new Secret(value(0));
    for (let n = 1; n <= 5_000; n += 1) registerSecret(value(n));
    expect(scrub(held.reveal())).toBe('[secret]');
  });

  test('one that nobody holds is masked for a while, and then forgotten: the registry does not grow for ever', () => {
    registerSecret(value(10_000));
    for (let n = 10_001; n <= 11_000; n += 1) registerSecret(value(n));
    expect(scrub(value(10_000))).toBe('[secret]');
    for (let n = 11_001; n <= 12_001; n += 1) registerSecret(value(n));
    expect(scrub(value(10_000))).toBe(value(10_000));
    expect(scrub(value(12_001))).toBe('[secret]');
  });

  test('one that is held twice stays masked when one holder has gone', () => {
    const held = new Secret(value(20_000));
    registerSecret(value(20_000));
    for (let n = 20_001; n <= 23_000; n += 1) registerSecret(value(n));
    expect(scrub(held.reveal())).toBe('[secret]');
  });

  test('a young one stays masked when thousands of older ones are collected at once', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let old: Secret[] = Array.from({ length: 5_000 }, (_, n) => new Secret(value(30_000 + n)));
    registerSecret(value(40_000));
    expect(scrub(value(30_000))).toBe('[secret]');
    old = [];
    await expect
      .poll(() => {
        collect();
        return old.length === 0 && scrub(value(30_000));
      })
      .toBe(value(30_000));
    expect(scrub(value(40_000))).toBe('[secret]');
  });
});
