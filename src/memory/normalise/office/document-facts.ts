// What an Office file says of itself (docProps/core.xml, ECMA-376-2): title, author, times.
import { cleanLine } from '../clean.ts';
import type { OfficePackage } from './package.ts';
import { wordsOf } from './xml.ts';

export interface DocumentFacts {
  title: string;
  facts: Record<string, unknown>;
  /** Integer ms. */
  writtenAt: number | undefined;
}

export function documentFacts(file: OfficePackage): DocumentFacts {
  const core = file.part('docProps/core.xml');
  const author = cleanLine(wordsOf(core, 'creator') ?? '');
  const at = Date.parse(wordsOf(core, 'modified') ?? wordsOf(core, 'created') ?? '');
  return {
    title: cleanLine(wordsOf(core, 'title') ?? '').slice(0, 200),
    facts: author === '' ? {} : { author },
    writtenAt: Number.isNaN(at) ? undefined : at,
  };
}
