// A passkey in software, as an authenticator and a browser would answer together: real keys, real signatures
// (WebAuthn Level 3, 6.1 and 6.5; COSE_Key by RFC 9053, 7.1). A test bends one thing at a time.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest();
const text64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

export interface Bent {
  origin?: string;
  challenge?: string;
  rpId?: string;
  userVerified?: boolean;
  userPresent?: boolean;
  counter?: number;
  /** Shown as the credential's id. */
  id?: string;
  type?: string;
}

export interface Authenticator {
  id: string;
  /** Answers `navigator.credentials.create`, as `toJSON` writes it. */
  create(challenge: string, bent?: Bent): unknown;
  /** Answers `navigator.credentials.get`. */
  get(challenge: string, bent?: Bent): { id: string; response: { signature: string } };
}

export function createAuthenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const credentialId = randomBytes(16);
  const id = text64(credentialId);
  let counter = 0;

  // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
  const cose = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);

  function clientData(type: string, challenge: string, bent: Bent): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: bent.type ?? type,
        challenge: bent.challenge ?? challenge,
        origin: bent.origin ?? origin,
        crossOrigin: false,
      }),
    );
  }

  function authenticatorData(bent: Bent, attested?: Buffer): Buffer {
    const flags =
      ((bent.userPresent ?? true) ? 0x01 : 0) |
      ((bent.userVerified ?? true) ? 0x04 : 0) |
      (attested === undefined ? 0 : 0x40);
    const count = Buffer.alloc(4);
    if (bent.counter === undefined) counter += 1;
    count.writeUInt32BE(bent.counter ?? counter);
    return Buffer.concat([
      sha256(bent.rpId ?? new URL(origin).hostname),
      Buffer.from([flags]),
      count,
      attested ?? Buffer.alloc(0),
    ]);
  }

  return {
    id,
    create(challenge, bent = {}) {
      const attested = Buffer.concat([
        Buffer.alloc(16),
        Buffer.from([0, credentialId.length]),
        credentialId,
        cose,
      ]);
      const data = authenticatorData(bent, attested);
      // {"fmt": "none", "attStmt": {}, "authData": data}
      const attestationObject = Buffer.concat([
        Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'),
        Buffer.from([data.length]),
        data,
      ]);
      return {
        id,
        rawId: id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text64(clientData('webauthn.create', challenge, bent)),
          attestationObject: text64(attestationObject),
          transports: ['internal'],
        },
      };
    },
    get(challenge, bent = {}) {
      const data = authenticatorData(bent);
      const client = clientData('webauthn.get', challenge, bent);
      const shown = bent.id ?? id;
      return {
        id: shown,
        rawId: shown,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text64(client),
          authenticatorData: text64(data),
          signature: text64(sign('sha256', Buffer.concat([data, sha256(client)]), privateKey)),
        },
      };
    },
  };
}
