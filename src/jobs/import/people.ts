// People as files write them: `Name <address>`, an address, or a name.
import type { Person } from '../../providers/record.ts';

const addressShape = /[^\s<>(),;:"]+@[^\s<>(),;:"]+/;

/** One person, the address in lower case; undefined when the text names nobody. */
export function personOf(text: string, role: Person['role']): Person | undefined {
  const address = addressShape.exec(text)?.[0].toLowerCase();
  const name = text
    .replace(/<[^>]*>/g, ' ')
    .replace(addressShape, ' ')
    .replace(/["']/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (address === undefined && name === '') return undefined;
  return { ...(address === undefined ? {} : { address }), ...(name === '' ? {} : { name }), role };
}
