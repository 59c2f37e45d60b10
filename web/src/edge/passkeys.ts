import { DeskError } from '../desk/api.ts';

/**
 * The browser's side of passkeys (WebAuthn level 3): options come as JSON, answers leave as JSON. A person who closes the
 * browser's own window says no, which is no fault: undefined.
 */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential === 'function' &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'
  );
}

/** Makes a passkey. @returns what the desk has to be given, or undefined when the person did not want to */
export function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown | undefined> {
  return asked(options.rp.id, () =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  );
}

/** Lets a passkey answer a challenge. */
export function askPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown | undefined> {
  return asked(options.rpId, () =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
  );
}

async function asked(name: string | undefined, ask: () => Promise<Credential | null>): Promise<unknown | undefined> {
  try {
    const credential = await ask();
    return credential instanceof PublicKeyCredential ? credential.toJSON() : undefined;
  } catch (error) {
    // Cancelled, timed out, or no passkey for this desk: the browser does not say which, and has told the person.
    if (error instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(error.name)) return undefined;
    // Opened by a number or by another name of this desk.
    if (error instanceof DOMException && error.name === 'SecurityError' && name !== undefined)
      throw new DeskError(0, {
        code: 'conflict',
        message: `Passkeys of this desk belong to the address ${name}, and this page was opened under another one. Open it there.`,
      });
    throw error;
  }
}

/** The authenticator holds a passkey of this person already. */
export function isKnownAlready(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'InvalidStateError';
}
