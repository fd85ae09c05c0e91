// The shape of a provider's other side, as test/conformance and demo meet it.
import type { Clock } from '../src/clock.ts';
import type { AuthorizationServer } from './authorization.ts';
import type { Fault } from './faults.ts';
import type { Emulator } from './providers.ts';
import type { World } from './world.ts';

export interface Signed {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** A feed's records at the provider. */
export interface EmulatedFeed {
  /**
   * Adds that many; the external ids that the feed should give them.
   * @param says stands among their words, as somebody else would have written it
   */
  add(count: number, says?: string): string[];
  remove(externalId: string): void;
}

/** A server that speaks another protocol than HTTP. */
export interface EmulatedTalk {
  /** What it was asked so far, a line a command, in one list for each of its servers. */
  asked(): string[][];
  /**
   * The same fault in its own words, on the next `times` commands that do the work; 401 on those that sign in.
   * @param spare so many commands of any kind go well first
   */
  fail(fault: Fault, times: number, spare: number): void;
  /** Faults that no command has met yet. */
  waiting(): number;
  clear(): void;
}

export interface Emulated {
  /** Empty where the provider speaks no HTTP. */
  emulators: readonly Emulator[];
  /** Its other side where that speaks another protocol. */
  talk?: EmulatedTalk;
  way: /** `wrong`: credentials that the provider refuses; of one with a sign-in, those that may be pasted instead. */
    | {
        kind: 'browser';
        clientId: string;
        clientSecret: string;
        authorization: AuthorizationServer;
        wrong?: Record<string, string>;
      }
    | { kind: 'form'; secrets: Record<string, string>; wrong: Record<string, string> }
    /** Nobody is asked: it is made on first use. */
    | { kind: 'none' };
  /** What a person types at connecting. */
  fields: Record<string, string>;
  /** Inputs of operations that need one to be answered well: ids that are there. */
  samples: Readonly<Record<string, Record<string, unknown>>>;
  feeds: Readonly<Record<string, EmulatedFeed>>;
  /** A delivery as the provider signs it, at `now` (integer ms). */
  sign?(delivery: Pick<Signed, 'method' | 'url' | 'body'>, secret: string, now: number): Signed;
  close?(): Promise<void>;
}

export interface Ground {
  clock: Clock;
  world: World;
}

export const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** A small mail, numbered. `now`: integer ms. */
export function letter(to: string, n: number, now: number, says = ''): string {
  return [
    'From: Number <number@numbers.example>',
    `To: ${to}`,
    `Subject: Letter ${n}`,
    `Message-ID: <${now}.${n}@numbers.example>`,
    `Date: ${new Date(now).toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    `This is letter ${n}. ${says}`,
  ].join('\r\n');
}
