// Hands an address to the desktop's browser. No shell sees it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DrawbridgeError } from '../../errors.ts';

const run = promisify(execFile);

/** @param instead what to run where there is no browser @throws DrawbridgeError */
export async function openBrowser(url: string, instead: string): Promise<void> {
  const [file, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  try {
    await run(file ?? '', args, { timeout: 10_000 });
  } catch (cause) {
    throw new DrawbridgeError(
      'internal',
      `No browser could be opened. Use ${instead}, and open the link yourself.`,
      { cause },
    );
  }
}
