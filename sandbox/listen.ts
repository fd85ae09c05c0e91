// Every server of the sandbox listens on loopback, on a port that was free.
import type { Server } from 'node:net';

/** Starts `server` on 127.0.0.1; port 0 takes a free one. */
export function listen(server: Server, port = 0): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') {
        reject(new Error('the server has no port'));
        return;
      }
      resolve({ host: '127.0.0.1', port: address.port });
    });
  });
}
