// informed-by: the sources of an output, and which of them say something else by now.
import { z } from 'zod';
import type { InformingSource } from '../memory/receipts/receipts.ts';
import { ageInWords, iso } from '../time.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { documentUri } from './answers/hits.ts';
import { countFitting } from './answers/pages.ts';
import { defineTool } from './define.ts';

export const informedBy = defineTool({
  name: 'informed-by',
  title: 'Informed by',
  description: 'The sources of an output, and which have changed or vanished since.',
  kind: 'read',
  live: false,
  input: z.object({ output: z.string().max(64) }),
  output: z.object({
    sources: z.array(
      z.looseObject({
        section: z.string(),
        uri: z.string().optional(),
        state: z.enum(['unchanged', 'changed', 'vanished']),
      }),
    ),
    flagged: z.int().describe('Changed or vanished'),
  }),
  async run({ rooms, org }, { output }) {
    const found = await rooms.receipts.informedBy(org, output);
    const all = found.sources.map(sourceOf);
    const sources = all.slice(0, countFitting(all));
    const flagged = found.sources.filter(({ state }) => state !== 'unchanged').length;
    const lines = sources.map(
      ({ section, title, uri, ageAtUse, state }) =>
        `${section}: ${title ?? (state === 'vanished' ? 'a source that is gone' : 'a source that you may not see')}${uri === undefined ? '' : ` ${uri}`}, ${ageAtUse} old when used${state === 'unchanged' ? '' : `; ${state.toUpperCase()} since`}`,
    );
    const left = all.length - sources.length;
    return {
      data: { sources, flagged },
      text: [
        framed(lines.join('\n'), `Sources of ${output}`),
        ...(left === 0
          ? []
          : [`${left} more are on the page ${rooms.pageUrl(`/outputs/${found.outputId}`)}`]),
        flagged === 0
          ? 'All sources still say what they said.'
          : `${flagged} ${flagged === 1 ? 'source says' : 'sources say'} something else by now or ${flagged === 1 ? 'is' : 'are'} gone: look again before you rely on it.`,
      ].join('\n'),
    };
  },
});

/** One source as it is told. */
function sourceOf(source: InformingSource) {
  const { documentId, title, usedAt, verifiedAt, state } = source;
  return {
    section: visibleLine(source.section),
    ...(documentId === undefined ? {} : { uri: documentUri(documentId) }),
    ...(title === undefined ? {} : { title: visibleLine(title) }),
    usedAt: iso(usedAt),
    ageAtUse: ageInWords(Math.max(0, usedAt - verifiedAt)),
    state,
  };
}
