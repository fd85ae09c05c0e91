// The resource identifiers of the house, and what an agent may write for them.
import { DrawbridgeError } from '../../errors.ts';

/**
 * The id in `ime://documents/{id}`; the bare id is taken too.
 * @throws DrawbridgeError `invalid_request` naming `field`
 */
export function documentId(uri: string, field: string): string {
  const match = /^(?:ime:\/\/documents\/)?([a-z]+_[0-9a-z]{10,40})$/.exec(uri.trim());
  if (match?.[1] === undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      `${field}: "${uri.slice(0, 120)}" is no document. Write ime://documents/… as search and ime-search give it.`,
      { field },
    );
  }
  return match[1];
}
