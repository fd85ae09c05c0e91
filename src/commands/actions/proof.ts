// `actions proof`: the signature under an approval, judged from what is stored with it alone.
import type { Command } from 'commander';
import { DrawbridgeError } from '../../errors.ts';
import { challengeOf } from '../../queue/decide/presence-proof.ts';
import { iso } from '../../time.ts';
import { openSession, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

async function proof(id: string, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ presence, queue, org }) => {
    const found = await presence.proof(org, id);
    if (found === undefined) {
      throw new DrawbridgeError('not_found', `${id.slice(0, 100)} was not signed by a passkey.`);
    }
    const { proof: signed, fault } = found;
    // The signature is over the hash, which stays; what was hashed may be gone.
    const { erasedAt } = await queue.get(org, id);
    if (output.json) {
      output.value({
        holds: fault === undefined,
        erasedAt: erasedAt === undefined ? null : iso(erasedAt),
        fault: fault ?? null,
        challenge: challengeOf(signed),
        proof: signed,
      });
    } else {
      output.line(
        fault === undefined
          ? `${output.style('green', '✓')} The signature holds.`
          : `${output.style('red', '✗')} ${fault}`,
      );
      const lines: [string, string][] = [
        ['Decision', `${signed.decision} of ${signed.action}`],
        ['Hash', signed.hash],
        ['Signed by', `${signed.name} (${signed.credential}), of ${signed.member}`],
        ['At', `${iso(signed.at)}, on ${signed.origin}`],
        ['Challenge', challengeOf(signed)],
      ];
      if (erasedAt !== undefined) lines.push(['Payload', `erased ${iso(erasedAt)}, commitment kept`]);
      for (const [name, value] of lines) output.line(`${name.padEnd(10)} ${shownLine(value)}`);
      output.aside(
        'With --json: everything that judging it elsewhere needs (docs/decisions/0035-proof-of-presence.md).',
      );
    }
    if (fault !== undefined) process.exitCode = 1;
  });
}

export function declareProof(command: Command): void {
  command
    .command('proof')
    .description('show and check the passkey’s signature under an approval')
    .argument('<id>')
    .option('--json', 'answer as JSON')
    .action(proof);
}
