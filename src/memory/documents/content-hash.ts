// A document's hash as its row holds it: in hex, and in an org's own file shorter, where it was written since.

const shortLength = 43;

/** `hash`: SHA-256 in hex. */
export const shortHash = (hash: string): string => Buffer.from(hash, 'hex').toString('base64url');

/** In hex, however it is stored. */
export const hashOf = (stored: string): string =>
  stored.length === shortLength ? Buffer.from(stored, 'base64url').toString('hex') : stored;
