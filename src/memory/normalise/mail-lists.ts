// What the header of a mail says of how it was sent: over which mailing lists, and whether to many at once or by a
// machine. A list is nobody's address, and what is sent to everybody says nothing of one.
import type { Email } from 'postal-mime';
import type { Person } from '../../providers/record.ts';

const addressForm = /[^\s<>(),;:"[\]]+@[^\s<>(),;:"[\]]+\.[^\s<>(),;:"[\]?]+/u;

export interface Distribution {
  /** Addresses of mailing lists, lower case: RFC 2369, RFC 2919, and what was there before them. */
  lists?: string[];
  /** A newsletter or a notice: sent by a machine, and no letter to anybody. */
  bulk?: true;
}

export function distributionOf(headers: Email['headers'], people: readonly Person[]): Distribution {
  const valuesOf = (name: string) => headers.filter(({ key }) => key === name).map(({ value }) => value);
  const posts = ['list-post', 'x-beenthere', 'x-mailing-list', 'mailing-list'].flatMap(valuesOf);
  const lists = new Set(posts.flatMap((value) => addressForm.exec(value)?.[0].toLowerCase() ?? []));
  const ids = valuesOf('list-id').map((value) =>
    (/<([^<>]+)>/u.exec(value)?.[1] ?? value).trim().toLowerCase(),
  );
  for (const { address } of people) {
    if (address !== undefined && ids.includes(address.replace('@', '.'))) lists.add(address);
  }
  const isDiscussed = posts.length > 0;
  const says = (name: string, form: RegExp) => valuesOf(name).some((value) => form.test(value.trim()));
  const bulk =
    says('auto-submitted', /^auto-generated\b/iu) ||
    says('list-unsubscribe-post', /\S/u) ||
    (!isDiscussed && (says('precedence', /^(?:bulk|junk)\b/iu) || says('list-unsubscribe', /\S/u)));
  return { ...(lists.size === 0 ? {} : { lists: [...lists] }), ...(bulk && !isDiscussed ? { bulk } : {}) };
}
