// A sign-in under way: good once, for ten minutes, in the browser that began it. What must be remembered is
// sealed under a key that only that browser's cookie and the state together give: the database alone opens none.
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import type { Handle } from '../../store/store.ts';
import type { ControlTables } from '../../store/tables.ts';
import { digest, sameText } from '../digest.ts';
import { sealBytes, unsealBytes } from '../seal.ts';

export const signInLivesMs = 10 * 60_000;
/** Anyone may begin a sign-in: what they leave behind has an end. */
const mostUnderWay = 10_000;
const tokenShape = /^[A-Za-z0-9_-]{43}$/;

const requestShape = z.strictObject({
  option: z.string(),
  to: z.string(),
  codeVerifier: z.string(),
  /** Of OpenID Connect; Supabase has none. */
  nonce: z.string().optional(),
});
export type SignInRequest = z.infer<typeof requestShape>;

// These are plain texts and no Secrets: anyone may cause them, and a Secret is remembered for good by the log's
// scrubber. They are used up within this room.

export function newBrowserValue(): string {
  return newToken(32);
}

/** The value of the binding cookie, if it is one. */
export function browserValue(value: string | undefined): string | undefined {
  return value !== undefined && tokenShape.test(value) ? value : undefined;
}

function keyOf(browser: string, state: string): Buffer {
  return createHmac('sha256', browser).update(`drawbridge sign-in ${state}`).digest();
}

/** @throws DrawbridgeError `rate_limited` while too many are under way */
export async function keepSignIn(
  control: Handle<ControlTables>,
  given: { state: string; browser: string; request: SignInRequest; at: number },
): Promise<void> {
  const { state, browser, at } = given;
  const hash = digest(state);
  const plain = Buffer.from(JSON.stringify(given.request));
  await control.write(async (tx) => {
    await tx.deleteFrom('sign_in_states').where('expires_at', '<=', at).execute();
    const { count } = await tx
      .selectFrom('sign_in_states')
      .select((eb) => eb.fn.countAll<number | bigint>().as('count'))
      .executeTakeFirstOrThrow();
    if (Number(count) >= mostUnderWay) {
      throw new DrawbridgeError(
        'rate_limited',
        'Too many sign-ins are under way. Try again in ten minutes.',
        {
          retryAfterMs: signInLivesMs,
        },
      );
    }
    await tx
      .insertInto('sign_in_states')
      .values({
        state_hash: hash,
        browser_hash: digest(browser),
        request: sealBytes(keyOf(browser, state), ['sign-in', hash], plain),
        expires_at: at + signInLivesMs,
        spent_at: null,
      })
      .execute();
  });
}

/**
 * Spends the state, whoever brings it, and opens what was kept.
 * @throws DrawbridgeError `permission_denied` when it is unknown, spent, too old, or of another browser
 */
export async function spendSignIn(
  control: Handle<ControlTables>,
  given: { state: string | null; browser: string | undefined; at: number },
): Promise<SignInRequest> {
  const { state, browser, at } = given;
  const hash = state !== null && tokenShape.test(state) ? digest(state) : '';
  const row = await control.write((tx) =>
    tx
      .updateTable('sign_in_states')
      .set({ spent_at: at })
      .where('state_hash', '=', hash)
      .where('spent_at', 'is', null)
      .where('expires_at', '>', at)
      .returning(['browser_hash', 'request'])
      .executeTakeFirst(),
  );
  if (row === undefined || state === null) {
    throw new DrawbridgeError(
      'permission_denied',
      'This sign-in was finished already, is older than ten minutes, or was never begun here. Begin again.',
      { field: 'state', retry: 'ask' },
    );
  }
  if (browser === undefined || !sameText(digest(browser), row.browser_hash)) {
    throw new DrawbridgeError(
      'permission_denied',
      'This sign-in was begun in another browser. Nobody was signed in. Begin again in this one, and stay in it.',
      { field: 'state', retry: 'ask' },
    );
  }
  const plain = unsealBytes(keyOf(browser, state), ['sign-in', hash], row.request);
  return requestShape.parse(JSON.parse(plain.toString('utf8')));
}
