// An MLS of the sandbox on a loopback port of its own, for what is given the address of a service root.
import type { Faults } from '../faults.ts';
import { type Asked, startHttp } from '../http.ts';
import { createMls, type Mls, type MlsOptions } from './server.ts';

export interface MlsServer extends Mls {
  /** What the field `host` of a connection takes. */
  url: string;
  token: string;
  faults: Faults;
  requests(): Asked[];
  close(): Promise<void>;
}

export async function startMls(
  options: Pick<MlsOptions, 'clock' | 'listings' | 'token' | 'resources' | 'system'>,
): Promise<MlsServer> {
  const root = '/reso/odata';
  const mls = createMls({ ...options, provider: 'reso', manner: 'plain', hosts: ['127.0.0.1'], root });
  const http = await startHttp((asked) =>
    mls.emulator.handle({ ...asked, host: `${http.host}:${http.port}` }),
  );
  return {
    ...mls,
    url: `http://${http.host}:${http.port}${root}`,
    token: options.token,
    faults: http.faults,
    requests: http.requests,
    close: http.close,
  };
}
