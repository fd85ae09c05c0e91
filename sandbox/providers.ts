// The providers' hosts on one loopback port: a request to `https://HOST/path` comes here as `/HOST/path`
// (DRAWBRIDGE_SANDBOX_URL), and the emulator of that host answers it.
import type { Faults } from './faults.ts';
import { type Answer, type Asked, startHttp } from './http.ts';

/** A request as the provider would have got it. */
export interface Call extends Asked {
  host: string;
}

export interface Emulator {
  /** Of the provider: `gmail`. */
  provider: string;
  hosts: readonly string[];
  /** State changes here; a request that comes before what it needs fails as it would at the provider. */
  handle(call: Call): Answer;
}

export interface ProviderHosts {
  /** What DRAWBRIDGE_SANDBOX_URL takes. */
  url: string;
  /** Steps are labelled `METHOD /HOST/path?query`. */
  faults: Faults;
  /** Every call so far, as the provider would have got it. */
  calls(): Call[];
  close(): Promise<void>;
}

/** A call, and what the emulator answered; undefined where it failed on order. */
export interface Exchanged {
  provider: string;
  call: Call;
  answer: Answer | undefined;
}

const listeners = new Set<(exchanged: Exchanged) => void>();

/** Every call to any emulator of this process, as it happens; ends with what it returns. */
export function onExchange(listener: (exchanged: Exchanged) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function startProviderHosts(emulators: readonly Emulator[]): Promise<ProviderHosts> {
  const byHost = new Map(emulators.flatMap((one) => one.hosts.map((host) => [host, one] as const)));
  const tell = (asked: Asked, answer: Answer | undefined): void => {
    const call = callOf(asked);
    const provider = byHost.get(call.host)?.provider;
    if (provider === undefined) return;
    for (const listener of listeners) listener({ provider, call, answer });
  };
  const server = await startHttp((asked) => {
    const call = callOf(asked);
    const emulator = byHost.get(call.host);
    if (emulator === undefined) {
      return {
        status: 404,
        headers: { 'content-type': 'text/plain' },
        body: `the sandbox has no ${call.host}`,
      };
    }
    return emulator.handle(call);
  }, tell);
  return {
    url: `http://${server.host}:${server.port}`,
    faults: server.faults,
    calls: () => server.requests().map(callOf),
    close: () => server.close(),
  };
}

function callOf(asked: Asked): Call {
  const [, host = '', rest = ''] = /^\/([^/]*)(.*)$/.exec(asked.path) ?? [];
  return { ...asked, host, path: rest === '' ? '/' : rest };
}
