// A dry run: the same code as a real one, stopped at the wire, with what it would have sent. Credentials are
// masked by their place and by their value.
import { AsyncLocalStorage } from 'node:async_hooks';
import { DrawbridgeError } from '../errors.ts';
import { scrub } from '../secret.ts';
import type { DryCall } from './egress.ts';
import type { Outgoing } from './transport.ts';

const mask = '[secret]';
// Names of headers, parameters and members that hold a credential.
const telling =
  /auth|cookie|secret|token|password|passwd|signature|(^|[-_])key$|api-?key|^code(_verifier)?$/i;

interface Run {
  call: DryCall | undefined;
}

const running = new AsyncLocalStorage<Run>();

/** Runs `work`, which fails at its first call; that call, or undefined when it made none. */
export async function runDry(work: () => Promise<unknown>): Promise<DryCall | undefined> {
  const run: Run = { call: undefined };
  try {
    await running.run(run, work);
  } catch (thrown) {
    // What fails before any call is no dry run but a failure.
    if (run.call === undefined) throw thrown;
  }
  return run.call;
}

/** Ends the call here when a dry run is under way. @throws DrawbridgeError `internal` */
export function stopIfDry(call: () => DryCall): void {
  const run = running.getStore();
  if (run === undefined) return;
  run.call ??= call();
  throw new DrawbridgeError('internal', 'A dry run ends before its first call.');
}

/** What would leave, without what opens doors. */
export function masked({ url, method, headers, body }: Outgoing): DryCall {
  const query = new URLSearchParams(url.search);
  for (const name of new Set(query.keys())) if (telling.test(name)) query.set(name, mask);
  const search = query.toString();
  return {
    method,
    host: url.host,
    path: scrub(`${url.pathname}${search === '' ? '' : `?${search}`}`),
    headers: Object.fromEntries(
      [...headers].map(([name, value]) => [name, telling.test(name) ? mask : scrub(value)]),
    ),
    body: body === undefined ? undefined : bodyText(body, headers.get('content-type') ?? ''),
  };
}

function bodyText(body: Uint8Array, type: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    return `${body.byteLength} bytes`;
  }
  if (type.includes('x-www-form-urlencoded')) {
    const form = new URLSearchParams(text);
    for (const name of new Set(form.keys())) if (telling.test(name)) form.set(name, mask);
    return scrub(form.toString());
  }
  return scrub(text);
}
