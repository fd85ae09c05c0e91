// The story's calendar: day 180 is yesterday, whatever today is, in the brokerage's own time zone.

/** Where the brokerage is. */
export const zone = 'America/Los_Angeles';

/** The day of the newest mail: yesterday. */
export const newestDay = 180;

const dayMs = 86_400_000;

// Making a formatter costs a hundred times what using it does.
const wallClock = new Intl.DateTimeFormat('en-US', {
  timeZone: zone,
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
});

/** Minutes that the zone is ahead of UTC at `ms`. */
export function offsetMinutes(ms: number): number {
  const parts = wallClock.formatToParts(ms);
  const get = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
  return Math.round((wall - Math.floor(ms / 1000) * 1000) / 60_000);
}

export class StoryDates {
  /** Midnight UTC of the date that day 0 has in the zone. */
  readonly #dayZero: number;

  /** @param now integer ms: the reader's present */
  constructor(now: number) {
    const today = Math.floor((now + offsetMinutes(now) * 60_000) / dayMs) * dayMs;
    this.#dayZero = today - (newestDay + 1) * dayMs;
  }

  /** `2026-03-02` of a day of the story. */
  isoDate(day: number): string {
    return new Date(this.#dayZero + day * dayMs).toISOString().slice(0, 10);
  }

  /** Integer ms of a wall time, `HH:MM` or `HH:MM:SS`, on a day of the story. */
  at(day: number, time: string): number {
    const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
    const wall = this.#dayZero + day * dayMs + ((hour * 60 + minute) * 60 + second) * 1000;
    // Twice: the first guess may stand on the other side of a change of the clocks.
    const guess = wall - offsetMinutes(wall) * 60_000;
    return wall - offsetMinutes(guess) * 60_000;
  }

  /** The day in words: `wd` weekday, `d` weekday and date, `md` date, `y` date with its year. */
  words(day: number, form: string, language = 'en-US'): string {
    const options: Record<string, Intl.DateTimeFormatOptions> = {
      wd: { weekday: 'long' },
      d: { weekday: 'long', month: 'long', day: 'numeric' },
      md: { month: 'long', day: 'numeric' },
      y: { month: 'long', day: 'numeric', year: 'numeric' },
    };
    const chosen = options[form] ?? { month: 'long', day: 'numeric' };
    return new Intl.DateTimeFormat(language, { ...chosen, timeZone: 'UTC' }).format(
      this.#dayZero + day * dayMs,
    );
  }

  /** Writes out `{d+3}` (days from `day`) and `{d@188}` (a day of the story). */
  fill(text: string, day: number, language?: string): string {
    return text.replace(/\{(wd|d|md|y)([+-]\d+|@\d+)?\}/g, (_whole, form: string, when = '+0') => {
      const target = when.startsWith('@') ? Number(when.slice(1)) : day + Number(when);
      return this.words(target, form, language);
    });
  }
}

/** `Mon, 02 Mar 2026 09:12:00 -0800` (RFC 5322 3.3). */
export function rfc5322Date(ms: number): string {
  const offset = offsetMinutes(ms);
  const wall = new Date(ms + offset * 60_000).toUTCString().replace(/ GMT$/, '');
  const sign = offset < 0 ? '-' : '+';
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0');
  return `${wall} ${sign}${hours}${String(Math.abs(offset) % 60).padStart(2, '0')}`;
}
