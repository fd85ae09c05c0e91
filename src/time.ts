// Times on the way in and out of tools: ISO 8601 for programs, an age in words for readers, and wall time
// in an IANA zone.
import { DrawbridgeError } from './errors.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** "4 minutes", "3 days": whole units, the largest that is at least one. */
export function ageInWords(ms: number): string {
  const units: [string, number][] = [
    ['year', 365 * day],
    ['month', 30 * day],
    ['day', day],
    ['hour', hour],
    ['minute', minute],
  ];
  for (const [name, size] of units) {
    const count = Math.floor(ms / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

/**
 * An ISO 8601 date (`2026-03-01`, meaning its first moment in UTC) or date-time as integer ms.
 * @throws DrawbridgeError `invalid_request` naming `field`
 */
export function parseInstant(text: string, field: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: "${text}" is no date. Write it like 2026-03-01 or 2026-03-01T15:00:00Z.`,
      { field },
    );
  }
  return ms;
}

/** @throws DrawbridgeError `invalid_request` naming `field` */
export function checkTimeZone(zone: string, field: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch (cause) {
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: "${zone}" is no time zone. Use an IANA name such as Europe/Berlin.`,
      { field, cause },
    );
  }
}

const formatters = new Map<string, Intl.DateTimeFormat>();

// Making one takes longer than using it a hundred times; there are some 600 zones.
function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  formatters.set(zone, made);
  return made;
}

/** The wall time of an instant in `zone`, as `2026-03-01T15:00:00`. */
export function wallTime(ms: number, zone: string): string {
  const parts = formatter(zone).formatToParts(ms);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '00';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}`;
}

/**
 * The instant of a wall time in `zone`. A time that a clock change skips moves forward by the change; one
 * that it repeats is taken the first time (RFC 5545, 3.3.5).
 */
export function instantOf(wall: string, zone: string): number {
  const asUtc = Date.parse(`${wall}Z`);
  const offsetAt = (ms: number) => Date.parse(`${wallTime(ms, zone)}Z`) - ms;
  const before = offsetAt(asUtc - day);
  const after = offsetAt(asUtc + day);
  const matches = [...new Set([asUtc - before, asUtc - after])]
    .filter((ms) => wallTime(ms, zone) === wall)
    .sort((a, b) => a - b);
  return matches[0] ?? asUtc - before;
}

/**
 * A start or end as the caller wrote it: with an offset or Z it is an instant, shown in `zone`; without, it
 * is wall time there. @throws DrawbridgeError `invalid_request` naming `field`
 */
export function parseWallTime(text: string, zone: string, field: string): { wall: string; ms: number } {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?$/.exec(
    text.trim(),
  );
  const wallText = match === null ? '' : `${match[1]}T${match[2]}${match[3] ?? ':00'}`;
  const asUtc = Date.parse(`${wallText}Z`);
  // 2026-02-30 parses in no engine alike; what does not come back unchanged is no date.
  if (match === null || Number.isNaN(asUtc) || iso(asUtc).slice(0, 19) !== wallText) {
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: "${text}" is no date and time. Write it like 2026-03-01T15:00.`,
      { field },
    );
  }
  if (match[4] === undefined) return { wall: wallText, ms: instantOf(wallText, zone) };
  const offset = match[4] === 'Z' ? 'Z' : match[4].replace(/^(.\d{2}):?(\d{2})$/, '$1:$2');
  const ms = Date.parse(`${wallText}${offset}`);
  if (Number.isNaN(ms))
    throw new DrawbridgeError('invalid_request', `${field}: "${text}" has no valid offset.`, { field });
  return { wall: wallTime(ms, zone), ms };
}
