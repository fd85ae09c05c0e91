// What a formatted message says and where its links lead, whatever its colours, sizes and styles make of it.
import { convert } from 'html-to-text';
import { newToken } from '../../ids.ts';

export interface MailLink {
  text: string;
  target: string;
}

export interface ReadHtml {
  /** Every word of it, shown or not, in its order. */
  text: string;
  /** Every link once: what it says and where it leads. */
  links: MailLink[];
}

/** The part of a parsed node that is read here. */
interface Node {
  type?: string | undefined;
  name?: string | undefined;
  data?: string | undefined;
  attribs?: Record<string, string> | undefined;
  children?: Node[] | undefined;
}

const unsaid = new Set(['script', 'style', 'head', 'title']);
const within = new Set(
  'a abbr b bdi big cite code del em font i ins kbd mark q s samp small span strong sub sup tt u var wbr'.split(
    ' ',
  ),
);

function textOf(node: Node): string {
  if (node.type === 'text') return node.data ?? '';
  if (node.name !== undefined && unsaid.has(node.name)) return '';
  const text = (node.children ?? []).map(textOf).join('');
  return node.name !== undefined && within.has(node.name) ? text : ` ${text} `;
}

function linksIn(node: Node, found: Map<string, MailLink>): void {
  const target = node.attribs?.['href'];
  if (target !== undefined && target !== '') {
    const text = textOf(node).replace(/\s+/g, ' ').trim();
    found.set(`${text}\n${target}`, { text, target });
  }
  for (const child of node.children ?? []) linksIn(child, found);
}

/** Reads an HTML message with the parser that the memory uses too. */
export function readHtml(html: string): ReadHtml {
  const roots: Node[] = [];
  // A frame whose name the message cannot know, and so cannot close.
  const frame = `x-${newToken(9)
    .replace(/[^A-Za-z0-9]/g, '')
    .toLowerCase()}`;
  convert(`<${frame}>${html}</${frame}>`, {
    wordwrap: false,
    baseElements: { selectors: [frame] },
    selectors: [{ selector: frame, format: 'keep' }],
    formatters: {
      keep(element: Node) {
        roots.push(element);
      },
    },
  });
  const links = new Map<string, MailLink>();
  for (const root of roots) linksIn(root, links);
  return { text: roots.map(textOf).join(' ').replace(/\s+/g, ' ').trim(), links: [...links.values()] };
}

const word = /[\p{L}\p{N}]+/gu;

/** Words that the formatted message has and the plain one has not, in their order, each once. */
export function wordsOnlyInHtml(html: string, plain: string): string[] {
  const known = new Set(plain.toLowerCase().match(word) ?? []);
  const more = (readHtml(html).text.match(word) ?? []).filter((one) => !known.has(one.toLowerCase()));
  return [...new Set(more)];
}
