// The XML that CalDAV clients speak, read by namespace and written by hand. No DTDs, no entities beyond
// the five of XML.

export interface Element {
  namespace: string;
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[name] ?? whole;
  });
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[char]};`);
}

/** The root element of `xml`. @throws Error when it is not well-formed. */
export function parseXml(xml: string): Element {
  const root: Element = { namespace: '', name: '', attributes: {}, children: [], text: '' };
  const stack: { element: Element; scope: Record<string, string>; tag: string }[] = [
    { element: root, scope: { '': '' }, tag: '' },
  ];
  const pieces =
    /<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/g;
  for (const [, cdata, closing, opening, attributeText, selfClosing, text] of xml.matchAll(pieces)) {
    const top = stack.at(-1);
    if (top === undefined) break;
    if (cdata !== undefined) top.element.text += cdata;
    else if (text !== undefined) top.element.text += unescapeXml(text);
    else if (closing !== undefined) {
      if (top.tag !== closing) throw new Error(`XML: </${closing}> closes <${top.tag}>`);
      stack.pop();
    } else if (opening !== undefined) {
      const scope = { ...top.scope };
      const attributes: Record<string, string> = {};
      for (const [, name = '', double, single] of (attributeText ?? '').matchAll(
        /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g,
      )) {
        const value = unescapeXml(double ?? single ?? '');
        if (name === 'xmlns') scope[''] = value;
        else if (name.startsWith('xmlns:')) scope[name.slice(6)] = value;
        else attributes[name] = value;
      }
      const [prefix, local] = opening.includes(':') ? opening.split(':', 2) : ['', opening];
      const namespace = scope[prefix ?? ''] ?? '';
      const element: Element = { namespace, name: local ?? '', attributes, children: [], text: '' };
      top.element.children.push(element);
      if (selfClosing === '') stack.push({ element, scope, tag: opening });
    }
  }
  const [first] = root.children;
  if (stack.length !== 1 || first === undefined) throw new Error('XML: not well-formed');
  return first;
}

export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

export function childrenOf(element: Element | undefined, name: string): Element[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}
