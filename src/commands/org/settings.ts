// `settings`: in which time zone the org's days begin, how old an answer of memory may be, which addresses are its own.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import type { OwnChange } from '../../memory/clients/own-addresses.ts';
import { saidAddresses } from '../../memory/clients/own-mail.ts';
import { readTimeZone, timeZoneSetting } from '../../memory/question/time-zone.ts';
import { documentKinds } from '../../providers/record.ts';
import { type Change, changeRecall } from '../../recall/settings.ts';
import { allowedAge, readFreshness } from '../../recall/thresholds.ts';
import type { Rooms } from '../../rooms.ts';
import { readSetting } from '../../store/settings.ts';
import { day, hour, minute } from '../../time.ts';
import { openSession, stdioServers, usageError, withRooms } from '../command.ts';
import { changeOwn } from '../memory/own-addresses.ts';
import { shownLine } from '../terminal/shown.ts';

const units = { s: 1000, m: minute, h: hour, d: day } as const;

/** `90s`, `15m`, `6h`, `1d`; `0` asks live each time. */
function parseAge(text: string): number {
  const found = /^(\d{1,6})(s|m|h|d)$/u.exec(text.trim());
  if (text.trim() === '0') return 0;
  if (found === null)
    throw usageError(`"${text}" is no age: write 90s, 15m, 6h, 1d, or 0 to ask live each time.`);
  return Number(found[1]) * units[found[2] as keyof typeof units];
}

function ageWords(ms: number): string {
  for (const [letter, unit] of Object.entries(units).reverse()) {
    if (ms >= unit && ms % unit === 0) return `${ms / unit}${letter}`;
  }
  return ms === 0 ? '0' : `${ms} ms`;
}

async function shown({ org }: Rooms) {
  const freshness = await readFreshness(org);
  return {
    timeZone: await readTimeZone(org),
    timeZoneSet: (await readSetting(org, timeZoneSetting)) !== undefined,
    freshness: documentKinds.map((kind) => ({
      kind,
      age: ageWords(allowedAge(kind, { maxAgeMs: undefined, freshness })),
      set: freshness.kinds[kind] !== undefined,
    })),
    ownAddresses: await org.read((db) => saidAddresses(db, org.orgId)),
    providers: Object.entries(freshness.providers).flatMap(([provider, ages]) =>
      Object.entries(ages).map(([kind, ms]) => ({ provider, kind, age: ageWords(ms) })),
    ),
  };
}

async function run(
  change: Change | { own: OwnChange } | undefined,
  options: { json?: boolean },
): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    if (change !== undefined) {
      await refuseBelowAgent('settings', await stdioServers(rooms.store));
      if ('own' in change) await changeOwn(session, rooms, { ...change.own, field: 'address' });
      else await changeRecall(rooms, rooms.org, rooms.owner, { ...change, channel: 'terminal' });
    }
    const now = await shown(rooms);
    if (output.json) {
      output.value(now);
      return;
    }
    output.line(`Time zone: ${now.timeZone}${now.timeZoneSet ? '' : ' (the machine’s)'}`);
    const own = now.ownAddresses.map((one) => shownLine(one)).join(', ');
    output.line(`Your own addresses, beside those of connected accounts: ${own === '' ? 'none' : own}`);
    output.line('An answer of memory is called stale, and asked for live, when it is older than');
    for (const { kind, age, set } of now.freshness)
      output.line(`  ${kind.padEnd(12)}${age}${set ? '  (set)' : ''}`);
    for (const { provider, kind, age } of now.providers)
      output.line(`  ${kind.padEnd(12)}${age}  (set for ${shownLine(provider)})`);
    output.aside('A provider may have an age of its own where none is set: docs/providers.md.');
  });
}

export function declare(command: Command): void {
  command.option('--json', 'answer as JSON').action((options: { json?: boolean }) => run(undefined, options));
  command
    .command('time-zone')
    .description('in which your days begin, for “yesterday” in a question')
    .argument('[zone]', 'an IANA name: Europe/Berlin')
    .option('--reset', 'the machine’s again')
    .action((zone: string | undefined, options: { reset?: boolean }, self: Command) => {
      if ((zone === undefined) === (options.reset !== true))
        throw usageError('name a time zone, or --reset.');
      return run({ timeZone: zone ?? null }, self.optsWithGlobals());
    });
  command
    .command('own-addresses')
    .description('that are yours and of no connected account, as in an imported mailbox')
    .argument('<address...>', 'e-mail addresses in full')
    .option('--remove', 'they are not yours after all')
    .action((given: string[], options: { remove?: boolean }, self: Command) =>
      run({ own: options.remove === true ? { remove: given } : { add: given } }, self.optsWithGlobals()),
    );
  command
    .command('freshness')
    .description('how old an answer of memory may be before its provider is asked')
    .argument('<kind>', documentKinds.join(', '))
    .argument('[age]', '90s, 15m, 6h, 1d; 0 asks live each time')
    .option('--provider <id>', 'for records of this provider only')
    .option('--reset', 'the default again')
    .action(
      (
        kind: string,
        age: string | undefined,
        options: { provider?: string; reset?: boolean },
        self: Command,
      ) => {
        if ((age === undefined) === (options.reset !== true)) throw usageError('name an age, or --reset.');
        const ageMs = age === undefined ? null : parseAge(age);
        return run({ freshness: { kind, provider: options.provider, ageMs } }, self.optsWithGlobals());
      },
    );
}
