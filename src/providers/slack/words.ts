// Slack's own markup as plain words. https://docs.slack.dev/messaging/formatting-message-text

/** @param nameOf the name of a person by id */
export function plain(markup: string, nameOf: (id: string) => string | undefined = () => undefined): string {
  return markup
    .replace(/<([^<>]*)>/g, (_, inside: string) => {
      const [target = '', label] = inside.split('|', 2);
      if (target.startsWith('@')) return `@${nameOf(target.slice(1)) ?? label ?? target.slice(1)}`;
      if (target.startsWith('#')) return `#${label ?? target.slice(1)}`;
      if (target.startsWith('!')) return label ?? `@${target.slice(1)}`;
      const address = target.replace(/^mailto:/, '');
      return label === undefined || label === address ? address : `${label} (${address})`;
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** Whether two texts show the same: Slack writes addresses and marks in its own way once a message is posted. */
export function sameWords(one: string, other: string): boolean {
  const bare = (text: string) => plain(text).replace(/\s+/g, ' ').trim();
  return bare(one) === bare(other);
}

/** What calls more people than those who are spoken to: `@channel`. */
export function callsIn(markup: string): string[] {
  const found = [...markup.matchAll(/<!(channel|here|everyone|subteam\^[A-Z0-9]+)(?:\|[^<>]*)?>/g)];
  return [...new Set(found.map(([, name = '']) => `@${name.startsWith('subteam') ? 'group' : name}`))];
}

/** Ids of the people whom a text calls. */
export const namedIn = (markup: string): string[] => [
  ...new Set([...markup.matchAll(/<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>/g)].map(([, id = '']) => id)),
];

/** Integer ms of a ts. */
export const timeOf = (ts: string): number => Math.floor(Number(ts) * 1000);

/** A ts of that time. */
export const tsOf = (ms: number): string =>
  `${String(Math.max(0, Math.floor(ms / 1000))).padStart(10, '0')}.000000`;
