// How a command's failure reaches a person or a script: a message with the mend, and an exit code.
import { CommanderError } from 'commander';
import { loadConfig } from '../../config.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { createLog } from '../../log.ts';
import { scrub } from '../../secret.ts';
import { createOutput } from './output.ts';
import { shown } from './shown.ts';

/**
 * 0 ok, 1 failed, 2 bad usage. With `--json` the error is a JSON document on standard output.
 * @param asked the command as far as it is known: `drawbridge actions approve`
 */
export async function report(thrown: unknown, args: readonly string[], asked: string): Promise<number> {
  const output = createOutput(args.includes('--json'));
  if (thrown instanceof CommanderError) {
    // Help and the version were asked for, and are printed.
    if (thrown.exitCode === 0) return 0;
    if (thrown.code === 'commander.help') return 2;
    const message = thrown.message.replace(/^error: /, '');
    if (output.json) output.value({ error: { code: 'invalid_request', message } });
    else output.aside(`${output.styleAside('red', 'drawbridge:')} ${shown(message)}\nSee ${asked} --help`);
    return 2;
  }
  const error = toDrawbridgeError(thrown);
  const level = thrown instanceof DrawbridgeError ? 'silent' : logLevel();
  createLog({ level }).error({ err: thrown }, 'unexpected');
  const noLog = level === 'silent' && !(thrown instanceof DrawbridgeError);
  const hint = noLog ? ' Run it again with DRAWBRIDGE_LOG_LEVEL=error to see them.' : '';
  const message = scrub(error.message + hint);
  if (output.json) {
    const field = error.field === undefined ? {} : { field: error.field };
    output.value({ error: { code: error.code, message, retry: error.retry, ...field } });
  } else {
    output.aside(`${output.styleAside('red', 'drawbridge:')} ${shown(message)}`);
  }
  return 1;
}

/** `silent` unless a level is asked for. */
function logLevel(): string {
  try {
    return loadConfig(undefined, undefined, 'silent').logLevel;
  } catch {
    // An environment that cannot be read is what is reported, or stands beside it.
    return 'error';
  }
}
