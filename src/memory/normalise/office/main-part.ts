// The part that an Office file begins with, found through the package's own relationships.
import { UnreadableRecord } from '../normalised.ts';
import type { OfficePackage } from './package.ts';

const usual: Record<string, string> = {
  document: 'word/document.xml',
  workbook: 'xl/workbook.xml',
  presentation: 'ppt/presentation.xml',
};

/** @param root the name of its outermost element. @throws UnreadableRecord where there is no such part */
export function mainPart(
  file: OfficePackage,
  root: 'document' | 'workbook' | 'presentation',
  what: string,
): { name: string; bytes: Uint8Array } {
  const declared = [...file.relations('').values()].find((one) => one.type === 'officeDocument')?.target;
  for (const name of [declared, usual[root]]) {
    const bytes = name === undefined ? undefined : file.part(name);
    if (name === undefined || bytes === undefined) continue;
    const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4096)).replaceAll('\0', '');
    if (new RegExp(`<(?:[\\w-]+:)?${root}[\\s>]`, 'u').test(head)) return { name, bytes };
  }
  throw new UnreadableRecord(`is not ${what}: its main part is missing`);
}
