// Where the links of a formatted message lead, which the message's own words need not tell.
import { convert } from 'html-to-text';

export interface MailLink {
  text: string;
  target: string;
}

/** Every link of an HTML message in its order, once each: what it says and where it leads. */
export function linksOf(htmlText: string): MailLink[] {
  const links = new Map<string, MailLink>();
  convert(htmlText, {
    wordwrap: false,
    selectors: [{ selector: 'a', format: 'collect' }],
    formatters: {
      collect(element, walk, builder) {
        builder.pushWordTransform((word) => word);
        walk(element.children, builder);
        builder.popWordTransform();
        const attributes: unknown = element.attribs;
        const target =
          typeof attributes === 'object' && attributes !== null && 'href' in attributes
            ? String(attributes.href)
            : '';
        if (target === '') return;
        const text = textOf(element.children).replace(/\s+/g, ' ').trim();
        links.set(`${text}\n${target}`, { text, target });
      },
    },
  });
  return [...links.values()];
}

interface Node {
  data?: unknown;
  children?: Node[];
}

function textOf(nodes: Node[] | undefined): string {
  return (nodes ?? [])
    .map((node) => `${typeof node.data === 'string' ? node.data : ''}${textOf(node.children)}`)
    .join('');
}
