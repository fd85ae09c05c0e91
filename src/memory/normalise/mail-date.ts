// When a mail was written, also as old and careless programs say it.

const form =
  /(?:(?<day>\d{1,2})[\s-]+(?<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s-]+(?<year>\d{2,4})|(?<month2>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\s+(?<day2>\d{1,2}))[\s,]+(?<hour>\d{1,2})[:.](?<minute>\d{2})(?:[:.](?<second>\d{2}))?(?:\s+(?<zone>[+-]\d{4}|[A-Za-z]{1,5}\b))?(?:\s+(?<year2>\d{4}))?/iu;
/** Zones by name that the runtime does not know; one that names none means UTC (RFC 5322, 4.3). */
const zones: Readonly<Record<string, string>> = {
  wet: '+0000',
  west: '+0100',
  bst: '+0100',
  cet: '+0100',
  met: '+0100',
  mez: '+0100',
  cest: '+0200',
  mest: '+0200',
  mesz: '+0200',
  eet: '+0200',
  eest: '+0300',
  msk: '+0300',
  hkt: '+0800',
  sgt: '+0800',
  jst: '+0900',
  kst: '+0900',
  aest: '+1000',
  aedt: '+1100',
  nzst: '+1200',
  nzdt: '+1300',
};

/** Of a year in two or three figures (RFC 5322, 4.3): `04` is 2004, `97` is 1997, `104` is 2004. */
function fullYear(written: string): number {
  const year = Number(written);
  if (written.length === 3) return year + 1900;
  if (written.length === 2) return year + (year < 50 ? 2000 : 1900);
  return year;
}

function byForm(written: string): number {
  const parts = form.exec(written)?.groups;
  const year = parts?.['year'] ?? parts?.['year2'];
  if (parts === undefined || year === undefined) return Number.NaN;
  const { day = parts['day2'], month = parts['month2'], hour, minute, second = '00', zone = '' } = parts;
  const offset = /^[+-]/u.test(zone) ? zone : (zones[zone.toLowerCase()] ?? '+0000');
  return Date.parse(`${day} ${month} ${fullYear(year)} ${hour}:${minute}:${second} ${offset}`);
}

/** Whether a date has more numbers than a day: the runtime makes up a year for one that has none. */
function namesYear(written: string): boolean {
  const left = written.replace(/\d{1,2}[:.]\d{2}(?:[:.]\d{2})?|[+-]\d{4}(?!-)\b/gu, ' ');
  return (left.match(/\d+/gu)?.length ?? 0) > 1;
}

/** Integer ms, or undefined for a date that is missing or none. Years outside 1970–2100 are a broken clock's. */
export function mailDate(written: string | undefined): number | undefined {
  if (written === undefined || !namesYear(written)) return undefined;
  const isSane = (at: number) => Number.isFinite(at) && at > 0 && at < Date.UTC(2100, 0);
  return [Date.parse(written), byForm(written)].find(isSane);
}
