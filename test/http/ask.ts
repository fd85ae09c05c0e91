// One request over the wire, as a browser or a program would send it: nothing is followed, nothing is added.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Sends the body without saying how long it is. */
  chunked?: boolean;
}

export type Ask = (path: string, asked?: Asked) => Promise<Answer>;

/** @param host what the request says it came for */
export function askerAt(port: number, host: string): Ask {
  return (path, asked = {}) =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = { host, accept: 'text/html', ...asked.headers };
      if (asked.body !== undefined && asked.chunked !== true) {
        headers['content-length'] ??= String(Buffer.byteLength(asked.body));
      }
      const sent = httpRequest(
        {
          host: '127.0.0.1',
          port,
          path,
          method: asked.method ?? 'GET',
          headers,
          agent: false,
          setHost: false,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(asked.body);
    });
}
