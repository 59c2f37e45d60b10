import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/**
 * An authenticator in software, from WebAuthn level 3 §6: makes discoverable ES256 credentials with attestation "none" and
 * answers challenges. It does what it is told, wrong things too, which a real one would not.
 */
export interface Authenticator {
  create(options: CreationOptions, wrong?: Partial<Said>): object;
  get(options: { challenge: string; rpId?: string }, wrong?: Partial<Said>): object;
  /** How often it says it was used. */
  counter: number;
}
interface CreationOptions {
  challenge: string;
  rp: { id?: string };
  user: { id: string };
}
/** What goes into an answer. */
interface Said {
  origin: string;
  rpId: string;
  challenge: string;
  /** In a frame of another site. */
  crossOrigin: boolean;
  userVerified: boolean;
  userHandle: string | undefined;
  signature: Buffer;
  id: string;
}

export function openAuthenticator(origin: string): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(16);
  let handle: string | undefined;
  const authenticator: Authenticator = {
    counter: 0,
    create(options, wrong = {}) {
      handle = options.user.id;
      const jwk = publicKey.export({ format: 'jwk' }) as { x: string; y: string };
      const coordinate = (text: string) => Buffer.from(text, 'base64url');
      // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
      const cose = Buffer.concat([
        Buffer.from('a5010203262001', 'hex'),
        Buffer.from('215820', 'hex'),
        coordinate(jwk.x),
        Buffer.from('225820', 'hex'),
        coordinate(jwk.y),
      ]);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const data = Buffer.concat([head(wrong, options.rp.id, 0x40), Buffer.alloc(16), length, id, cose]);
      return credential({
        clientDataJSON: clientData('webauthn.create', options.challenge, wrong),
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        attestationObject: Buffer.concat([
          Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746158', 'hex'),
          Buffer.from([data.length]),
          data,
        ]).toString('base64url'),
        transports: ['internal'],
      });
    },
    get(options, wrong = {}) {
      const data = head(wrong, options.rpId, 0);
      const client = clientData('webauthn.get', options.challenge, wrong);
      const hash = createHash('sha256').update(Buffer.from(client, 'base64url')).digest();
      const signature = wrong.signature ?? sign('sha256', Buffer.concat([data, hash]), privateKey);
      return credential(
        {
          clientDataJSON: client,
          authenticatorData: data.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: 'userHandle' in wrong ? wrong.userHandle : handle,
        },
        wrong.id,
      );
    },
  };

  function head(wrong: Partial<Said>, rpId: string | undefined, flags: number): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(authenticator.counter);
    const hash = createHash('sha256')
      .update(wrong.rpId ?? rpId ?? '')
      .digest();
    return Buffer.concat([hash, Buffer.from([flags | 0x01 | (wrong.userVerified === false ? 0 : 0x04)]), counter]);
  }
  function clientData(type: string, challenge: string, wrong: Partial<Said>): string {
    return Buffer.from(
      JSON.stringify({
        type,
        challenge: wrong.challenge ?? challenge,
        origin: wrong.origin ?? origin,
        crossOrigin: wrong.crossOrigin ?? false,
      }),
    ).toString('base64url');
  }
  function credential(response: object, otherId?: string): object {
    const name = otherId ?? id.toString('base64url');
    return { id: name, rawId: name, type: 'public-key', response, clientExtensionResults: {} };
  }
  return authenticator;
}
