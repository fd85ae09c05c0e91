// What the sender of an HTML mail hid from the reader's eye, taken out before it is read: text meant for
// machines alone is how an agent is given orders. What only a stylesheet hides is not seen here.

/** The part of a parsed node that is read here. */
export interface HtmlNode {
  type?: string | undefined;
  name?: string | undefined;
  /** The words of a text. */
  data?: string | undefined;
  attribs?: Record<string, string> | undefined;
  children?: HtmlNode[] | undefined;
}

type Colour = readonly [red: number, green: number, blue: number];

/** How text stands where it stands: what CSS hands down, and what lies under it. */
interface Look {
  colour: Colour | 'transparent' | undefined;
  /** Undefined: a picture, or something that a stylesheet may have painted. */
  ground: Colour | undefined;
  tiny: boolean;
  unseen: boolean;
}

const black: Colour = [0, 0, 0];
const linkBlue: Colour = [0, 0, 238];
const white: Colour = [255, 255, 255];
const named: Record<string, Colour> = { white, black, snow: [255, 250, 250], ivory: [255, 255, 240] };
/** Colours nearer than this, in each part of 255, are the same to an eye. */
const alike = 16;
const smallestPx = 1;
const offScreenPx = -900;

/** An inline style's declarations, names and values in lower case; of two the later. */
function declarations(style: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of style.slice(0, 4_000).split(';')) {
    const colon = part.indexOf(':');
    if (colon === -1) continue;
    const value = part.slice(colon + 1).toLowerCase();
    found.set(part.slice(0, colon).trim().toLowerCase(), value.replace('!important', '').trim());
  }
  return found;
}

/** The first number of a value: `0px` and `.0em` are 0. Undefined for words. */
function amount(value: string | undefined): number | undefined {
  const text = /^[+-]?(?:\d+\.?\d*|\.\d+)/.exec(value ?? '')?.[0];
  return text === undefined ? undefined : Number(text);
}

/** `transparent` for what is not drawn; undefined for what is not understood. */
function colourOf(value: string): Colour | 'transparent' | undefined {
  const hex = /^#([0-9a-f]{3,8})\b/.exec(value)?.[1];
  if (hex !== undefined) {
    const wide = hex.length < 6 ? hex.replace(/./g, '$&$&') : hex;
    if (wide.length === 8 && wide.endsWith('00')) return 'transparent';
    const part = (at: number) => Number.parseInt(wide.slice(at, at + 2), 16);
    return [part(0), part(2), part(4)];
  }
  const parts = /^rgba?\(([\d.\s,/%]+)\)/
    .exec(value)?.[1]
    ?.split(/[\s,/]+/)
    .filter((part) => part !== '');
  if (parts !== undefined) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = parts.map((part) =>
      part.endsWith('%') ? Number(part.slice(0, -1)) * 2.55 : Number(part),
    );
    return alpha === 0 ? 'transparent' : [red, green, blue];
  }
  return value === 'transparent' ? 'transparent' : named[value];
}

function isAlike(one: Colour, other: Colour): boolean {
  return one.every((part, index) => Math.abs(part - (other[index] ?? 0)) <= alike);
}

function hidesAll(element: HtmlNode, style: Map<string, string>): boolean {
  const { attribs = {}, name } = element;
  if ('hidden' in attribs || name === 'template') return true;
  if (style.get('display') === 'none' || style.get('mso-hide') === 'all') return true;
  if ((amount(style.get('opacity')) ?? 1) < 0.05) return true;
  const clips = /hidden|clip/.test(`${style.get('overflow') ?? ''}${style.get('overflow-y') ?? ''}`);
  const flat = ['max-height', 'height', 'max-width', 'width'].some((side) => amount(style.get(side)) === 0);
  if (clips && flat) return true;
  if ((amount(style.get('text-indent')) ?? 0) < offScreenPx) return true;
  const away = ['left', 'top'].some((side) => (amount(style.get(side)) ?? 0) < offScreenPx);
  return away && /absolute|fixed/.test(style.get('position') ?? '');
}

function lookOf(element: HtmlNode, style: Map<string, string>, above: Look, styled: boolean): Look {
  const { attribs = {} } = element;
  const look = { ...above };
  // A class may have been given any ground by the mail's stylesheet.
  if (styled && ('class' in attribs || 'id' in attribs)) look.ground = undefined;
  const painted = style.get('background-color') ?? style.get('background') ?? attribs['bgcolor'];
  const picture = 'background' in attribs || /url\(|gradient/.test(style.get('background-image') ?? '');
  if (painted !== undefined && painted !== '') {
    const ground = colourOf(painted.trim().toLowerCase());
    if (ground !== 'transparent' && painted !== 'none') look.ground = ground;
  }
  if (picture || /url\(|gradient/.test(painted ?? '')) look.ground = undefined;
  const ink = style.get('color') ?? attribs['color']?.trim().toLowerCase();
  if (ink !== undefined && ink !== 'inherit') {
    look.colour = colourOf(ink);
  } else if (element.name === 'a' && 'href' in attribs) {
    look.colour = linkBlue;
  }
  const shorthand = /(?:^|\s)(0(?:px|pt|em|rem|%)?)(?:\s|\/)/.exec(`${style.get('font') ?? ''} `)?.[1];
  const sizeText = style.get('font-size') ?? shorthand;
  const size = amount(sizeText);
  if (size !== undefined) look.tiny = size === 0 || (size <= smallestPx && /px|pt/.test(sizeText ?? ''));
  const visibility = style.get('visibility');
  if (visibility !== undefined) look.unseen = visibility === 'hidden' || visibility === 'collapse';
  return look;
}

function isSeen({ colour, ground, tiny, unseen }: Look): boolean {
  if (tiny || unseen || colour === 'transparent') return false;
  return colour === undefined || ground === undefined || !isAlike(colour, ground);
}

function hasStylesheet(node: HtmlNode, depth: number): boolean {
  if (node.name === 'style') return true;
  return depth > 0 && (node.children ?? []).some((child) => hasStylesheet(child, depth - 1));
}

/**
 * Takes out of `root`, in place, what inline styles and attributes keep from being seen: not displayed, no
 * size, no contrast with what lies under it. What a parent hides and a child shows again stays.
 * @param depth levels below this one are left alone: nobody reads them
 */
export function removeHidden(root: HtmlNode, depth: number): void {
  const styled = hasStylesheet(root, depth);
  const walk = (parent: HtmlNode, above: Look, left: number): void => {
    if (parent.children === undefined || left === 0) return;
    parent.children = parent.children.filter((child) => {
      if (child.type === 'text') return isSeen(above);
      if (child.attribs === undefined) return true;
      const style = declarations(child.attribs['style'] ?? '');
      if (hidesAll(child, style)) return false;
      walk(child, lookOf(child, style, above, styled), left - 1);
      return true;
    });
  };
  walk(root, { colour: black, ground: white, tiny: false, unseen: false }, depth);
}
