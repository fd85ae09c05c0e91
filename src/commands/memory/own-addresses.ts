// The org's own addresses as a command changes them: clients follow at once, and what must be read anew for it is.
import { changeOwnAddresses, type OwnChange } from '../../memory/clients/own-addresses.ts';
import type { Rooms } from '../../rooms.ts';
import { interruption, type Session } from '../command.ts';
import { createProgress } from '../terminal/progress.ts';

/** `field`: what the addresses are called where they were typed. @throws DrawbridgeError `invalid_request` with it */
export async function changeOwn(
  { output, clock }: Session,
  { org, owner, memory, audit }: Rooms,
  change: OwnChange & { field: string },
): Promise<void> {
  const { reread } = await changeOwnAddresses({ audit }, org, owner, { ...change, channel: 'terminal' });
  if (reread === undefined) return;
  const { documents: total } = await memory.stats(org);
  const progress = createProgress(output, clock);
  const { signal, end } = interruption();
  let documents = 0;
  try {
    for (let after: string | undefined = ''; after !== undefined; ) {
      if (signal.aborted) {
        process.exitCode = 1;
        output.aside('Stopped. It is kept; what clients say is brought up to date by: drawbridge rebuild');
        return;
      }
      const some = await memory.rebuild(org, after, reread === 'all' ? undefined : reread);
      after = some?.after;
      documents += some?.documents ?? 0;
      progress.show(documents, total, `${documents} documents read anew`);
    }
  } finally {
    progress.end();
    end();
  }
}
