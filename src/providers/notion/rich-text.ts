// Rich text as markdown: emphasis, code, equations, links, and mentions by what Notion shows of them.
import type { RichText } from './shapes.ts';

/** Without any form. */
export function plain(texts: readonly RichText[] | undefined): string {
  return (texts ?? []).map(({ plain_text }) => plain_text).join('');
}

/** @param texts of a block; a line break within stays one */
export function inline(texts: readonly RichText[] | undefined): string {
  return (texts ?? []).map(piece).join('');
}

function piece({ plain_text: text, href, annotations = {}, equation }: RichText): string {
  if (equation !== undefined) return `$${equation.expression}$`;
  // Marks beside a blank are none in markdown: they stand within.
  const [, before = '', words = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
  if (words === '') return text;
  let shown = annotations.code === true ? fenced(words) : words;
  if (annotations.bold === true) shown = `**${shown}**`;
  if (annotations.italic === true) shown = `_${shown}_`;
  if (annotations.strikethrough === true) shown = `~~${shown}~~`;
  return `${before}${linked(shown, href)}${after}`;
}

/** `href` may be a path within Notion. */
export function linked(words: string, href: string | null | undefined): string {
  const url = href == null ? null : URL.parse(href, 'https://www.notion.so');
  if (url === null || !/^(https?|mailto|tel):$/.test(url.protocol)) return words;
  return words === url.href || words === href
    ? words
    : `[${words.replace(/[[\]]/g, '\\$&')}](${bare(url.href)})`;
}

/** An address that ends no link early. */
const bare = (href: string): string =>
  href.replace(/[()\s]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);

/** In more backticks than it holds. */
function fenced(words: string): string {
  const longest = Math.max(0, ...[...words.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${words}${fence}` : `${fence} ${words} ${fence}`;
}
