// How a workbook shows its numbers: which styles are dates, times or shares of a hundred (ECMA-376-1, 18.8.30).
import { attribute, readXml } from './xml.ts';

export type Format = 'number' | 'percent' | 'date' | 'time' | 'duration';

/** The built-in formats that are not plain numbers, those of East Asian locales included. */
function builtIn(id: number): Format {
  if (id === 46) return 'duration';
  if (id === 9 || id === 10) return 'percent';
  if ((id >= 14 && id <= 17) || id === 22 || (id >= 27 && id <= 31) || id === 36 || (id >= 50 && id <= 58))
    return 'date';
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || (id >= 45 && id <= 47)) return 'time';
  return 'number';
}

/** A format code without its quoted words, colours and conditions: `yyyy-mm-dd`, `0.0%`, `[h]:mm`. */
function formatOf(code: string): Format {
  const bare = code
    .replace(/"[^"]*"|\\.|_.|\*./gu, '')
    .replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/giu, '')
    .split(';', 1)[0]
    ?.toLowerCase();
  if (bare === undefined || bare === 'general') return 'number';
  if (bare.includes('%')) return 'percent';
  if (/\[[hms]/u.test(bare)) return 'duration';
  if (/[yd]/u.test(bare)) return 'date';
  if (/[hs]/u.test(bare)) return 'time';
  return /^m{3,5}$/u.test(bare) ? 'date' : 'number';
}

/** The format of each cell style, by its number. */
export function cellFormats(bytes: Uint8Array | undefined): Format[] {
  const formats: Format[] = [];
  if (bytes === undefined) return formats;
  const own = new Map<number, Format>();
  readXml(bytes, {
    open(name, attributes, above) {
      if (name === 'numFmt') {
        own.set(
          Number(attribute(attributes, 'numFmtId')),
          formatOf(attribute(attributes, 'formatCode') ?? ''),
        );
      } else if (name === 'xf' && above.at(-1) === 'cellXfs') {
        const id = Number(attribute(attributes, 'numFmtId') ?? 0);
        formats.push(own.get(id) ?? builtIn(id));
      }
    },
  });
  return formats;
}

const dayMs = 86_400_000;
const lastDay = 2_958_465;

/** Hours without end, `30:00` or `30:00:15`. */
function spent(seconds: number): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const minutes = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}`;
  return seconds % 60 === 0 ? minutes : `${minutes}:${two(seconds % 60)}`;
}

/** A number as the cell shows it: dates and times in ISO 8601, without the noise of binary fractions. */
export function shownNumber(value: number, format: Format, from1904: boolean): string {
  if (format === 'percent') return `${Number((value * 100).toPrecision(12))}%`;
  if (format === 'number' || value < 0 || value > lastDay) return String(Number(value.toPrecision(15)));
  if (format === 'duration') return spent(Math.round(value * 86_400));
  // Day 60 is the 29th of February 1900, which never was: before it the count is one short.
  const epoch = from1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, value < 60 ? 31 : 30);
  const at = new Date(epoch + Math.round((value * dayMs) / 1000) * 1000).toISOString();
  const time = at.slice(11, at.slice(17, 19) === '00' ? 16 : 19);
  if (format === 'time' && value < 1) return time;
  return Number.isInteger(value) ? at.slice(0, 10) : `${at.slice(0, 10)} ${time}`;
}
