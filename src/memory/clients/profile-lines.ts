// The lines of a client's profile that fit into 600 tokens (4 characters each), as they are told.
import { ageInWords } from '../../time.ts';
import { visibleLine } from '../../untrusted.ts';
import type { ClientProfile, ProfileLine } from './profile.ts';

/** Of the text, and of the structured result. Characters. */
const mostLength = 2_400;
const longestLine = 140;

/** A line as the structured result has it. */
function told(line: ProfileLine, now: number) {
  const { documentId, span, verifiedAt, source, section } = line;
  return {
    section,
    text: visibleLine(line.text, longestLine),
    ...(documentId === undefined
      ? { by: visibleLine(source, 40) }
      : { uri: `ime://documents/${documentId}` }),
    ...(span === undefined ? {} : { span: [span.start, span.end] }),
    age: ageInWords(Math.max(0, now - verifiedAt)),
  };
}

export interface FittingLine {
  line: ProfileLine;
  told: ReturnType<typeof told>;
  /** With its source, its place there and its age. */
  text: string;
}

/**
 * What goes in, the most useful of each section first, and no section at the cost of all that follow. `around`: what
 * stands beside the lines, in characters.
 */
export function fittingLines(
  { lines }: Pick<ClientProfile, 'lines'>,
  now: number,
  around: number,
): FittingLine[] {
  const made = lines.map((line) => {
    const said = told(line, now);
    const place = said.span === undefined ? '' : ` ${said.span.join('-')}`;
    const from = 'uri' in said ? `${said.uri}${place}` : said.by;
    return { line, told: said, text: `${said.text} [${from}, ${said.age}]` };
  });
  const sections = [...Map.groupBy(made, ({ line }) => line.section).values()];
  const chosen = new Set<(typeof made)[number]>();
  let text = around;
  let data = around;
  for (let round = 0; sections.some((section) => section.length > round); round += 1) {
    for (const section of sections) {
      const next = section[round];
      if (next === undefined) continue;
      const [more, also] = [next.text.length + 5, JSON.stringify(next.told).length + 1];
      if (text + more > mostLength || data + also > mostLength) continue;
      text += more;
      data += also;
      chosen.add(next);
    }
  }
  return made.filter((one) => chosen.has(one));
}
