// Writes the story to files, so that an import can be tried on them: node sandbox/export.ts DIR
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/clock.ts';
import { calendarFile } from './data/events.ts';
import { loadWorld, type World } from './world.ts';

/** The user's mail as mbox (the mboxrd of RFC 4155's annex: `From ` lines in a body gain a `>`). */
function mbox({ mail, user }: World): string {
  return mail
    .filter((message) => message.account === user.email && message.folder !== 'Junk')
    .map(({ raw, at }) => {
      const text = raw
        .toString('latin1')
        .replace(/\r\n/g, '\n')
        .replace(/^(>*From )/gm, '>$1');
      const sender = /^Return-Path: <(.*)>/m.exec(text)?.[1] ?? 'unknown@sandbox.test';
      return `From ${sender} ${new Date(at).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) (.*) GMT$/, '$1 $3 $2 $5 $4')}\n${text}\n`;
    })
    .join('');
}

const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function contactsCsv({ contacts }: World): string {
  const rows = contacts
    .filter(({ role }) => role !== 'stranger')
    .map(({ name, email, phone, note }) => [name, email, phone ?? '', note].map(cell).join(','));
  return `name,email,phone,notes\n${rows.join('\n')}\n`;
}

/**
 * Writes mailbox.mbox, calendar.ics and contacts.csv into `directory`, which is made when it is not there.
 * @param now integer ms; the newest mail is of the day before
 * @returns the files' paths
 */
export function exportWorld(directory: string, now: number): string[] {
  const world = loadWorld(now);
  mkdirSync(directory, { recursive: true });
  const files: [string, Buffer][] = [
    ['mailbox.mbox', Buffer.from(mbox(world), 'latin1')],
    ['calendar.ics', Buffer.from(calendarFile(world.dates))],
    ['contacts.csv', Buffer.from(contactsCsv(world))],
  ];
  return files.map(([name, bytes]) => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    return path;
  });
}

if (import.meta.main) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) {
    console.error('Say where to: node sandbox/export.ts DIR');
    process.exitCode = 1;
  } else for (const path of exportWorld(directory, systemClock.now())) console.log(path);
}
