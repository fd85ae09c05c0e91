// The lines of a contact card as RFC 2426 has them, whatever wrote it: parameters without their names (2.1, and
// programs that write 3.0 alike), quoted-printable over several lines, character sets. What fits no form is left out.
import { decodeText } from './text.ts';

/** Parameters that a 2.1 card writes without their names: encodings, and else types. */
const encodings = new Set(['QUOTED-PRINTABLE', 'BASE64', 'B', '8BIT', '7BIT']);

interface Line {
  name: string;
  /** As written, quotes included. */
  parameters: string[];
  value: string;
}

function parted(line: string): Line | undefined {
  const whole = /^([\w.-]+)((?:;(?:[^":;]|"[^"]*")*)*):(.*)$/su.exec(line);
  if (whole === null) return undefined;
  const [, name = '', parameters = '', value = ''] = whole;
  const each = parameters.match(/(?:[^";]|"[^"]*")+/gu) ?? [];
  return { name, parameters: each.map((one) => one.trim()).filter((one) => one !== ''), value };
}

const isQuoted = (line: string): boolean =>
  /^[\w.-]+;(?:[^:]*;)?(?:ENCODING=)?QUOTED-PRINTABLE[;:]/iu.test(line);

/** Lines with those joined that the card broke: by a blank in front of the next, or by a `=` in quoted-printable. */
function unfolded(text: string): string[] {
  const lines: string[] = [];
  let goesOn = false;
  for (const line of text.split(/\r?\n/u)) {
    const last = lines.at(-1);
    if (last !== undefined && goesOn && !/^END:VCARD/iu.test(line))
      lines[lines.length - 1] = last.slice(0, -1) + line.replace(/^[ \t](?==[0-9A-F]{2})/iu, '');
    else if (last !== undefined && /^[ \t]/u.test(line)) lines[lines.length - 1] = last + line.slice(1);
    else lines.push(line);
    const whole = lines.at(-1) ?? '';
    goesOn = whole.endsWith('=') && isQuoted(whole);
  }
  return lines;
}

function unquoted(text: string, charset: string): string {
  const bytes = Buffer.concat(
    text
      .split(/(=[0-9A-F]{2})/iu)
      .map((part) =>
        /^=[0-9A-F]{2}$/iu.test(part) ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8'),
      ),
  );
  if (charset === '' || /^utf-?8$/iu.test(charset)) return decodeText(bytes);
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (thrown) {
    // A name that no one knows: read as one that names none.
    if (!(thrown instanceof RangeError)) throw thrown;
    return decodeText(bytes);
  }
}

/** @param isOld whether a comma is a comma: 2.1 has no lists of values */
function asModern({ name, parameters, value }: Line, isOld: boolean): string {
  let charset = '';
  let quoted = false;
  const kept = parameters.flatMap((parameter) => {
    const equals = parameter.indexOf('=');
    const key = equals === -1 ? '' : parameter.slice(0, equals);
    const setting = parameter.slice(equals + 1);
    if (/^charset$/iu.test(key)) charset = setting;
    else if (encodings.has(setting.toUpperCase()) && /^(?:encoding)?$/iu.test(key)) {
      quoted ||= /^quoted-printable$/iu.test(setting);
      return /^b(?:ase64)?$/iu.test(setting) ? ['ENCODING=b'] : [];
    } else if (setting === '' || (equals !== -1 && !/^[\w-]+$/u.test(key))) return [];
    else return [equals === -1 ? `TYPE=${setting}` : parameter];
    return [];
  });
  const read = quoted ? unquoted(value, charset).replace(/\r?\n/gu, '\\n') : value;
  const plain = isOld ? read.replace(/(?<!\\),/gu, '\\,') : read;
  return `${[name, ...kept].join(';')}:${plain}`;
}

/** Every line of a text with one card or several, each whole on one line. */
export function cardLines(text: string): string[] {
  const isOld = /^VERSION:\s*2\.1/imu.test(text);
  return unfolded(text).flatMap((line) => {
    if (isOld && /^VERSION:/iu.test(line)) return ['VERSION:3.0'];
    const known = parted(line);
    return known === undefined ? [] : [asModern(known, isOld)];
  });
}
