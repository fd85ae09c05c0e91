// No secret reaches a log line, wherever in the line it stands.
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { DrawbridgeError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = [];
  write(createLog({ level: 'trace', destination: { write: (line) => void lines.push(line) } }));
  expect(lines).toHaveLength(1);
  return lines.join('');
}

const secret = new Secret('hunter2 "quoted" & more');
const forms = [secret.reveal(), encodeURIComponent(secret.reveal()), btoa(secret.reveal())];

test.each(forms)('a registered secret is masked in message, nested field, cause and stack: %s', (form) => {
  const cause = new Error(`the server said ${form}`);
  const err = new DrawbridgeError('internal', `log-in with ${form} failed`, { cause });
  const line = logged((log) => log.error({ err, deep: [{ er: { header: form } }] }, `tried ${form}`));
  expect(line).toContain('[secret]');
  for (const known of forms) expect(line).not.toContain(JSON.stringify(known).slice(1, -1));
});

test.each([
  `dbk_${'a1'.repeat(20)}`,
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
  'ya29.a0AfH6SMBx-1234567890',
])('a token that nobody registered is masked by its shape: %s', (token) => {
  const line = logged((log) => log.warn({ url: `https://example.com/?t=${token}` }, `with ${token}`));
  expect(line).not.toContain(token);
});

test('a Secret prints as a mask on every road to text', () => {
  for (const text of [`${secret}`, JSON.stringify({ secret }), inspect({ secret })]) {
    expect(text).not.toContain('hunter2');
  }
});

test('a line stays one JSON object after masking', () => {
  const line = logged((log) => log.info({ password: secret.reveal() }, 'in'));
  expect(JSON.parse(line)).toMatchObject({ password: '[secret]', msg: 'in' });
});
