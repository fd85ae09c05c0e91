// A VTIMEZONE for any IANA zone, made from the time zone data of the runtime: what a calendar program needs to
// show a wall time as it was meant.

const day = 86_400_000;
// Shorter than the shortest stay between two changes in the data (Morocco's Ramadan, four weeks).
const stride = 10 * day;

interface Change {
  /** Instant of the change, integer ms. */
  at: number;
  /** Offsets from UTC in seconds. */
  from: number;
  to: number;
}

/**
 * The zone's rules as RFC 5545 3.6.5 wants them, valid from the year before `firstYear` to `lastYear`, and
 * beyond where the changes follow a yearly rule. Lines end in CRLF.
 */
export function vtimezone(zone: string, firstYear: number, lastYear: number): string {
  const offsetAt = offsetsOf(zone);
  const begin = Date.UTC(firstYear - 1, 0, 1);
  const changes = changesBetween(offsetAt, begin, Date.UTC(lastYear + 2, 0, 1));
  const first = offsetAt(begin);
  const standard = Math.min(first, ...changes.map(({ to }) => to));
  const lines = ['BEGIN:VTIMEZONE', `TZID:${zone}`];
  const observance = (from: number, to: number, times: string[]) => {
    const kind = to > standard ? 'DAYLIGHT' : 'STANDARD';
    lines.push(
      `BEGIN:${kind}`,
      ...times,
      `TZOFFSETFROM:${offset(from)}`,
      `TZOFFSETTO:${offset(to)}`,
      `END:${kind}`,
    );
  };
  observance(first, first, ['DTSTART:19700101T000000']);
  const pairs = Map.groupBy(changes, ({ from, to }) => `${from} ${to}`);
  for (const group of pairs.values()) {
    const [earliest] = group;
    if (earliest === undefined) continue;
    const rule = yearlyRule(group);
    const starts = group.map(({ at, from }) => wallStamp(at + from * 1000));
    if (rule !== undefined) {
      observance(earliest.from, earliest.to, [`DTSTART:${starts[0]}`, `RRULE:${rule}`]);
    } else {
      // One by one and not by RDATE: with it some programs forget the DTSTART.
      for (const start of starts) observance(earliest.from, earliest.to, [`DTSTART:${start}`]);
    }
  }
  lines.push('END:VTIMEZONE');
  return `${lines.join('\r\n')}\r\n`;
}

function offsetsOf(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year = 0, month = 1, day: date = 1, hour = 0, minute = 0, second = 0 } = part;
    return (Date.UTC(year, month - 1, date, hour, minute, second) - Math.floor(ms / 1000) * 1000) / 1000;
  };
}

function changesBetween(offsetAt: (ms: number) => number, begin: number, end: number): Change[] {
  const changes: Change[] = [];
  for (let low = begin; low < end; low += stride) {
    const high = low + stride;
    const from = offsetAt(low);
    const to = offsetAt(high);
    if (from === to) continue;
    let before = low;
    let after = high;
    while (after - before > 1000) {
      const middle = Math.floor((before + after) / 2000) * 1000;
      if (offsetAt(middle) === from) before = middle;
      else after = middle;
    }
    changes.push({ at: after, from, to });
  }
  return changes;
}

/** The RRULE that a group of like changes follows, one a year: the nth or the last such weekday of a month. */
function yearlyRule(group: Change[]): string | undefined {
  const walls = group.map(({ at, from }) => new Date(at + from * 1000));
  const [first] = walls;
  if (first === undefined || walls.length < 3) return undefined;
  const same = walls.every(
    (wall, index) =>
      wall.getUTCFullYear() === first.getUTCFullYear() + index &&
      wall.getUTCMonth() === first.getUTCMonth() &&
      wall.getUTCDay() === first.getUTCDay() &&
      wall.getTime() % day === first.getTime() % day,
  );
  if (!same) return undefined;
  const nth = (wall: Date) => Math.ceil(wall.getUTCDate() / 7);
  const isLast = (wall: Date) => new Date(wall.getTime() + 7 * day).getUTCMonth() !== wall.getUTCMonth();
  const name = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'][first.getUTCDay()];
  const month = first.getUTCMonth() + 1;
  if (walls.every(isLast)) return `FREQ=YEARLY;BYMONTH=${month};BYDAY=-1${name}`;
  if (walls.every((wall) => nth(wall) === nth(first)))
    return `FREQ=YEARLY;BYMONTH=${month};BYDAY=${nth(first)}${name}`;
  return undefined;
}

function wallStamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '');
}

function offset(seconds: number): string {
  const size = Math.abs(seconds);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const rest = size % 60 === 0 ? '' : two(size % 60);
  return `${seconds < 0 ? '-' : '+'}${two(size / 3600)}${two((size % 3600) / 60)}${rest}`;
}
