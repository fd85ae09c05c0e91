// How a command's failure reaches a person or a script: a message with the mend, and an exit code.
import { CommanderError } from 'commander';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { createLog } from '../log.ts';
import { scrub } from '../secret.ts';
import { createOutput } from './output.ts';
import { shown } from './shown.ts';

/** 0 ok, 1 failed, 2 bad usage. With `--json` the error is a JSON document on standard output. */
export async function report(
  thrown: unknown,
  args: readonly string[],
  known: readonly string[],
): Promise<number> {
  const output = createOutput(args.includes('--json'));
  if (thrown instanceof CommanderError) {
    const words = args.slice(0, 1).filter((arg) => known.includes(arg));
    // Help and the version were asked for, and are printed.
    if (thrown.exitCode === 0) return 0;
    if (thrown.code === 'commander.help') return 2;
    const message = thrown.message.replace(/^error: /, '');
    if (output.json) output.value({ error: { code: 'invalid_request', message } });
    else
      output.aside(
        `${output.styleAside('red', 'drawbridge:')} ${shown(message)}\nSee ${['drawbridge', ...words].join(' ')} --help`,
      );
    return 2;
  }
  const error = toDrawbridgeError(thrown);
  if (!(thrown instanceof DrawbridgeError))
    createLog({ level: 'error' }).error({ err: thrown }, 'unexpected');
  const message = scrub(error.message);
  if (output.json) {
    const field = error.field === undefined ? {} : { field: error.field };
    output.value({ error: { code: error.code, message, retry: error.retry, ...field } });
  } else {
    output.aside(`${output.styleAside('red', 'drawbridge:')} ${shown(message)}`);
  }
  return 1;
}
